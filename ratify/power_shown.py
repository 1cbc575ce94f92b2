"""Progress of simulated studies, and who simulates them."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from prereg.executor import Executor

# Seconds between two lines where there is no terminal.
SAID_EVERY = 30.0


@contextlib.contextmanager
def workers_of(scheduler: str | None) -> Iterator[Executor | None]:
    """Yield the workers of a scheduler, or None for processes of this machine."""
    if scheduler is None:
        yield None
        return
    from prereg.executor import executor_of

    with executor_of(scheduler) as executor:
        yield executor


class Shown:
    """Shows progress: a bar on a terminal, an occasional line elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Shown:
        if sys.stdout.isatty() and self._total:
            self._bar = click.progressbar(
                length=self._total, label="simulated studies", show_eta=True, show_pos=True
            )
            self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def tell(self, task: object) -> None:
        """Count a finished study."""
        self._done += 1
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(1)
        elif now - self._said >= SAID_EVERY:
            self._said = now
            left = (now - self._began) / self._done * (self._total - self._done)
            click.echo(
                f"{self._done:,} of {self._total:,} studies, about {left / 60:,.0f} min left"
            )
