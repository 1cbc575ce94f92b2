"""Formats factors, such as odds ratios: where one is beyond 1,000, its size means nothing.

Where data nearly separate, a factor can have hundreds of digits. Text then says `more than 1,000
times`; `results.json` and the CSV tables keep every digit.
"""

from __future__ import annotations

import math

from analysis.results.numbers import (
    MISSING,
    NEVER_VARIES,
    Kind,
    apa,
    apa_interval,
    flat,
    number,
    with_interval,
)

# Factors beyond this, or below 1 / this, are not printed.
MOST = 1000.0
MORE, LESS = "more than 1,000 times", "less than 1/1,000 times"
BEYOND = (
    "Factors above 1,000 or below 1/1,000 are not printed; brackets are left out where the whole "
    "interval lies beyond."
)
# exp() of more than this is too large for a float
_LARGEST = 700.0


def is_factor(unit: str) -> bool:
    """Return whether numbers of this unit multiply something, so that 1 means no difference."""
    return unit.startswith("odds ratio")


def far(value: float | None) -> int:
    """Return 1 for a factor above 1,000, -1 for one below 1/1,000, otherwise 0."""
    if value is None or math.isnan(value):
        return 0
    return (value > MOST) - (value < 1 / MOST)


def from_log(value: float | None) -> float:
    """Return the factor of a log-odds; NaN where there is none."""
    return math.nan if value is None else math.exp(min(value, _LARGEST))


def factor(value: float | None) -> str:
    """Return a factor as a cell or an end of an interval: `1.24`, `> 1,000`, `< 1/1,000`."""
    if value is None or math.isnan(value):
        return MISSING
    beyond = far(value)
    if beyond:
        return "> 1,000" if beyond > 0 else "< 1/1,000"
    # each has its own digits, because an interval may span powers of ten
    limits = ((100.0, 0), (10.0, 1), (0.1, 2), (0.01, 3))
    digits = 0 if value == 1 else next((n for limit, n in limits if value >= limit), 4)
    return number(float(value), digits)


def factor_interval(
    estimate: float | None, low: float | None, high: float | None, *, endless: str = MISSING
) -> str:
    """Return a factor's interval in brackets; empty where all of it is as far out as the estimate.

    Parameters
    ----------
    estimate, low, high : float or None
    endless : str
        What stands for an end that is missing or not finite.
    """
    ends = [None if v is None or math.isnan(v) else v for v in (low, high)]
    if ends == [None, None]:
        return ""
    beyond = far(estimate)
    if beyond and all(far(end) == beyond for end in ends):
        return ""
    if flat(*ends):
        return f"[{NEVER_VARIES}]"
    return f"[{', '.join(endless if end is None else factor(end) for end in ends)}]"


def factor_of_odds(estimate: float, low: float, high: float) -> str:
    """Return by what odds are multiplied, from log-odds: `1.24 [1.10, 1.40]`, `more than 1,000`."""
    values = [from_log(value) for value in (estimate, low, high)]
    if any(map(far, values)):
        return factor_in_words(*values, mark="").replace(" times", "")
    return with_interval(*values)


def factor_in_words(
    estimate: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    mark: str = "×",
    endless: str = MISSING,
) -> str:
    """Return a factor with its interval for a sentence: `×1.24 [1.10, 1.40]`.

    Parameters
    ----------
    estimate, low, high : float or None
    mark : str
        What stands before a factor that is printed.
    endless : str
        As in `factor_interval`.

    Returns
    -------
    str
        `more than 1,000 times` or `less than 1/1,000 times` for an estimate beyond these, and its
        interval only where an end is not.
    """
    beyond = far(estimate)
    text = {1: MORE, -1: LESS}.get(beyond, f"{mark}{factor(estimate)}")
    return f"{text} {factor_interval(estimate, low, high, endless=endless)}".rstrip()


def paper_number(value: float | None, kind: Kind, decimals: int) -> str:
    """Return a cell of a table for a paper; decimals are not for factors."""
    return factor(value) if kind == "factor" else apa(value, kind, decimals)


def paper_interval(
    value: float | None, low: float | None, high: float | None, kind: Kind, decimals: int
) -> str:
    """Return the interval of a cell, as `paper_number` shows its value."""
    if kind == "factor":
        return factor_interval(value, low, high) or factor(value)
    return apa_interval(low, high, kind, decimals)
