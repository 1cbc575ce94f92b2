"""If this failed, a researcher would not see that a table was read in another way than meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ratify import main
from tests.support.given_studies import collect, ids, make_given_study, quality

WINDOWS = "read as Windows-1252 (Latin-1), because it is not UTF-8: check its letters with accents"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def ratings(path: Path, turn: int) -> Path:
    rows = [f"caf\u00e9-{n},{1 + (n * turn) % 5}" for n in range(1, 21)]
    path.write_bytes("\n".join(["item_id,warm", *rows, ""]).encode("cp1252"))
    return path


def test_an_audit_says_how_every_file_was_read_once(tmp_path: Path) -> None:
    people = [ratings(tmp_path / f"p{n}.csv", n) for n in (1, 2)]
    judge = ratings(tmp_path / "judge.csv", 3)
    items = tmp_path / "items.csv"
    texts = "\n".join(["item_id;text", *(f"caf\u00e9-{n};Hi {n} " for n in range(1, 21)), ""])
    items.write_bytes(texts.encode("utf-16"))
    words = ["audit", "--human", people[0], "--human", people[1], "--judge", judge]
    words += ["--scale", 1, 5]
    done = run(*words, "--items", items, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    for path in (*people, judge):
        assert done.stderr.count(f"{path.name}: {WINDOWS}") == 1
    assert done.stderr.count("items.csv: read as UTF-16") == 1
    assert "of column text had spaces" not in done.stderr, "texts are not cleaned"
    judge.write_bytes(judge.read_bytes().replace(b",1\n", b",one\n"))
    done = run(*words, "--out", tmp_path / "out2")
    assert done.exit_code == 2
    assert f"judge.csv: {WINDOWS}" in done.stderr, "also where the audit ends in an error"


def test_a_ranking_says_it_once(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    rows = [f"caf\u00e9,tea,{side}" for side in ("left", "right", "left")]
    path.write_bytes("\n".join(["left_id,right_id,choice", *rows, ""]).encode("cp1252"))
    done = run("rank", path)
    assert done.exit_code == 0
    assert done.stderr.count(WINDOWS) == 1


def test_a_new_study_says_it_of_the_researchers_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = [f"{n},caf\u00e9 {n},{'GPT' if n % 2 else 'gpt'}" for n in range(1, 21)]
    path.write_bytes("\n".join(["item_id,text,model", *rows, ""]).encode("cp1252"))
    done = run("new", tmp_path / "study", "--items", path)
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(WINDOWS) == 1
    assert done.stderr.count("differ only in letter case") == 1
    assert "items.csv" not in done.stderr


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A locked study of which the items are in Windows-1252 and the judge's scores in UTF-16."""
    rows = [{"conversation": one, "score": f"{quality(one)} (points)"} for one in ids()]
    judge = {"ratings": "scores.csv", "columns": {"item_id": "conversation", "value": "score"}}
    folder = make_given_study(tmp_path / "s", {"scores.csv": rows}, judge)
    scores = folder / "scores.csv"
    scores.write_text(scores.read_text(), encoding="utf-16")
    items = folder / "items.csv"
    items.write_bytes(items.read_text().replace("Yes", "Caf\u00e9").encode("cp1252"))
    return folder


def test_every_command_of_a_study_says_it_once(study: Path) -> None:
    for command in ("check", "lock", "judge"):
        done = run(command, study, *["--yes"] * (command == "lock"))
        assert done.exit_code == 0, (command, done.output)
        assert done.stderr.count(f"items.csv: {WINDOWS}") == 1, command
        for said in ("scores.csv: read as UTF-16", "the number before the label was read"):
            assert done.stderr.count(said) == 1, command
    collect(study)
    done = run("analyze", study)
    assert done.exit_code == 0, done.output
    assert done.stderr.count(f"items.csv: {WINDOWS}") == 1
