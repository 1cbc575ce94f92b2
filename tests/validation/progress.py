"""Says how far a run of the rows is: a line for every finished row, and a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

from tests.validation.store import Slice
from tests.validation.work import Row

WIDTH = 30


class Progress:
    """Tells about rows: finished ones as lines, and on a terminal a bar below them."""

    def __init__(
        self,
        rows: Sequence[Row],
        pace: Mapping[str, float],
        processes: int,
        out: TextIO = sys.stdout,
    ) -> None:
        self.rows, self.processes, self.out = rows, processes, out
        self.pace = dict(pace)
        self.seconds: dict[str, float] = {}
        self.began = time.monotonic()
        self.bar = out.isatty()
        self.finished = sum(row.left == 0 for row in rows)
        self.at_first = self._work_left()

    def kept(self) -> None:
        """Say which rows were finished before."""
        if self.finished:
            self._line(f"{self.finished} of {len(self.rows)} rows are kept from before")

    def told(self, row: Row, one: Slice) -> None:
        """Take note of a slice."""
        self.seconds[row.name] = self.seconds.get(row.name, 0.0) + one.seconds
        self.pace[row.name] = one.seconds / len(one.results)
        if row.left == 0:
            self.finished += 1
            self._line(
                f"{self.finished:>3}/{len(self.rows)} {summary(row)} "
                f"{self.seconds[row.name]:5.0f} s  {row.name}"
            )
        if self.bar:
            self._draw()

    def end(self) -> None:
        """Take the bar away."""
        if self.bar:
            self.out.write("\r\x1b[K")
            self.out.flush()

    def _line(self, text: str) -> None:
        self.out.write(f"\r\x1b[K{text}\n" if self.bar else f"{text}\n")
        self.out.flush()

    def _work_left(self) -> float:
        """Return the seconds of one process that are left; a row never tried is like the others."""
        known = list(self.pace.values())
        usual = sorted(known)[len(known) // 2] if known else 0.02
        return sum(row.left * self.pace.get(row.name, usual) for row in self.rows)

    def _draw(self) -> None:
        left = self._work_left()
        share = 1 - min(1.0, left / max(self.at_first, left, 1e-9))
        minutes = (time.monotonic() - self.began) / 60
        full = round(WIDTH * share)
        self.out.write(
            f"\r\x1b[K[{'#' * full}{'.' * (WIDTH - full)}] {self.finished}/{len(self.rows)} rows, "
            f"{minutes:.0f} min, about {left / self.processes / 60:.0f} min left"
        )
        self.out.flush()


def summary(row: Row) -> str:
    """Return the outcome of a row in a few words."""
    found = row.outcome()
    return (
        f"{found.verdict:<9}{found.share:.3f} (± {found.error:.3f}, "
        f"promised {found.promised:.3g}, {found.goal:>7} goal)"
    )
