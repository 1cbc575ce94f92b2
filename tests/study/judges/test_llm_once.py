"""If this failed, an answer would be paid for twice, kept in part, or the key would be kept too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.export.files import export
from tests.support import warm
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import (
    KEY,
    VARIABLE,
    asking,
    asking_all,
    import_everything_but_the_client,
    lab,
    make_llm_study,
    said,
)
from tests.support.paths import ROOT

HABITS = {
    "pairs": 6,
    "repeats": 2,
    "wordings": ["pairwise_terse"],
    "items": 3,
    "perturbations": ["repeated_letters", "leetspeak"],
}
PRICES = {"input": 1.0, "output": 2.0}


@pytest.fixture
def server(llm_server: LLMServer, monkeypatch: pytest.MonkeyPatch) -> LLMServer:
    """A server that wants the key, and has forgotten everything."""
    llm_server.reset(key=KEY)
    monkeypatch.setenv(VARIABLE, KEY)
    return llm_server


def test_everything_is_asked_once_and_kept(
    tmp_path: Path, server: LLMServer, database_url: str
) -> None:
    server.set(sharpness=1000)
    folder = make_llm_study(
        tmp_path / "study", server, both_orders=True, logprobs=True, prices=PRICES, habits=HABITS
    )
    with lab(folder, database_url) as study:
        ran = study.run()
        report = server.report()
        assert ran.settled == report["requests"] == report["good"]
        # six pairs, three times in the same words: those are the repeats, on purpose
        assert (report["answered_more_than_once"], report["most_asked"]) == (6, 3)
        assert report["prompts"] == report["requests"] - 6 * 2
        assert (ran.unanswered, ran.stopped, ran.left) == (0, "", 0)

        again = study.run()
        assert (again.settled, again.calls) == (0, ran.calls)
        assert server.report()["requests"] == report["requests"]

        trials = [row for row in study.rows("judgments") if row["purpose"] == "trial"]
        turned = [row for row in study.rows("judgments") if row["purpose"] == "reversed"]
        assert len(trials) == len(turned) == 20 * 5
        by_place = {row["position"]: row for row in turned}
        for row in trials:
            other = by_place[row["position"]]
            assert (row["left_id"], row["right_id"]) == (other["right_id"], other["left_id"])
            assert row["choice"] != other["choice"]  # an honest judge
            assert (row["mode"], row["rater_kind"], row["rater_id"]) == ("live", "llm", "fake")
        assert study.count("ratings", "rater_kind = 'llm'") == 16 * 6
        probes = study.rows("probes")
        kinds = {(row["probe"], row["variant"]) for row in probes if row["unit"] == "pair 1"}
        assert kinds == {
            ("original", ""),
            ("swap", ""),
            ("repeat", "1"),
            ("repeat", "2"),
            ("wording", "pairwise_terse"),
        }
        rated = [row for row in probes if row["unit"].startswith("item")]
        assert len(rated) == 3 * 6 * 3  # items, dimensions; the original and two rewrites

        requests = study.rows("requests")
        assert {row["request_id"] for row in requests} >= {
            row["request_id"] for row in (*trials, *turned, *probes)
        }
        for row in requests:
            assert row["status"] == "answered"
            assert row["reason"] is None
            assert row["model"] == "lab/judge-1"
            assert row["fingerprint"] == "fp_of_the_tests"
            assert json.loads(row["reply"])
            assert row["attempts"] == 1
            assert row["latency_ms"] >= 0
            assert row["asked_at"] <= row["answered_at"]
            paid = row["input_tokens"] * 1.0 + row["output_tokens"] * 2.0
            assert row["cost"] == pytest.approx(paid / 1e6)
            # the rating requests ask no letter
            assert (row["p_left"] is not None) == (len(json.loads(row["item_ids"])) == 2)
        assert sum(row["input_tokens"] for row in requests) == server.report()["input_tokens"]
        assert sum(row["cost"] for row in requests) == pytest.approx(ran.money)


def test_the_same_words_are_paid_for_once(tmp_path: Path, server: LLMServer) -> None:
    texts = {
        f"{s}-{n}": "Seeker: hello.\nSupporter: hello." for s in ("job", "home") for n in (1, 2)
    }
    folder = make_llm_study(tmp_path / "study", server, per_scenario=3, texts=texts)
    with lab(folder) as study:
        study.run()
        assert server.report()["messages_answered_more_than_once"] == 0
        assert study.count("judgments") == 100
        assert study.count("requests") < 20
        # rows of one request have one answer
        by_request: dict[str, set[str]] = {}
        for row in study.rows("judgments"):
            by_request.setdefault(row["request_id"], set()).add(row["choice"])
        assert all(len(choices) == 1 for choices in by_request.values())


def test_two_processes_share_the_work(
    tmp_path: Path, server: LLMServer, request: pytest.FixtureRequest
) -> None:
    for kind in ("sqlite", "postgresql"):
        server.reset(key=KEY, latency=0.02, faults={"500": 0.03, "429": 0.02})
        url = None if kind == "sqlite" else request.getfixturevalue("postgres_url")
        folder = make_llm_study(
            tmp_path / kind, server, raters=25, trials=5, per_scenario=15, both_orders=True
        )
        both = [asking(folder, "--only", "fake", url=url) for _ in range(2)]
        for process in both:
            code, out, err = said(process)
            assert code == 0, out + err
            assert "answered" in out
        report = server.report()
        assert report["answered_more_than_once"] == 0
        assert report["asked_while_pending"] == 0
        with lab(folder, url) as study:
            assert study.count("judgments") == 2 * 25 * 5
            assert study.count("requests", "status <> 'answered'") == 0
            assert study.count("requests") == report["prompts"]
            assert study.count("judge_runs") == 0


def test_the_key_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, echoing: str) -> None:
    monkeypatch.setenv("OPENAI_LOG", "debug")
    folders = [
        make_llm_study(
            tmp_path / status,
            f"{echoing}/{status}",
            raters=10,
            trials=2,
            per_scenario=3,
            attempts=1,
            patience_minutes=0.01,
        )
        for status in ("401", "400", "500", "200")
    ]
    process = asking_all(folders, "--only", "fake")
    code, out, err = said(process)
    assert code == 0, out + err
    lines = [line for line in out.splitlines() if line.startswith("ended with")]
    assert lines == ["ended with 2"] * 4, "none of them was answered anything that can be read"
    assert len([line for line in err.splitlines() if line.startswith("ratify: ")]) == 4
    assert "Traceback" not in err
    with lab(folders[-1]) as study:
        assert study.count("requests", "reply LIKE '%[key]%' AND fingerprint = '[key]'")
        export(study.store, study.study)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith("sqlite3") for path in kept)
    for path in kept:
        assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in out + err


@pytest.fixture(scope="module")
def echoing() -> Iterator[str]:
    """A server that says the key back, in whatever it answers."""
    from tests.support.llm_echo import echoing_server

    with echoing_server() as url:
        yield url


def test_the_client_is_imported_by_one_module_only() -> None:
    root = ROOT
    places = {
        str(path.relative_to(root))
        for folder in ("study", "analysis", "prereg", "data")
        for path in (root / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import openai", "from openai"))
    }
    assert places == {"study/llm/server.py"}


def test_the_client_is_imported_only_when_a_judge_runs(tmp_path: Path, server: LLMServer) -> None:
    folder = make_llm_study(tmp_path / "study", server)
    code, out, err = said(warm.Process(import_everything_but_the_client, (str(folder),)))
    assert code == 0, err
    assert "calls" in out
    assert server.report()["requests"] == 0
