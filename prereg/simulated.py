"""The mark of a simulated study: a file that says how its answers were made, for its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from prereg import files
from prereg.errors import RatifyError

# `ratify simulate` made a folder that has this file: no people may answer there.
SIMULATION_MARK = "simulation.json"
_ABOUT = (
    "This folder was made by `ratify simulate`: simulated raters and judges, no people. "
    "`ratify simulate` replaces it, so do not keep your own files here."
)


def mark_simulated(folder: Path, notes: Sequence[str] = ()) -> None:
    """Mark a folder as a simulation; the notes say how its answers were made."""
    files.write_json(folder / SIMULATION_MARK, {"about": _ABOUT, "notes": list(notes)})


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
    path = folder / SIMULATION_MARK
    if not path.exists():
        return []
    try:
        return [str(note) for note in json.loads(path.read_text("utf-8"))["notes"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RatifyError(
            "is not what `ratify simulate` wrote", file=path, allowed="run `ratify simulate` again"
        ) from error
