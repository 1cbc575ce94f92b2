"""If these failed, an LLM would be paid twice for a score, or told of a condition or a round."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from analysis.evidence.evidence import gather
from analysis.evidence.stage_scores import StageScores, stage_scores
from analysis.verify.stages import check_derived
from prereg.chat.items import item_id
from prereg.lock import read_lock
from ratify import main
from ratify import stages as ratify_stages
from study.judges.wanted.asked import Asked
from study.opening import open_study
from tests.support.chat_stages import forget, had_chat
from tests.support.llm_server import LLMServer
from tests.support.llm_studies import KEY, VARIABLE

PEOPLE = 12


def judge_at(url: str, **more: object) -> list[dict[str, object]]:
    return [
        {
            "id": "fake",
            "kind": "llm",
            "model": "m",
            "base_url": url,
            "key_variable": VARIABLE,
            "pairs": {"scheme": "elo_neighbours", "per_scenario": 20},
            **more,
        },
        {"id": "length", "kind": "baseline"},
        {"id": "lexical", "kind": "baseline"},
    ]


def ratify(*words: str | Path) -> tuple[int, str]:
    ran = CliRunner().invoke(main, [str(word) for word in words])
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


RANKED = {"id": "rank", "kind": "rank_correlation", "judge": "fake", "score": "elo"}


@pytest.fixture
def analyses() -> list[dict[str, str]]:
    return [RANKED]


@pytest.fixture
def pairs() -> dict[str, object]:
    return {"scheme": "elo_neighbours", "per_scenario": 20}


@pytest.fixture
def folder(
    tmp_path: Path,
    llm_server: LLMServer,
    monkeypatch: pytest.MonkeyPatch,
    analyses: list[dict[str, str]],
    pairs: dict[str, object],
) -> Path:
    monkeypatch.setenv(VARIABLE, KEY)
    judges = judge_at(llm_server.base_url, pairs=pairs)
    # the server rates every dimension alike, so that a difference of dimensions is always 0
    rated = {"adds": ["validating_emotions"], "subtracts": []}
    had_chat(tmp_path / "chat", people=PEOPLE, judges=judges, analyses=analyses, measures=rated)
    code, said = ratify("items", tmp_path / "chat", "--mode", "bot")
    assert code == 0, said
    return tmp_path / "chat"


def test_what_an_llm_scored_is_taken_over_and_not_asked_again(
    folder: Path, llm_server: LLMServer
) -> None:
    code, said = ratify("judge", folder, "--yes")
    assert code == 0, said
    asked = llm_server.report()["requests"]
    items = rows(folder / "judging" / "items.csv")
    assert len(items) == 2 * PEOPLE
    ratify("items", folder, "--mode", "bot")
    ratify("judge", folder, "--yes")
    assert ratify("analyze", folder, "--mode", "bot")[0] == 0
    assert llm_server.report()["requests"] == asked
    said_by = stage_scores(folder / "judging")
    evidence = gather(folder / "compare", mode="bot").judges["fake"]
    scores = evidence.scores.set_index("item_id")
    for name, one in said_by.scores["fake"].items():
        for column in ("elo", "overall", "validating_emotions"):
            assert scores.loc[name, column] == pytest.approx(one[column]), column
    ranking = evidence.pairs[["left_id", "right_id", "choice"]]
    assert list(ranking.itertuples(index=False, name=None)) == said_by.rankings["fake"]
    hidden = {row["item_id"]: row for row in rows(folder / "compare" / "items.csv")}
    assert all(
        float(row["elo"]) == pytest.approx(scores.loc[name, "elo"]) for name, row in hidden.items()
    )


def test_a_judge_that_was_stopped_goes_on_and_the_comparison_waits(
    folder: Path, llm_server: LLMServer
) -> None:
    llm_server.set(faults={"prose": 0.3})
    ratify("judge", folder, "--yes", "--only", "length")
    said = ratify("items", folder, "--mode", "bot")[1]
    assert "judges have not answered everything yet" in said
    assert not (folder / "compare" / "plan.lock.json").exists()
    code, said = ratify("analyze", folder, "--mode", "bot")
    assert (code, "judge 'fake' has not answered" in said) == (0, True), said
    llm_server.set(faults={})
    code, said = ratify("judge", folder, "--yes", "--again")
    assert code == 0, said
    assert (folder / "compare" / "plan.lock.json").exists()


def test_no_prompt_holds_condition_round_or_person(folder: Path) -> None:
    study = open_study(folder / "judging", must_be_locked=True)
    asked = Asked.of(study, study.plan.llms[0])
    items = list(study.items.values())
    wanted = [*asked.trials(), *asked.ratings(), asked.comparison(items[:2], purpose="ranking")]
    hidden = {row[name] for row in study.table.rows for name in ("rater", "item_id")}
    assert len(wanted) > len(items)
    for one in wanted:
        question = str(one.ask())
        assert not [name for name in hidden if name in question]
        assert not re.search(r"\b(combined|control|condition|coach|round)\b", question), question


def without_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no judge have answered any pair."""
    monkeypatch.setattr(ratify_stages, "judged_in", unranked(ratify_stages.judged_in))


