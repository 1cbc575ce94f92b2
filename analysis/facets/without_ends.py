"""Why a number of a generalizability study has no interval."""

from __future__ import annotations

import math

from analysis.facets.generalizability import Generalizability

# At this level an interval that has ends at all contains its estimate.
WIDE = 0.9999
NOT_APART = "people do not tell items apart"
NOTHING_LEFT = "items and raters' severity explain every rating"
NESTED = {
    "relative": "Every rater rated one item only, so severity cannot be told from error.",
    "variance_raters": "Every rater rated one item only: it is part of what is left.",
}


def intervals(one: Generalizability) -> dict[str, tuple[float, float, float]]:
    """Return what has an interval of its own: error by item variance, and the variances."""
    return {
        "relative": one.relative_noise,
        "absolute": one.absolute_noise,
        "variance_items": (one.item, *one.item_ends),
        "variance_raters": (one.rater, *one.rater_ends),
        "variance_residual": (one.residual, *one.residual_ends),
    }


def lacks_ends(one: Generalizability) -> bool:
    """Say whether one of its numbers has no interval."""
    return any(math.isnan(low) for _, low, _ in intervals(one).values())


def why_no_ends(
    one: Generalizability, wide: Generalizability | None, level: float
) -> dict[str, str]:
    """Return why each of the `intervals` is lacking, as a sentence; empty where there is one.

    Parameters
    ----------
    one : Generalizability
    wide : Generalizability or None
        The same at the level `WIDE`; None if no interval is lacking.
    level : float
        Of `one`.
    """
    return {
        what: "" if wide is None or not math.isnan(low) else _why(what, one, wide, level)
        for what, (_, low, _) in intervals(one).items()
    }


def _why(what: str, one: Generalizability, wide: Generalizability, level: float) -> str:
    value = intervals(one)[what][0]
    if math.isnan(value):
        return NESTED[what]
    if not math.isnan(intervals(wide)[what][1]):
        return (
            f"No interval at {level:g}: corrected for bias, it lies beside the estimate; "
            "at a higher level there is one."
        )
    if what == "variance_raters" and wide.residual > 0:
        return "No interval of raters' variance: not every rater rated every item."
    if wide.residual == 0 or (what != "variance_items" and math.isnan(wide.residual_ends[0])):
        without = "" if wide.residual == 0 else "without one of the items, "
        return f"No interval: {without}{NOTHING_LEFT}."
    return f"No interval: {'' if one.item == 0 else 'without one of the items, '}{NOT_APART}."
