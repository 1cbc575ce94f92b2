"""If these failed, a chat could not be tried out, or would claim what it did not plant."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from analysis.results.quantities import Quantity
from prereg.simulated import is_simulated
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN
from ratify.simulate_chat import _compare, _judge, planted_and_found, qualities
from ratify.stages import derive, export_chat_tables
from study.bots.persona import Persona
from study.chat.opening import open_chat
from study.opening import open_study
from study.simulation.chat_truth import Truth
from study.simulation.chats import copied_chat, offline
from study.simulation.places import SUPPORTERS
from study.simulation.supporters import simulate_supporters
from study.store.database import mark_store, open_store
from study.store.tables import Visit
from tests.support.chat_folder import chat_folder
from tests.support.chat_stages import had_chat

PLACES = 3
LLM = {
    "servers": {"main": {"model": "none", "base_url": "http://127.0.0.1:9/v1"}},
    "partner": {"kind": "llm", "server": "main"},
    "feedback": {"coach": {"kind": "llm", "server": "main"}},
    "safety": {"screen": ["lexicon", "moderation"], "server": "main"},
}


def _rows(folder: Path, table: str) -> list[dict[str, str]]:
    return read_table(folder / "data" / f"{table}.csv", OWN).written


def test_a_chat_is_simulated_from_the_command_line_without_a_model(
    tmp_path: Path, ratify: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    folder = chat_folder(tmp_path / "study", **LLM)
    before = {path.name for path in folder.iterdir()}
    done = ratify("simulate", folder, "--raters", PLACES)
    assert done.returncode == 0, done.stderr
    assert f"{PLACES} finished" in done.stdout
    made = folder / "simulation"
    assert is_simulated(made)
    assert {path.name for path in folder.iterdir()} == {*before, "simulation"}
    talks = [row for row in _rows(made, "conversations") if row["status"] == "over"]
    assert len(talks) >= 2 * PLACES
    assert {row["ended_because"] for row in talks} == {"time"}
    assert all(240_000 >= int(row["active_ms"]) > 200_000 for row in talks)
    said = _rows(made, "messages")
    assert {row["source"] for row in said} == {"opening", "typed", "scripted"}
    assert {row["mode"] for row in said} == {"bot"}
    again = ratify("simulate", made)
    assert again.returncode == 2
    assert "is a simulation already" in again.stderr


def test_two_simulations_of_a_chat_say_the_same_words(tmp_path: Path) -> None:
    study = open_chat(chat_folder(tmp_path / "study"))
    found = []
    for name in ("first", "second"):
        copy = copied_chat(study, tmp_path / name)
        sent = simulate_supporters(copy, places=1)
        assert sent.finished == 1
        found.append((sent, sent.skills))
    assert found[0] == found[1]
    rater_id, _ = SUPPORTERS.link_of(study, 1)
    assert found[0][1][rater_id, 1] == pytest.approx(Persona.of(study.plan, 1).next_skill())


def test_scripts_stand_in_for_every_model(tmp_path: Path) -> None:
    plan = offline(open_chat(chat_folder(tmp_path / "study", **LLM))).plan
    assert plan.partner.kind == "scripted"
    assert plan.feedback.coach is not None
    assert plan.feedback.coach.kind == "scripted"
    assert plan.safety.screen == ("lexicon",)


def _found(label: str, low: float, high: float) -> Quantity:
    return Quantity(
        analysis="effects",
        name=label,
        label=label,
        estimate=(low + high) / 2,
        n=10,
        unit_of_n="rows",
        method="OLS",
        unit="points",
        low=low,
        high=high,
    )


def test_what_was_planted_is_compared_with_what_an_analysis_found() -> None:
    truth = Truth({"coach": {"overall": 2.0, "advice_giving": -0.5}, "video": {"overall": 0.25}})
    lines = planted_and_found(
        truth,
        [
            _found("overall: coach", 1, 3),
            _found("advice_giving: coach", -0.4, 0.4),
            _found("overall: coach - video", 1, 2),
            _found("advice_giving: coach - video", 1, 2),
            _found("words: coach", 1, 2),
            _found("Reliability, control", 0, 1),
            _found("overall: coach", 1, 3),  # of another analysis
        ],
    )
    assert len(lines) == 5
    assert lines[1] == "  overall, coach: planted 2.00, found 2.00 [1.00, 3.00]"
    assert lines[2].endswith("[−0.40, 0.40], which does not contain it")
    assert lines[3] == "  overall, coach - video: planted 1.75, found 1.50 [1.00, 2.00]"
    assert lines[4].startswith("  2 of 3 planted effects lie within their interval")
    assert planted_and_found(Truth({}), [_found("overall: coach", 1, 3)]) == []


def test_judges_and_raters_follow_on_what_supporters_have_shown(tmp_path: Path) -> None:
    people, rounds = 8, (1, 2)
    study = had_chat(tmp_path / "study", people=people, design={"supporters": people})
    skills = {
        (f"platform-{person}", number): float(person + 10 * number)
        for person in range(1, people + 1)
        for number in rounds
    }
    export_chat_tables(study.folder)
    derive(study.folder, study.plan, mode="bot")
    judging = open_study(study.folder / "judging", must_be_locked=True)
    found = qualities(study, judging, skills)
    of_round: dict[int, list[float]] = {number: [] for number in rounds}
    for row in judging.table.rows:
        of_round[int(row["round"])].append(found[row["item_id"]])
    assert max(of_round[1]) < min(of_round[2])
    assert abs(sum(found.values())) < 1e-9
    assert not _judge(study.folder, study, skills), "baselines are no simulated judges"
    derive(study.folder, study.plan, mode="bot")
    assert _compare(study.folder, study, skills, people // 2) == (
        "3 simulated raters came, 3 finished"
    )


def test_a_simulation_reads_and_writes_no_database_of_the_study(
    tmp_path: Path,
    postgres_url: str,
    ratify: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = chat_folder(tmp_path / "study")
    with closing(open_store(folder, postgres_url)) as store:
        mark_store(folder, store)
    monkeypatch.setenv("RATIFY_DATABASE_URL", postgres_url)
    done = ratify("simulate", folder, "--raters", PLACES)
    assert done.returncode == 0, done.stderr
    made = folder / "simulation"
    assert len([row for row in _rows(made, "conversations") if row["status"] == "over"]) > PLACES
    with closing(open_store(folder, postgres_url)) as store, store.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(Visit)) == 0
