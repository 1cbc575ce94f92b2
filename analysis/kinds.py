"""What a plan says about the scores of a judge."""

from __future__ import annotations

from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Measures, Plan


def measures_of(plan: Plan) -> Measures:
    """Return what a judge scores; a pairwise plan always says it.

    Raises
    ------
    RatifyError
        Where the plan has no measures.
    """
    if plan.measures is None:
        raise RatifyError(
            "is needed to score items",
            file=PLAN_FILE,
            column="measures",
            allowed="scale, adds and subtracts",
        )
    return plan.measures
