"""Refuses judges, and columns of the items, that do not fit a plan."""

from __future__ import annotations

from pathlib import Path

from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.judging import BASELINES, REWRITTEN, LLMJudge
from prereg.plan.model import Plan
from prereg.tables.reader import Table
from study.judges.version import check_baseline, check_judge


def check_judges(plan: Plan, folder: Path) -> None:
    """Refuse scales that a judge of the plan cannot answer."""
    for number in range(len(plan.judges)):
        check_judge_of(number, plan, folder)


def check_judge_of(number: int, plan: Plan, folder: Path) -> None:
    """Refuse scales that one judge cannot answer."""
    try:
        check_judge(plan.judges[number], plan)
    except RatifyError as error:
        raise RatifyError(
            error.problem,
            file=folder / PLAN_FILE,
            column=f"judges.{number}.id" if error.column == "id" else error.column,
            value=error.value,
            allowed=error.allowed,
        ) from error


def check_baselines_beside(plan: Plan, folder: Path) -> None:
    """Refuse an LLM judge without the baselines, which show what length and words alone explain."""
    if not any(isinstance(judge, LLMJudge) for judge in plan.judges):
        return
    for name in sorted(set(BASELINES) - {judge.id for judge in plan.judges}):
        try:
            check_baseline(name, plan)
        except RatifyError:
            continue  # a baseline that cannot answer this plan is not required
        raise RatifyError(
            f"an LLM judge needs the baseline '{name}' for comparison",
            file=folder / PLAN_FILE,
            column="judges",
            allowed=f"one more judge: {{id: {name}, kind: baseline}}",
        )


def check_columns(plan: Plan, table: Table) -> None:
    """Refuse an analysis of a column that the items do not have, or that holds no numbers."""
    for analysis in plan.analyses:
        column = getattr(analysis, "column", None)
        if column is not None:
            table.require(column)
            for row in range(2, len(table.rows) + 2):
                table.number(row, column)


def check_habits(plan: Plan, table: Table) -> None:
    """Refuse habits that need a column which the items do not have."""
    for judge in plan.judges:
        habits = judge.habits if isinstance(judge, LLMJudge) else None
        if habits is None:
            continue
        table.require(*(name for name in habits.perturbations if name in REWRITTEN))
        if habits.own is not None:
            table.require(habits.own.column)
