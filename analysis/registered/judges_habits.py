"""The part of a study's report on its judges: their habits, and how their servers are reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analysis.audit.habits import own_items_of, polarity_of
from analysis.evidence.against_lock import refuse_other_plans, refuse_ties
from analysis.evidence.blind import shuffled_people
from analysis.evidence.evidence import Evidence
from analysis.evidence.tables import TABLES_FOLDER
from analysis.habits.findings import HabitFindings, habits_results
from analysis.habits.tables import read_habit_tables
from analysis.tables.tidy import table_path
from prereg.plan.judging import BaselineJudge
from prereg.plan.panel_judge import PanelJudge
from prereg.transport_log import changes_since_lock

_NO_HABITS = HabitFindings(
    measures=(),
    quantities=[],
    tables=[],
    figures=[],
    sentences=[],
    details=[],
    methods=[],
    limits=[],
)


def servers(evidence: Evidence, folder: Path) -> list[str]:
    """Return by which server each LLM judge was reached, and what of that changed after the lock.

    The lock's hash does not cover it.
    """
    plan = evidence.plan
    if not plan.llms:
        return []
    said = [
        f"Judge {judge.id} ({judge.model}) is asked at {judge.base_url}." for judge in plan.llms
    ]
    changes = changes_since_lock(folder, plan, evidence.lock)
    return [" ".join([*said, *(f"Changed after the lock: {one.sentence}." for one in changes)])]


def habits_of(evidence: Evidence, folder: Path) -> HabitFindings:
    """Return the chapter on the habits of judges and baselines, for plans with other judges too."""
    plan = evidence.plan
    if all(isinstance(judge, BaselineJudge | PanelJudge) for judge in plan.judges):
        return _NO_HABITS
    tables = read_habit_tables(folder, mode=evidence.mode)
    if evidence.lock is not None:
        for name in ("probes", "requests"):
            path = table_path(folder / TABLES_FOLDER, name)
            refuse_other_plans(getattr(tables, name), evidence.lock, path)
    if evidence.blind:
        tables = replace(
            tables,
            judgments=shuffled_people(tables.judgments, plan),
            ratings=shuffled_people(tables.ratings, plan),
        )
    refuse_ties(tables.probes, plan, table_path(folder / TABLES_FOLDER, "probes"))
    return habits_results(
        tables,
        people=evidence.people,
        own_items=own_items_of(plan),
        polarity=polarity_of(plan),
        seed=plan.seed,
        simulated=evidence.simulated,
    )
