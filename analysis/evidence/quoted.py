"""Finds results that quote texts which have been erased since, because somebody withdrew."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from analysis.results.files import BLIND_FOLDER, RESULTS_FOLDER
from prereg.derived import ERASED_TEXT


def results_that_quote(folder: Path, gone: Collection[str]) -> list[Path]:
    """Return the folders of results of a study that quote the text of an erased item.

    Parameters
    ----------
    folder : Path
        Of the study.
    gone : collection of str
        The ids of the items.
    """
    labels = {f"Item {name}" for name in gone}
    places = (folder / RESULTS_FOLDER, folder / BLIND_FOLDER)
    return [place for place in places if labels & _quoted(place / "results.json")]


def _quoted(path: Path) -> set[str]:
    """Return the labels of all texts that results quote; none if they cannot be read."""
    try:
        content: Any = json.loads(path.read_bytes())
        shown = content["verdict"]["disagreements"]
        return {label for one in shown for label, text in one["texts"] if text != ERASED_TEXT}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
