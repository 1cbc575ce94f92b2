"""Which keys of a plan differ from what was locked, so that an error can name them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Differences that are shown, and the characters of a value.
_SHOWN, _LONGEST = 3, 60
_ABSENT = object()


def plan_changes(locked: Any, now: Any) -> str:
    """Return the keys that differ, with both values, in one line; empty if none does.

    Parameters
    ----------
    locked, now : mapping or list
        A part of the plan as JSON.
    """
    found = list(_differences(locked, now, ""))
    shown = [f"{key}: {_short(a)} when locked, {_short(b)} now" for key, a, b in found[:_SHOWN]]
    if len(found) > _SHOWN:
        shown.append(f"{len(found) - _SHOWN} more")
    return "; ".join(shown)


def _differences(locked: Any, now: Any, key: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the deepest keys that differ, and their two values."""
    if isinstance(locked, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*locked, *now]):
            inner = f"{key}.{name}" if key else str(name)
            yield from _differences(locked.get(name, _ABSENT), now.get(name, _ABSENT), inner)
    elif isinstance(locked, list) and isinstance(now, list) and len(locked) == len(now):
        for place, (one, other) in enumerate(zip(locked, now, strict=True)):
            yield from _differences(one, other, f"{key}.{place}" if key else str(place))
    elif locked != now:
        yield key, locked, now


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    if isinstance(value, list) and any(isinstance(one, (Mapping, list)) for one in value):
        return f"{len(value)} entries"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
