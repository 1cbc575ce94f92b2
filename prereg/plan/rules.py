"""Checks that the parts of a plan fit each other, before the lock and not after collection."""

from __future__ import annotations

from collections.abc import Iterator

from prereg.errors import RatifyError
from prereg.plan.analysis_rules import faults_of_analyses
from prereg.plan.assumption_rules import faults_of_assumptions
from prereg.plan.causal_rules import faults_of_causal
from prereg.plan.collection_rules import faults_of_collection
from prereg.plan.judging_rules import faults_of_judging
from prereg.plan.label_rules import faults_of_labels
from prereg.plan.model import Plan
from prereg.plan.once import ids_once, rules_once


def faults_of_rules(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each part of a plan that does not fit another.

    Parameters
    ----------
    plan : Plan
        Each part is valid by itself.

    Yields
    ------
    RatifyError
        `column` is the dotted path of the field, `allowed` what would fit.
    """
    yield from faults_of_collection(plan)
    yield from faults_of_judging(plan)
    for what in ("hypotheses", "judges", "analyses"):
        yield from ids_once([part.id for part in getattr(plan, what)], what)
    yield from rules_once([exclusion.rule for exclusion in plan.exclusions])
    yield from faults_of_analyses(plan)
    yield from faults_of_labels(plan)
    yield from faults_of_assumptions(plan)
    yield from faults_of_causal(plan)
