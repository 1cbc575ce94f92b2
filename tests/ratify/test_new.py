"""If these failed, a new study would ask nobody, ask too much, or ignore what was answered."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from prereg.plan.file import load_plan
from prereg.plan.schema import schema_text
from prereg.worked_plans import WORKED, Choices, chosen_plan, worked_texts
from ratify import main
from study.opening import open_study
from tests.support.causal_studies import units, write_frame


def new(folder: Path, *words: object, input: str | None = None) -> Result:  # noqa: A002 - click's
    return CliRunner().invoke(main, ["new", str(folder), *map(str, words)], input=input)


def test_without_a_terminal_the_worked_plan_is_copied_as_it_is(tmp_path: Path) -> None:
    assert new(tmp_path / "s").exit_code == 0
    folder = tmp_path / "s"
    first, _, rest = (folder / "plan.yaml").read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=plan.schema.json"
    assert rest == chosen_plan(WORKED, Choices())
    for name, text in worked_texts(WORKED).items():
        assert (folder / name).read_text() == text
    assert (folder / "plan.schema.json").read_text() == schema_text()
    before = open_study(folder).plan_hash
    (folder / "plan.yaml").write_text(rest)
    (folder / "plan.schema.json").unlink()
    assert open_study(folder).plan_hash == before, "neither the schema nor its line is hashed"


def test_flags_are_taken_in_the_language_that_is_chosen(tmp_path: Path) -> None:
    done = new(
        tmp_path / "s",
        *("--plan", "empathy_rating", "--language", "ar", "--title", "دراسة", "--raters", 24),
        *("--trials", 6, "--platform", "prolific", "--code", "ABC"),
    )
    assert done.exit_code == 0, done.stderr
    plan = load_plan(tmp_path / "s")
    assert (plan.language, plan.title, plan.design.raters) == ("ar", "دراسة", 24)
    assert "الداعم" in plan.design.question
    assert "ندعوك" in (tmp_path / "s" / "consent.md").read_text()
    assert plan.recruitment.codes.screened_out == "ABC-SO"
    listed = json.loads(CliRunner().invoke(main, ["check", str(tmp_path / "s"), "--json"]).stdout)
    said = "this seems to be in English, but the pages' own words are in Arabic (language: ar)."
    found = [one["file"] for one in listed if one["problem"] == said]
    assert found == [str(tmp_path / "s" / "items.csv")], "only the demo's items are English"


@pytest.mark.parametrize(
    ("folder", "title", "name", "source"),
    [
        ("my study", "دراسة التعاطف", "my_study", "the folder's name"),
        ("2026-دراسة", "دراسة", "study_76c60411", "a hash of the title"),
        ("s", "2026: Größe, Bestätigung & Naïveté", "groesse_bestaetigung_naivete", "the title"),
    ],
)
def test_a_title_in_any_script_gives_an_id_that_is_said(
    tmp_path: Path, folder: str, title: str, name: str, source: str
) -> None:
    done = new(tmp_path / folder, "--title", title)
    assert done.exit_code == 0, done.stderr
    assert load_plan(tmp_path / folder).id == name
    assert f"its id is {name}, from {source}\n" in done.stdout
    assert f"`ratify check {shlex.quote(str(tmp_path / folder))}`" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--plan", "none"), "--plan: there is no such worked plan"),
        (("--language", "fr"), "--language: the worked plan"),
        (("--trials", 900), "--trials: the items are too few for so many different trials"),
        (("--raters", 0), "--raters: is too small"),
    ],
)
def test_a_wrong_flag_is_one_line_and_leaves_nothing(
    tmp_path: Path, words: tuple[object, ...], says: str
) -> None:
    (tmp_path / "own.csv").write_text("item_id,text\n" + "".join(f"{n},t{n}\n" for n in range(5)))
    done = new(tmp_path / "s", "--items", tmp_path / "own.csv", *words)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert says in line
    assert not (tmp_path / "s").exists()


def test_on_a_terminal_it_asks_for_what_no_flag_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratify.new.on_terminal", lambda: True)
    items = tmp_path / "own.csv"
    items.write_text("key,words,topic\n" + "".join(f"{n},t{n},x\n" for n in range(9)))
    said = ["", str(items), "key", "words", "topic", "de", "Mein Titel", "", "12", "", "", "K-1"]
    done = new(tmp_path / "s", "--trials", 3, input="\n".join(said[:-2] + said[-2:]) + "\n")
    assert done.exit_code == 0, done.output
    plan = load_plan(tmp_path / "s")
    assert (plan.title, plan.id, plan.language) == ("Mein Titel", "mein_titel", "de")
    assert (plan.design.raters, plan.design.trials) == (12, 3)
    assert plan.design.question.startswith("In welchem Gespräch")
    assert "Trials" not in done.output, "given by a flag"
    quiet = new(tmp_path / "t", "--yes")
    assert (quiet.exit_code, "Worked plan" in quiet.output) == (0, False)
    taken = new(tmp_path / "s")
    assert taken.exit_code == 2
    assert "Worked plan" not in taken.output, "it asks nothing about a folder that is taken"


def test_enter_alone_gives_what_no_terminal_gives(tmp_path: Path) -> None:
    """On a real terminal; every answer is Enter."""
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-P", "-m", "ratify", "new", str(tmp_path / "s")],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        close_fds=True,
    )
    os.close(theirs)
    os.write(ours, b"\n" * 12)
    shown = b""
    while done.poll() is None:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the terminal is closed
                break
    assert done.wait(timeout=60) == 0, shown
    os.close(ours)
    for words in (b"Worked plan", b"Your items", b"Number of raters [150]", b"[HEARD-10]"):
        assert words in shown
    assert new(tmp_path / "t").exit_code == 0
    digests = {
        hashlib.sha256((tmp_path / name / "plan.yaml").read_bytes()).hexdigest() for name in "st"
    }
    assert len(digests) == 1


def test_a_fault_of_a_frame_names_the_users_file(tmp_path: Path) -> None:
    write_frame(tmp_path, units(6), "mine.csv")
    done = new(tmp_path / "s", "--frame", tmp_path / "mine.csv")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"ratify: {tmp_path / 'mine.csv'}: scenario 'all' has 6 items")
    assert "items.csv" not in done.stderr
    assert not (tmp_path / "s").exists()


def test_after_a_frame_the_next_steps_are_the_texts_and_the_sample(tmp_path: Path) -> None:
    write_frame(tmp_path, units(60), "mine.csv")
    done = new(tmp_path / "s", "--frame", tmp_path / "mine.csv")
    assert done.exit_code == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.index("edit plan.yaml") < last.index("`ratify sample") < len(last)
    assert "`ratify lock` stops at texts that nobody edited" in last
    listed = CliRunner().invoke(main, ["check", str(tmp_path / "s")]).stderr
    assert "are in no trial" not in listed
    assert "run `ratify sample`" in listed
