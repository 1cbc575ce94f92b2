"""Studies whose raters give labels: people answer in the store, a judge is a table or a model."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from prereg.lock import utc_now
from prereg.tables.reader import write_csv
from ratify.asking import ask_judges
from study.export.files import export
from study.folder import Study
from study.opening import lock_study, open_study
from study.scaffold import new_study
from study.store.database import open_store
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from tests.support.collecting import open_places
from tests.support.plans import edited_plan

VERDICT = {
    "id": "verdict",
    "question": "Does it answer?",
    "labels": {"pass": "It answers what was asked", "fail": "It does not"},
}
TOPIC = {"id": "topic", "question": "What is it about?", "labels": ["work", "home", "other, both"]}
POINTS = {
    "id": "warmth",
    "question": "How warm?",
    "min": 1,
    "max": 5,
    "labels": {1: "no", 5: "very"},
}
AGREEMENT = {
    "id": "agree",
    "kind": "agreement",
    "judges": ["gpt"],
    "dimensions": ["verdict", "topic"],
    "weights": "none",
    "metric": "accuracy",
}
ITEMS = [f"{name}-{n}" for name in ("work", "home") for n in range(12)]


def true_labels(item_id: str) -> dict[str, str]:
    """Return what most people call an item."""
    number = int(item_id.rpartition("-")[2])
    topic = "other, both" if number % 4 == 0 else item_id.partition("-")[0]
    return {"verdict": "fail" if number % 3 == 0 else "pass", "topic": topic}


def make_label_study(folder: Path, **parts: Any) -> Path:
    """Write a study with two scales of labels and one of points, whose judge is a table."""
    rows = [
        {
            "item_id": item,
            "scenario": item.partition("-")[0],
            "text": f"Seeker: my {item}.\nSupporter: I hear you, {item}.",
        }
        for item in ITEMS
    ]
    pool = folder.parent / f"{folder.name}-pool.csv"
    write_csv(pool, list(rows[0]), rows)
    new_study(folder, items=pool, scenario_column="scenario", worked="empathy_rating")
    rng = np.random.default_rng(12)
    said = [{"item_id": item, **_mostly(item, 0.85, rng), "warmth": 3} for item in ITEMS]
    for row in said[::5]:
        row["verdict"] = str(row["verdict"]).upper()
    write_csv(folder / "gpt.csv", list(said[0]), said)
    with edited_plan(folder) as plan:
        plan["design"] |= {"raters": 16, "trials": 12, "min_reading_seconds": None}
        plan["scales"] = [VERDICT, TOPIC, POINTS]
        del plan["comprehension"], plan["recruitment"]["codes"]["screened_out"]
        plan["attention_checks"] = [
            {"after": 2, "texts": ["Choose fail."], "expected": {"verdict": "fail"}}
        ]
        plan["hypotheses"], plan["analyses"] = [], [AGREEMENT]
        plan["judges"] = [{"id": "gpt", "kind": "table", "ratings": "gpt.csv"}]
        plan |= parts
    return folder


def collect_labels(folder: Path, *, form: str = "csv", **given: Any) -> Study:
    """Lock a study, let people answer, ask its judges, and export."""
    lock_study(folder)
    study = open_study(folder, must_be_locked=True)
    rng = np.random.default_rng(3)
    with contextlib.closing(open_store(folder, None)) as store:
        open_places(store, study, "live")
        for number in range(study.plan.design.raters):
            place = claim(store, study, "live", Arrival(f"rater-{number}"))
            assert place is not None
            for trial in study.sequences[place.sequence_id]:
                check = trial.is_attention_check
                said: dict[str, Any] = (
                    {"verdict": "fail", "topic": "work"}
                    if check
                    else _mostly(trial.item_ids[0], 0.85, rng)
                )
                answers = {**said, "warmth": 2 + int(rng.integers(3))}
                sent = Given(trial.position, answers, 9, 1, shown_at=utc_now())
                outcome = answer(store, study, "live", place.session_id, sent)
                assert outcome is not None
                place = outcome.place
        ask_judges(study, store, **given)
        export(store, study, format=form)
    return study


def _mostly(item: str, right: float, rng: np.random.Generator) -> dict[str, Any]:
    """Return labels that are the true ones with this probability."""
    names = {"verdict": ["pass", "fail"], "topic": ["work", "home", "other, both"]}
    return {
        name: label
        if rng.random() < right
        else str(rng.choice([o for o in names[name] if o != label]))
        for name, label in true_labels(item).items()
    }
