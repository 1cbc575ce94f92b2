"""One proportion and the difference of two, each with an interval that stays where it can be."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import pandas as pd
from scipy.stats import norm

from analysis.tables import columns
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class Proportion:
    """A share with Wilson's score interval.

    Attributes
    ----------
    estimate, low, high : float
        Share of `n`, 0 to 1; NaN where n is 0.
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
        Difference of the shares, -1 to 1; NaN where a group is empty.
    z, p_value : float
        Two-sided z test of no difference with the pooled variance; NaN where a group is empty or
        the outcome is the same in all of both.
    share_1, share_2 : float
    successes_1, n_1, successes_2, n_2 : int
    level : float
    method, unit : str
    note : str
        Why a number is missing, or that counts are too small for the z test; else empty.
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


def wilson(k: int, n: int, level: float = 0.95) -> Proportion:
    """Return a share with its score interval.

    Parameters
    ----------
    k : int
        Successes.
    n : int
        Of how many; 0 gives NaN.
    level : float

    Raises
    ------
    RatifyError
        Unless 0 <= k <= n, both whole, and 0 < level < 1.

    References
    ----------
    Wilson, E. B. (1927). Journal of the American Statistical Association 22, 209-212.
    """
    columns.proportion("level", level)
    k, n = _counts(k, n, "k")
    low, high = _score_interval(k, n, level)
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
        between -1 and 1 and has a width at 0 and at n too. Test: z with the pooled variance, the
        textbook one; close to the border of significance the two may disagree.

    Raises
    ------
    RatifyError
        Unless 0 <= x <= n, all whole, and 0 < level < 1.

    Notes
    -----
    Units are taken as independent: not for the same people before and after, or for many texts of
    one person.

    References
    ----------
    Newcombe, R. G. (1998). Statistics in Medicine 17, 873-890 (method 10).
    """
    columns.proportion("level", level)
    x1, n1 = _counts(x1, n1, "x1")
    x2, n2 = _counts(x2, n2, "x2")
    shares = [x / n if n else math.nan for x, n in ((x1, n1), (x2, n2))]
    (low1, high1), (low2, high2) = (_score_interval(x1, n1, level), _score_interval(x2, n2, level))
    difference = shares[0] - shares[1]
    z, note = _pooled_z(x1, n1, x2, n2)
    return TwoProportions(
        estimate=difference,
        low=difference - math.hypot(shares[0] - low1, high2 - shares[1]),
        high=difference + math.hypot(high1 - shares[0], shares[1] - low2),
        z=z,
        p_value=2 * float(norm.sf(abs(z))),
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


def _score_interval(k: int, n: int, level: float) -> tuple[float, float]:
    if n == 0:
        return math.nan, math.nan
    z = float(norm.ppf((1 + level) / 2))
    share = k / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # at 0 and at n the end is the share itself, but for rounding
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def _pooled_z(x1: int, n1: int, x2: int, n2: int) -> tuple[float, str]:
    """Return z, and what must be known about it."""
    if n1 == 0 or n2 == 0:
        return math.nan, "One of the groups is empty."
    pooled = (x1 + x2) / (n1 + n2)
    if pooled in (0.0, 1.0):
        return math.nan, "No test: the outcome is the same everywhere."
    z = (x1 / n1 - x2 / n2) / math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    expected = min(pooled, 1 - pooled) * min(n1, n2)
    small = "Fewer than 5 expected in a group: the z test is rough." if expected < 5 else ""
    return z, small
