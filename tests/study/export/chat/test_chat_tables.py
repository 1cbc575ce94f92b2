"""If this failed, a chat's tables would not say what people wrote, or would say who they are."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from prereg.errors import RatifyError
from prereg.files import sha256
from prereg.tables.chat_contract import CHAT_TABLES
from prereg.tables.manifest import read_manifest
from prereg.tables.reader import read_table
from study.chat.study import ChatStudy
from study.export.chat.codebook import chat_codebook
from study.export.chat.files import chat_archive, export_chat, one_chat_table
from study.store.chat_tables import SafetyEvent
from study.store.database import Store
from tests.support.chat import small_chat
from tests.support.chat_rows import Rows, at
from tests.support.contract import chat_breaches


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(tmp_path)


def collected(store: Store, study: ChatStudy) -> None:
    """Store a finished visit, one that pasted most of it, and one without any conversation."""
    rows = Rows(study)
    one = rows.visit(1, "combined", flags=1)
    rows.answer_all(one)
    first = rows.conversation(one, 1, ["Oh no.\nThat sounds hard", "=1+1"], ["Yes.", "It is."])
    rows.conversation(one, 2, ["Hi there"], [], ended="participant")
    rows.coached(first, ["You listened.", "How else?", "Ask more."], {"validates": 4, "asks": 2})
    rows.add(
        SafetyEvent,
        session_id=one,
        conversation_id=first,
        turn=1,
        speaker="supporter",
        screen="lexicon",
        category="distress",
        at=at(30),
    )
    two = rows.visit(2, status="timed_out", mode="pilot")
    rows.conversation(two, 1, [("0123456789", 9), ("ab", None)], ["Hm."])
    rows.conversation(two, 2, [], status="open", ended="")
    rows.visit(3, "coach", status="active", answered=0)
    rows.store(store)


def read(folder: Path, name: str, ending: str = "csv") -> list[dict[str, str]]:
    return read_table(folder / f"{name}.{ending}").rows


def test_every_table_has_what_was_said_and_no_id_of_a_platform(
    store: Store, study: ChatStudy
) -> None:
    collected(store, study)
    done = export_chat(store, study)
    assert {p.name for p in done.folder.iterdir()} == {
        *(f"{name}.csv" for name in CHAT_TABLES),
        "CODEBOOK.md",
        "manifest.json",
    }
    assert chat_breaches(done.folder) == []
    for path in done.folder.iterdir():
        assert "PLATFORM" not in path.read_text(encoding="utf-8"), path.name
    assert done.who is not None
    assert "PLATFORM00001" in done.who.read_text(encoding="utf-8")
    assert done.who.stat().st_mode & 0o077 == 0

    said = read(done.folder, "messages")
    assert [row["text"] for row in said][:5] == [
        study.plan.scenarios[0].opening,
        "Oh no.\nThat sounds hard",
        "Yes.",
        "=1+1",
        "It is.",
    ]
    assert [row["position"] for row in said][:5] == ["1", "2", "3", "4", "5"]
    assert [row["speaker"] for row in said][:3] == ["partner", "supporter", "partner"]
    assert {row["rater_id"][:1] for row in said} == {"r"}
    assert said[2]["request_id"] == "call-session-live-00001-1-1"
    assert said[1]["request_id"] == ""

    talks = read(done.folder, "conversations")
    counted = ("messages", "replies", "words", "characters", "pasted_characters", "safety_flags")
    assert [talks[0][name] for name in counted] == ["2", "2", "6", "27", "0", "1"]
    assert talks[0]["scenario_group"] == "workplace"
    assert talks[0]["heard"] == "4"
    assert talks[0]["self_rating"] == "4.0"
    assert [row["status"] for row in talks] == ["over", "over", "over", "open"]
    assert talks[3]["messages"] == "0"

    kinds = [row["kind"] for row in read(done.folder, "coaching")]
    assert kinds == ["feedback", "question", "answer"]
    feedback = read(done.folder, "coaching")[0]
    assert (feedback["score_validates"], feedback["score_asks"]) == ("4", "2")


def test_traits_are_keyed_and_exclusions_come_in_the_order_of_the_plan(
    store: Store, study: ChatStudy
) -> None:
    collected(store, study)
    folder = export_chat(store, study).folder
    first, second, third = read(folder, "participants")
    # care_1 is 4; care_2, reversed, is 6 - 4 = 2
    assert (first["care"], first["care_2"], first["self_rating"]) == ("3.0", "4", "4.0")
    assert first["age"] == "40 or more"
    assert first["rounds_done"] == "2"
    assert first["excluded_by"] == ""
    # 9 of the 10 characters whose pasting is known; the message without a script does not count
    assert second["pasted_share"] == "0.9"
    assert second["excluded_by"] == "incomplete_session", "this rule comes before pasted_most"
    assert (third["care"], third["pasted_share"], third["age"]) == ("", "", "")
    answers = {row["question"]: row for row in read(folder, "surveys")}
    assert answers["care_2"]["value"] == "4"
    assert answers["care_2"]["keyed_value"] == "2"
    assert answers["age"]["keyed_value"] == ""
    order = [row["question"] for row in read(folder, "surveys")]
    assert order == ["age", "care_1", "care_2", "used_ai", "remarks", "heard", "heard"]


def test_a_trait_with_an_open_item_has_no_score(store: Store, study: ChatStudy) -> None:
    rows = Rows(study)
    session = rows.visit(1)
    rows.answer(session, 0, "care_1", "5")
    rows.answer(session, 0, "care_2", None)
    rows.answer(session, 2, "heard", "2")
    rows.store(store)
    (person,) = read(export_chat(store, study).folder, "participants")
    assert person["care"] == ""
    assert person["self_rating"] == "2.0"


def test_the_same_store_gives_the_same_bytes_in_csv_and_parquet(
    store: Store, study: ChatStudy
) -> None:
    collected(store, study)
    first = export_chat(store, study).folder
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    again = export_chat(store, study).folder
    assert {path.name: path.read_bytes() for path in again.iterdir()} == before
    texts = {name: read(again, name) for name in CHAT_TABLES if name != "withdrawals"}
    manifest = read_manifest(again)
    assert manifest is not None
    assert manifest.rows["messages.csv"] == len(texts["messages"])
    assert all(sha256((again / n).read_bytes()) == d for n, d in manifest.sha256.items())
    assert manifest.answered["session-live-00001"] == 7

    typed = export_chat(store, study, format="parquet").folder
    assert {path.suffix for path in typed.iterdir()} == {".parquet", ".md", ".json"}
    for name, rows in texts.items():
        columns = pq.read_table(typed / f"{name}.parquet")
        assert columns.column_names == list(rows[0])
        assert columns.num_rows == len(rows)
    flags = pq.read_table(typed / "messages.parquet")["flag"]
    assert flags.null_count == len(flags)


def test_postgresql_gives_the_same_rows(store: Store, study: ChatStudy, postgres_url: str) -> None:
    collected(store, study)
    folder = export_chat(store, study).folder
    before = {name: read(folder, name) for name in CHAT_TABLES if name != "withdrawals"}
    with closing(Store(postgres_url)) as other:
        collected(other, study)
        export_chat(other, study)
    for name, rows in before.items():
        again = read(folder, name)
        for row in (*rows, *again):
            del row["rater_id"]  # another store, another seed of pseudonyms
        assert again == rows, name


def test_what_is_asked_for_in_vain_is_said_in_one_line(store: Store, study: ChatStudy) -> None:
    collected(store, study)
    with pytest.raises(RatifyError, match="never their ids"):
        export_chat(store, study, pseudonyms=False)
    with pytest.raises(RatifyError, match="unknown format"):
        export_chat(store, study, format="xlsx")
    with pytest.raises(RatifyError, match="no spreadsheet"):
        export_chat(store, study, format="convokit", spreadsheet_safe=True)
    with pytest.raises(RatifyError, match="no such table"):
        one_chat_table(store, study, "judgments", "csv")
    folder = export_chat(store, study, spreadsheet_safe=True).folder
    with (folder / "messages.csv").open(encoding="utf-8", newline="") as stream:
        assert "'=1+1" in [row["text"] for row in csv.DictReader(stream)]


def test_an_empty_store_never_replaces_an_export(
    store: Store, study: ChatStudy, tmp_path: Path
) -> None:
    collected(store, study)
    folder = export_chat(store, study).folder
    empty = Store(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(RatifyError, match="the store has none of this study"):
        export_chat(empty, study)
    empty.close()
    assert read(folder, "messages")


def test_rows_of_another_plan_stay_behind(store: Store, study: ChatStudy, tmp_path: Path) -> None:
    collected(store, study)
    other = small_chat(tmp_path / "other", seed=21)
    rows = Rows(other)
    session = rows.visit(77)
    rows.conversation(session, 1, ["of another plan"])
    rows.store(store)
    done = export_chat(store, study)
    assert done.left_behind == {"participants": 1}
    assert "of another plan" not in (done.folder / "messages.csv").read_text(encoding="utf-8")


def test_the_codebook_explains_every_column(store: Store, study: ChatStudy) -> None:
    collected(store, study)
    done = export_chat(store, study)
    page = (done.folder / "CODEBOOK.md").read_text(encoding="utf-8")
    assert page == chat_codebook(study)
    for name in CHAT_TABLES:
        for column in (done.folder / f"{name}.csv").read_text("utf-8").splitlines()[0].split(","):
            assert f"| `{column}` |" in page, (name, column)
    assert "mean of `care_1`, `care_2` (reverse): 1 to 5" in page


def test_a_question_never_takes_the_name_of_a_column(store: Store, tmp_path: Path) -> None:
    asked = [{"questions": [{"id": "status", "question": "Your status?", "kind": "text"}]}]
    study = small_chat(tmp_path, surveys={"before": asked})
    rows = Rows(study)
    rows.answer(rows.visit(1), 0, "status", "student")
    rows.store(store)
    (person,) = read(export_chat(store, study).folder, "participants")
    assert (person["status"], person["survey_status"]) == ("finished", "student")


def test_a_thousand_conversations_are_exported_quickly(tmp_path: Path) -> None:
    study = small_chat(tmp_path, design={"supporters": 504})
    rows = Rows(study)
    for number in range(500):
        session = rows.visit(number)
        rows.answer_all(session)
        for round_ in (1, 2):
            rows.conversation(session, round_, ["I hear you."] * 5, ["Thank you."] * 5)
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    rows.store(store)
    began = time.process_time()
    folder = export_chat(store, study).folder
    took = time.process_time() - began
    store.close()
    assert len(read(folder, "messages")) == 11_000
    assert took < 8


def test_the_archive_has_the_same_tables(store: Store, study: ChatStudy) -> None:
    import zipfile

    collected(store, study)
    folder = export_chat(store, study).folder
    with chat_archive(store, study, "csv") as stream, zipfile.ZipFile(stream) as packed:
        assert packed.read("messages.csv") == (folder / "messages.csv").read_bytes()
        assert json.loads(packed.read("manifest.json"))["plan_hash"] == study.plan_hash
