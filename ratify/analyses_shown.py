"""Shows which analysis of a study runs now."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

# Seconds between two lines where there is no terminal.
SAID_EVERY = 10.0
_CLEARED = "\r\x1b[K"


@contextmanager
def analyses_shown() -> Iterator[Callable[[str], None]]:
    """Yield what shows the analysis that begins: one line that changes on a terminal.

    Elsewhere a line is written only after the analyses before it have taken `SAID_EVERY` seconds.
    Everything goes to standard error.
    """
    if sys.stderr.isatty():
        try:
            yield lambda said: click.echo(f"{_CLEARED}{said} …", nl=False, err=True)
        finally:
            click.echo(_CLEARED, nl=False, err=True)
        return
    told = time.monotonic()

    def tell(said: str) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= SAID_EVERY:
            told = now
            click.echo(said, err=True)

    yield tell
