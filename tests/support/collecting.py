"""Makes studies of every kind of task, and people who answer them directly in the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prereg.lock import utc_now
from study.folder import Study
from study.opening import open_study
from study.store.database import Store
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from study.visits.places import Place
from tests.conftest import make_study
from tests.support.plans import edited_plan

SCALES = [
    {"id": "warmth", "question": "How warm?", "min": 1, "max": 5, "labels": {1: "no", 5: "very"}},
    {"id": "depth", "question": "How deep?", "min": 0, "max": 3, "labels": {0: "no", 3: "very"}},
]
# The right answer of each kind's attention check, a wrong one, and one for all other trials.
RIGHT: dict[str, dict[str, int | str]] = {
    "pairwise": {"choice": "left"},
    "rating": {"warmth": 2, "depth": 0},
    "best_worst": {"most": 1, "least": 2, "why": "Because it listens,\nand says so."},
}
WRONG: dict[str, dict[str, int | str]] = {
    "pairwise": {"choice": "right"},
    "rating": {"warmth": 4, "depth": 0},
    "best_worst": {"most": 2, "least": 3},
}


def study_of_kind(folder: Path, kind: str, *, per_sequence: int = 1, **design: Any) -> Study:
    """Make a study of any kind, with three trials, an attention check, a reward and no judges."""
    with edited_plan(make_study(folder, raters=6, trials=3)) as plan:
        for part in ("judges", "analyses", "gate"):
            del plan[part]
        if kind != "pairwise":
            del plan["measures"]
        plan |= {"kind": kind, "attention_checks": [_check(kind)]}
        plan["design"] |= {"raters_per_sequence": per_sequence, **design}
        plan["exclusions"] = [{"rule": "failed_attention", "max_failed": 0}]
        plan["recruitment"]["reward"] = {"amount": 2.5, "currency": "GBP"}
        if kind == "rating":
            plan["scales"] = SCALES
        if kind == "best_worst":
            plan["design"] |= {"options": 3, "ask_why": True}
    return open_study(folder)


def _check(kind: str) -> dict[str, Any]:
    texts = {"pairwise": 2, "rating": 1, "best_worst": 3}[kind]
    expected = {name: value for name, value in RIGHT[kind].items() if name in EXPECTED}
    return {"after": 1, "texts": [f"Text {n}." for n in range(1, texts + 1)], "expected": expected}


EXPECTED = {"choice", "warmth", "most", "least"}


def open_places(store: Store, study: Study, mode: str) -> None:
    """Open every place of a study in one mode."""
    each = study.plan.design.raters_per_sequence
    store.open_slots(study.root_hash, mode, list(study.sequences), each=each)


def take_part(
    store: Store, study: Study, mode: str, rater: str, *, trials: int = 99, fails: bool = False
) -> Place:
    """Claim a place and answer `trials` trials, with attention checks right or wrong."""
    place = claim(store, study, mode, Arrival(rater))
    assert place is not None
    for trial in study.sequences[place.sequence_id][:trials]:
        shown = utc_now()
        wrong = fails and trial.is_attention_check
        answers = (WRONG if wrong else RIGHT)[study.plan.kind]
        given = Given(trial.position, answers, 9, 1, shown_at=shown)
        outcome = answer(store, study, mode, place.session_id, given)
        assert outcome is not None
        assert outcome.kept
        place = outcome.place
    return place
