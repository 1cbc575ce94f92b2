"""An audit of judges' habits, from the tables of a study or from a folder of tidy tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.habits.answers import judges_of
from analysis.habits.findings import OwnTexts, habits_results
from analysis.habits.sentences import QUESTION, overview
from analysis.habits.tables import HabitTables, read_habit_tables
from analysis.habits.verdict import of_habits
from analysis.results.provenance import provenance
from analysis.results.quantities import Results
from analysis.results.words import listed
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.judging import LLMJudge
from prereg.plan.model import Plan

SIMULATED = "The raters are simulated. These numbers show the tool, not people."


def audit_habits(folder: Path, *, seed: int = 1, mode: str | None = None) -> Results:
    """Return the habits of the judges of a folder, as an audit.

    Parameters
    ----------
    folder : Path
        A study folder with exported tables, or a folder of tidy tables: `probes` or `judgments`,
        and optionally `items`, `ratings`, `perturbed`, `requests`. No lock is needed.
        If it has a plan, the plan says which items a judge's own model wrote.
    seed : int
        See `habits_results`.
    mode : {'live', 'pilot', 'bot'}, optional
        See `read_habit_tables`.

    Raises
    ------
    RatifyError
        If the tables are missing or wrong, or no judge has answered.
    """
    tables = read_habit_tables(folder, mode=mode)
    judges = judges_of(tables.judgments, tables.ratings, tables.probes, tables.requests)
    if not judges:
        raise RatifyError(
            "has no answer by a judge",
            file=tables.files[0].parent,
            allowed="rows whose rater_kind is llm or baseline",
        )
    plan = load_plan(folder) if (folder / PLAN_FILE).exists() else None
    simulated = tables.mode == "bot"
    found = habits_results(
        tables,
        own_items=own_items_of(plan),
        polarity=polarity_of(plan),
        seed=seed,
        simulated=simulated,
    )
    return Results(
        kind="audit",
        title=f"Habits of {listed(list(judges))}",
        question=QUESTION,
        headline=[*overview(found.measures, list(judges)), *found.sentences, *found.details],
        simulated=simulated,
        verdict=of_habits(found.measures),
        meta=_meta(tables, seed),
        quantities=found.quantities,
        tables=found.tables,
        figures=found.figures,
        methods=found.methods,
        limits=[
            *([SIMULATED] if simulated else []),
            *tables.notes,
            *found.limits,
            "No plan was locked for these numbers: all of them are exploratory.",
        ],
    )


def own_items_of(plan: Plan | None) -> dict[str, OwnTexts]:
    """Return which items each judge's own model wrote, according to a plan."""
    if plan is None:
        return {}
    return {
        judge.id: (judge.habits.own.column, judge.habits.own.values)
        for judge in plan.judges
        if isinstance(judge, LLMJudge) and judge.habits is not None and judge.habits.own is not None
    }


def polarity_of(plan: Plan | None) -> dict[str, int] | None:
    """Return the sign of each dimension in a plan's overall score."""
    if plan is None or plan.measures is None:
        return None
    measures = plan.measures
    return {name: -1 if name in measures.subtracts else 1 for name in measures.dimensions}


def _meta(tables: HabitTables, seed: int) -> dict[str, Any]:
    """Return where the numbers come from."""
    return {
        "seed": seed,
        **({} if tables.mode is None else {"mode": tables.mode}),
        **provenance(tables.files),
    }
