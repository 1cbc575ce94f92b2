"""If these failed, withdrawn words would stay, or `ratify verify` would not tell the truth."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.verify.again import check_results
from analysis.verify.stages import check_derived
from prereg.chat.items import item_id
from prereg.derived import ERASED_TEXT, erase
from prereg.lock import read_lock
from ratify import main
from study.chat.opening import open_chat
from study.opening import open_study
from study.store.database import open_store
from study.store.sqlite_file import served_by_one
from study.web.app import create_app
from tests.support.chat_stages import fill, forget, had_chat
from tests.support.walking import Walker

PEOPLE = 16
ONE_SESSION = "session0001"


def ratify(*words: str | Path, code: int = 0) -> str:
    ran = CliRunner().invoke(main, [str(word) for word in words])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    assert ran.exit_code == code, ran.output
    return ran.output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def answers(folder: Path, stage: str) -> dict[str, str]:
    place = folder / stage
    found = [*check_derived(folder, stage), *check_results(place, read_lock(place))]
    return {check.name: check.answer for check in found}


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat whose conversations were compared by bots, with results and a report."""
    folder = tmp_path_factory.mktemp("withdrawn") / "chat"
    had_chat(folder, people=PEOPLE)
    ratify("items", folder, "--mode", "bot")
    ratify("judge", folder)
    study = open_study(folder / "compare", must_be_locked=True)
    with contextlib.closing(open_store(folder / "compare", None)) as store:
        app = create_app(study, store, mode="bot")
        for number in range(study.plan.design.raters):
            Walker(app.test_client(), f"rater-{number}").arrive().to("/done")
    ratify("analyze", folder, "--mode", "bot")
    ratify("report", folder)
    return folder


@pytest.fixture
def chat(analysed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(analysed, tmp_path / "chat"))


def _quoted(folder: Path) -> tuple[str, str]:
    """Return a participant whose conversation the results quote, and a line of it."""
    root = read_lock(folder).root_hash
    page = (folder / "compare" / "results" / "results.json").read_text(encoding="utf-8")
    texts = {row["item_id"]: row["text"] for row in rows(folder / "compare" / "items.csv")}
    for number in range(1, PEOPLE + 1):
        for turn in (1, 2):
            session = f"session{number:04d}"
            name = item_id(root, f"{session}-{turn}")
            if f'"Item {name}"' in page:
                return session, texts[name].partition("\n")[2]
    raise AssertionError("the results quote nobody")


def test_results_and_joined_tables_lose_who_withdrew(chat: Path) -> None:
    session, words = _quoted(chat)
    forget(chat, session)
    said = ratify("items", chat, "--mode", "bot")
    assert "quoted what was erased" in said
    words = words.replace("\n", "\\n")
    for path in chat.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert words.encode() not in held, path
            assert session.encode() not in held, path
    for stage in ("judging", "compare"):
        assert "no" not in answers(chat, stage).values(), answers(chat, stage)
    ratify("analyze", chat, "--mode", "bot")
    assert answers(chat, "compare")["results"] == "yes"


def test_verify_says_what_a_withdrawal_makes_old(chat: Path) -> None:
    forget(chat, ONE_SESSION)
    ratify("export", chat)
    for stage in ("judging", "compare"):
        found = answers(chat, stage)
        assert "no" not in found.values(), found
        assert found["items derived"] == "cannot check"
    assert answers(chat, "compare")["joined tables"] == "cannot check"
    shutil.rmtree(chat / "compare" / "results" / "figures")
    results = chat / "compare" / "results" / "results.json"
    text = results.read_text(encoding="utf-8")
    results.write_text(text.replace('"Item ', '"Text '), encoding="utf-8")  # nothing is quoted
    ratify("items", chat, "--mode", "bot")
    found = answers(chat, "compare")
    assert found["items derived"] == found["joined tables"] == "yes"
    assert found["results"] == "cannot check"


@pytest.mark.parametrize("stage", ["judging", "compare"])
@pytest.mark.parametrize("keeps_text", [True, False])
def test_nobody_may_erase_who_has_not_withdrawn(chat: Path, stage: str, keeps_text: bool) -> None:
    forget(chat, ONE_SESSION)
    ratify("items", chat, "--mode", "bot")
    path = chat / stage / "items.csv"
    victim = next(row for row in rows(path) if row["text"] != ERASED_TEXT)
    before = path.read_bytes()
    erase(chat / stage, [victim["item_id"]], at="2030-01-03T00:00:00.000Z")
    if keeps_text:
        path.write_bytes(before)
    assert answers(chat, stage)["items derived"] == "no"


@pytest.mark.parametrize("stage", ["judging", "compare"])
def test_only_items_are_erased(chat: Path, stage: str) -> None:
    forget(chat, ONE_SESSION)
    ratify("items", chat, "--mode", "bot")
    digest = hashlib.sha256(b"words").hexdigest()
    with (chat / stage / "erased.csv").open("a", encoding="utf-8") as file:
        file.write(f"cabc,{digest},2030-01-03T00:00:00.000Z\n")
    assert answers(chat, stage)["items derived"] == "no"


def test_a_withdrawal_of_another_mode_explains_nothing(chat: Path) -> None:
    forget(chat, ONE_SESSION, mode="pilot")
    ratify("items", chat, "--mode", "bot")
    assert answers(chat, "compare")["items derived"] == "no"