def unranked(read: Callable[[Path], StageScores | None]) -> Callable[[Path], StageScores | None]:
    """Return how scores are read, without anybody's ranking."""

    def read_without(place: Path) -> StageScores | None:
        judged = read(place)
        return None if judged is None else replace(judged, rankings={})

    return read_without


@pytest.mark.parametrize("analyses", [[]])
def test_a_judge_that_answers_no_pair_has_ratings_and_no_ranking(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pairs(monkeypatch)
    code, said = ratify("judge", folder, "--yes")
    assert code == 0, said
    assert "judge fake answered no pair, so it has no ranking here" in said
    assert not list((folder / "compare").rglob("*.ranking.csv"))
    code, said = ratify("analyze", folder, "--mode", "bot")
    assert code == 0, said
    assert "fake" in gather(folder / "compare", mode="bot").judges
    monkeypatch.setattr("analysis.verify.stages.stage_scores", unranked(stage_scores))
    checks = {check.name: check.answer for check in check_derived(folder, "compare")}
    assert (checks["plan derived"], checks["scores"]) == ("yes", "yes")


def change_judge(folder: Path, **settings: object) -> None:
    """Change settings of the first judge in the plan of the chat."""
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["judges"][0] |= settings
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")


def test_how_judges_are_reached_may_change_in_the_plan_of_the_chat(folder: Path) -> None:
    change_judge(folder, concurrency=3, budget={"calls": 9_999})
    derived = {check.name: check for check in check_derived(folder, "judging")}["plan derived"]
    assert (derived.answer, "only how judges are reached" in derived.says) == ("yes", True)
    code, said = ratify("judge", folder, "--yes")
    assert code == 0, said
    assert "changed since the lock: judge fake: concurrency is 3 instead of" in said
    again = yaml.safe_load((folder / "judging" / "plan.yaml").read_text(encoding="utf-8"))
    assert again["judges"][0]["budget"]["calls"] == 9_999
    checks = [*check_derived(folder, "judging"), *check_derived(folder, "compare")]
    assert not [check.line() for check in checks if check.answer == "no"]
    change_judge(folder, model="another")
    found = {check.name: check.answer for check in check_derived(folder, "judging")}
    assert found["plan derived"] == "no"


def test_an_analysis_of_a_ranking_without_pairs_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pairs(monkeypatch)
    code, said = ratify("judge", folder, "--yes")
    assert code == 2, said
    assert "judge fake answered no pair, and analyses rank by it, got 'rank'" in said
    assert not (folder / "compare" / "plan.lock.json").exists()


EARLY = {"scheme": "information", "per_scenario": 500, "reliability": 0.2}


@pytest.mark.parametrize("pairs", [EARLY])
def test_a_ranking_that_ends_early_is_whole(folder: Path, llm_server: LLMServer) -> None:
    code, said = ratify("judge", folder, "--yes")
    assert code == 0, said
    assert (folder / "compare" / "plan.lock.json").exists()
    scenarios = {row["scenario"] for row in rows(folder / "judging" / "items.csv")}
    ranked = stage_scores(folder / "judging").rankings["fake"]
    assert 0 < len(ranked) < EARLY["per_scenario"] * len(scenarios)
    asked = llm_server.report()["requests"]
    assert "0 calls" in ratify("judge", folder, "--dry-run")[1]
    ratify("judge", folder, "--yes")
    assert llm_server.report()["requests"] == asked


def test_who_withdraws_leaves_the_comparison_though_a_judge_owes_answers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ratify("judge", folder, "--yes")[0] == 0
    forget(folder, "session0001")
    monkeypatch.setattr(ratify_stages, "judged_in", lambda _: None)
    code, said = ratify("items", folder, "--mode", "bot")
    assert code == 0, said
    assert f"{folder / 'compare'}: the text of 2 was erased" in said


SCHEMES = (
    {"scheme": "elo_neighbours", "per_scenario": 20},
    {"scheme": "information", "per_scenario": 20},
    {"scheme": "random", "per_scenario": 20},
)


@pytest.mark.parametrize("pairs", SCHEMES, ids=lambda pairs: pairs["scheme"])
def test_a_ranking_goes_on_without_those_who_withdrew(
    folder: Path, llm_server: LLMServer, pairs: dict[str, object]
) -> None:
    before = (folder / "plan.yaml").read_bytes()
    change_judge(folder, budget={"calls": 40})  # each conversation is rated first
    code, said = ratify("judge", folder, "--yes")
    assert "the plan's budget is spent" in said, said
    (folder / "plan.yaml").write_bytes(before)
    forget(folder, "session0001")
    assert ratify("items", folder, "--mode", "bot")[0] == 0
    llm_server.forget()
    code, said = ratify("judge", folder, "--yes")
    assert code == 0, said
    sent = llm_server.recent()
    assert len(sent) > 20
    assert not [body for body in sent if "This conversation was withdrawn" in body]
    assert "0 calls" in ratify("judge", folder, "--dry-run")[1]
    scenarios = {row["scenario"] for row in rows(folder / "judging" / "items.csv")}
    ranked = stage_scores(folder / "judging").rankings["fake"]
    assert len(ranked) == 20 * len(scenarios)


def test_what_a_run_that_was_killed_left_is_erased_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ratify("judge", folder, "--yes")[0] == 0
    words = {
        row["item_id"]: row["text"].partition("\n")[2]
        for row in rows(folder / "judging" / "items.csv")
    }
    forget(folder, "session0001")
    with monkeypatch.context() as killed:
        killed.setattr(ratify_stages, "_forget", lambda *_: [])
        assert ratify("items", folder, "--mode", "bot")[0] == 0
    assert ratify("items", folder, "--mode", "bot")[0] == 0
    gone = {row["item_id"] for row in rows(folder / "judging" / "erased.csv")}
    assert len(gone) == 2
    exported = (folder / "judging" / "data" / "items.csv").read_text(encoding="utf-8")
    assert not [name for name in gone if words[name] in exported]
    asked = rows(folder / "judging" / "data" / "requests.csv")
    about = [row for row in asked if gone & set(json.loads(row["item_ids"]))]
    assert about
    assert not [row for row in about if row["reply"] or row["note"]]


def test_what_a_server_said_when_it_refused_is_erased_too(
    folder: Path, llm_server: LLMServer
) -> None:
    llm_server.set(faults={"400-flagged": 0.2})
    ratify("judge", folder, "--yes")
    refused = [
        row
        for row in rows(folder / "judging" / "data" / "requests.csv")
        if row["note"] and not row["reply"] and row["prompt"].startswith("rating")
    ] or [r for r in rows(folder / "judging" / "data" / "requests.csv") if r["note"]]
    assert refused
    theirs = json.loads(refused[0]["item_ids"])[0]
    root = read_lock(folder).root_hash
    session = next(
        f"session{number:04d}"
        for number in range(1, PEOPLE + 1)
        for turn in (1, 2)
        if item_id(root, f"session{number:04d}-{turn}") == theirs
    )
    forget(folder, session)
    assert ratify("items", folder, "--mode", "bot")[0] == 0
    asked = rows(folder / "judging" / "data" / "requests.csv")
    assert not [row for row in asked if theirs in row["item_ids"] and row["note"]]


def test_no_judge_is_asked_again_once_the_comparison_is_locked_with_its_scores(
    folder: Path, llm_server: LLMServer
) -> None:
    llm_server.set(faults={"refusal": 0.1})
    assert ratify("judge", folder, "--yes")[0] == 0
    llm_server.set(faults={})
    asked = llm_server.report()["requests"]
    code, said = ratify("judge", folder, "--yes", "--again")
    assert code == 2
    assert "is locked with the scores that judges gave" in said
    assert llm_server.report()["requests"] == asked
