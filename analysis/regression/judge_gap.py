"""Tests whether people choose what the judge scored higher: trials with gaps, and rates by gap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray
from analysis.inference.proportions import wilson_interval
from analysis.inference.trial_errors import clusters_of, share_interval
from analysis.tables import columns
from prereg.analyses.choices import bin_name
from prereg.analyses.clusters import RATER_AND_ITEMS
from prereg.errors import RatifyError

OUTSIDE = "outside the bins"

Orientation = Literal["higher_minus_lower", "left_minus_right"]


@dataclass(frozen=True, kw_only=True)
class Trials:
    """People's trials with a judge's scores.

    Attributes
    ----------
    frame : DataFrame
        The judgments' rows and columns, and: `gap` (absolute difference of the score),
        `select_higher` (1 if the higher-scored side was chosen, 0 if the other, missing at gap 0),
        `select_match` (1 if the judge's own preferred side was chosen, missing at equal
        preference), `chose_left` (1 or 0), and `diff_NAME` for each dimension: higher-scored minus
        lower-scored side, missing at gap 0; or left minus right, depending on `orientation`. The
        three outcomes are missing too where the person chose neither side.
    n : int
        Trials.
    n_no_gap : int
        Trials at gap 0: no side is higher, `select_higher` is missing.
    n_unscored : int
        Trials with an item that has no score: gap and outcome are missing.
    n_no_preference : int
        Trials with equal preference: `select_match` is missing.
    n_tied : int
        Trials in which the person chose neither side: no outcome, as at gap 0.
    orientation : {'higher_minus_lower', 'left_minus_right'}
        Of the differences.
    """

    frame: pd.DataFrame = field(repr=False)
    n: int
    n_no_gap: int
    n_unscored: int
    n_no_preference: int
    orientation: Orientation = "higher_minus_lower"
    n_tied: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def trials_with_gap(
    judgments: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    score: str = "overall",
    preference: str | None = "elo",
    dimensions: Sequence[str] = (),
    orientation: Orientation = "higher_minus_lower",
) -> Trials:
    """Add the judge's scores of the two items to each trial.

    Parameters
    ----------
    judgments : DataFrame
        Tidy judgments of people: `left_id`, `right_id`, `choice`. Leave attention checks out.
    scores : DataFrame
        `item_id` (each once), `score`, `preference` and the dimensions.
    score : str
        Column for `gap` and `select_higher`.
    preference : str or None
        Column by which the judge prefers a side, for `select_match`; None leaves it missing.
    dimensions : sequence of str
        Columns to take differences of.
    orientation : {'higher_minus_lower', 'left_minus_right'}
        Sign of the differences.

    Returns
    -------
    Trials

    Raises
    ------
    RatifyError
        On missing columns, an unknown choice, an item that occurs more than once in `scores`, and
        an item of a trial that has no row there.

    Notes
    -----
    By default differences are higher minus lower. Use left minus right with `chose_left` only:
    sides are random, so it is unrelated to `select_higher` and `select_match`.
    """
    columns.one_of("orientation", orientation, ["higher_minus_lower", "left_minus_right"])
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    wanted = [score, *([preference] if preference else []), *dimensions]
    columns.require_columns(scores, "item_id", *wanted)
    share = columns.left_share(judgments)
    tied, left_chosen = share == 0.5, share == 1
    left, right = _sides(judgments, scores, wanted)
    ahead = np.sign(left[score] - right[score])
    frame = judgments.reset_index(drop=True).assign(
        gap=np.abs(left[score] - right[score]),
        select_higher=_agrees(np.where(tied, np.nan, ahead), left_chosen),
        chose_left=np.where(tied, np.nan, share),
    )
    preferred = np.zeros(len(frame))
    if preference:
        preferred = np.sign(left[preference] - right[preference])
    frame["select_match"] = _agrees(np.where(tied, np.nan, preferred), left_chosen)
    for name in dimensions:
        difference = left[name] - right[name]
        if orientation == "higher_minus_lower":
            difference = np.where(ahead == 0, np.nan, ahead * difference)
        frame[f"diff_{name}"] = difference
    return Trials(
        frame=frame,
        n=len(frame),
        n_no_gap=int((ahead == 0).sum()),
        n_unscored=int(np.isnan(ahead).sum()),
        n_no_preference=int((preferred == 0).sum()),
        orientation=orientation,
        n_tied=int(tied.sum()),
    )


def _sides(
    judgments: pd.DataFrame, scores: pd.DataFrame, wanted: list[str]
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return the scores of the left and of the right items, by column."""
    ids = columns.text_ids(scores, "item_id")
    columns.refuse(
        scores,
        "item_id",
        ids.duplicated(),
        "occurs more than once",
        allowed="one row for each item",
    )
    index = pd.Index(ids)
    values = {name: columns.numbers(scores, name) for name in dict.fromkeys(wanted)}
    sides: list[dict[str, FloatArray]] = []
    for column in ("left_id", "right_id"):
        place = index.get_indexer(pd.Index(columns.text_ids(judgments, column)))
        columns.refuse(
            judgments,
            column,
            place < 0,
            "has no row in the scores",
            allowed="an item_id of the scores",
        )
        sides.append({name: known[place] for name, known in values.items()})
    return sides[0], sides[1]


