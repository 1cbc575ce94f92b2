"""If these failed, a lab could not make, check, lock or verify a study of conversations."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from prereg.chat.allocation import place_ids
from prereg.chat.file import load_chat_plan
from prereg.chat.worked import worked_chats
from prereg.worked_plans import worked_plans
from ratify import main
from study.chat import claims, leaving
from study.chat.opening import lock_chat, open_chat
from study.store.database import open_store
from study.visits.claims import Arrival
from tests.support.chat_folder import chat_folder
from tests.support.chat_stages import had_chat


def run(*words: object) -> Result:
    return CliRunner().invoke(main, list(map(str, words)))


def refused(done: Result, *said: str) -> None:
    assert done.exit_code == 2, done.output
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for words in said:
        assert words in done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder that `ratify new` made."""
    folder = tmp_path_factory.mktemp("chat") / "s"
    done = run("new", folder, "--plan", "coaching_trial", "--raters", 64, "--title", "Our trial")
    assert done.exit_code == 0, done.output
    assert "64 participants, 3 conversations each, 4 conditions, 5 scenarios" in done.stdout
    return folder


def test_new_writes_a_whole_study(made: Path) -> None:
    text = (made / "plan.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=plan.schema.json\n")
    plan = load_chat_plan(made)
    assert (plan.id, plan.title, plan.design.supporters) == ("our_trial", "Our trial", 64)
    assert "# servers:" in text, "comments are kept"
    schema = json.loads((made / "plan.schema.json").read_text(encoding="utf-8"))
    assert "conversation" in schema["properties"]
    assert {film.clip.name for film in open_chat(made).films} == {"listening.webm", "asking.webm"}


def test_new_refuses_what_a_chat_does_not_have(tmp_path: Path) -> None:
    chat = ("new", tmp_path / "s", "--plan", "coaching_trial")
    refused(run(*chat, "--items", "x.csv"), "--items", "a chat makes its own")
    refused(run(*chat, "--trials", 4), "--trials", "which a chat does not have")
    refused(run(*chat, "--language", "de"), "--language", "has no texts in this language")
    refused(run(*chat, "--raters", 0), "--raters", "1 or more")
    refused(run("new", tmp_path / "s", "--plan", "no_such_plan"), "coaching_trial")
    assert not (tmp_path / "s").exists()


def test_a_frame_is_no_part_of_a_chat(made: Path) -> None:
    refused(run("judge", made, "--frame"), "is a study of kind chat", "scores every conversation")


@pytest.mark.parametrize("kind", ["chats", "Chat", "a chat"])
def test_of_a_kind_that_is_not_known_nothing_else_is_judged(
    made: Path, tmp_path: Path, kind: str
) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "s"))
    plan = (folder / "plan.yaml").read_text(encoding="utf-8")
    (folder / "plan.yaml").write_text(
        plan.replace("kind: chat\n", f"kind: {kind}\n", 1), encoding="utf-8"
    )
    words = f"kind: is not a kind of task, got '{kind}'", "pairwise, rating, best_worst, chat"
    refused(run("check", folder), *words, "plan.yaml, line")
    for command in ("lock", "serve", "export"):
        refused(run(command, folder), *words, "plan.yaml, kind")


def test_judges_wait_for_the_items(made: Path) -> None:
    done = run("judge", made)
    refused(done, "has no stage judging yet", "(allowed: run `ratify items` first)")
    refused(run("serve", made, "--stage", "compare"), "`ratify items`, then `ratify judge`, first")


def test_help_names_every_worked_plan() -> None:
    said = run("new", "--help").stdout
    for name in (*worked_plans(), *worked_chats()):
        assert re.search(rf"\b{name}\b", said), name


def test_a_faulty_survey_does_not_make_formulas_faulty(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made, tmp_path / "s"))
    plan = (folder / "plan.yaml").read_text(encoding="utf-8")
    wrong = plan.replace("kind: choice, question", "kind: slider, question", 1)
    (folder / "plan.yaml").write_text(wrong, encoding="utf-8")
    done = run("check", folder)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 1, errors
    assert "surveys.before.0.questions.0" in errors[0]


def test_the_code_of_every_outcome_follows(tmp_path: Path) -> None:
    done = run("new", tmp_path / "s", "--plan", "coaching_trial", "--code", "OURS")
    assert done.exit_code == 0, done.output
    codes = load_chat_plan(tmp_path / "s").recruitment.codes
    assert (codes.completed, codes.partner_failure, codes.stopped) == ("OURS", "OURS-PF", "OURS-ST")


