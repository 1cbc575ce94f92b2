"""If this failed, a ranking would have another number of judgments than the plan's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from study.judges.ledger.ledger import Ledger
from tests.study.judges.test_llm_stop import until
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import (
    KEY,
    VARIABLE,
    Lab,
    asking,
    lab,
    make_llm_study,
    said,
    stop_after,
)

# one for a prompt at most: what is unreadable twice stays unanswered
FAULTS: dict[str, Any] = {
    "faults": {"500": 0.03, "429": 0.01, "drop-body": 0.02, "prose": 0.02},
    "faults_per_prompt": 1,
}


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    llm_server.reset(key=KEY)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def ranked_right(study: Lab, each: int) -> None:
    """Check that every scenario has its judgments, each in a place of its own."""
    rows = study.rows("judgments", where="purpose = 'ranking'")
    assert Counter(row["scenario"] for row in rows) == {"job": each, "home": each}
    places = Counter((row["scenario"], row["position"]) for row in rows)
    assert set(places.values()) == {1}
    for row in rows:
        assert row["left_id"] != row["right_id"]
        assert row["left_id"].startswith(row["scenario"])
    assert study.count("ranking_holds") == 0


@pytest.mark.parametrize("scheme", ["elo_neighbours", "random", "information"])
def test_each_scheme_asks_what_the_plan_says(
    tmp_path: Path, server: LLMServer, scheme: str
) -> None:
    server.set(**FAULTS)
    folder = make_llm_study(
        tmp_path / "study", server, raters=3, pairs={"scheme": scheme, "per_scenario": 60}
    )
    with lab(folder) as study:
        ran = study.run()
        assert ran.unanswered == 0
        ranked_right(study, 60)
        # another judgment on the same pair on the same sides is asked anew, on purpose
        requests = Counter(
            row["request_id"] for row in study.rows("judgments", where="purpose = 'ranking'")
        )
        assert set(requests.values()) == {1}
        assert study.run().settled == 0
        ranked_right(study, 60)


def test_a_ranking_goes_on_where_it_was_killed_and_two_share_the_scenarios(
    tmp_path: Path, server: LLMServer, postgres_url: str
) -> None:
    server.set(**FAULTS, latency=0.005)
    folder = make_llm_study(
        tmp_path / "study", server, raters=3, pairs={"scheme": "elo_neighbours", "per_scenario": 80}
    )
    process = asking(folder, "--only", "fake", url=postgres_url, lease=2.0)
    until(lambda: server.report()["good"] >= 80)
    process.kill_all()
    said(process)
    both = [asking(folder, "--only", "fake", url=postgres_url) for _ in range(2)]
    for process in both:
        code, out, err = said(process)
        assert code == 0, out + err
    with lab(folder, postgres_url) as study:
        ranked_right(study, 80)
        assert study.count("requests", "status <> 'answered'") == 0


def test_a_pair_without_an_answer_leaves_no_hole(tmp_path: Path, server: LLMServer) -> None:
    """One of a hundred stays unanswered for good, and the ranking is stopped again and again."""
    server.set(matching=[{"pattern": r"number 2\.[\s\S]*number 3\.", "fault": "400"}])
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=1,
        per_scenario=6,
        concurrency=3,
        pairs={"scheme": "elo_neighbours", "per_scenario": 100},
    )
    with lab(folder) as study:
        for _ in range(8):
            stop_after(study, 25)
        ran = study.run()
        assert ran.settled == 0
        rows = study.rows("judgments", where="purpose = 'ranking'")
        lost = study.count("requests", "purpose = 'ranking' AND status = 'unanswered'")
        asked = study.count("requests", "purpose = 'ranking'")
        assert lost > 0
        assert len(rows) == len({(row["scenario"], row["position"]) for row in rows})
        assert len({row["judgment_id"] for row in rows}) == len(rows)
        # nothing that was answered is without its row
        assert len({row["request_id"] for row in rows}) >= asked - lost
        assert len(rows) + lost >= 200 - 2


def test_a_scenario_of_few_items_is_ranked_all_the_same(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=2,
        trials=2,
        per_scenario=2,
        pairs={"scheme": "information", "per_scenario": 10, "reliability": 0.99},
    )
    with lab(folder) as study:
        study.run()
        assert study.count("judgments", "purpose = 'ranking'") <= 20
        assert study.count("requests", "status <> 'answered'") == 0


def test_two_that_share_the_rankings_do_not_wait_for_each_other(
    tmp_path: Path, server: LLMServer
) -> None:
    """Each begins one scenario, wants the other's next, and must see that it is done."""
    server.set(latency=0.01)
    folder = make_llm_study(
        tmp_path / "study",
        server,
        raters=1,
        trials=2,
        concurrency=2,
        pairs={"scheme": "random", "per_scenario": 20},
    )
    with lab(folder) as study:
        first, second = (Ledger(study.store, study.study.plan_hash, "fake") for _ in range(2))
        for ledger in (first, second):
            ledger.begin(again=False)
        assert first.hold("job")
        assert second.hold("home")
        process = asking(folder, "--only", "fake")
        until(lambda: study.count("judgments", "purpose = 'trial'") == 2)
        # the rankings are others', until these say that they are over
        assert study.count("judgments", "purpose = 'ranking'") == 0
        first.let_go("job")
        until(lambda: study.count("judgments", "scenario = 'job' AND purpose = 'ranking'") == 20)
        until(lambda: study.count("ranking_holds", "scenario = 'job'") == 0)
        assert process.poll() is None
        assert first.hold("job")  # it is given back while its run waits for the other one
        second.let_go("home")
        code, out, err = said(process)
        assert code == 0, out + err
        for ledger in (first, second):
            ledger.end()
        ranked_right(study, 20)
