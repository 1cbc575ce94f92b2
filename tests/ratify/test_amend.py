"""If these failed, an amendment or a look could be recorded with something else than was known."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import analysis.run
import study.amending
from analysis.registered.labelled import run_labelled
from analysis.run import analyze_study
from prereg.errors import RatifyError
from prereg.lock import read_lock
from prereg.looks import read_looks
from ratify import main
from tests.support.verified_study import verified_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verified_study(tmp_path_factory.mktemp("made") / "study")


def amended(folder: Path) -> None:
    with (folder / "consent.md").open("a", encoding="utf-8") as consent:
        consent.write("\nOne more sentence.\n")
    done = CliRunner().invoke(main, ["amend", str(folder), "--reason", "One more sentence."])
    assert done.exit_code == 0, done.output


def test_nobody_else_is_let_in_while_an_amendment_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = study.amending.what_is_known
    tried = []

    def asked(*arguments: Any) -> Any:
        other = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tried.append("had to wait")
        os.close(other)
        return known(*arguments)

    monkeypatch.setattr(study.amending, "what_is_known", asked)
    amended(folder)
    assert tried == ["had to wait"] * 2  # counted again when it is recorded


def test_results_of_a_plan_that_was_amended_meanwhile_are_no_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = read_looks(folder)
    results = (folder / "results" / "results.json").read_bytes()
    number = len(read_lock(folder).amendments)

    def slow(*arguments: Any) -> Any:
        amended(folder)
        return run_labelled(*arguments)

    monkeypatch.setattr(analysis.run, "run_labelled", slow)
    with pytest.raises(RatifyError, match="amended while its results were computed"):
        analyze_study(folder, mode="live")
    assert len(read_lock(folder).amendments) == number + 1
    assert read_looks(folder) == looks
    assert (folder / "results" / "results.json").read_bytes() == results