def test_a_text_is_erased_though_its_digest_was_written_by_a_run_that_died(chat: Path) -> None:
    place = chat / "judging"
    before = (place / "items.csv").read_bytes()
    name = rows(place / "items.csv")[0]["item_id"]
    assert erase(place, [name], at="2030-01-03T00:00:00.000Z") == 1
    (place / "items.csv").write_bytes(before)
    digests = (place / "erased.csv").read_bytes()
    assert erase(place, [name], at="2030-01-04T00:00:00.000Z") == 1
    assert rows(place / "items.csv")[0]["text"] == ERASED_TEXT
    assert (place / "erased.csv").read_bytes() == digests


def judged(folder: Path, *, people: int, **changes: object) -> Path:
    had_chat(folder, people=people, analyses=[], **changes)
    ratify("items", folder, "--mode", "bot")
    ratify("judge", folder)
    return folder


def test_texts_are_erased_though_too_few_are_left_to_compare(tmp_path: Path) -> None:
    chat = judged(tmp_path / "chat", people=8)
    for number in range(1, 7):
        forget(chat, f"session{number:04d}")
    said = ratify("items", chat, "--mode", "bot")
    assert "cannot be derived anew, so it stays as it is" in said
    for place in (chat / "compare", chat / "compare" / "data", chat / "judging"):
        texts = [row["text"] for row in rows(place / "items.csv")]
        assert texts.count(ERASED_TEXT) == 12, place
    assert "no" not in answers(chat, "compare").values()


def test_texts_are_erased_though_everybody_withdrew_before_a_judge_was_asked(
    tmp_path: Path,
) -> None:
    had_chat(tmp_path / "chat", people=4, analyses=[])
    ratify("items", tmp_path / "chat", "--mode", "bot")
    for number in range(1, 5):
        forget(tmp_path / "chat", f"session{number:04d}")
    ratify("items", tmp_path / "chat", "--mode", "bot")
    items = rows(tmp_path / "chat" / "judging" / "items.csv")
    assert {row["text"] for row in items} == {ERASED_TEXT}


def test_a_comparison_that_is_served_is_not_derived_anew(tmp_path: Path) -> None:
    chat = judged(tmp_path / "chat", people=PEOPLE)
    lock = (chat / "compare" / "plan.lock.json").read_bytes()
    forget(chat, ONE_SESSION)
    with served_by_one(chat / "compare" / "study.sqlite3"):
        said = ratify("items", chat, "--mode", "bot")
    assert "cannot be derived anew, so it stays as it is: is already served" in said
    assert (chat / "compare" / "plan.lock.json").read_bytes() == lock
    items = rows(chat / "compare" / "items.csv")
    assert [row["text"] for row in items].count(ERASED_TEXT) == 2


def test_a_scenario_with_one_conversation_stops_nothing(tmp_path: Path) -> None:
    chat = tmp_path / "chat"
    had_chat(chat, people=5, analyses=[], compare={"sample": None, "trials": 2})
    talks = Counter(row["scenario"] for row in _conversations(chat))
    alone = min(talks, key=lambda name: talks[name])
    for row in _conversations(chat):
        if row["scenario"] == alone and talks[alone] > 1:
            talks[alone] -= 1
            _drop(chat, row["conversation_id"])
    said = ratify("items", chat, "--mode", "bot")
    assert f"the only conversation of {alone} has none to be compared with" in said
    said = ratify("judge", chat)
    assert "next: ratify serve" in said
    assert "no" not in answers(chat, "judging").values()


def _conversations(chat: Path) -> list[dict[str, str]]:
    ratify("export", chat)
    return rows(chat / "data" / "conversations.csv")


def _drop(chat: Path, conversation: str) -> None:
    from sqlalchemy import update

    from study.store.chat_tables import Conversation

    mine = Conversation.conversation_id == conversation
    with contextlib.closing(open_store(chat, None)) as store:
        store.write(lambda c: c.execute(update(Conversation).where(mine).values(status="open")))


def test_a_baseline_whose_ranking_ends_early_has_answered(tmp_path: Path) -> None:
    early = {"scheme": "information", "per_scenario": 400, "reliability": 0.3}
    judges = [{"id": "lexical", "kind": "baseline", "pairs": early}]
    chat = judged(tmp_path / "chat", people=PEOPLE, judges=judges)
    assert (chat / "compare" / "plan.lock.json").exists()
    assert "lexical: nothing left to ask" in ratify("judge", chat)


def test_without_judges_later_conversations_are_compared_until_somebody_comes(
    tmp_path: Path,
) -> None:
    chat = tmp_path / "chat"
    had_chat(chat, people=8, analyses=[], judges=[], compare={"sample": None})
    ratify("items", chat, "--mode", "bot")
    with contextlib.closing(open_store(chat, None)) as store:
        fill(store, open_chat(chat), people=4, mode="bot", first=9)
    assert "24 conversations, locked now" in ratify("items", chat, "--mode", "bot")


def test_nothing_that_bots_said_is_a_live_result(chat: Path) -> None:
    with contextlib.closing(open_store(chat, None)) as store:
        fill(store, open_chat(chat), people=4, mode="live", first=PEOPLE + 1)
    said = ratify("analyze", chat, code=2)
    assert "these are bot conversations" in said


def test_pilots_may_compare_live_conversations(tmp_path: Path) -> None:
    chat = tmp_path / "chat"
    had_chat(chat, people=PEOPLE, mode="live")
    ratify("items", chat)
    ratify("judge", chat)
    assert "wrote" in ratify("analyze", chat, "--mode", "pilot")
    talks = rows(chat / "compare" / "data" / "conversations.csv")
    assert {row["mode"] for row in talks} == {"live"}
    assert answers(chat, "compare")["joined tables"] == "yes"
