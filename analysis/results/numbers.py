"""Formats numbers as text; all rounding happens here.

Only text is rounded; `results.json` keeps every digit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal

MISSING = "—"
MINUS = "\u2212"

Kind = Literal["p", "bounded", "statistic", "count", "plain", "factor"]

# An end of an interval that is closer to zero than this is zero.
SMALLEST = 1e-6

# What stands in the place of an interval without width, and what a table says about it.
NEVER_VARIES = "no interval: never varies"
NO_INTERVAL = "no interval"
WHY_NO_INTERVAL = (
    "“No interval” stands where the answers behind a number never vary, so that they cannot show "
    "how uncertain it is."
)

# Words in a column's name or a unit that mean the number cannot exceed 1: two decimals are enough.
_BOUNDED = frozenset(
    "r rho tau spearman pearson kendall correlation disattenuated kappa kappas alpha ac1 ac2 icc "
    "icc2 concordance ccc reliability exact within_one agreement accuracy sensitivity specificity "
    "recall precision predictive ppv npv auc proportion proportions rate share shares prevalence "
    "probability level r2 consistency coverage".split()
)
_STATISTICS = frozenset({"z", "t", "f", "chi2", "wald", "statistic"})


def number(value: float | None, decimals: int | None = None) -> str:
    """Return a number with thousands separators and a true minus.

    Parameters
    ----------
    value : float, int or None
        None and NaN are missing and shown as an em dash.
    decimals : int, optional
        Decimals to show; by default from `decimals_for`.

    Returns
    -------
    str
        A value that rounds to zero has no sign.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if isinstance(value, int):
        return count(value)
    text = f"{abs(value):,.{decimals_for(value) if decimals is None else decimals}f}"
    return (MINUS if value < 0 and any(digit in "123456789" for digit in text) else "") + text


def signed(value: float | None, decimals: int | None = None) -> str:
    """Return a number with its sign, also a plus; zero has none."""
    text = number(value, decimals)
    above = value is not None and value > 0 and any(digit in "123456789" for digit in text)
    return f"+{text}" if above else text


def with_interval(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    percent: bool = False,
    sign: bool = False,
    decimals: int | None = None,
) -> str:
    """Return an estimate with its interval for a sentence: `0.56 [0.41, 0.68]`, `61% [57%, 65%]`.

    Parameters
    ----------
    value, low, high : float or None
        The interval is left out where both ends are missing.
    percent : bool
        Whether to show shares as percentages: whole ones, or one decimal in a narrow interval.
    sign : bool
        Whether the estimate has a plus if it is above zero.
    decimals : int, optional
        Decimals to show; by default as many as the width of the interval allows.

    Returns
    -------
    str
        Estimate and ends have the same decimals. An interval without width is not shown, but the
        reason for it: `−1.00 [no interval: never varies]`.
    """
    scale = 100.0 if percent else 1.0
    estimate, start, end = (
        None if _absent(v) else scale * float(v)  # type: ignore[arg-type]
        for v in (value, low, high)
    )
    places = decimals_of(value, low, high, percent=percent) if decimals is None else decimals
    mark = "%" if percent else ""
    shown = (signed if sign else number)(estimate, places)
    text = shown + (mark if estimate is not None else "")
    if start is None and end is None:
        return text
    if flat(start, end):
        return f"{text} [{NEVER_VARIES}]"
    ends = (number(v, places) + (mark if v is not None else "") for v in (start, end))
    return f"{text} [{', '.join(ends)}]"


def decimals_of(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    percent: bool = False,
) -> int:
    """Return the decimals with which `with_interval` shows an estimate and its interval."""
    scale = 100.0 if percent else 1.0
    known = [None if v is None or math.isnan(v) else scale * float(v) for v in (value, low, high)]
    places = decimals_for(*known)
    bare = None in known[1:] or flat(*known[1:])
    return min(0 if bare else 1, places) if percent else places


def flat(low: float | None, high: float | None) -> bool:
    """Return whether an interval has no width: all answers behind it are alike.

    Whole numbers, such as ranks, may be known exactly.
    """
    if low is None or high is None or (isinstance(low, int) and isinstance(high, int)):
        return False
    if not math.isfinite(high - low):
        return False
    return abs(high - low) <= 1e-9 * max(1.0, abs(low), abs(high))


