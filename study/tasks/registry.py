"""Find the task of a plan: one line for each kind of task."""

from __future__ import annotations

from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from study.tasks.base import Task
from study.tasks.best_worst import BestWorstTask
from study.tasks.pairwise import PairwiseTask
from study.tasks.rating import RatingTask

TASKS: dict[str, type[Task]] = {
    PairwiseTask.kind.name: PairwiseTask,
    RatingTask.kind.name: RatingTask,
    BestWorstTask.kind.name: BestWorstTask,
}


def task_of(plan: Plan) -> Task:
    """Return the task of a plan's kind."""
    return TASKS[kind_of(plan).name].of(plan)
