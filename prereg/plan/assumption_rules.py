"""Checks a plan's assumptions against its judges and analyses."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.errors import RatifyError
from prereg.plan.model import Plan


def faults_of_assumptions(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each assumption that does not fit what the plan has."""
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
    yield from _of_causal(plan)


def _of_causal(plan: Plan) -> Iterator[RatifyError]:
    causal = plan.assumptions.causal
    if causal is None:
        return
    if plan.causal is None:
        yield RatifyError(
            "is about a causal effect, which the plan does not have",
            column="assumptions.causal",
            allowed="null, or a causal section",
        )
    if causal.units is not None and causal.users is not None and causal.users > causal.units:
        yield RatifyError(
            "are more users than units, but every user has at least one unit",
            column="assumptions.causal.users",
            value=causal.users,
            allowed=f"at most {causal.units:,}, the units",
        )
