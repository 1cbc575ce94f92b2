"""Finds the line of each key in the YAML that people write."""

from __future__ import annotations

from functools import cached_property

import yaml


class YamlLines:
    """The lines of the keys of a mapping in YAML.

    Parameters
    ----------
    text : str
        YAML. If it cannot be read, no key has a line.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _root(self) -> yaml.Node | None:
        try:
            return yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            return None

    def line_of(self, path: str) -> int | None:
        """Return the line of a key, from 1; of the part that lacks it, if it is not there.

        Parameters
        ----------
        path : str
            Keys and places of lists (from 0), joined by dots, such as `judges.0.pairs.k`.
        """
        node, line, parts = self._root, None, path.split(".")
        while node is not None and parts:
            found = _step(node, parts)
            if found is None:
                break
            node, line, parts = found
        return line


def _step(node: yaml.Node, parts: list[str]) -> tuple[yaml.Node, int, list[str]] | None:
    """Return the node that a path leads to next, its line, and the rest of the path."""
    if isinstance(node, yaml.SequenceNode):
        at = int(parts[0]) if parts[0].isdecimal() else -1
        if not 0 <= at < len(node.value):
            return None
        inner = node.value[at]
        return inner, inner.start_mark.line + 1, parts[1:]
    if not isinstance(node, yaml.MappingNode):
        return None
    there = {key.value: (key, value) for key, value in node.value}
    for taken in range(len(parts), 0, -1):  # a key may have dots itself
        name = ".".join(parts[:taken])
        if name in there:
            key, value = there[name]
            return value, key.start_mark.line + 1, parts[taken:]
    return None


def node_at(root: yaml.Node | None, path: str) -> yaml.Node | None:
    """Return the node of a dotted path; None if there is no such key."""
    node, parts = root, path.split(".")
    while node is not None and parts:
        found = _step(node, parts)
        if found is None:
            return None
        node, _, parts = found
    return node
