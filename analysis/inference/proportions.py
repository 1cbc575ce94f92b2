"""One proportion and the difference of two, each with an interval inside the possible range."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import pandas as pd
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from analysis.tables import columns
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """A share with Wilson's score interval.

    Attributes
    ----------
    estimate, low, high : float
        Share of `n`, 0 to 1; NaN if n is 0.
    successes, n : int
    level : float
    method, unit : str
    """

    estimate: float
    low: float
    high: float
    successes: int
    n: int
    level: float
    method: str = "proportion, Wilson's score interval (units taken as independent)"
    unit: str = "proportion"

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field."""
        return pd.DataFrame([asdict(self)])


@dataclass(frozen=True, kw_only=True)
class TwoProportions:
    """The difference of two independent proportions, first minus second.

    Attributes
    ----------
    estimate, low, high : float
        Difference of the shares, -1 to 1; NaN if a group is empty.
    z, p_value : float
        Two-sided z test of no difference with the pooled variance; NaN if a group is empty or
        the outcome is the same in all units of both.
    share_1, share_2 : float
    successes_1, n_1, successes_2, n_2 : int
    level : float
    method, unit : str
    note : str
        Why a number is missing, or that counts are too small for the z test; otherwise empty.
    """

    estimate: float
    low: float
    high: float
    z: float
    p_value: float
    share_1: float
    share_2: float
    successes_1: int
    n_1: int
    successes_2: int
    n_2: int
    level: float
    method: str = "difference of two proportions, Newcombe's interval, pooled z test"
    unit: str = "difference of proportions"
    note: str = ""

    @property
    def n(self) -> int:
        """Units of both groups."""
        return self.n_1 + self.n_2

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field."""
        return pd.DataFrame([asdict(self)])


def wilson_interval(k: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of k out of n, NaN where n is 0.

    Parameters
    ----------
    k, n : float
        Successes and units; both may be effective numbers.
    level : float

    References
    ----------
    Wilson, E. B. (1927). Journal of the American Statistical Association 22, 209-212.
    """
    if not n > 0 or math.isnan(k):
        return math.nan, math.nan
    low, high = proportion_confint(k, n, alpha=1 - level, method="wilson")
    # at 0 and at n the end is the share itself, apart from rounding
    return (float(low) if k > 0 else 0.0), (float(high) if k < n else 1.0)


def wilson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Return a share with its score interval.

    Parameters
    ----------
    k : int
        Successes.
    n : int
        Units; 0 gives NaN.
    level : float

    Raises
    ------
    RatifyError
        Unless 0 <= k <= n, both whole, and 0 < level < 1.
    """
    columns.proportion("level", level)
    k, n = _counts(k, n, "k")
    low, high = wilson_interval(k, n, level=level)
    return Proportion(
        estimate=k / n if n else math.nan, low=low, high=high, successes=k, n=n, level=level
    )


def two_proportions(x1: int, n1: int, x2: int, n2: int, *, level: float = 0.95) -> TwoProportions:
    """Return the difference of two independent proportions, its interval and the z test.

    Parameters
    ----------
    x1, n1, x2, n2 : int
        Successes and units of the first and of the second group.
    level : float
        Coverage of the interval.

    Returns
    -------
    TwoProportions
        First minus second. Interval: Newcombe's hybrid of the two Wilson intervals, which stays
        between -1 and 1 and has a width above 0 even at 0 and at n. Test: the textbook z test with
        the pooled variance; near the significance level the two may disagree.

    Raises
    ------
    RatifyError
        Unless 0 <= x <= n, all whole, and 0 < level < 1.

    Notes
    -----
    Units are assumed to be independent: do not use it for the same people before and after, or for
    many texts by one person.

    References
    ----------
    Newcombe, R. G. (1998). Statistics in Medicine 17, 873-890 (method 10).
    """
    columns.proportion("level", level)
    x1, n1 = _counts(x1, n1, "x1")
    x2, n2 = _counts(x2, n2, "x2")
    shares = [x / n if n else math.nan for x, n in ((x1, n1), (x2, n2))]
    low = high = math.nan
    if n1 and n2:
        low, high = confint_proportions_2indep(
            x1, n1, x2, n2, compare="diff", method="newcomb", alpha=1 - level
        )
    z, p_value, note = _pooled_z(x1, n1, x2, n2)
    return TwoProportions(
        estimate=shares[0] - shares[1],
        low=float(low),
        high=float(high),
        z=z,
        p_value=p_value,
        share_1=shares[0],
        share_2=shares[1],
        successes_1=x1,
        n_1=n1,
        successes_2=x2,
        n_2=n2,
        level=level,
        note=note,
    )


def _counts(k: int, n: int, name: str) -> tuple[int, int]:
    for value in (k, n):
        if not math.isfinite(value) or value != int(value):
            raise RatifyError("is not a count", value=value, allowed="a whole number")
    if not 0 <= k <= n:
        raise RatifyError(f"{name} is out of range", value=int(k), allowed=f"0 to {int(n)}")
    return int(k), int(n)


def _pooled_z(x1: int, n1: int, x2: int, n2: int) -> tuple[float, float, str]:
    """Return z, its p value, and a caution about them."""
    if n1 == 0 or n2 == 0:
        return math.nan, math.nan, "One of the groups is empty."
    pooled = (x1 + x2) / (n1 + n2)
    if pooled in (0.0, 1.0):
        return math.nan, math.nan, "No test: the outcome is the same everywhere."
    z, p_value = proportions_ztest([x1, x2], [n1, n2])
    expected = min(pooled, 1 - pooled) * min(n1, n2)
    small = "Fewer than 5 expected in a group: the z test is rough." if expected < 5 else ""
    return float(z), float(p_value), small
