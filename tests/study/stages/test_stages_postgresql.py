"""If these failed, a trial whose database is PostgreSQL could not be judged or compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from analysis.evidence.stage_scores import stage_scores
from prereg.chat.items import item_id
from prereg.lock import read_lock
from study.opening import open_study
from study.store.database import mark_store, open_store
from study.web.app import create_app
from tests.study.stages.test_stages import PEOPLE, RANKED, judge_at, ratify, rows
from tests.support.chat_stages import forget, had_chat
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE
from tests.support.walking import Walker


def _compared(place: Path, url: str | None) -> int:
    """Let people answer the comparison; return how many choices there are."""
    study = open_study(place / "compare", must_be_locked=True)
    with closing(open_store(study.folder, url)) as store:
        app = create_app(study, store, mode="bot")
        mark_store(study.folder, store)
        for number in range(4):
            Walker(app.test_client(), f"rater-{number}").arrive().to("/done")
    code, said = ratify("analyze", place, "--mode", "bot")
    assert code == 0, said
    for one in (place, place / "judging", study.folder):
        code, said = ratify("export", one)
        assert (code, "rows of other plans" in said) == (0, False), said
    answered = _by_people(place)
    assert len({row["rater_id"] for row in answered}) == 4
    return len(answered)


def _withdrawn(place: Path, url: str | None, compared: int) -> None:
    """Let a participant withdraw, whose texts leave every table."""
    root = read_lock(place).root_hash
    theirs = {item_id(root, f"session0001-{turn}") for turn in (1, 2)}
    items = rows(place / "compare" / "items.csv")
    words = {row["text"].partition("\n")[2] for row in items if row["item_id"] in theirs}
    assert len(words) == 2
    forget(place, "session0001", database=url)
    for said in (
        ratify("items", place, "--mode", "bot"),
        ratify("analyze", place, "--mode", "bot"),
        ratify("verify", place),
    ):
        assert said[0] == 0, said
    for table in place.rglob("*.csv"):
        assert not [one for one in words if one in table.read_text(encoding="utf-8")], table
    assert len(_by_people(place)) == compared


def _by_people(place: Path) -> list[dict[str, str]]:
    judgments = rows(place / "compare" / "data" / "judgments.csv")
    return [row for row in judgments if row["rater_kind"] == "human"]


def test_both_stages_share_one_database_and_the_trial_is_the_same_as_on_sqlite(
    tmp_path: Path, postgres_url: str, llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    scores = []
    for place, url in ((tmp_path / "sqlite", None), (tmp_path / "postgresql", postgres_url)):
        if url is not None:
            monkeypatch.setenv("RATIFY_DATABASE_URL", url)
        rated = {"adds": ["validating_emotions"], "subtracts": []}
        judges = judge_at(llm_server.base_url)
        changes = {"judges": judges, "analyses": [RANKED], "measures": rated}
        had_chat(place, people=PEOPLE, database=url, **changes)
        for words in (
            ("items", place, "--mode", "bot"),
            ("judge", place, "--yes"),
            ("analyze", place, "--mode", "bot"),
            ("verify", place),
        ):
            code, said = ratify(*words)
            assert code == 0, (words, said)
        assert open_study(place / "compare", must_be_locked=True).plan.id.endswith("-compare")
        compared = _compared(place, url)
        _withdrawn(place, url, compared)
        judged = stage_scores(place / "judging")
        assert judged.rankings["fake"]
        # which pairs come next depends on which answer is first, so the Elo scores differ
        scores.append({name: one["overall"] for name, one in judged.scores["fake"].items()})
    assert len(scores[0]) == 2 * PEOPLE
    assert scores[0] == scores[1]


def test_without_the_variable_no_stage_is_begun_in_another_database(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "trial"
    had_chat(place, people=PEOPLE, database=postgres_url)
    monkeypatch.setenv("RATIFY_DATABASE_URL", postgres_url)
    assert ratify("items", place, "--mode", "bot")[0] == 0
    code, said = ratify("analyze", place, "--mode", "bot")
    assert (code, "has no answers yet" in said) == (2, True), said
    monkeypatch.delenv("RATIFY_DATABASE_URL")
    code, said = ratify("judge", place)
    assert (code, "set RATIFY_DATABASE_URL" in said) == (2, True), said
    assert not list(place.rglob("*.sqlite3"))
