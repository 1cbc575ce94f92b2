"""If this failed, words of somebody who withdrew would stay in the store, or in an export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from study.chat.leaving import withdraw_rater
from study.chat.study import ChatStudy
from study.export.chat.files import export_chat
from study.export.chat.freshness import retention_notes
from study.store.chat_tables import Call, SafetyEvent
from study.store.database import Store
from tests.support.chat import small_chat
from tests.support.chat_rows import Rows, at

# Each is in a different table.
WORDS = ("zinnia in a message", "marigold in a reply", "begonia for the coach", "in my own words")
IDS = ("PLATFORM00001", "PLATFORM-SESSION00001", "session-live-00001")


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'study.sqlite3'}")
    yield opened
    opened.close()


def collected(store: Store, study: ChatStudy) -> None:
    rows = Rows(study)
    gone, stays = rows.visit(1), rows.visit(2)
    rows.answer_all(gone)
    talk = rows.conversation(gone, 1, [WORDS[0]] * 9, [WORDS[1]] * 9)
    rows.coached(talk, ["Good.", WORDS[2]], {"validates": 4, "asks": 2})
    rows.conversation(stays, 1, ["whoever stays is kept"], ["Yes."])
    rows.add(
        SafetyEvent,
        session_id=gone,
        conversation_id=talk,
        turn=1,
        speaker="supporter",
        screen="lexicon",
        category="distress",
        at=at(30),
    )
    rows.add(
        Call,
        request_id="call-1",
        plan_hash=study.root_hash,
        mode="live",
        session_id=gone,
        owed_id=1,
        purpose="partner",
        status="answered",
        cost=0.5,
        asked_at=at(20),
    )
    rows.store(store)


def found_in(paths: list[Path]) -> set[str]:
    content = b"".join(path.read_bytes() for path in paths if path.is_file())
    return {word for word in (*WORDS, *IDS) if word.encode() in content}


def test_no_word_of_theirs_is_left_in_the_file_nor_in_a_fresh_export(
    store: Store, study: ChatStudy, tmp_path: Path
) -> None:
    collected(store, study)
    data = export_chat(store, study).folder
    corpus = export_chat(store, study, format="convokit").folder
    who = study.folder / "pseudonyms.csv"
    exported = lambda: [*data.iterdir(), *corpus.iterdir(), who]  # noqa: E731
    database = lambda: sorted(tmp_path.glob("study.sqlite3*"))  # noqa: E731
    assert found_in(database()) == {*WORDS, *IDS}
    # the coach's texts are in no corpus, the ids of the platform only in the file that names them
    assert found_in([*data.iterdir()]) == {*WORDS, IDS[2]}
    assert found_in([*corpus.iterdir()]) == {*WORDS[:2], IDS[2]} | {WORDS[3]}
    assert found_in([who]) == set(IDS[:2])
    assert retention_notes(store, study) == []

    assert withdraw_rater(store, study, "live", "PLATFORM00001")
    assert store.has_erased(5)
    assert found_in(database()) == set()
    (note,) = retention_notes(store, study)
    assert "somebody has withdrawn since data/ and convokit/ were written" in note

    export_chat(store, study)
    assert found_in(exported()) == set()
    assert "whoever stays is kept" in (data / "messages.csv").read_text(encoding="utf-8")
    assert "whoever stays is kept" in (corpus / "utterances.jsonl").read_text(encoding="utf-8")
    assert len((data / "withdrawals.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert retention_notes(store, study) == []
