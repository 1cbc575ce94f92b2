"""What several analyses of one evidence need is made once, and kept as long as the evidence."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from analysis.evidence.evidence import Evidence

T = TypeVar("T")
# By the evidence, as long as it lives, and by what is kept.
_HELD: dict[int, dict[tuple[str, ...], Any]] = {}


def held(evidence: Evidence, key: tuple[str, ...], make: Callable[[], T]) -> T:
    """Return what `make` returns, which runs only once for this evidence and this key.

    Parameters
    ----------
    evidence : Evidence
        This object: a copy of it with other fields has values of its own.
    key : tuple of str
        All that the value depends on besides the evidence, the name of its kind first.
    make : callable
    """
    if id(evidence) not in _HELD:
        _HELD[id(evidence)] = {}
        weakref.finalize(evidence, _HELD.pop, id(evidence), None)
    of = _HELD[id(evidence)]
    if key not in of:
        of[key] = make()
    found: T = of[key]
    return found


def is_held(evidence: Evidence, key: tuple[str, ...]) -> bool:
    """Say whether something is kept already."""
    return key in _HELD.get(id(evidence), {})
