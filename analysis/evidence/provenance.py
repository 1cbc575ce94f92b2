"""What results say of where they come from: the plan, the tables, the code, and earlier looks."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from analysis.evidence.evidence import Evidence
from analysis.evidence.status import dropped_thresholds, late_thresholds
from analysis.evidence.tables import TABLES, TABLES_FOLDER
from analysis.evidence.trials import trials_of
from analysis.results.stale import exploratory_content, plan_content
from analysis.tables.tidy import table_path
from prereg import files
from prereg.chat.flow import TRIAL_FLOW
from prereg.code import analysis_code
from prereg.looks import Look

PACKAGES = ("ratify-eval", "numpy", "pandas", "scipy", "statsmodels", "choix", "matplotlib")
_MORE_TABLES = ("best_worst", "probes", "perturbed", "requests", TRIAL_FLOW)


def study_meta(
    evidence: Evidence, folder: Path, *, at: str, why: dict[str, str], tables: Sequence[str]
) -> dict[str, Any]:
    """Return where a study's results come from.

    Parameters
    ----------
    evidence : Evidence
    folder : Path
        The study folder.
    at : str
        When the results are produced, ISO 8601 in UTC.
    why : dict
        Why an analysis is exploratory although others are not, by its id.
    tables : sequence of str
        The researcher's own tables that were read.
    """
    lock, plan = evidence.lock, evidence.plan
    names = dict.fromkeys((*TABLES, *_MORE_TABLES, *tables))
    inputs = [table_path(folder / TABLES_FOLDER, name) for name in names]
    return {
        "created_at": at,
        "mode": evidence.mode,
        "blind": evidence.blind,
        "early": evidence.early,
        "plan": plan.id,
        "plan_hash": None if lock is None else lock.plan_hash,
        "plan_content": plan_content(plan),
        "locked_at": None if lock is None else lock.locked_at,
        "locked_parts": {} if lock is None else dict(lock.parts),
        "seed": plan.seed,
        "notes": list(evidence.notes),
        "exploratory": why,
        "exploratory_content": exploratory_content(folder),
        "late_thresholds": {
            str(place): said for place, said in late_thresholds(lock, plan).items()
        },
        "dropped_thresholds": dropped_thresholds(lock),
        "looks": [],
        "inputs": {p.name: files.sha256(p.read_bytes()) for p in inputs if p.exists()},
        "code": analysis_code(),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which numbers depend."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def is_a_look(evidence: Evidence) -> bool:
    """Say whether results from this evidence show people's answers: live ones, not shuffled."""
    return evidence.mode == "live" and not evidence.blind and evidence.lock is not None


def answers_of(evidence: Evidence) -> int:
    """Return how many trials people answered, after the exclusions."""
    return len(trials_of(evidence.answers).drop_duplicates())


def looks_json(looks: Sequence[Look], at: str, answers: int) -> list[dict[str, Any]]:
    """Return the looks up to this one, oldest first, each with its time and number of answers."""
    before = [{"at": look.at, "answers": look.answers} for look in looks]
    return [*before, {"at": at, "answers": answers}]
