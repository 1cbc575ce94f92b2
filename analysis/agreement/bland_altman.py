"""Limits of agreement: by how much two scores of one item may differ, in points of the scale."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis.arrays import FloatArray
from analysis.tables import columns
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class LimitsOfAgreement:
    """Bias and limits of agreement of a score with a reference.

    Attributes
    ----------
    bias, bias_low, bias_high : float
        Mean of score - reference, in points; t interval.
    sd : float
        Standard deviation of the differences, in points.
    lower, lower_low, lower_high, upper, upper_low, upper_high : float
        The limits between which a share `level` of all differences lies, bias -/+ 1.96 sd at 95%,
        and the interval of each.
    spread, spread_low, spread_high : float
        Standard deviation of the score over that of the reference; below 1 the score uses less of
        the scale. NaN where one of the two never varies.
    n, n_dropped : int
        Items with both, and items that lack one of the two.
    level : float
        Coverage of the limits and of every interval.
    method : str
    note : str
        A caution about the limits, empty if there is none.
    """

    bias: float
    bias_low: float
    bias_high: float
    sd: float
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float
    spread: float
    spread_low: float
    spread_high: float
    n: int
    n_dropped: int
    level: float
    method: str
    note: str

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers as a table of one row."""
        return pd.DataFrame([asdict(self)])


def limits_of_agreement(
    pairs: pd.DataFrame, *, score: str = "judge", reference: str = "reference", level: float = 0.95
) -> LimitsOfAgreement:
    """Return the bias and the limits of agreement of two scores of the same items.

    Parameters
    ----------
    pairs : DataFrame
        One row per item: two columns of numbers on one scale, in points. Rows that lack one are
        left out. Rows are taken as independent, so each item may occur only once.
    score, reference : str
        Names of the columns; differences are score - reference.
    level : float
        Share of differences between the limits, and coverage of every interval.

    Returns
    -------
    LimitsOfAgreement

    Raises
    ------
    RatifyError
        If a column is missing, a cell is not a number, the level is outside 0 to 1, or fewer than
        three items have both scores.

    Notes
    -----
    Bland and Altman (1986, Lancet). The intervals of the limits are exact if differences are
    normal (noncentral t: Carkeet 2015, Optometry and Vision Science); on scales of a few points
    they are approximate. The ratio of spreads has Morgan's interval (1939, Biometrika).
    If it is not 1, differences change along the scale, and one pair of limits describes only the
    middle of it. A score that stays near the middle (or a reference that is a mean of many) is too
    high for low items and too low for high ones, whatever its bias.
    """
    columns.proportion("level", level)
    columns.require_columns(pairs, score, reference)
    both = np.column_stack([columns.numbers(pairs, score), columns.numbers(pairs, reference)])
    known = both[~np.isnan(both).any(axis=1)]
    n = len(known)
    if n < 3:
        raise RatifyError("too few items have both scores", value=n, allowed="at least 3")
    gaps = known[:, 0] - known[:, 1]
    bias, sd = float(gaps.mean()), float(gaps.std(ddof=1))
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n)
    reach = float(stats.norm.ppf((1 + level) / 2))
    inner, outer = (sd * factor for factor in _limit_factors(n, level, reach))
    spread = _spread(known, level)
    return LimitsOfAgreement(
        bias=bias,
        bias_low=bias - half,
        bias_high=bias + half,
        sd=sd,
        lower=bias - reach * sd,
        lower_low=bias - outer,
        lower_high=bias - inner,
        upper=bias + reach * sd,
        upper_low=bias + inner,
        upper_high=bias + outer,
        spread=spread[0],
        spread_low=spread[1],
        spread_high=spread[2],
        n=n,
        n_dropped=len(pairs) - n,
        level=level,
        method="limits of agreement of Bland and Altman, exact intervals for normal differences",
        note=_note(spread),
    )


def _limit_factors(n: int, level: float, reach: float) -> tuple[float, float]:
    """Return the two ends of a limit's interval, as distances from the bias in units of sd."""
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    ends = stats.nct.ppf(tails, n - 1, reach * math.sqrt(n)) / math.sqrt(n)
    return float(ends[0]), float(ends[1])


def _spread(known: FloatArray, level: float) -> tuple[float, float, float]:
    """Return the ratio of the two standard deviations with Morgan's interval."""
    n = len(known)
    ours, theirs = (float(column.std(ddof=1)) for column in known.T)
    if ours == 0 or theirs == 0:
        return math.nan, math.nan, math.nan
    centred = known - known.mean(axis=0)
    r = float(centred[:, 0] @ centred[:, 1]) / ((n - 1) * ours * theirs)
    t = float(stats.t.ppf((1 + level) / 2, n - 2))
    centre = 1 + 2 * (1 - min(r * r, 1.0)) * t * t / (n - 2)
    half = math.sqrt(centre * centre - 1)
    ratio = ours / theirs
    return ratio, ratio * math.sqrt(centre - half), ratio * math.sqrt(centre + half)


def _note(spread: tuple[float, float, float]) -> str:
    """Return a caution if differences change along the scale."""
    ratio, low, high = spread
    if math.isnan(ratio):
        return "One of the two scores never varies."
    if low <= 1 <= high:
        return ""
    how = "less" if ratio < 1 else "more"
    return (
        f"The score uses {how} of the scale than the reference (spread {ratio:.2f} times as wide), "
        "so its differences change with the level, and the limits hold in the middle only."
    )