def test_check_says_everything_at_once(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", conversation={"second": 3})
    (folder / "safety.md").unlink()
    (folder / "scenarios" / "moving.md").write_text("", encoding="utf-8")
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    plan["exclusions"][2] = {"rule": "partner_failure"}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    done = run("check", folder)
    assert done.exit_code == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 4, done.stderr
    for said in (
        r"plan.yaml, line \d+, conversation.second: unknown key .* write 'seconds'",
        r"exclusions.2.rule: this rule occurs more than once",
        r"safety.md: no such file",
        r"moving.md: is empty",
    ):
        assert re.search(said, done.stderr), said


def test_check_of_a_whole_study_says_how_long_it_takes(made: Path) -> None:
    done = run("check", made)
    assert done.exit_code == 0
    assert "it takes about 17 to 25 minutes, so 4 USD" in done.stderr
    assert "safety.md: it is still the text of a worked plan" in done.stderr
    assert "still has the worked plan's recruitment.codes.completed" in done.stderr
    assert "can be locked: 64 participants, 5 scenarios, 2 judges" in done.stdout
    severities = {one["severity"] for one in json.loads(run("check", made, "--json").stdout)}
    assert severities == {"warning", "note"}


def test_lock_verify_and_document(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s")
    done = run("lock", folder, "--yes")
    assert done.exit_code == 0, done.output
    plan_hash = open_chat(folder, must_be_locked=True).plan_hash
    assert f"plan hash {plan_hash}" in done.stdout
    text = (folder / "preregistration" / "study.md").read_text(encoding="utf-8")
    for said in (plan_hash, "Hi. They let me go this morning", "`care_2`", "0800 000 000"):
        assert said in text
    assert (folder / "preregistration" / "study.html").read_text(encoding="utf-8").count("<h1") == 1
    done = run("verify", folder)
    assert done.exit_code == 0, done.output
    assert {line.split(":")[0].split()[-1] for line in done.stdout.splitlines()} >= {
        *("lock", "plan", "consent", "safety", "scenarios", "films", "prompts", "code")
    }
    (folder / "films" / "clip.vtt").write_text("WEBVTT\n\nother\n", encoding="utf-8")
    done = run("verify", folder)
    assert done.exit_code == 2
    assert re.search(r"^no +films: changed: films/clip.vtt: ", done.stdout, re.MULTILINE)
    assert done.stdout.count("\nno ") == 1
    refused(run("lock", folder), "changed since the plan was locked", "films")
    refused(run("document", folder), "changed since the plan was locked")


def test_lock_asks_about_warnings(made: Path) -> None:
    done = run("lock", made)
    assert done.exit_code == 2
    assert "warnings, so it is not locked" in done.stderr
    assert not (made / "plan.lock.json").exists()


def test_what_makes_no_sense_is_one_line(made: Path) -> None:
    for command in ("power", "sample", "embed", "causal"):
        refused(run(command, made), f"is a study of kind chat, and `ratify {command}`", "allowed:")
    refused(run("amend", made, "--reason", "x"), "a new study folder")


def test_password_links_and_withdraw(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s", recruitment={"links": "signed", "without_id": None})
    assert run("password", folder, "--password", "long enough").exit_code == 0
    done = run("links", folder, "--count", 2, "--host", "https://study.example.org")
    assert done.stdout.splitlines()[0] == "rater_id,link"
    assert len(done.stdout.splitlines()) == 3
    refused(run("withdraw", folder, "nobody"), "has no visit in this study")


def test_a_withdrawal_names_the_second_stage_only_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    had_chat(folder, people=8)
    assert (folder / "compare").is_dir(), "it has the texts for raters from the beginning"
    monkeypatch.setattr(leaving, "withdraw_rater", lambda *_: True)
    done = run("withdraw", folder, "platform-1", "--mode", "bot")
    assert done.exit_code == 0, done.output
    assert "second stage" not in done.stdout
    assert run("items", folder, "--mode", "bot").exit_code == 0
    done = run("withdraw", folder, "platform-1", "--mode", "bot")
    assert "items of the second stage" in done.stdout


def test_who_returned_a_chat_on_the_platform_is_released(tmp_path: Path) -> None:
    study, _ = lock_chat(chat_folder(tmp_path / "s"))
    with closing(open_store(study.folder, None)) as store:
        store.open_slots(study.root_hash, "live", place_ids(study.plan), each=1)
        for name in ("rater-1", "rater-2"):
            assert claims.claim_chat(store, study, "live", Arrival(name)) is not None
    table = tmp_path / "left.csv"
    table.write_text("rater_id,status\nrater-1,RETURNED\nrater-3,RETURNED\n", encoding="utf-8")
    done = run("release", study.folder, table)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1 released, 0 had ended before")
    assert "1 unknown here" in done.stdout


def test_the_schema_of_a_chat_is_printed() -> None:
    schema = json.loads(run("schema", "--chat").stdout)
    assert {"scenarios", "partner", "safety", "budget"} <= set(schema["properties"])
    assert "partner" not in json.loads(run("schema").stdout)["properties"]


def test_check_rehearses_every_formula(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    shutil.copytree(made, folder)
    path = folder / "plan.yaml"
    text = path.read_text(encoding="utf-8")
    wrong = text.replace('[T.coach]:post"', '[T.coahc]:post"').replace("[T.man]", "[T.men]")
    path.write_text(wrong, encoding="utf-8")
    done = run("check", folder)
    assert done.exit_code == 2
    assert "contrasts.coach (effects)" in done.stderr
    assert "terms.3 (demographics)" in done.stderr
    path.write_text(text.replace("C(scenario)", "C(scenaro)"), encoding="utf-8")
    assert "formula (select_higher)" in run("check", folder).stderr
    path.write_text(text.replace('* post"', '* (post"', 1), encoding="utf-8")
    assert "predictors (effects)" in run("check", folder).stderr


def test_verify_reads_the_rows_of_a_chat(tmp_path: Path) -> None:
    folder = chat_folder(tmp_path / "s")
    _, lock = lock_chat(folder)
    (folder / "data").mkdir()
    header = "message_id,mode,plan_hash,sent_at\n"

    def rows(plan_hash: str, sent_at: str) -> str:
        text = f"{header}m1,live,{plan_hash},{sent_at}\n"
        (folder / "data" / "messages.csv").write_text(text, encoding="utf-8")
        return next(x for x in run("verify", folder).stdout.splitlines() if " rows: " in x)

    assert rows(lock.plan_hash, "2100-01-01T00:00:00.000Z").startswith("yes")
    assert "no version of this plan" in rows("f" * 64, "2100-01-01T00:00:00.000Z")
    assert "before the lock" in rows(lock.plan_hash, "2000-01-01T00:00:00.000Z")
