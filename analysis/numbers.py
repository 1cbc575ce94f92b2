"""How numbers are set in text: the one place that rounds.

Only what is shown is rounded; `results.json` keeps every digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

MISSING = "—"
MINUS = "\u2212"


def number(value: float | None, decimals: int | None = None) -> str:
    """Return a number with thousands separators and a true minus.

    Parameters
    ----------
    value : float, int or None
        None and NaN are missing: an em dash.
    decimals : int, optional
        Decimals to show; by default as many as `decimals_for` finds fit.

    Returns
    -------
    str
        A value that would round to nothing is shown as less than the smallest step.
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if isinstance(value, int):
        return count(value)
    places = decimals_for(value) if decimals is None else decimals
    text = f"{abs(value):,.{places}f}"
    if value != 0 and float(text.replace(",", "")) == 0:
        step = f"{10.0**-places:.{places}f}"
        return f"< {step}" if value > 0 else f"> {MINUS}{step}"
    return (MINUS if value < 0 else "") + text


def count(value: int | None) -> str:
    """Return a whole number with thousands separators."""
    if value is None:
        return MISSING
    return f"{value:,}".replace("-", MINUS)


def p_value(value: float | None) -> str:
    """Return a p value as APA sets it: three decimals, no leading zero, never `.000`."""
    if value is None or math.isnan(value):
        return MISSING
    if value < 0.001:
        return "< .001"
    if value > 0.999:
        return "> .999"
    return f"{value:.3f}".removeprefix("0")


def interval(low: float | None, high: float | None, decimals: int | None = None) -> str:
    """Return an interval in brackets, both ends with the same decimals."""
    if _absent(low) and _absent(high):
        return MISSING
    places = decimals_for(None, low, high) if decimals is None else decimals
    return f"[{number(_float(low), places)}, {number(_float(high), places)}]"


def decimals_for(
    estimate: float | None, low: float | None = None, high: float | None = None
) -> int:
    """Return how many decimals an estimate deserves.

    With an interval, as many as give its width two digits: more would be noise. Without, three
    significant digits of the estimate, but never more than four decimals.
    """
    if not _absent(low) and not _absent(high):
        assert low is not None
        assert high is not None
        width = abs(high - low)
        if width > 0 and math.isfinite(width):
            return min(4, max(0, 1 - math.floor(math.log10(width))))
    ends = [abs(v) for v in (estimate, low, high) if v is not None and math.isfinite(v)]
    largest = max(ends, default=0.0)
    if largest == 0:
        return 2
    return min(4, max(0, 2 - math.floor(math.log10(largest))))


def column_decimals(values: Iterable[float | None]) -> int:
    """Return the decimals that a whole column of numbers shares, so that its points line up."""
    known = [float(v) for v in values if v is not None and math.isfinite(v)]
    if not known or all(v.is_integer() for v in known):
        return 0
    largest = max(abs(v) for v in known)
    if largest >= 1000:
        return 0
    if largest >= 100:
        return 1
    return 2 if largest >= 2 else 3 if largest >= 0.01 else 4


def _absent(value: float | None) -> bool:
    """Return whether there is no number here."""
    return value is None or math.isnan(value)


def _float(value: float | None) -> float | None:
    """Return the end of an interval as a float: `[1.00, 2.50]`, not `[1, 2.50]`."""
    return None if value is None else float(value)
