"""The columns of the tables that analyses of a chat read, known before anybody has said a word."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from prereg.analyses.change import Change
from prereg.analyses.explained import Explained
from prereg.analyses.registry import Analysis
from prereg.analyses.regression import Regression
from prereg.analyses.trajectory import Trajectory
from prereg.chat.invented import invented_tables
from prereg.chat.model import ChatPlan
from prereg.errors import RatifyError
from prereg.plan.analysis_rules import names_in
from prereg.plan.survey import ChoiceQuestion


def stage_columns(plan: ChatPlan) -> dict[str, list[str]]:
    """Return the columns of `conversations` and of `supporters`, as they will be.

    Parameters
    ----------
    plan : ChatPlan
    """
    return {name: list(rows[0]) for name, rows in invented_tables(plan).items()}


def faults_of_columns(plan: ChatPlan) -> Iterator[RatifyError]:
    """Yield a fault for each column, condition and round of an analysis that will not be there.

    Parameters
    ----------
    plan : ChatPlan
    """
    columns = stage_columns(plan)
    for number, analysis in enumerate(plan.analyses):
        where = f"analyses.{number}"
        table = _table(analysis)
        if table not in columns:
            continue  # of the second stage, or refused elsewhere
        for key, name in _named(analysis):
            if name not in columns[table]:
                yield RatifyError(
                    f"is no column of {table}",
                    column=f"{where}.{key}",
                    value=name,
                    allowed=_near(name, columns[table]),
                )
        yield from _arms(plan, analysis, where)
        if isinstance(analysis, Explained):
            yield from _only(plan, analysis, where)


def _near(name: str, columns: list[str]) -> str:
    """Return the columns that may be meant, and where all are."""
    near = difflib.get_close_matches(name, columns, n=3, cutoff=0.5)
    rest = "a column of the table in docs/chat.md, a question, a trait, or a score"
    return ", ".join([*near, f"or {rest}" if near else rest])


def _table(analysis: Analysis) -> str | None:
    return getattr(analysis, "data" if isinstance(analysis, Regression) else "table", None)


def _named(analysis: Analysis) -> Iterator[tuple[str, str]]:
    """Yield the columns that an analysis names, each with its key."""
    if isinstance(analysis, Regression):
        yield from _listed("outcomes", analysis.outcomes)
        yield from (("predictors", name) for name in names_in(analysis.predictors))
        if analysis.cluster is not None:
            yield "cluster", analysis.cluster
    elif isinstance(analysis, Trajectory):
        yield from _listed("outcomes", analysis.outcomes)
    elif isinstance(analysis, Change):
        yield "value", analysis.value
    elif isinstance(analysis, Explained):
        yield "outcome", analysis.outcome
        yield "cluster", analysis.cluster
        yield from ((f"predictors.{key}", name) for key, name in analysis.predictors.items())
        yield from ((f"only.{name}", name) for name in analysis.only)
    for key in ("person", "occasion", "condition"):
        column: str | None = getattr(analysis, key, None)
        if column is not None:
            yield key, column


def _listed(key: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from ((f"{key}.{at}", name) for at, name in enumerate(names))


def _arms(plan: ChatPlan, analysis: Analysis, where: str) -> Iterator[RatifyError]:
    """Refuse a condition or a round that the design does not have."""
    if not isinstance(analysis, Change | Trajectory):
        return
    rounds = tuple(str(number) for number in range(1, plan.design.conversations + 1))
    arms = tuple(plan.design.conditions)
    asked: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    if isinstance(analysis, Change):
        asked.append(("control", (analysis.control,), arms))
        asked.append(("treatments", analysis.treatments, arms))
        asked.append(("baseline_rounds", analysis.baseline_rounds, rounds))
        asked.append(("post_rounds", analysis.post_rounds, rounds))
    else:
        asked.append(("conditions", analysis.conditions, arms))
        asked.append(("occasions", analysis.occasions, rounds))
    for key, given, known in asked:
        other = analysis.condition != "condition" if known is arms else analysis.occasion != "round"
        for name in () if other else given:
            if name not in known:
                yield RatifyError(
                    f"is no {'condition' if known is arms else 'round'} of the design",
                    column=f"{where}.{key}",
                    value=name,
                    allowed=", ".join(known),
                )


def _only(plan: ChatPlan, analysis: Explained, where: str) -> Iterator[RatifyError]:
    """Refuse a value by which no row can be chosen."""
    known = {
        "round": [str(number) for number in range(1, plan.design.conversations + 1)],
        "condition": list(plan.design.conditions),
        "scenario": [scenario.id for scenario in plan.scenarios],
        "post": ["0", "1"],
    }
    for _, question in plan.surveys.questions():
        if isinstance(question, ChoiceQuestion):
            known.setdefault(question.id, list(question.options))
    for column, values in analysis.only.items():
        for value in values:
            if column in known and value not in known[column]:
                yield RatifyError(
                    f"no row of {analysis.table} can have this {column}",
                    column=f"{where}.only.{column}",
                    value=value,
                    allowed=", ".join(known[column]),
                )
