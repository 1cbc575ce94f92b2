"""If this failed, simulated raters would not go through some plan, or not behave as it assumes."""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from prereg.streams import Stream, stream
from study.bots import Conduct
from study.folder import Study
from study.opening import open_study
from study.simulation import raters
from study.simulation.quality import known_of
from study.simulation.raters import Sent, simulate_people, visitor_of
from study.simulation.times import give_times
from study.store.database import Store, open_store
from study.store.tables import Judgment, Slot, Visit
from study.tasks.registry import task_of
from tests.support.collecting import study_of_kind
from tests.support.label_studies import TOPIC, VERDICT
from tests.support.plans import edited_plan
from tests.support.served_here import served_here

QUESTION = {"question": "Whose?", "options": ["Mine", "Yours"], "answer": 2, "attempts": 1}
SURVEY = [
    {"id": "age", "question": "How old?", "kind": "choice", "options": ["young", "old"]},
    {"id": "trust", "question": "Trust?", "kind": "scale", "min": 1, "max": 5,
     "labels": {1: "no", 5: "yes"}, "required": False},
    {"id": "remarks", "question": "Anything else?", "kind": "text"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raters, "served", served_here)


def simulated(folder: Path, *, places: int, **assumed: float) -> tuple[Study, Sent]:
    with edited_plan(folder) as plan:
        plan["assumptions"] = {"raters": assumed}
    study = open_study(folder)
    quality = {name: float(place % 7) - 3 for place, name in enumerate(study.items)}
    return study, simulate_people(study, known_of(study, quality), places=places)


def answers(study: Study) -> list[Any]:
    with opened(study) as store, store.reading() as connection:
        return list(connection.execute(select(task_of(study.plan).table.__table__)))


def visits(study: Study) -> list[Any]:
    with opened(study) as store, store.reading() as connection:
        return list(connection.execute(select(Visit.__table__).order_by(Visit.rater_id)))


def opened(study: Study) -> contextlib.closing[Store]:
    return contextlib.closing(open_store(study.folder, None))


@pytest.mark.parametrize("kind", ["pairwise", "rating", "best_worst"])
def test_every_kind_of_task_is_answered_to_its_end(kind: str, tmp_path: Path) -> None:
    study_of_kind(tmp_path, kind)
    with edited_plan(tmp_path) as plan:
        plan |= {"comprehension": QUESTION, "practice": 1, "survey": SURVEY}
        plan["design"]["min_reading_seconds"] = 30
        if kind == "pairwise":
            plan["design"] |= {"ties": "offered"}
            plan["recruitment"]["links"] = "signed"
        if kind == "rating":
            plan["scales"] += [VERDICT, TOPIC]
            plan["recruitment"]["platform"] = "prolific"
            plan["recruitment"]["codes"] = {"completed": "A", "failed_attention": "B"}
    study, sent = simulated(tmp_path, places=6, tie=2.0)
    assert (sent.finished, sent.sent) == (6, 6)
    found = answers(study)
    assert all(row.passed_check for row in found if row.is_attention_check)
    assert len(found) == 6 * 4 * task_of(study.plan).rows_of_an_answer
    surveys = [json.loads(visit.survey) for visit in visits(study)]
    assert {one["age"] for one in surveys} == {"young", "old"}
    if kind == "pairwise":
        assert {row.choice for row in found} == {"left", "right", "tie"}
    if kind == "rating":
        assert {row.dimension for row in found} == {"warmth", "depth", "verdict", "topic"}
        assert len(visits(study)[0].rater_id) == 24
    if kind == "best_worst":
        assert {bool(row.why) for row in found if not row.is_attention_check} == {True, False}


def test_leavers_make_room_and_are_as_many_as_the_plan_assumes(tmp_path: Path) -> None:
    study_of_kind(tmp_path, "pairwise", raters=16)
    study, sent = simulated(tmp_path, places=16, drop_out=0.3, no_shows=0.2)
    plan = study.plan
    conducts = [
        Conduct.drawn(
            plan.assumptions.raters, 4, stream(plan.seed, Stream.SIMULATION, "conduct", n)
        )
        for n in range(1, sent.sent + 1)
    ]
    none = sum(one.leaves_after == 0 for one in conducts)
    assert sent.finished == 16
    assert (sent.left, sent.no_shows) == (sent.sent - 16 - none, none)
    assert 0.2 < (sent.left + sent.no_shows) / sent.sent < 0.7
    found = visits(study)
    assert {visit.status for visit in found} == {"finished", "timed_out"}
    assert {visit.answered for visit in found} == {0, 1, 2, 3, 4}
    with opened(study) as store, store.reading() as connection:
        held = set(connection.scalars(select(Slot.session_id)))
    assert held == {visit.session_id for visit in found if visit.status == "finished"}


def test_a_share_of_many_behaves_as_assumed() -> None:
    from prereg.plan.assumptions import RaterAssumptions

    assumed = RaterAssumptions(careless=0.1, drop_out=0.3, no_shows=0.2)
    drawn = [
        Conduct.drawn(assumed, 10, stream(1, Stream.SIMULATION, "conduct", n)) for n in range(2000)
    ]
    leaves = [one.leaves_after for one in drawn]
    assert sum(one.careless for one in drawn) / 2000 == pytest.approx(0.1, abs=0.02)
    # one in five never answers; of the others three in ten leave, each after 0 to 9 answers
    assert leaves.count(None) / 2000 == pytest.approx(0.8 * 0.7, abs=0.03)
    assert leaves.count(0) / 2000 == pytest.approx(0.2 + 0.8 * 0.3 / 10, abs=0.03)
    assert {one for one in leaves if one} == set(range(1, 10))


def test_the_careless_fail_checks_and_a_side_bias_shows(tmp_path: Path) -> None:
    study_of_kind(tmp_path, "pairwise", raters=16)
    study, sent = simulated(tmp_path, places=16, careless=0.4, sensitivity=0.0, taste=0.0, side=5.0)
    failed = {row.rater_id for row in answers(study) if row.passed_check is False}
    assert failed <= set(sent.careless)
    assert len(failed) >= 2
    careful = [
        row
        for row in answers(study)
        if row.rater_id not in sent.careless and not row.is_attention_check
    ]
    by_rater: dict[str, set[str]] = {}
    for row in careful:
        by_rater.setdefault(row.rater_id, set()).add(row.choice)
    one_sided = sum(len(sides) == 1 for sides in by_rater.values())
    assert one_sided > 0.7 * len(by_rater)  # of three fair choices one in four would be


def test_the_same_number_is_the_same_rater(tmp_path: Path) -> None:
    study = study_of_kind(tmp_path, "pairwise")
    known = known_of(study, dict.fromkeys(study.items, 0.0))
    one, other = (visitor_of(study, known, 3) for _ in range(2))
    assert (one.rater_id, one.link) == (other.rater_id, other.link)
    assert one.rater.conduct == other.rater.conduct


def test_times_are_those_of_reading(tmp_path: Path) -> None:
    study_of_kind(tmp_path, "pairwise")
    study, sent = simulated(tmp_path, places=4, careless=0.5)
    with opened(study) as store:
        give_times(store, study, sent.careless)
        with store.reading() as connection:
            rows = list(
                connection.execute(
                    select(Judgment.__table__).order_by(Judgment.session_id, Judgment.position)
                )
            )
    ends = {visit.session_id: visit for visit in visits(study)}
    for before, after in itertools.pairwise(rows):
        if before.session_id == after.session_id:
            assert before.answered_at <= after.shown_at
        else:
            assert ends[before.session_id].finished_at == before.answered_at
    seconds = {
        careless: [
            row.response_ms / 1000
            for row in rows
            if not row.is_attention_check and (row.rater_id in sent.careless) == careless
        ]
        for careless in (True, False)
    }
    assert max(seconds[True]) < min(seconds[False])
    assert 10 < min(seconds[False]) < max(seconds[False]) < 600
