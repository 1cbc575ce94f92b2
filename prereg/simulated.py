"""The mark of a simulated study: a file that says how its answers were made, for its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prereg import files
from prereg.errors import RatifyError

# `ratify simulate` made a folder that has this file: no people may answer there.
SIMULATION_MARK = "simulation.json"
_ABOUT = (
    "This folder was made by `ratify simulate`: simulated raters and judges, no people. "
    "`ratify simulate` replaces it, so do not keep your own files here."
)


def mark_simulated(folder: Path, notes: Sequence[str] = (), *, truth: str = "") -> None:
    """Mark a folder as a simulation.

    Parameters
    ----------
    folder : Path
    notes : sequence of str
        How its answers were made.
    truth : str
        What an estimate should find, as a sentence, where it is known.
    """
    files.write_json(
        folder / SIMULATION_MARK, {"about": _ABOUT, "notes": list(notes), "truth": truth}
    )


def is_simulated(folder: Path) -> bool:
    """Say whether `ratify simulate` made a folder."""
    return (folder / SIMULATION_MARK).exists()


def simulation_notes(folder: Path) -> list[str]:
    """Return how the answers of a simulation were made; nothing for any other folder.

    Raises
    ------
    RatifyError
        When the mark is not as it was written.
    """
    return [str(note) for note in _read(folder).get("notes", [])]


def simulated_truth(folder: Path) -> str:
    """Return what an estimate should find; empty where that is not known.

    Raises
    ------
    RatifyError
        When the mark is not as it was written.
    """
    return str(_read(folder).get("truth", ""))


def _read(folder: Path) -> dict[str, Any]:
    """Return what the mark says; nothing where there is no mark."""
    path = folder / SIMULATION_MARK
    if not path.exists():
        return {}
    problem = RatifyError(
        "is not what `ratify simulate` wrote", file=path, allowed="run `ratify simulate` again"
    )
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise problem from error
    # the truth is missing from the mark of an earlier release
    if not (
        isinstance(content, dict)
        and isinstance(content.get("notes"), list)
        and isinstance(content.get("truth", ""), str)
    ):
        raise problem
    return content
