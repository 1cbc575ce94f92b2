"""Equivalence and non-inferiority: two one-sided tests against a margin (TOST)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from analysis.tables import columns
from prereg.errors import RatifyError

Side = Literal["both", "not_worse"]
Better = Literal["higher", "lower"]
Interval = Callable[[float], tuple[float, float, float]]

EQUIVALENT, NOT_EQUIVALENT, DIFFERENT = ("equivalent", "not shown to be equivalent", "different")
NOT_WORSE, MAYBE_WORSE, WORSE = "not worse", "not shown to be not worse", "worse"
# Of a number that is 1 if the tests show equivalence and 0 if not.
SHOWN_UNIT = "1 if shown, 0 if not"
# No p value below this is computed from an interval that must be inverted.
LEAST_P = 1e-4
# How closely the last level with ends is sought, in normal quantiles.
_STEP = 0.1


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """The outcome of two one-sided tests.

    Attributes
    ----------
    estimate, low, high : float
        With the interval at `level`, which is 1 - 2 alpha.
    level, alpha : float
    margin_low, margin_high : float
        The ends between which the value counts as equivalent, in the units of the estimate; an
        infinite end is not asked about.
    p_lower, p_upper : float
        One-sided, that the value is at most `margin_low`, and that it is at least `margin_high`;
        NaN if not asked.
    p_value : float
        The larger of the two.
    verdict : str
        'equivalent', 'not shown to be equivalent' or 'different'; 'not worse', 'not shown to be
        not worse' or 'worse'.
    note : str
        Between which values a p value lies if it is only known so far; the p value is then the
        larger of these. Empty if all are known.
    """

    estimate: float
    low: float
    high: float
    level: float
    alpha: float
    margin_low: float
    margin_high: float
    p_lower: float
    p_upper: float
    p_value: float
    verdict: str
    note: str = ""


class _Known(NamedTuple):
    """A p value, between two values that are equal if it is known."""

    least: float
    most: float

    @property
    def words(self) -> str:
        if self.least == 0:
            return f"at most {self.most:.2g}"
        return f"between {self.least:.2g} and {self.most:.2g}"


def two_one_sided(
    interval: Interval,
    *,
    margin: float,
    reference: float = 0.0,
    side: Side = "both",
    better: Better = "higher",
    alpha: float = 0.05,
    se: float | None = None,
) -> Equivalence:
    """Test whether a value is within a margin of a reference, by its own interval.

    Parameters
    ----------
    interval : callable
        Returns estimate, low and high at a level of coverage. It is called with 1 - 2 alpha, and
        with other levels for the p values. At these it may have no ends (NaN, or a RatifyError):
        the verdict needs none of them, and the p value is then known only up to the last level
        that has ends.
    margin : float
        Above 0, in the units of the estimate.
    reference : float
    side : {'both', 'not_worse'}
        Whether the value may differ by less than the margin either way, or only not be worse by as
        much as the margin.
    better : {'higher', 'lower'}
        Which way is better; for 'not_worse'.
    alpha : float
        Of each one-sided test. The size of both together is at most alpha.
    se : float, optional
        If the interval is the estimate plus and minus a quantile of t times this, the p values are
        those of t. Otherwise each p value is the alpha at which an end of the interval at
        1 - 2 alpha is on the margin, and is not followed below .0001.

    Returns
    -------
    Equivalence
        Equivalent if the interval at 1 - 2 alpha lies within the margins (both tests reject);
        different if it lies wholly beyond one of them; otherwise equivalence is not shown, which
        is no evidence of a difference.

    Raises
    ------
    RatifyError
        On a wrong setting, and if there is no interval.

    Notes
    -----
    At the margin a true value is called equivalent in alpha of all data sets where the interval is
    much narrower than the margin, and less often where it is not.

    References
    ----------
    Schuirmann, D. J. (1987). Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
    Lakens, D. (2017). Social Psychological and Personality Science 8, 355-362.
    """
    columns.one_of("side", side, ["both", "not_worse"])
    columns.one_of("better", better, ["higher", "lower"])
    if not (math.isfinite(margin) and margin > 0):
        raise RatifyError("is out of range", column="margin", value=margin, allowed="above 0")
    if not 0 < alpha < 0.5:
        raise RatifyError("is out of range", column="alpha", value=alpha, allowed="0 to 0.5")
    level = 1 - 2 * alpha
    first = interval(level)
    estimate, low, high = first
    if not all(math.isfinite(x) for x in (estimate, low, high)):
        raise RatifyError("the value has no interval, so it cannot be compared with a margin")
    margin_low = reference - margin if side == "both" or better == "higher" else -math.inf
    margin_high = reference + margin if side == "both" or better == "lower" else math.inf

    @cache
    def known(at: float) -> tuple[float, float, float]:
        if at == level:
            return first
        try:
            return interval(at)
        except RatifyError:
            return math.nan, math.nan, math.nan

    df = None if se is None else _df_of(known, se, alpha)

    def beyond(bound: float, *, above: bool) -> _Known:
        if math.isinf(bound):
            return _Known(math.nan, math.nan)
        if df is not None and se is not None:
            p = float(student.sf((estimate - bound if above else bound - estimate) / se, df))
            return _Known(p, p)
        return _inverted(known, bound, above=above, alpha=alpha)

    both = {"p_lower": beyond(margin_low, above=True), "p_upper": beyond(margin_high, above=False)}
    p_lower, p_upper = (found.most for found in both.values())
    p_value = max(p for p in (p_lower, p_upper) if not math.isnan(p))
    return Equivalence(
        estimate=estimate,
        low=low,
        high=high,
        level=level,
        alpha=alpha,
        margin_low=margin_low,
        margin_high=margin_high,
        p_lower=p_lower,
        p_upper=p_upper,
        p_value=p_value,
        verdict=verdict_of(
            low > margin_low and high < margin_high, (low, high), (margin_low, margin_high)
        ),
        note=_note(both),
    )


def _note(both: Mapping[str, _Known]) -> str:
    """Return how far p values are known that are not known exactly."""
    said = [f"{name} is {p.words}" for name, p in both.items() if p.least < p.most]
    if not said:
        return ""
    return f"{' and '.join(said)}, because the number has no interval at every level of coverage"


def verdict_of(shown: bool, ends: tuple[float, float], margins: tuple[float, float]) -> str:
    """Return the verdict in words.

    Parameters
    ----------
    shown : bool
        Whether the tests show equivalence.
    ends, margins : tuple of float
        Of the interval, and of what counts as equivalent.
    """
    both = not any(math.isinf(bound) for bound in margins)
    words = (EQUIVALENT, NOT_EQUIVALENT, DIFFERENT) if both else (NOT_WORSE, MAYBE_WORSE, WORSE)
    if shown:
        return words[0]
    beyond = ends[1] <= margins[0] or ends[0] >= margins[1]
    return words[2] if beyond else words[1]


def _df_of(interval: Interval, se: float, alpha: float) -> float | None:
    """Return the degrees of freedom of a symmetric t interval with this error; None if it is not.

    They are read from the interval at 1 - 2 alpha, and must give that at 1 - alpha.
    """
    found = []
    for level in (1 - 2 * alpha, 1 - alpha):
        estimate, low, high = interval(level)
        half = (high - low) / 2
        if not (se > 0 and half > 0) or abs(high + low - 2 * estimate) > 1e-7 * half:
            return None
        found.append((level, half / se))
    (first, quantile), (second, other) = found

    def away(log_df: float) -> float:
        return float(student.ppf((1 + first) / 2, math.exp(log_df))) - quantile

    if away(math.log(1e7)) > -1e-6:
        df = math.inf
    elif away(0.0) < 0:
        return None
    else:
        df = math.exp(float(brentq(away, 0.0, math.log(1e7), xtol=1e-12)))
    expected = float(student.ppf((1 + second) / 2, df))
    return df if abs(expected - other) < 1e-4 * expected else None


def _inverted(interval: Interval, bound: float, *, above: bool, alpha: float) -> _Known:
    """Return the alpha at which an end of the interval at 1 - 2 alpha is on the bound."""
    estimate = interval(1 - 2 * alpha)[0]
    inside = estimate > bound if above else estimate < bound
    # beyond the bound, the other end reaches it, and p is above one half
    end = 1 if above == inside else 2
    sign = 1 if end == 1 else -1

    def gap(z: float) -> float:
        level = 1 - 2 * alpha if z == start else 1 - 2 * float(norm.sf(z))
        return sign * (interval(level)[end] - bound)

    least, start, most = 0.01, float(norm.isf(alpha)), float(norm.isf(LEAST_P))
    outward = gap(start) >= 0
    low, high = _crossing(gap, start, most if outward else least)
    if inside:
        found = _Known(float(norm.sf(high)), float(norm.sf(low)))
        return found._replace(most=min(found.most, alpha)) if outward else found
    return _Known(float(norm.sf(-low)), float(norm.sf(-high)))


def _crossing(gap: Callable[[float], float], start: float, far: float) -> tuple[float, float]:
    """Return between which quantiles a falling function is 0; they are equal if it is known.

    Parameters
    ----------
    gap : callable
        NaN at quantiles where the interval has no ends; not at `start`.
    start, far : float
        Where to begin, and where to end if it is not 0 before; then 0 or infinity is an end.
    """
    outward = far > start
    limit = math.inf if outward else 0.0

    def between(near: float, end: float) -> tuple[float, float]:
        return (near, end) if outward else (end, near)

    near, missing = start, None
    value = gap(far)
    while math.isnan(value) or (missing is not None and (value >= 0) == outward):
        if math.isnan(value):
            missing = far
        else:
            near = far
        assert missing is not None
        if abs(missing - near) < _STEP:
            return between(near, limit)
        far = (near + missing) / 2
        value = gap(far)
    if (value >= 0) == outward:
        return (far, far) if outward else (0.0, 0.0)  # p is not followed below LEAST_P
    try:
        z = float(brentq(_with_ends(gap), min(near, far), max(near, far), xtol=4e-3))
    except _NoEndsError:
        return between(near, far)
    return z, z


class _NoEndsError(Exception):
    """The interval has no ends at a level between two levels where it has."""


def _with_ends(gap: Callable[[float], float]) -> Callable[[float], float]:
    """Return the same function, which stops where it is not defined."""

    def defined(z: float) -> float:
        value = gap(z)
        if math.isnan(value):
            raise _NoEndsError
        return value

    return defined
