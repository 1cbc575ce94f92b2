"""Turns best-worst choices into comparisons: the best beats all others, all beat the worst."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.tables import columns

# Columns that are the same on all rows of a trial and are copied to its comparisons.
_OF_TRIAL = ("scenario", "mode", "session_id", "rater_kind", "sequence_id", "position", "plan_hash")


def comparisons_from_best_worst(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons that best-worst trials imply, for `bradley_terry` and `elo`.

    Parameters
    ----------
    frame : DataFrame
        The best_worst table: one row per option, with `trial_id`, `rater_id`, `item_id`, `option`
        (place on the page), `picked` ('most' on one row of a trial, 'least' on another, otherwise
        empty). `scenario` and other columns of the trial are kept if there are any.
        Attention checks (`is_attention_check`) are set aside.

    Returns
    -------
    DataFrame
        Tidy judgments: `left_id`, `right_id` (the option shown first is left), `choice`,
        `rater_id`, `trial_id`, and the columns of the trial. A trial of n options gives 2n - 3
        rows: best over worst counts once.

    Raises
    ------
    RatifyError
        On a missing column, an empty cell, an unknown word in `picked`, a trial without exactly
        one 'most' and one 'least', with fewer than 3 options, with an item or a place twice, or
        with more than one rater or scenario, and if there are only attention checks.

    Notes
    -----
    The comparisons of a trial depend on each other: errors must be clustered by rater (the
    default of `bradley_terry`), never by judgment. Best over others is consistent if raters choose
    the best in proportion to strength, and others over worst if they choose the worst in inverse
    proportion; both together assume one scale for both.

    References
    ----------
    Louviere, J. J., Flynn, T. N. and Marley, A. A. J. (2015). Best-Worst Scaling. Cambridge.
    Azari Soufiani, H., Chen, W., Parkes, D. C. and Xia, L. (2013). Advances in Neural Information
    Processing Systems 26.
    """
    columns.require_columns(frame, "trial_id", "rater_id", "item_id", "option", "picked")
    columns.require_rows(frame, "trials")
    if "is_attention_check" in frame:
        frame = frame[~columns.flags(frame, "is_attention_check")].reset_index(drop=True)
        columns.require_rows(frame, "trials other than attention checks")
    table = _checked(frame)
    parts = []
    for picked, beats in (("most", True), ("least", False)):
        chosen = table.loc[table["picked"] == picked, ["trial_id", "item_id", "option"]]
        both = table.merge(chosen, on="trial_id", suffixes=("", "_picked"))
        other = both["item_id"] != both["item_id_picked"]
        if not beats:
            other &= both["picked"] != "most"
        both = both[other]
        first = (both["option_picked"] < both["option"]).to_numpy()
        own, rest = both["item_id_picked"].to_numpy(), both["item_id"].to_numpy()
        sides = pd.DataFrame(
            {
                "left_id": np.where(first, own, rest),
                "right_id": np.where(first, rest, own),
                "choice": np.where(first == beats, "left", "right"),
            },
            index=both.index,
        )
        kept = [name for name in _OF_TRIAL if name in both]
        parts.append(sides.join(both[["rater_id", "trial_id", *kept, "row"]]))
    out = pd.concat(parts, ignore_index=True)
    out = out.sort_values("row", kind="stable", ignore_index=True)
    return out.drop(columns="row").astype({"left_id": "str", "right_id": "str", "choice": "str"})


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with clean columns; `row` is the first row of each trial."""
    columns.require_filled(frame, "trial_id", "rater_id")
    picked = frame["picked"].astype(object).where(~columns.missing(frame["picked"]), "")
    columns.refuse(
        frame,
        "picked",
        ~picked.isin(["most", "least", ""]),
        "is not a pick",
        allowed="most, least, or an empty cell",
    )
    table = frame.assign(
        item_id=columns.text_ids(frame, "item_id"),
        picked=picked,
        option=columns.whole_numbers(frame, "option", least=1),
    )
    columns.refuse(frame, "option", table["option"].isna(), "is empty", allowed="a place from 1")
    for name, what in (("item_id", "an item"), ("option", "a place")):
        again = table.duplicated(["trial_id", name])
        columns.refuse(
            frame, name, again, f"{what} occurs more than once in a trial", allowed="each once"
        )
    trial = table.groupby("trial_id", sort=False)
    for name in ("rater_id", *(c for c in ("scenario",) if c in table)):
        mixed = trial[name].transform("nunique", dropna=False) > 1
        columns.refuse(
            frame, name, mixed, "a trial has several", allowed="the same on all rows of a trial"
        )
    columns.refuse(
        frame,
        "trial_id",
        trial["item_id"].transform("size") < 3,
        "has too few options",
        allowed="at least 3 rows",
    )
    for word in ("most", "least"):
        count = (table["picked"] == word).groupby(table["trial_id"]).transform("sum")
        columns.refuse(
            frame,
            "trial_id",
            count != 1,
            f"does not have exactly one '{word}'",
            allowed="one most and one least in each trial",
        )
    start = pd.Series(np.arange(len(table)), index=table.index)
    return table.assign(row=start.groupby(table["trial_id"]).transform("min"))
