"""If these failed, a damaged mark of a simulation would end in a traceback, or say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.simulated import SIMULATION_MARK, mark_simulated, simulated_truth, simulation_notes


def test_a_mark_says_its_notes_and_its_truth(tmp_path: Path) -> None:
    assert (simulation_notes(tmp_path), simulated_truth(tmp_path)) == ([], "")
    mark_simulated(tmp_path, ["By bots."], truth="It is 0.4.")
    assert (simulation_notes(tmp_path), simulated_truth(tmp_path)) == (["By bots."], "It is 0.4.")


def test_a_mark_of_a_release_without_a_truth_is_read(tmp_path: Path) -> None:
    (tmp_path / SIMULATION_MARK).write_text('{"notes": ["By bots."]}', encoding="utf-8")
    assert (simulation_notes(tmp_path), simulated_truth(tmp_path)) == (["By bots."], "")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"notes": null}', '{"notes": 5}', '{"notes": [], "truth": 5}']
)
def test_a_mark_that_was_damaged_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / SIMULATION_MARK).write_text(content, encoding="utf-8")
    for read in (simulation_notes, simulated_truth):
        with pytest.raises(RatifyError, match="is not what `ratify simulate` wrote"):
            read(tmp_path)
