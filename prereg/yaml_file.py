"""Reads YAML that people write: safely, each key once, with errors of one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from prereg.errors import RatifyError
from prereg.fault_words import yaml_words

# A file of a few lines can name itself so often that reading what it says would never end.
MOST_VALUES = 1_000_000


def refuse_endless(content: Any, *, file: Path | str) -> None:
    """Raise `RatifyError` if aliases of some YAML stand for too many values, or for themselves."""
    sizes: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, dict | list):
            return 1
        if id(value) not in sizes:
            sizes[id(value)] = MOST_VALUES + 1  # what it would be if it held itself
            inner = value.values() if isinstance(value, dict) else value
            sizes[id(value)] = 1 + sum(size(one) for one in inner)
        return sizes[id(value)]

    try:
        whole = size(content)
    except RecursionError:
        whole = MOST_VALUES + 1
    if whole > MOST_VALUES:
        raise RatifyError(
            "nests too deep, or holds aliases (*name) that stand for too many values",
            file=file,
            allowed="each value written out",
        )


class _OnceLoader(yaml.SafeLoader):
    """A safe loader that refuses a repeated key; YAML itself silently keeps the last value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping."""
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is not a word", key.start_mark
                )
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' occurs more than once", key.start_mark
                )
            seen.add(key.value)
            if key.tag == "tag:yaml.org,2002:bool":  # YAML 1.1 reads the word `on` as true
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep=deep)


def yaml_fault(error: yaml.YAMLError, text: str) -> tuple[int, str, str]:
    """Return the line of a fault in some YAML, what is wrong there, and what is allowed."""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "")
    mark = getattr(error, "problem_mark", None)
    if "end of stream" in said or "expected ',' or" in said:
        mark = getattr(error, "context_mark", None) or mark  # where it was opened
    if mark is not None:
        line = mark.line + 1
    else:  # a character that YAML does not know: the reader only says at which place it is
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
    return (line, *yaml_words(said))


def read_mapping(text: str, *, file: Path | str, what: str) -> dict[str, Any]:
    """Return what some YAML holds.

    Parameters
    ----------
    text : str
    file : path
        Named in errors.
    what : str
        What the file is: a plan, a prompt.

    Raises
    ------
    RatifyError
        When it is not YAML, a key occurs more than once, or it is not a mapping.
    """
    try:
        content = yaml.load(text, Loader=_OnceLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        line, problem, allowed = yaml_fault(error, text)
        raise RatifyError(
            f"is not YAML at line {line}: {problem}", file=file, allowed=allowed
        ) from error
    except (TypeError, ValueError, RecursionError) as error:  # an invalid key or date
        raise RatifyError(f"holds YAML that cannot be read as a {what}", file=file) from error
    refuse_endless(content, file=file)
    if not isinstance(content, dict):
        raise RatifyError(f"is not a {what}", file=file, allowed=f"a mapping of the {what}'s keys")
    return content
