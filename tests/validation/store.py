"""Keeps the results of data sets in a file outside git, so that a stopped run can go on."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from analysis.arrays import IntArray
from tests.support.paths import ROOT

PLACE = ROOT / ".validation" / "results.jsonl"
UNTRIED = -1


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The results of some data sets of a row that follow each other.

    Attributes
    ----------
    row : str
        Name of the row.
    code : str
        Hash of the code that computed it; see `rows.code_of`.
    first : int
        Number of the first data set.
    results, hits : list of int
        Of each data set.
    seconds : float
        What they took, with the preparation of the row if the process had none before.
    """

    row: str
    code: str
    first: int
    results: list[int]
    hits: list[int]
    seconds: float


class Store:
    """Slices on disk, one line of JSON each.

    A slice counts for a row of the same name and the same code. How many data sets the row has does
    not matter: data set n is the same in a row of 500 and in one of 1,000. A line that was cut off
    when a run was stopped is left out.
    """

    def __init__(self, path: Path = PLACE) -> None:
        self.path = path
        self.slices = _read(path)

    def add(self, one: Slice) -> None:
        """Keep a slice, at once."""
        self.slices.append(one)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one)) + "\n")

    def forget(self, rows: Collection[str]) -> None:
        """Drop everything about these rows."""
        self.slices = [one for one in self.slices if one.row not in rows]
        self.path.parent.mkdir(exist_ok=True)
        text = "".join(json.dumps(asdict(one)) + "\n" for one in self.slices)
        self.path.write_text(text, encoding="utf-8")

    def found(self, row: str, code: str, runs: int) -> tuple[IntArray, IntArray]:
        """Return results and hits of data sets 0 to runs - 1, `UNTRIED` where there are none."""
        results, hits = np.full((2, runs), UNTRIED)
        for one in self.slices:
            if (one.row, one.code) == (row, code):
                end = min(runs, one.first + len(one.results))
                kept = max(0, end - one.first)
                results[one.first : end] = one.results[:kept]
                hits[one.first : end] = one.hits[:kept]
        return results, hits

    def pace(self) -> dict[str, float]:
        """Return the seconds of a data set by row, from the newest slice whatever its code."""
        return {one.row: one.seconds / len(one.results) for one in self.slices}


def _read(path: Path) -> list[Slice]:
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if text and not text.endswith("\n"):
        lines = lines[:-1]  # cut off
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return [Slice(**json.loads(line)) for line in lines]
