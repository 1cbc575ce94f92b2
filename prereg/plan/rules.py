"""Checks that the parts of a plan fit each other, before the lock and not after collection."""

from __future__ import annotations

from prereg.errors import RatifyError
from prereg.plan.analysis_rules import check_analyses
from prereg.plan.collection_rules import check_collection
from prereg.plan.judging_rules import check_judging
from prereg.plan.model import Plan


def check_rules(plan: Plan) -> None:
    """Raise `RatifyError` at the first part of a plan that does not fit another.

    Parameters
    ----------
    plan : Plan
        Each part is valid by itself.

    Raises
    ------
    RatifyError
        `column` is the dotted path of the field, `allowed` what would fit.
    """
    check_collection(plan)
    check_judging(plan)
    for what in ("hypotheses", "judges", "analyses"):
        names = [part.id for part in getattr(plan, what)]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise RatifyError(
                    "this id occurs more than once",
                    column=f"{what}.{number}.id",
                    value=name,
                    allowed="an id that nothing else has",
                )
    _check_exclusions(plan)
    check_analyses(plan)


def _check_exclusions(plan: Plan) -> None:
    rules = [exclusion.rule for exclusion in plan.exclusions]
    for number, rule in enumerate(rules):
        if rule in rules[:number]:
            raise RatifyError(
                "this rule occurs more than once",
                column=f"exclusions.{number}.rule",
                value=rule,
                allowed="each rule once",
            )