def _agrees(ahead: FloatArray, left_chosen: BoolArray) -> FloatArray:
    """Return 1 where the choice is the side ahead, 0 where not, NaN where neither is ahead."""
    nobody = (ahead == 0) | np.isnan(ahead)
    return np.where(nobody, np.nan, ((ahead > 0) == left_chosen).astype(float))


def selection_by_gap(
    trials: pd.DataFrame,
    *,
    bins: Sequence[tuple[float, float]],
    cluster: str = RATER_AND_ITEMS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return how often people chose the higher-scored side, by size of the gap.

    Parameters
    ----------
    trials : DataFrame
        `gap` and `select_higher` (0, 1 or missing), as in `Trials.frame`.
    bins : sequence of (low, high)
        Both ends are included; an end that two bins share belongs to the lower bin. `high` may
        be infinite.
    cluster : str
        'rater_and_items', a column such as `rater_id`, or 'none': trials taken as independent, as
        published.
    level : float

    Returns
    -------
    DataFrame
        `bin`, `gap_low`, `gap_high`, `n`, `chosen`, `rate`, `low`, `high`, `se`: intervals of
        `trial_errors.share_interval`. An empty bin is kept with a missing rate. Trials with an
        outcome but a gap outside all bins get a last row without `gap_low` and `gap_high`.

    Raises
    ------
    RatifyError
        On missing columns, no bins, or bins that overlap or do not increase.

    References
    ----------
    Wilson, E. B. (1927). Journal of the American Statistical Association 22, 209-212.
    """
    columns.require_columns(trials, "gap", "select_higher")
    columns.proportion("level", level)
    _check_bins(bins)
    gap, chosen = columns.numbers(trials, "gap"), columns.numbers(trials, "select_higher")
    counted = ~np.isnan(chosen) & ~np.isnan(gap)
    inside, seen = {}, np.zeros(len(gap), dtype=bool)
    for low, high in bins:
        here = counted & ~seen & (gap >= low) & (gap <= high)
        seen |= here
        inside[bin_name(low, high), low, high] = here
    if (counted & ~seen).any():
        inside[OUTSIDE, math.nan, math.nan] = counted & ~seen
    rows = [
        (
            name,
            low,
            high,
            int(here.sum()),
            int(chosen[here].sum()),
            *_rate(trials, here, cluster, level),
        )
        for (name, low, high), here in inside.items()
    ]
    names = ["bin", "gap_low", "gap_high", "n", "chosen", "rate", "low", "high", "se"]
    return pd.DataFrame(rows, columns=names).astype({"gap_low": float, "gap_high": float})


def _rate(
    trials: pd.DataFrame, inside: BoolArray, cluster: str, level: float
) -> tuple[float, float, float, float]:
    """Return the share of these trials that chose the higher side, its interval and its error."""
    chosen = columns.numbers(trials[inside], "select_higher")
    if not len(chosen):
        return math.nan, math.nan, math.nan, math.nan
    rate = float(chosen.mean())
    if cluster == "none":
        low, high = wilson_interval(float(chosen.sum()), len(chosen), level=level)
        return rate, low, high, math.sqrt(rate * (1 - rate) / len(chosen))
    clusters = clusters_of(trials[inside], cluster)
    se, low, high = share_interval(chosen, clusters, level=level)
    return rate, low, high, se


def _check_bins(bins: Sequence[tuple[float, float]]) -> None:
    if not bins:
        raise RatifyError("there are no bins", allowed="pairs (low, high)")
    edges = [edge for pair in bins for edge in pair]
    rising = all(low <= high for low, high in bins)
    apart = edges == sorted(edges)
    if any(math.isnan(edge) for edge in edges) or not (rising and apart):
        raise RatifyError(
            "bins are out of order",
            value=list(bins),
            allowed="increasing pairs that do not overlap",
        )
