"""If this failed, the dashboard's numbers would not be those of the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from study.export.progress import Fill, ModeProgress, progress
from study.export.timeline import arrange
from study.folder import Study
from study.store.database import Store
from study.store.tables import Visit
from study.visits.claims import release
from study.visits.withdrawal import withdraw
from tests.support.collecting import open_places, study_of_kind, take_part

MODE = "live"
KINDS = ("pairwise", "rating", "best_worst")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


def of_mode(store: Store, study: Study, mode: str = MODE) -> ModeProgress:
    return next(m for m in progress(store, study).modes if m.mode == mode)


@pytest.mark.parametrize("kind", KINDS)
def test_every_rater_is_counted_once(store: Store, tmp_path: Path, kind: str) -> None:
    study = study_of_kind(tmp_path / "study", kind, per_sequence=2)
    open_places(store, study, MODE)
    take_part(store, study, MODE, "done")
    take_part(store, study, MODE, "fails", fails=True)
    take_part(store, study, MODE, "silent", trials=2, fails=True)
    silent = update(Visit).where(Visit.rater_id == "silent").values(lease_until=time.time() - 1)
    take_part(store, study, MODE, "busy", trials=1)
    take_part(store, study, MODE, "gone", trials=3)
    release(store, study, MODE, "gone", "returned")
    leaver = take_part(store, study, MODE, "leaver")
    withdraw(store, study, MODE, leaver.withdrawal_key)
    store.write(lambda connection: connection.execute(silent))
    found = of_mode(store, study)
    assert found.visits == {
        "active": 1,
        "silent": 1,
        "finished": 2,
        "returned": 1,
        "timed_out": 0,
        "screened_out": 0,
    }
    assert (found.consented, found.withdrawn) == (5, 1)
    assert found.answers == 4 + 4 + 2 + 1 + 3
    assert found.fill == Fill("", done=2, under_way=1, free=3, answers=9, wanted=24)
    assert (found.fill.places, found.fill.taken) == (6, 3)
    assert [s.sequence_id for s in found.sequences] == list(study.sequences)
    assert found.checks is not None
    assert (found.checks.answered, found.checks.failed) == (4, 2)
    assert (found.checks.allowed, found.checks.raters_over) == (0, 2)
    assert (found.doubled, found.astray) == ((), 0)
    assert found.timeline is not None
    assert sum(bar.answers for bar in found.timeline.bars) == found.answers


def test_time_and_pay_are_of_those_who_are_done(store: Store, tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    open_places(store, study, MODE)
    assert of_mode(store, study).median_minutes is None
    assert of_mode(store, study).hourly_pay is None
    for number, minutes in enumerate((5, 12, 60)):
        take_part(store, study, MODE, f"r{number}")
        times = {
            "consented_at": "2026-11-21T09:00:00.000Z",
            "finished_at": f"2026-11-21T{9 + minutes // 60:02d}:{minutes % 60:02d}:00.000Z",
        }
        mine = update(Visit).where(Visit.rater_id == f"r{number}").values(**times)
        store.write(lambda connection, mine=mine: connection.execute(mine))
    found = of_mode(store, study)
    assert found.median_minutes == 12
    assert found.hourly_pay == pytest.approx(2.5 * 5)


def test_two_holders_of_a_place_are_found(store: Store, tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    open_places(store, study, MODE)
    for rater, trials in (("done", 99), ("done too", 99), ("busy", 1)):
        take_part(store, study, MODE, rater, trials=trials)
    take_part(store, study, MODE, "elsewhere")
    store.write(lambda connection: connection.execute(text("DROP INDEX visits_one_holder")))
    moved = update(Visit).where(Visit.rater_id != "elsewhere").values(sequence_id="S002")
    store.write(lambda connection: connection.execute(moved))
    found = of_mode(store, study)
    assert found.doubled == ("S002 place 1",)
    assert found.astray == 2, "two of the three say a place that is not theirs"


def test_only_the_plan_that_is_served_is_counted(store: Store, tmp_path: Path) -> None:
    other = study_of_kind(tmp_path / "other", "pairwise")
    study = study_of_kind(tmp_path / "study", "pairwise", question="Another question?")
    for one in (other, study):
        open_places(store, one, MODE)
    take_part(store, other, MODE, "there")
    take_part(store, study, MODE, "here", trials=1)
    take_part(store, study, MODE, "here too", trials=1)
    stands = progress(store, study)
    assert [m.mode for m in stands.modes] == [MODE]
    assert (stands.modes[0].consented, stands.modes[0].answers) == (2, 2)
    assert stands.other_plans == {"participants": 1, "judgments": 4}


def test_modes_are_counted_apart(store: Store, tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    for mode, raters in (("live", 1), ("pilot", 2), ("bot", 3)):
        open_places(store, study, mode)
        for number in range(raters):
            take_part(store, study, mode, f"r{number}")
    assert {m.mode: m.answers for m in progress(store, study).modes} == {
        "live": 4,
        "pilot": 8,
        "bot": 12,
    }


START = datetime(2026, 11, 19, 22, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("hours", "unit", "bars"),
    [
        ([0], "hour", 1),
        ([0, 5], "hour", 6),
        ([0, 47], "hour", 48),
        ([0, 48], "day", 3),
        ([0, 2, 24 * 59], "day", 60),
        ([0, 24 * 60], "week", 10),
        ([0, 24 * 365], "week", 53),
    ],
)
def test_the_timeline_has_every_answer_and_no_gap(hours: list[int], unit: str, bars: int) -> None:
    line = arrange({START + timedelta(hours=hour): hour + 1 for hour in hours})
    assert (line.unit, len(line.bars)) == (unit, bars)
    assert sum(bar.answers for bar in line.bars) == sum(hours) + len(hours)
    steps = {b.start - a.start for a, b in zip(line.bars, line.bars[1:], strict=False)}
    assert len(steps) <= 1
    assert line.bars[0].answers
    assert line.bars[-1].answers
    assert line.peak.answers == max(bar.answers for bar in line.bars)
    if unit == "week":
        assert all(bar.start.weekday() == 0 for bar in line.bars)
    assert line.label(line.bars[0]) in {"2026-11-19 22:00", "2026-11-19", "2026-11-16"}
