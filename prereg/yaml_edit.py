"""Changes single values in a YAML text that people wrote, and keeps its comments and layout."""

from __future__ import annotations

import json
from collections.abc import Mapping

import yaml

from prereg.yaml_lines import node_at


def with_values(text: str, values: Mapping[str, str | int]) -> str:
    """Return a YAML text with other values.

    Parameters
    ----------
    text : str
        A mapping. Each value that is replaced is a scalar in it.
    values : mapping
        New values by dotted path, such as `design.raters` or `scales.0.labels.1`.

    Raises
    ------
    LookupError
        If the text has no scalar at a path.
    """
    spans = []
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    for path, value in values.items():
        node = node_at(root, path)
        if not isinstance(node, yaml.ScalarNode):
            raise LookupError(f"no scalar at {path}")  # noqa: TRY004 - or there is no such key
        spans.append((node.start_mark.index, node.end_mark.index, _written(value)))
    for start, end, written in sorted(spans, reverse=True):
        text = text[:start] + written + text[end:]
    return text


def with_key_after(text: str, other: str, key: str, value: str) -> str:
    """Return a YAML text with one more key, on the line after a key of its first level."""
    lines = text.splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if line.startswith(f"{other}:"))
    return "".join([*lines[: at + 1], f"{key}: {_written(value)}\n", *lines[at + 1 :]])


def _written(value: str | int) -> str:
    """Return a value as YAML: a text in quotation marks unless it is one plain word."""
    if isinstance(value, int):
        return str(value)
    try:
        plain = value.isascii() and value.isidentifier() and yaml.safe_load(value) == value
    except yaml.YAMLError:
        plain = False
    return value if plain else json.dumps(value, ensure_ascii=False)
