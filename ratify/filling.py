"""Says how many places of a simulation are filled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

# Without a terminal, so many lines say how far it is.
LINES = 4


@contextmanager
def progress(places: int, who: str) -> Iterator[Callable[[], None]]:
    """Show how many places are filled: a bar on a terminal, a few lines elsewhere.

    Parameters
    ----------
    places : int
    who : str
        Who fills them, such as `simulated raters`.
    """
    if sys.stdout.isatty():
        with click.progressbar(length=places, label=who) as bar:
            yield lambda: bar.update(1)
        return
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        if done * LINES // places > (done - 1) * LINES // places:
            click.echo(f"{who}: {done:,} of {places:,} places are filled")

    yield tell
