"""Refuses people who scored both treatment and outcome of a unit: their halo looks causal."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.tables.columns import flags
from prereg.errors import RatifyError


def refuse_both_scores(
    ratings: pd.DataFrame, dimensions: tuple[str, str], file: Path | None
) -> None:
    """Raise `RatifyError` if a person rated an item on both dimensions.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `item_id`, `dimension`; with `rater_kind`, only the rows of
        people count, with `is_attention_check`, only items, and with `value`, only ratings that
        have one.
    dimensions : (str, str)
        The scales of the treatment and of the outcome, which must differ.
    file : Path or None
        Named in the error.

    Raises
    ------
    RatifyError
        At the first such rater and item, in the order of the table, with the number of all.

    Notes
    -----
    One person whose errors on two dimensions are correlated makes an effect from nothing, and the
    mean of several such people does too (Thorndike 1920 on halo). Different people do not. It
    cannot tell whether two ids are one person.
    """
    one, other = dimensions
    if one == other:
        raise ValueError("treatment and outcome are one dimension")
    counts = ratings["dimension"].isin(dimensions)
    if "rater_kind" in ratings:
        counts &= ratings["rater_kind"] == "human"
    if "is_attention_check" in ratings:
        counts &= ~flags(ratings, "is_attention_check")
    if "value" in ratings:
        counts &= ratings["value"].notna()
    rated = ratings.loc[counts, ["rater_id", "item_id", "dimension"]]
    scales = rated.groupby(["rater_id", "item_id"], sort=False)["dimension"].nunique()
    both = scales[scales > 1]
    if both.empty:
        return
    rater, item = both.index[0]
    pairs = f"{len(both):,} such {'pair' if len(both) == 1 else 'pairs'} of rater and item"
    raise RatifyError(
        f"rater '{rater}' rated item '{item}' on both {one} and {other}; there "
        f"{'is' if len(both) == 1 else 'are'} {pairs}",
        file=file,
        allowed="different people for the two scores of an item: design.apart: true",
    )
