"""Says in our words what pydantic or PyYAML finds wrong with a plan or a prompt."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

QUOTED = "a text with a comma or a colon needs quotation marks"
# What each pattern of a text allows.
PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$": (
        "a letter, then letters, digits, _ . or -; at most 64 characters"
    ),
    r"^[A-Za-z][A-Za-z0-9_]{0,55}$": "a letter, then letters, digits or _; at most 56 characters",
    r"^[A-Za-z_][A-Za-z0-9_]{0,63}$": "the name of an environment variable: letters, digits, _",
    r"^https?://[^\s@?#]+$": "an address such as https://host/v1, without ?, # or a password",
    r"^[^\W\d_][\w-]*( [\w-]+){0,3}$": "one to four words without punctuation",
    r"^[A-Z]{3}$": "three capital letters, such as EUR",
    r"^[^\x00-\x1f]*$": "text on one line",
}
_WHOLE = ("is not a whole number", "a whole number")
_NUMBER = ("is not a number", "a number")
_FLAG = ("is neither true nor false", "true, false")
_LIST = ("is not a list", "a list, such as [one, other]")
_KEYS = ("is not a list of keys with values", "keys with values, such as {key: value}")
_TEXT = ("is not text", "text; a number, a date, yes or no needs quotation marks to be text")
# Types of errors of pydantic that need nothing but their name.
_WORDS: Mapping[str, tuple[str, str | None]] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    "int_parsing_size": ("is too large", "a smaller whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), _NUMBER),
    "finite_number": ("is not a finite number", "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("tuple_type", "list_type"), _LIST),
    **dict.fromkeys(
        (
            "dict_type",
            "mapping_type",
            "model_type",
            "model_attributes_type",
            "dict_attributes_type",
        ),
        _KEYS,
    ),
    "string_type": _TEXT,
    "string_unicode": ("has characters that are not text", "text in UTF-8"),
    "missing": ("is missing", "a value"),
    "extra_forbidden": ("unknown key", None),
    "json_invalid": ("is not JSON, or only a part of it", "the file as Ratify wrote it"),
    "none_required": ("must be empty", "null"),
}
_LIMITS: Mapping[str, tuple[str, str, str]] = {
    "greater_than": ("is too small", "more than {}", "gt"),
    "greater_than_equal": ("is too small", "{} or more", "ge"),
    "less_than": ("is too large", "less than {}", "lt"),
    "less_than_equal": ("is too large", "{} or less", "le"),
}
# What PyYAML says, as patterns, and our words: the fault, and what is allowed.
_YAML: tuple[tuple[str, str, str], ...] = (
    (r"^a key is not a word$", "a key is not a word", "a word and a colon"),
    (r"^the key '(.*)' occurs more than once$", r"the key '\1' occurs more than once", "it once"),
    (r"mapping values are not allowed", "there is a colon where none may be", QUOTED),
    (
        r"token\b|\\t",
        "a value cannot begin with this character, or a tab",
        "spaces, not tabs; "
        "a text that begins with a sign such as @, % or a backtick needs quotation marks",
    ),
    (r"unexpected end of stream|document separator", "a quotation mark is not closed", QUOTED),
    (r"could not find expected ':'", "a line has no colon", f"key: value; {QUOTED}"),
    (
        r"expected <block end>",
        "a line does not fit those above it",
        f"keys of one part indented by the same number of spaces; {QUOTED}",
    ),
    (
        r"expected ',' or",
        "a list or a part in brackets is not closed",
        f"a bracket at its end; {QUOTED}",
    ),
    (
        r"alias",
        "it has an alias (*) that stands for nothing",
        "a text that begins with * in quotation marks",
    ),
    (
        r"anchor",
        "it has an anchor (&) that cannot be read",
        "a text that begins with & in quotation marks",
    ),
    (
        r"tag|constructor",
        "it has a tag (!) that means nothing here",
        "a text that begins with ! in quotation marks",
    ),
    (
        r"escape",
        "a backslash stands before a character that it does not go with",
        "the text in single quotation marks, in which a backslash is a backslash",
    ),
    (
        r"special characters|encod|decod|code byte",
        "it has a character that YAML does not allow",
        "text in UTF-8 without control characters",
    ),
    (r"another document", "it has more than one document", "one, without '---'"),
)


def yaml_words(said: str) -> tuple[str, str]:
    """Return what is wrong with some YAML, and what is allowed.

    Parameters
    ----------
    said : str
        What PyYAML says of it.
    """
    for pattern, problem, allowed in _YAML:
        found = re.search(pattern, said)
        if found:
            return found.expand(problem), allowed
    return "it cannot be read here", QUOTED


def words_of(fault: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return what is wrong with a value, and what is allowed.

    Parameters
    ----------
    fault : mapping
        One of the errors of a pydantic `ValidationError`.
    """
    kind, about = fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return str(about["error"]), None
    if kind == "literal_error":
        return "is not known here", str(about["expected"])
    if kind in _LIMITS:
        problem, allowed, key = _LIMITS[kind]
        return problem, allowed.format(_plain(about[key]))
    if kind == "string_pattern_mismatch":
        return "has the wrong form", PATTERNS.get(
            about["pattern"], "a name as the docs describe it"
        )
    if kind in {"string_too_short", "string_too_long", "too_short", "too_long"}:
        short = kind.endswith("too_short")
        limit = about["min_length" if short else "max_length"]
        if isinstance(fault["input"], str):
            return _length_of_text(fault["input"], limit, short=short)
        return _length_of_list(about.get("actual_length"), limit, short=short)
    return _WORDS.get(kind, ("cannot be read", None))


def _length_of_text(text: str, limit: int, *, short: bool) -> tuple[str, str]:
    """Return the words for a text that is too short or too long."""
    if not text.strip():
        return "is empty", "some text"
    return f"has {len(text):,} characters", f"at {'least' if short else 'most'} {limit:,}"


def _length_of_list(there: int | None, limit: int, *, short: bool) -> tuple[str, str]:
    """Return the words for a list with too few or too many entries."""
    if there == 0:
        return "has no entry", f"at least {limit}"
    entries = "" if there is None else f": {there:,} entr{'y' if there == 1 else 'ies'}"
    few = "has too few entries" if short else "has too many entries"
    return few + entries, f"at {'least' if short else 'most'} {limit:,}"


def _plain(limit: Any) -> str:
    """Return a limit as it would be written in a plan."""
    if isinstance(limit, float) and math.isfinite(limit) and limit.is_integer():
        return str(int(limit))
    return str(limit)


def shown_value(fault: Mapping[str, Any]) -> Any:
    """Return the bad value, if it is short enough to be shown: no list and no part of a plan."""
    value = fault["input"]
    return None if isinstance(value, dict | list | tuple) or fault["type"] == "missing" else value
