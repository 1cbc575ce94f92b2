"""Studies of ratings and of best and worst, with real judges and invented answers of people.

People's answers follow a known quality of every item; the tables are those of a real export.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.tables.reader import read_table, write_csv
from ratify.asking import ask_judges
from study.export.files import export
from study.folder import Study
from study.opening import lock_study, open_study
from study.scaffold import new_study
from study.store.database import open_store
from tests.support.plans import edited_plan

Row = dict[str, Any]
SOURCES = ("first", "second", "third")
WHEN = "2100-01-01T00:00:00.000Z"


def make_study(folder: Path, worked: str, *, raters: int = 12, **changes: Any) -> Path:
    """Write a locked study of a worked plan, with its tables; three sources take turns.

    Parameters
    ----------
    folder : Path
    worked : str
        Name of the worked plan, of kind rating or best_worst.
    raters : int
    **changes
        Parts of the plan, at its top level.
    """
    new_study(folder, items=_items(folder.parent), scenario_column="scenario", worked=worked)
    with edited_plan(folder) as plan:
        plan |= changes
        plan["design"] |= {"raters": raters}
    lock_study(folder)
    study = open_study(folder, must_be_locked=True)
    with contextlib.closing(open_store(folder, None)) as store:
        ask_judges(study, store)
        export(store, study)
    _people_answer(study)
    return folder


def _items(folder: Path) -> Path:
    rows = [
        {
            "item_id": f"{scenario}-{number}",
            "scenario": scenario,
            "text": f"Seeker: my {scenario}.\nSupporter: " + "I hear you. " * (1 + number % 4),
            "source": SOURCES[number % 3],
        }
        for scenario in ("job", "loss")
        for number in range(12)
    ]
    path = folder / "pool.csv"
    write_csv(path, list(rows[0]), rows)
    return path


def _people_answer(study: Study) -> None:
    """Add everybody's answers; one rater leaves after the first page."""
    rng = np.random.default_rng(7)
    plan, data = study.plan, study.folder / "data"
    kind, columns = kind_of(plan).table, kind_of(plan).columns(plan)
    answer = {"ratings": _ratings, "best_worst": _picks}[kind]
    answers: list[Row] = []
    visits: list[Row] = []
    trials = read_table(study.folder / "sequences.csv").rows
    sequences = sorted({row["sequence_id"] for row in trials})
    for number, sequence in enumerate(sequences):
        leaves = number == len(sequences) - 1
        who = {
            "session_id": f"s{number}",
            "rater_id": f"r{number}",
            "mode": "live",
            "plan_hash": study.plan_hash,
        }
        visits.append(
            who
            | {
                "sequence_id": sequence,
                "consented_at": WHEN,
                "slot": 1,
                "finished_at": "" if leaves else WHEN,
                "status": "active" if leaves else "finished",
            }
        )
        own = [row for row in trials if row["sequence_id"] == sequence]
        for trial in own[: 1 if leaves else None]:
            common = who | {
                "rater_kind": "human",
                "position": trial["position"],
                "response_ms": 9000,
                "is_attention_check": trial["is_attention_check"],
                "answered_at": WHEN,
                "scenario": trial[columns[0]].partition("-")[0],
            }
            answers += answer(plan, common, [trial[c] for c in columns], rng)
    _append(data / f"{kind}.csv", answers)
    _append(data / "participants.csv", visits)


def _quality(item_id: str) -> float:
    """Return how good an item is, by its source and its number."""
    number = int(item_id.rpartition("-")[2])
    return (number % 3) + number / 12


def _ratings(plan: Plan, common: Row, items: list[str], rng: np.random.Generator) -> list[Row]:
    asked = common["is_attention_check"] == "true"
    if asked:
        common = common | {"scenario": "attention_check", "passed_check": "true"}
    rows = []
    for scale in plan.scales:
        shown = 2.0 if asked else 1.2 + _quality(items[0]) + rng.normal(scale=0.7)
        value = int(np.clip(round(shown), scale.points[0], scale.points[-1]))
        rows.append(
            common
            | {
                "item_id": items[0],
                "dimension": scale.id,
                "value": value,
                "scale_min": scale.points[0],
                "scale_max": scale.points[-1],
            }
        )
    return rows


def _picks(plan: Plan, common: Row, items: list[str], rng: np.random.Generator) -> list[Row]:
    felt = [_quality(item) + rng.gumbel() for item in items]
    best, worst = int(np.argmax(felt)), int(np.argmin(felt))
    trial = f"{common['session_id']}-{common['position']}"
    return [
        common
        | {
            "trial_id": trial,
            "option": place + 1,
            "item_id": item,
            "picked": {best: "most", worst: "least"}.get(place, ""),
            "why": "",
        }
        for place, item in enumerate(items)
    ]


def _append(path: Path, rows: list[Row]) -> None:
    """Add rows to a table; columns that the rows do not have stay empty."""
    with path.open(newline="", encoding="utf-8") as file:
        names = next(csv.reader(file))
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writerows(rows)


def rewrite(path: Path, change: Callable[[Row], Row | None]) -> None:
    """Rewrite a table row by row; None removes a row."""
    table = read_table(path)
    rows = [new for row in table.rows if (new := change(dict(row))) is not None]
    write_csv(path, list(table.columns), rows)
