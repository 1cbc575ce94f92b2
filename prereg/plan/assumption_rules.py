"""Checks a plan's assumptions against its judges and analyses."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.errors import RatifyError
from prereg.plan.model import Plan


def faults_of_assumptions(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each assumption about a judge or analysis that the plan does not have."""
    judges = [judge.id for judge in plan.judges]
    analyses = [analysis.id for analysis in plan.analyses]
    for where, given, known in (
        ("judges.each", list(plan.assumptions.judges.each), judges),
        ("effects", list(plan.assumptions.effects), analyses),
    ):
        for name in given:
            if name not in known:
                yield RatifyError(
                    "is an assumption about something that the plan does not have",
                    column=f"assumptions.{where}",
                    value=name,
                    allowed=", ".join(dict.fromkeys(known)) or "nothing: the plan has none",
                )
    for name, value in plan.assumptions.judges.each.items():
        if not -1 <= value <= 1:
            yield RatifyError(
                "is no correlation",
                column=f"assumptions.judges.each.{name}",
                value=value,
                allowed="-1 to 1",
            )