def percent(value: float | None, decimals: int = 0) -> str:
    """Return a share as a percentage: `61%`."""
    return MISSING if _absent(value) else f"{number(100 * float(value or 0.0), decimals)}%"


def count(value: int | None) -> str:
    """Return a whole number with thousands separators."""
    if value is None:
        return MISSING
    return f"{value:,}".replace("-", MINUS)


def p_value(value: float | None) -> str:
    """Return a p value with three decimals, never `0.000` or `1.000`."""
    if value is None or math.isnan(value):
        return MISSING
    if value < 0.001:
        return "< 0.001"
    if value > 0.999:
        return "> 0.999"
    return f"{value:.3f}"


def interval(
    low: float | None, high: float | None, decimals: int | None = None, *, without: str = ""
) -> str:
    """Return an interval in brackets, both ends with the same decimals.

    Parameters
    ----------
    low, high : float, int or None
    decimals : int, optional
    without : str
        What stands in the brackets if the interval has no width; by default `NEVER_VARIES`.
    """
    if _absent(low) and _absent(high):
        return MISSING
    if flat(low, high):
        return f"[{without or NEVER_VARIES}]"
    places = decimals_for(None, low, high) if decimals is None else decimals
    places = _not_zero(low, high, places)
    return f"[{number(_float(low), places)}, {number(_float(high), places)}]"


def decimals_for(
    estimate: float | None, low: float | None = None, high: float | None = None
) -> int:
    """Return the number of decimals for an estimate.

    With an interval, its width gets two significant digits: more would be noise. Without, the
    estimate gets three. There are never more than four decimals, except where an interval excludes
    zero and its end would be printed as zero: then there are as many as that end needs.
    """
    if not _absent(low) and not _absent(high):
        assert low is not None
        assert high is not None
        width = abs(high - low)
        if not flat(float(low), float(high)) and math.isfinite(width):
            places = min(4, max(0, 1 - math.floor(math.log10(width))))
            return _not_zero(float(low), float(high), places)
    ends = [abs(v) for v in (estimate, low, high) if v is not None and math.isfinite(v)]
    largest = max(ends, default=0.0)
    if largest == 0:
        return 2
    return min(4, max(0, 2 - math.floor(math.log10(largest))))


def _not_zero(low: float | None, high: float | None, places: int) -> int:
    """Return the decimals at which no end of an interval that excludes zero is printed as zero."""
    if low is None or high is None or not math.isfinite(low * high) or low * high <= 0:
        return places
    near = min(abs(low), abs(high))
    while near >= SMALLEST and round(near, places) == 0 and places < 6:
        places += 1
    return places


def column_decimals(values: Iterable[float | None]) -> int:
    """Return the number of decimals for a whole column, so that the decimal points line up."""
    known = [float(v) for v in values if v is not None and math.isfinite(v)]
    if not known or all(v.is_integer() for v in known):
        return 0
    largest = max(abs(v) for v in known)
    if largest >= 1000:
        return 0
    if largest >= 100:
        return 1
    return 2 if largest >= 2 else 3 if largest >= 0.01 else 4


