"""Every key of a part of the plan with its value, defaults written out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from prereg.documents.prose import code, inline, table


def keys_of(part: Any, path: str = "") -> Iterator[tuple[str, Any, bool]]:
    """Yield every key of a part of the plan: its dotted path, its value, and if it is the default.

    Keys that a later version added are among them, although a lock leaves out their defaults.

    Parameters
    ----------
    part : BaseModel, mapping, list or value
    path : str
        The path of the part itself.
    """
    if isinstance(part, BaseModel):
        for name, field in type(part).model_fields.items():
            value = getattr(part, name)
            default = not field.is_required() and value == field.get_default(
                call_default_factory=True
            )
            for found in keys_of(value, _joined(path, field.alias or name)):
                yield (found[0], found[1], found[2] or default)
    elif isinstance(part, Mapping) and part:
        for key, value in part.items():
            yield from keys_of(value, _joined(path, str(key)))
    elif isinstance(part, list | tuple) and part:
        if any(isinstance(one, BaseModel | Mapping | list | tuple) for one in part):
            for place, value in enumerate(part):
                yield from keys_of(value, _joined(path, str(place)))
        else:
            yield path, part, False
    else:
        yield path, part, False


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def shown(value: Any) -> str:
    """Return a value in words: none, yes, no, an enumeration, or as it is."""
    if value is None or value in ((), [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(code(one) if isinstance(one, str) else shown(one) for one in value)
    if isinstance(value, str):
        return inline(value)
    return code(value)


def settings_table(part: BaseModel, path: str = "") -> str:
    """Return all keys of a part as a table."""
    rows = [
        (code(key), shown(value), "default" if default else "")
        for key, value, default in keys_of(part, path)
    ]
    return table(("key", "value", ""), rows)
