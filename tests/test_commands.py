"""If this failed, a wrong input would end in a traceback, a half-written result, or a wrong one."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import httpx
import pytest

from prereg.errors import RatifyError
from ratify import main
from study.bots import Page
from study.store.database import open_store
from tests.conftest import Serve, make_study
from tests.support.raters import take_part

Run = Callable[..., subprocess.CompletedProcess[str]]


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ratify: ")
    for word in words:
        assert word in lines[0]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


GOOD = "item_id,warm,cold\n1,1,2\n2,3,4\n3,5,5\n4,2,1\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("key,warm\n1,2\n", ["bad.csv", "no column 'item_id'", "key, warm"]),
        ("item_id,warm,cold\n1,1,2\n2,9,4\n", ["bad.csv", "row 3", "warm", "9", "1 to 5"]),
        ("item_id,warm,cold\n1,1,2\n1,2,3\n", ["bad.csv", "row 3", "item_id", "'1'"]),
        ("item_id,warm,cold\n7,1,2\n8,2,3\n", ["bad.csv", "item_id"]),
        ("item_id,warm,cold\n1,hot,2\n2,2,3\n3,1,1\n", ["bad.csv", "row 2", "warm", "'hot'"]),
        ("", ["bad.csv", "is empty"]),
        ("\x00\x01\x02", ["bad.csv", "is not a CSV"]),
    ],
)
def test_bad_ratings_are_named(ratify: Run, tmp_path: Path, text: str, words: list[str]) -> None:
    good, bad = write(tmp_path / "good.csv", GOOD), write(tmp_path / "bad.csv", text)
    out = tmp_path / "out"
    done = ratify("audit", "--human", good, "--judge", bad, "--scale", 1, 5, "--out", out)
    refused(done, *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


def test_an_audit_writes_what_it_promises(ratify: Run, tmp_path: Path) -> None:
    good = GOOD.replace("\n", "\nitem-").removesuffix("item-")
    judge = write(tmp_path / "judge.csv", good.replace("4,2,1", "4,3,1"))
    human = write(tmp_path / "human.csv", good)
    out = tmp_path / "out"
    arguments = ("audit", "--human", human, "--judge", judge, "--scale", 1, 5, "--out", out)
    done = ratify(*arguments)
    assert done.returncode == 0, done.stderr
    assert {"results.json", "report.html", "tables", "figures"} == {p.name for p in out.iterdir()}
    first = json.loads((out / "results.json").read_text())
    assert ratify(*arguments).returncode == 0
    assert json.loads((out / "results.json").read_text()) == first
    (out / "mine.txt").write_text("keep me")
    refused(ratify(*arguments), "mine.txt")
    assert (out / "mine.txt").exists()


def test_the_real_audit(ratify: Run, tmp_path: Path, real_data: Path) -> None:
    place = real_data / "lend_an_ear_reliability"
    humans = [a for n in (1, 2, 3) for a in ("--human", place / f"expert{n}_ratings.csv")]
    judges = [a for n in ("gpt", "gemini") for a in ("--judge", place / f"{n}_ratings.csv")]
    done = ratify(
        "audit",
        *humans,
        *judges,
        "--id",
        "conversation_id",
        "--scale",
        1,
        5,
        "--out",
        tmp_path / "out",
    )
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "out" / "tables" / "agreement.csv").read_text().splitlines()
    assert len(table) == 1 + 6 * (3 + 6 + 2)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seed:", "seeed:", ["plan.yaml", "seeed", "unknown key"]),
        ("items: items.csv", "items: lost.csv", ["lost.csv", "no such file"]),
        ("consent: consent.md", "consent: lost.md", ["lost.md", "no such file"]),
        ("id: lexical", "id: gpt", ["plan.yaml"]),
    ],
)
def test_a_wrong_study_is_named(
    ratify: Run, study_folder: Path, old: str, new: str, words: list[str]
) -> None:
    plan = study_folder / "plan.yaml"
    assert old in plan.read_text()
    plan.write_text(plan.read_text().replace(old, new, 1))
    # a judge's fault does not stop the export of people's answers
    commands = ("lock", "judge") if old == "id: lexical" else ("lock", "judge", "export")
    for command in commands:
        refused(ratify(command, study_folder), *words)
    assert not (study_folder / "plan.lock.json").exists()


def test_what_comes_too_early_is_said(ratify: Run, study_folder: Path, tmp_path: Path) -> None:
    refused(ratify("lock", tmp_path / "nowhere"), "no such plan", "ratify new")
    refused(ratify("serve", study_folder), "not locked", "ratify lock")
    refused(ratify("analyze", study_folder), "not locked", "ratify lock")
    assert ratify("lock", study_folder, "--yes").returncode == 0
    refused(ratify("analyze", study_folder), "no tables yet", "ratify export")
    refused(ratify("report", study_folder), "results.json")
    refused(ratify("gate", study_folder), "no results yet", "ratify analyze")
    refused(ratify("export", study_folder), "there is no store here")
    open_store(study_folder, None).close()
    assert ratify("export", study_folder).returncode == 0
    refused(ratify("analyze", study_folder), "holds")


def test_new_refuses_what_it_cannot_use(ratify: Run, tmp_path: Path) -> None:
    pool = write(tmp_path / "pool.csv", "id,words\n1,hello\n2,hello\n")
    target = tmp_path / "study"
    refused(ratify("new", target, "--items", pool), "pool.csv", "'item_id'")
    refused(ratify("new", target, "--items", pool, "--id", "id", "--text", "w"), "'w'")
    refused(ratify("new", target, "--items", tmp_path / "no.csv"), "no.csv", "no such file")
    assert not target.exists()
    assert ratify("new", target, "--items", pool, "--id", "id", "--text", "words").returncode == 0
    refused(ratify("new", target), "holds a study already", "name another folder")


def test_another_port_is_taken_and_named(study_folder: Path, serve: Serve, ratify: Run) -> None:
    refused(ratify("serve", study_folder, "--mode", "pilot", "--host", "192.0.2.1"), "192.0.2.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = serve(study_folder, "--mode", "pilot", "--port", str(port))
        assert server.url != f"http://127.0.0.1:{port}"
        assert httpx.get(server.url, params={"rater": "r"}, timeout=60).status_code == 200


def test_a_study_by_hand_from_start_to_end(ratify: Run, tmp_path: Path, serve: Serve) -> None:
    """What the README promises: new, lock, serve, judge, export, analyze, report, gate."""
    folder = make_study(tmp_path / "study", raters=12, trials=4)
    assert ratify("lock", folder, "--yes").returncode == 0
    server = serve(folder)
    for number in range(11):
        with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
            assert take_part(client, f"p{number}", lambda a, b: "left" if a > b else "right")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        page = Page()
        page.feed(client.get("/", params={"rater": "leaver"}).text)
        client.post(page.action, data=page.fields)
    for command in ("judge", "judge", "export"):
        done = ratify(command, folder)
        assert done.returncode == 0, done.stderr
    assert "nothing left to ask" in ratify("judge", folder).stdout
    done = ratify("analyze", folder)
    assert done.returncode == 0, done.stderr
    assert ratify("report", folder).returncode == 0
    results = json.loads((folder / "results" / "results.json").read_text())
    assert results["simulated"] is False
    assert {q["status"] for q in results["quantities"] if q["hypothesis"]} == {"confirmatory"}
    assert ratify("gate", folder).returncode in {0, 1}
    plan = folder / "plan.yaml"
    plan.write_text(plan.read_text().replace("at_least: 0.5", "at_least: 0.1"))
    refused(ratify("gate", folder), "changed since", "plan")
    refused(ratify("analyze", folder), "changed since", "plan")


def test_no_command_lacks_help(ratify: Run) -> None:
    listed = ratify("--help").stdout.partition("Commands:")[2].split("\n")
    names = [line.split()[0] for line in listed if line.startswith("  ") and line.strip()]
    assert {"new", "lock", "serve", "judge", "export", "analyze", "report", "audit"} <= set(names)
    for name in names:
        done = ratify(name, "--help")
        assert done.returncode == 0
        usage, _, sentence, *_ = done.stdout.splitlines()
        assert usage.startswith(f"Usage: ratify {name}")
        assert sentence.startswith("  ")
        assert len(sentence) > 30


def test_the_plan_in_place_of_its_folder_is_one_line(ratify: Run, tmp_path: Path) -> None:
    plan = write(tmp_path / "plan.yaml", "schema: 1\n")
    says = f"{plan}: is a file (allowed: the study folder {tmp_path})"
    refused(ratify("check", plan), says)
    found = 0
    for command in main.commands.values():
        arguments = [one for one in command.params if isinstance(one, click.Argument)]
        if not arguments or arguments[0].human_readable_name != "DIR":
            continue  # of a file, or of either
        with pytest.raises(RatifyError) as error:
            arguments[0].process_value(click.Context(command), str(plan))
        assert str(error.value) == says
        found += 1
    assert found >= 15
    plan.rename(tmp_path / "loose.txt")
    refused(ratify("new", tmp_path / "loose.txt"), "is a file (allowed: a study folder)")


def test_help_imports_nothing_heavy() -> None:
    import sys

    code = (
        "import sys, ratify, click.testing as t\n"
        "assert t.CliRunner().invoke(ratify.main, ['audit', '--help']).exit_code == 0\n"
        "print(*[m for m in ('pandas', 'numpy', 'flask', 'sqlalchemy', 'pydantic') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_the_references_are_imported_by_a_check_only() -> None:
    import sys

    code = (
        "import sys, analysis.run, analysis.audit.audit, analysis.ranking.from_table\n"
        "print(*[m for m in ('choix', 'pingouin', 'seaborn', 'xarray') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_before_there_are_answers_every_command_says_what_to_do(
    tmp_path: Path, ratify: Run
) -> None:
    assert ratify("new", tmp_path / "s", "--plan", "empathy_rating").returncode == 0
    for command, needs in (
        ("analyze", "ratify lock"),
        ("report", "run the analysis first"),
        ("gate", "ratify analyze"),
    ):
        done = ratify(command, tmp_path / "s")
        assert done.returncode == 2
        assert needs in done.stderr, command
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_wrong_option_is_said_in_one_line(ratify: Run) -> None:
    for words in (("serve", "x", "--port", "99999"), ("frobnicate",), ("lock",)):
        done = ratify(*words)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_password_is_not_asked_for_where_nobody_can_type(study_folder: Path, ratify: Run) -> None:
    done = ratify("password", study_folder)
    assert (done.returncode, "--password" in done.stderr) == (2, True)
    assert ratify("password", study_folder, "--password", "short").returncode == 2
    assert ratify("password", study_folder, "--password", "long enough").returncode == 0
