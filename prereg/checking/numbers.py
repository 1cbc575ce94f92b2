"""Finds numbers of a plan that cannot be, that decide nothing, or that contradict each other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime

from prereg.analyses.agreement import Cut
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.equivalence import SHOWN, Equivalence
from prereg.checking.ranges import Range, range_of
from prereg.checking.remark import Remark, warning
from prereg.errors import RatifyError
from prereg.plan.model import Plan


def faults_of_numbers(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each number of a threshold, a cut or a reference that can never hold.

    A locked plan with such a number is still analysed, so that this is no rule of a plan.
    """
    by_id = {one.id: one for one in plan.analyses}
    for number, threshold in enumerate(plan.gate):
        ends = range_of(by_id.get(threshold.analysis), threshold.quantity, plan)
        if ends is not None and threshold.at_least > ends[1]:
            yield RatifyError(
                f"'{threshold.quantity}' is never more than {ends[1]:g}, so the gate cannot pass",
                column=f"gate.{number}.at_least",
                value=threshold.at_least,
                allowed=_between(ends),
            )
    for number, analysis in enumerate(plan.analyses):
        if isinstance(analysis, Equivalence):
            yield from _of_reference(analysis, by_id.get(analysis.of.analysis), plan, number)
        for place, cut in enumerate(getattr(analysis, "cuts", ())):
            yield from _of_cut(analysis, cut, plan, f"analyses.{number}.cuts.{place}.at")


def of_numbers(plan: Plan, *, today: date | None = None) -> Iterator[Remark]:
    """Yield a warning for each number that decides nothing or contradicts another.

    Parameters
    ----------
    plan : Plan
    today : date, optional
        By default the day on which it is checked.
    """
    by_id = {one.id: one for one in plan.analyses}
    for number, threshold in enumerate(plan.gate):
        ends = range_of(by_id.get(threshold.analysis), threshold.quantity, plan)
        if ends is not None and threshold.at_least <= ends[0]:
            yield warning(
                f"'{threshold.quantity}' is never less than {ends[0]:g}, so the threshold "
                f"{threshold.at_least:g} holds whatever the data say.",
                "Raise it, or take the threshold out.",
                f"gate.{number}.at_least",
            )
    yield from _idle_cuts(plan)
    judges = plan.assumptions.judges
    if judges.good <= judges.bad:
        yield warning(
            f"the good judge of the assumptions ({judges.good:g}) is no better than the bad one "
            f"({judges.bad:g}), so power cannot say whether the gate tells them apart.",
            "Write a larger correlation for good than for bad.",
            "assumptions.judges",
        )
    until = _day(plan.data_management.kept_until)
    if until is not None and until < (today or datetime.now(UTC).date()):
        yield warning(
            f"the data are kept until {until.isoformat()}, which is in the past.",
            "Write a later day, or how long after what.",
            "data_management.kept_until",
        )


def _of_reference(
    analysis: Equivalence, base: AnyAnalysis | None, plan: Plan, number: int
) -> Iterator[RatifyError]:
    """Yield a fault if a number is compared with one that it cannot be."""
    reference = analysis.reference
    ends = range_of(base, analysis.of.quantity, plan)
    if isinstance(reference, str) or ends is None or analysis.of.quantity == SHOWN:
        return
    if not ends[0] <= reference <= ends[1]:
        yield RatifyError(
            f"'{analysis.of.quantity}' can never be this",
            column=f"analyses.{number}.reference",
            value=reference,
            allowed=_between(ends),
        )


def _of_cut(analysis: AnyAnalysis, cut: Cut, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Yield a fault if a cut is outside a scale: then all ratings are on one side of it."""
    for name, low, high in _scales(analysis, cut, plan):
        if not low <= cut.at <= high:
            yield RatifyError(
                f"is outside the scale {name}, so the cut tells no cases apart",
                column=where,
                value=cut.at,
                allowed=_between((low, high)),
            )
            return


def _idle_cuts(plan: Plan) -> Iterator[Remark]:
    """Yield a warning for each cut at that end of a scale which every rating is beyond."""
    for number, analysis in enumerate(plan.analyses):
        for place, cut in enumerate(getattr(analysis, "cuts", ())):
            ends = [(low, high) for _, low, high in _scales(analysis, cut, plan)]
            if cut.at in [low if cut.side == "at_least" else high for low, high in ends]:
                yield warning(
                    f"every rating is {cut.side.replace('_', ' ')} {cut.at:g}, so this cut tells "
                    "no cases apart.",
                    "Change the cut, or take it out.",
                    f"analyses.{number}.cuts.{place}.at",
                )


def _scales(analysis: AnyAnalysis, cut: Cut, plan: Plan) -> Iterator[tuple[str, float, float]]:
    """Yield the name and the ends of each scale of points that a cut is on."""
    names = cut.dimensions or getattr(analysis, "dimensions", None)
    for scale in plan.scales:
        if not scale.names and (names is None or scale.id in names):
            yield scale.id, scale.min, scale.max


def _between(ends: Range) -> str:
    low, high = ends
    return f"{low:g} to {high:g}" if math.isfinite(low) else f"{high:g} or less"


def _day(text: str | None) -> date | None:
    """Return a text as a day; None if it is not one."""
    try:
        return date.fromisoformat(text.strip()) if text is not None else None
    except ValueError:
        return None
