"""If these failed, a trial whose database is PostgreSQL could not be judged or compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.evidence.stage_scores import stage_scores
from study.opening import open_study
from tests.study.stages.test_stages import PEOPLE, RANKED, judge_at, ratify
from tests.support.chat_stages import had_chat
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE


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
        judged = stage_scores(place / "judging")
        assert judged.rankings["fake"]
        # which pairs come next depends on which answer is first, so the Elo scores differ
        scores.append({name: one["overall"] for name, one in judged.scores["fake"].items()})
    assert len(scores[0]) == 2 * PEOPLE
    assert scores[0] == scores[1]