def interval_decimals(triples: Iterable[tuple[float | None, float | None, float | None]]) -> int:
    """Return the decimals for a column of estimates with intervals, by their median width.

    Two significant digits of the typical interval are shown; more would be noise.
    """
    known = list(triples)
    widths = sorted(
        high - low
        for _, low, high in known
        if low is not None
        and high is not None
        and math.isfinite(high - low)
        and not flat(float(low), float(high))
    )
    if not widths:
        return column_decimals([value for triple in known for value in triple])
    return decimals_for(None, 0.0, widths[len(widths) // 2])


def decimals_among(
    triples: Sequence[tuple[float | None, float | None, float | None]],
    own: tuple[float | None, float | None, float | None],
    *,
    bounded: bool,
) -> int:
    """Return the decimals of one estimate and its interval among others of its unit.

    All have the same, by their typical interval; two if there is no interval and the numbers cannot
    exceed 1. More are shown only of an interval that excludes zero, until its end is not zero.
    """
    bare = all(
        low is None or high is None or flat(float(low), float(high)) for _, low, high in triples
    )
    if bare and len(triples) > 1:
        estimates = [value for value, _, _ in triples]
        places = apa_decimals("bounded", estimates) if bounded else column_decimals(estimates)
    elif bare:
        value = own[0]
        places = apa_decimals("bounded", [value]) if bounded else decimals_for(value)
    else:
        places = interval_decimals(triples)
    return _not_zero(*own[1:], places)


def all_numbers(cells: Iterable[object]) -> bool:
    """Return whether a column has only numbers; ids are strings, so they are words."""
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(
        isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known
    )


def word(cell: object) -> str:
    """Return a cell that is not a number as text; an em dash if it is empty."""
    if cell is None or cell == "":
        return MISSING
    return str(cell) if not isinstance(cell, bool) else "yes" if cell else "no"


def is_p(name: str) -> bool:
    """Return whether a column has p values, judging by its name."""
    return name in {"p", "p_value", "pvalue"} or name.endswith(("_p", "_p_value"))


def kind_of(name: str, values: Sequence[float | None], *, bounded: bool = False) -> Kind:
    """Return the kind of numbers in a column, which decides their decimals in a paper.

    Parameters
    ----------
    name : str
        Name of the column, or unit of its numbers.
    values : sequence of float, int or None
        If a number is beyond 1, the statistic is not bounded, whatever its name. Integers are
        counts.
    bounded : bool
        Whether the statistic cannot exceed 1 although its name does not say so.
    """
    words = {name, *re.split(r"[^a-z0-9]+", name.lower())}
    known = [v for v in values if v is not None and not math.isnan(v)]
    if known and all(isinstance(v, int) for v in known):
        return "count"
    if is_p(name):
        return "p"
    if (bounded or words & _BOUNDED) and all(abs(v) <= 1 for v in known):
        return "bounded"
    return "statistic" if words & _STATISTICS else "plain"


def apa_decimals(kind: Kind, values: Iterable[float | None]) -> int:
    """Return the number of decimals for a paper's column: two or three, rarely four.

    Bounded statistics and test statistics have two, as in APA style; bounded ones have more if all
    of them would show at most one digit. For other numbers it depends on their size.
    """
    known = [abs(float(v)) for v in values if v is not None and math.isfinite(v)]
    largest = max(known, default=0.0)
    if kind == "p":
        return 3
    if kind == "statistic":
        return 2
    if kind == "bounded":
        return 2 if largest >= 0.1 or largest == 0 else 3 if largest >= 0.01 else 4
    if kind == "count":
        return 0
    places = column_decimals(known)
    # a slope of 0.014 per point keeps its third decimal in a column with a constant of -2.1
    small = min((v for v in known if v > 0), default=1.0) < 0.1
    return 3 if places == 2 and small and largest < 10 else places


def apa(value: float | None, kind: Kind, decimals: int = 2) -> str:
    """Return a number for a table of a paper.

    Parameters
    ----------
    value : float, int or None
        None and NaN are missing and shown as an em dash.
    kind : {'p', 'bounded', 'statistic', 'count', 'plain'}
        From `kind_of`. p values have three decimals and are never `0.000`; all numbers have a zero
        before the point, thousands separators and a true minus. A number that rounds to zero has
        no sign.
    decimals : int
        From `apa_decimals`; ignored for p values and counts.
    """
    if value is None or math.isnan(value):
        return MISSING
    if kind == "p":
        return p_value(value)
    if math.isinf(value):
        return number(value)
    return number(float(value), 0 if kind == "count" else decimals)


def apa_interval(low: float | None, high: float | None, kind: Kind, decimals: int = 2) -> str:
    """Return an interval for a table of a paper, `[0.41, 0.68]`; an em dash if it is missing."""
    if _absent(low) and _absent(high):
        return MISSING
    if flat(low, high):
        return NO_INTERVAL
    decimals = decimals if kind in {"count", "p"} else _not_zero(low, high, decimals)
    return f"[{apa(low, kind, decimals)}, {apa(high, kind, decimals)}]"


def _absent(value: float | None) -> bool:
    return value is None or math.isnan(value)


def _float(value: float | None) -> float | None:
    """Return the end of an interval as a float: `[1.00, 2.50]`, not `[1, 2.50]`."""
    return None if value is None else float(value)
