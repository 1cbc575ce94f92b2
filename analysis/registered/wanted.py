"""What is wanted of the registered analyses: all that is reported, or only numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Wanted:
    """What is wanted.

    Attributes
    ----------
    numbers_alone : bool
        Whether sentences, tables and figures may be left out.
    names : frozenset of str or None
        The numbers that are wanted; None means all.
    """

    numbers_alone: bool = False
    names: frozenset[str] | None = None

    def number(self, name: str) -> bool:
        """Say whether a number is wanted."""
        return self.names is None or name in self.names

    def about(self, who: str) -> bool:
        """Say whether a number about a judge is wanted."""
        return self.names is None or any(name.startswith(f"{who}: ") for name in self.names)

    def any_of(self, *what: str) -> bool:
        """Say whether a number of these kinds is wanted; `kappa` is that of `humans: kappa all`."""
        return self.names is None or any(_what(name) in what for name in self.names)

    def any_beside(self, *what: str) -> bool:
        """Say whether a number of other kinds is wanted."""
        return self.names is None or any(_what(name) not in what for name in self.names)


_EVERYTHING = Wanted()
_WANTED: ContextVar[Wanted] = ContextVar("wanted", default=_EVERYTHING)


@contextlib.contextmanager
def numbers_alone(names: Collection[str] | None = None) -> Iterator[None]:
    """Want only numbers meanwhile.

    An analysis may then leave out its sentences, tables and figures, and what only these need, and
    numbers that are not wanted. The numbers that it reports stay the same.

    Parameters
    ----------
    names : collection of str, optional
        Of the wanted numbers; by default all of them.
    """
    token = _WANTED.set(Wanted(True, None if names is None else frozenset(names)))
    try:
        yield
    finally:
        _WANTED.reset(token)


def wanted() -> Wanted:
    """Return what is wanted."""
    return _WANTED.get()


def _what(name: str) -> str:
    return name.partition(": ")[2].partition(" ")[0]
