"""Shows how far work has come: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

import click

# Seconds between two lines where there is no terminal.
SAID_EVERY = 30.0


class Shown:
    """Progress through a known number of things.

    Parameters
    ----------
    total : int
    things : str
        What they are, for the lines: 'texts'.
    label : str
        What the bar says: 'texts embedded'.
    """

    def __init__(self, total: int, *, things: str, label: str) -> None:
        self._total, self._done = total, 0
        self._things, self._label = things, label
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Shown:
        """Show the bar, where there is a terminal and something to do."""
        if sys.stdout.isatty() and self._total:
            self._bar = click.progressbar(
                length=self._total, label=self._label, show_eta=True, show_pos=True
            )
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def tell(self, count: int = 1) -> None:
        """Count things that are done."""
        self._done += count
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(count)
        elif now - self._said >= SAID_EVERY:
            self._said = now
            left = (now - self._began) / self._done * (self._total - self._done)
            of = f"{self._total:,} {_one(self._things) if self._total == 1 else self._things}"
            click.echo(f"{self._done:,} of {of}, about {left / 60:,.0f} min left")


def _one(things: str) -> str:
    """Return the singular of a plural such as 'texts' or 'studies'."""
    return f"{things[:-3]}y" if things.endswith("ies") else things.removesuffix("s")
