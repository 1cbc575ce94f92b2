"""Every kind of task by its name: one line for each."""

from __future__ import annotations

from prereg.errors import RatifyError
from prereg.kinds.base import Kind
from prereg.kinds.best_worst import BEST_WORST
from prereg.kinds.pairwise import PAIRWISE
from prereg.kinds.rating import RATING
from prereg.plan.model import Plan

KINDS: dict[str, Kind] = {PAIRWISE.name: PAIRWISE, RATING.name: RATING, BEST_WORST.name: BEST_WORST}


def kind_of(plan: Plan) -> Kind:
    """Return the kind of a plan.

    Raises
    ------
    RatifyError
        When there is no such kind.
    """
    if plan.kind not in KINDS:
        raise RatifyError(
            "is not a kind of task", column="kind", value=plan.kind, allowed=", ".join(KINDS)
        )
    return KINDS[plan.kind]


def kinds_that_hold(answers: str) -> str:
    """Return the names of the kinds whose answers can be read as `answers`, joined by "or"."""
    return " or ".join(name for name, kind in KINDS.items() if answers in kind.holds)
