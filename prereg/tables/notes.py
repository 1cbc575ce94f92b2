"""Tells whoever listens how a table was read: its encoding, what was cleaned, what was left out.

The reader tells its notes here, so that every command prints them, whichever of its parts reads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar

Listener = Callable[[str], None]
_LISTENER: ContextVar[Listener | None] = ContextVar("_LISTENER", default=None)


@contextlib.contextmanager
def heard_by(listener: Listener | None) -> Iterator[None]:
    """Call a function with each note of the tables that are read in a with block; None: nothing."""
    before = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(before)


def tell(notes: Iterable[str]) -> None:
    """Tell some notes, in this order; each is a whole sentence that names its file."""
    listener = _LISTENER.get()
    if listener is not None:
        for note in notes:
            listener(note)
