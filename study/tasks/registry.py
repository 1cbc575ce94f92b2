"""Which task a plan asks: one line for each kind."""

from __future__ import annotations

from prereg.plan.model import Plan
from study.tasks.base import Task
from study.tasks.best_worst import BestWorstTask
from study.tasks.pairwise import PairwiseTask
from study.tasks.rating import RatingTask


def task_of(plan: Plan) -> Task:
    """Return the task of a plan's kind."""
    if plan.kind == "pairwise":
        return PairwiseTask()
    if plan.kind == "rating":
        return RatingTask(plan.scales)
    return BestWorstTask(plan.design.options or 0, ask_why=plan.design.ask_why)
