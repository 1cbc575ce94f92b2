"""If this failed, people who left would block places, or people at work would lose theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from study.folder import Study
from study.store.database import Store
from study.store.tables import Judgment, Slot
from study.visits.claims import Arrival, claim, has_room
from study.visits.places import find_rater
from study.visits.recruitment import Released, is_paused, pause, release_from_file, resume
from tests.support.collecting import open_places, study_of_kind, take_part

MODE = "live"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of_kind(tmp_path / "study", "pairwise")


@pytest.fixture
def store(database_url: str, study: Study) -> Iterator[Store]:
    opened = Store(database_url)
    open_places(opened, study, MODE)
    yield opened
    opened.close()


def status(store: Store, study: Study, rater: str) -> str:
    place = find_rater(store, study, MODE, rater)
    assert place is not None
    return place.status


def test_a_pause_holds_for_one_kind_of_data_until_it_ends(store: Store, study: Study) -> None:
    assert not is_paused(store, study, MODE)
    pause(store, study, MODE)
    pause(store, study, MODE)
    assert is_paused(store, study, MODE)
    assert not is_paused(store, study, "pilot")
    resume(store, study, MODE)
    resume(store, study, MODE)
    assert not is_paused(store, study, MODE)


def test_prolific_export_frees_the_places_of_those_who_left(
    store: Store, study: Study, tmp_path: Path
) -> None:
    for rater, trials in (("gone", 2), ("late", 0), ("busy", 1), ("done", 99), ("back", 1)):
        take_part(store, study, MODE, rater, trials=trials)
    path = tmp_path / "prolific_export.csv"
    path.write_text(
        "Submission id,Participant id,Status,Started at\n"
        "1,gone,RETURNED,x\n2,late,TIMED-OUT,x\n3,busy,ACTIVE,x\n4,done,RETURNED,x\n"
        "5,stranger,RETURNED,x\n6,back,RETURNED,x\n7,back,AWAITING REVIEW,x\n"
    )
    found = release_from_file(store, study, MODE, path)
    assert found == Released(2, 0, ("done",), 1, 2)
    assert [status(store, study, r) for r in ("gone", "late", "busy", "done", "back")] == [
        "returned",
        "timed_out",
        "active",
        "finished",
        "active",
    ]
    with store.reading() as connection:
        held = connection.scalars(select(Slot.session_id).where(Slot.session_id.is_not(None))).all()
        kept = connection.scalars(select(Judgment).where(Judgment.rater_id == "gone")).all()
    assert len(held) == 3
    assert len(kept) == 2, "what was answered is kept"
    assert release_from_file(store, study, MODE, path) == Released(0, 2, ("done",), 1, 2)
    assert "2 had ended before" in release_from_file(store, study, MODE, path).sentence()
    assert "finished here: done" in found.sentence()
    for rater in ("n1", "n2", "n3"):
        assert claim(store, study, MODE, Arrival(rater)) is not None
    assert not has_room(store, study, MODE)


@pytest.mark.parametrize(
    ("header", "word", "after"),
    [
        ("rater_id,status", "returned", "returned"),
        ("STATUS,RATER_ID", "Timed Out", "timed_out"),
        ("Status, PARTICIPANT ID ", "timed_out", "timed_out"),
        ("participant-id,Status", " TIMED-OUT ", "timed_out"),
    ],
)
def test_other_headers_and_words_are_understood(
    tmp_path: Path, study: Study, header: str, word: str, after: str
) -> None:
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    open_places(store, study, MODE)
    take_part(store, study, MODE, "00012345678901234567", trials=1)
    row = [
        word if "status" in name.lower() else "00012345678901234567" for name in header.split(",")
    ]
    (tmp_path / "export.csv").write_text(f"{header}\n{','.join(row)}\n")
    assert release_from_file(store, study, MODE, tmp_path / "export.csv").released == 1
    assert status(store, study, "00012345678901234567") == after
    store.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("who,status\na,RETURNED\n", "no column 'rater_id'.*Participant id"),
        ("rater_id,state\na,RETURNED\n", "no column 'status'"),
        (
            "rater_id,status\na,RETURNED\n,RETURNED\n",
            r"export.csv, row 3, column rater_id: is empty",
        ),
        ("rater_id,status\na,\n", r"row 2, column status: is empty"),
        ("rater_id,status\na,RETURNED\n5.1E+23,RETURNED\n", "row 3, column rater_id: was rounded"),
        ("rater_id,status\n", "no rows"),
    ],
)
def test_a_wrong_file_changes_nothing(
    tmp_path: Path, study: Study, content: str, complaint: str
) -> None:
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    open_places(store, study, MODE)
    take_part(store, study, MODE, "a", trials=1)
    (tmp_path / "export.csv").write_text(content)
    with pytest.raises(RatifyError, match=complaint):
        release_from_file(store, study, MODE, tmp_path / "export.csv")
    assert status(store, study, "a") == "active"
    store.close()
