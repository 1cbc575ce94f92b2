"""Every kind of task by its name: one line for each."""

from __future__ import annotations

from pathlib import Path

from prereg.errors import RatifyError
from prereg.kinds.base import Kind
from prereg.kinds.best_worst import BEST_WORST
from prereg.kinds.pairwise import PAIRWISE
from prereg.kinds.rating import RATING
from prereg.plan.model import Plan

KINDS: dict[str, Kind] = {PAIRWISE.name: PAIRWISE, RATING.name: RATING, BEST_WORST.name: BEST_WORST}

# The kind of a plan with keys of its own (`prereg.chat.model`), which has no trials.
CHAT = "chat"


def every_kind() -> tuple[str, ...]:
    """Return what `kind` may be in a plan."""
    return (*KINDS, CHAT)


def kind_of(plan: Plan) -> Kind:
    """Return the kind of a plan.

    Raises
    ------
    RatifyError
        When there is no such kind.
    """
    if plan.kind not in KINDS:
        raise unknown_kind(plan.kind)
    return KINDS[plan.kind]


def unknown_kind(kind: str, *, file: Path | str | None = None) -> RatifyError:
    """Return the fault of a plan whose kind is none of these."""
    allowed = ", ".join(every_kind())
    return RatifyError(
        "is not a kind of task", file=file, column="kind", value=kind, allowed=allowed
    )


def kinds_that_hold(answers: str) -> str:
    """Return the names of the kinds whose answers can be read as `answers`, joined by "or"."""
    return " or ".join(name for name, kind in KINDS.items() if answers in kind.holds)
