"""If these fail, `ratify power` ends in a traceback, or writes other files than it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.planning import working
from ratify import main
from tests.analysis.planning.test_power import tiny


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["power", *map(str, words), "--processes", "1", "--no-curves"])
    return done.exit_code, done.stdout, done.stderr


def test_it_says_what_it_found_and_which_files_it_wrote(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "study")
    code, said, _ = run(folder, "--studies", 2)
    assert code == 0
    assert said.startswith("With 12 raters, 3 texts each, and 12 items, the power is ")
    names = said.splitlines()[-1].removeprefix("wrote ").partition(" in ")[0].split(", ")
    assert sorted([*names, "studies.jsonl"]) == sorted(p.name for p in (folder / "power").iterdir())
    code, said, _ = run(folder, "--studies", 2)
    assert said.startswith("2 of 2 studies are kept from before")
    tiny(folder, seed=1)
    code, _, warned = run(folder, "--studies", 2)
    assert code == 0
    assert "another plan" in warned


def test_a_stop_by_the_keyboard_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, simulate = tiny(tmp_path / "study"), working.simulate_once
    calls: list[object] = []

    def stopped(*given: object) -> object:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return simulate(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(working, "simulate_once", stopped)
    code, _, warned = run(folder, "--studies", 3)
    assert code == 130
    assert "stopped; 1 of 3 studies are kept, and the next run goes on" in warned
    assert not (folder / "power" / "power.json").exists()


def test_a_wrong_input_is_one_line(tmp_path: Path) -> None:
    for folder, words in (
        (tmp_path, "no such plan"),
        (tiny(tmp_path / "few", design={"raters": 12, "trials": 90}), "too few"),
    ):
        code, _, said = run(folder)
        assert code == 2
        assert len(said.splitlines()) == 1
        assert words in said
