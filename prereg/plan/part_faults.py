"""The faults of a plan's parts by themselves: the key, the bad value and what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from prereg.analyses.registry import ANALYSES
from prereg.chat.surveys import SURVEY_QUESTIONS
from prereg.errors import RatifyError
from prereg.fault_words import QUOTED, shown_value, words_of
from prereg.plan.causal import ENCODER_FORMS, EmbeddingServer, SentenceTransformer, is_server
from prereg.plan.collection import RatingScale
from prereg.plan.judging import JUDGES
from prereg.plan.label_scale import NAMES, POINTS, LabelScale, is_label_scale
from prereg.plan.model import Plan
from prereg.plan.practice import NUMBER, OWN
from prereg.plan.survey import QUESTIONS


def is_unquoted(key: int | str) -> bool:
    """Say whether an unknown key is rather the end of a text with a comma, without its quotes."""
    return len(str(key).split()) > 1


def named_as_written(
    faults: Iterable[RatifyError], content: Any, file: Path | str
) -> list[RatifyError]:
    """Return faults with the file and the name of the part that they are in."""
    return [
        RatifyError(
            fault.problem,
            file=file,
            column=fault.column,
            value=fault.value,
            allowed=fault.allowed,
            part=part_named(content, fault.column or ""),
        )
        for fault in faults
    ]


def part_named(content: Any, column: str) -> str | None:
    """Return the id of the part of a list that a dotted path leads into, if it has one."""
    *path, last = column.split(".")
    if last == "id":
        return None  # the value says it
    found = None
    for key in [*path, last]:
        if isinstance(content, list) and key.isdecimal() and int(key) < len(content):
            content = content[int(key)]
            name = content.get("id") if isinstance(content, dict) else None
            found = name if isinstance(name, str) else found
        elif isinstance(content, dict):
            content = content.get(key)
        else:
            break
    return found


def _by_kind(models: tuple[Any, ...]) -> dict[str, Any]:
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


# Parts of the plan that come in kinds: the model of each kind.
_KINDS: dict[str, dict[str, Any]] = {
    "analyses": ANALYSES,
    "judges": _by_kind(JUDGES),
    "survey": _by_kind(QUESTIONS),
    "questions": _by_kind(SURVEY_QUESTIONS),
}
# Forms of one key, which pydantic adds to a path, too.
_FORMS = (NUMBER, OWN, POINTS, NAMES, *ENCODER_FORMS)


def without_tags(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return a path as it is in the user's file, without the kinds that pydantic adds to it."""
    return tuple(
        part
        for at, part in enumerate(loc)
        if part not in _FORMS
        and not (
            at > 1
            and isinstance(loc[at - 1], int)
            and loc[at - 2] in _KINDS
            and part in _KINDS[str(loc[at - 2])]
        )
    )


def _within(where: tuple[int | str, ...], content: Any) -> tuple[int | str, ...]:
    """Return the part of a path that the user's file has: pydantic names the forms of a value."""
    for at, part in enumerate(where):
        there = (isinstance(content, dict) and part in content) or (
            isinstance(content, list) and isinstance(part, int) and part < len(content)
        )
        if not there:
            return where[:at]
        content = content[part]
    return where


def first_fault(error: ValidationError, content: Any, file: Path | str) -> RatifyError:
    """Return the first fault of a plan's parts as one line."""
    return faults_of_parts(error, content, file)[0]


def faults_of_parts(
    error: ValidationError, content: Any, file: Path | str, *, root: type[BaseModel] = Plan
) -> list[RatifyError]:
    """Return the faults of a plan's parts, each as one line, misspelt keys first.

    Parameters
    ----------
    error : ValidationError
    content : object
        What the YAML holds.
    file : path
        Named in errors.
    root : type of BaseModel
        The model that the plan was read with.
    """
    faults = error.errors(include_url=False)
    # a misspelt key also leaves its field missing: report the spelling, which the user can mend
    misspelt = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    others = [
        fault
        for fault in faults
        if fault not in misspelt
        and not _is_of_wrong_entries(fault)
        and not (fault["type"] == "missing" and _is_misspelt(fault["loc"], misspelt))
    ]
    found = [_fault(fault, content, file, root) for fault in misspelt + others]
    return _one_for_each_field(found)


def _is_of_wrong_entries(fault: Any) -> bool:
    """Say whether a list is only too short because its wrong entries were not counted."""
    if fault["type"] != "too_short" or not isinstance(fault["input"], list | tuple):
        return False
    return len(fault["input"]) >= int(fault["ctx"]["min_length"])


def _is_misspelt(where: tuple[int | str, ...], misspelt: list[Any]) -> bool:
    """Say whether one of the misspelt keys beside a missing key is probably that key."""
    beside = [str(f["loc"][-1]) for f in misspelt if f["loc"][:-1] == where[:-1]]
    return bool(difflib.get_close_matches(str(where[-1]), beside, n=1, cutoff=0.6))


def _one_for_each_field(faults: list[RatifyError]) -> list[RatifyError]:
    """Return one fault for each field: a value of several forms has one for each of them."""
    found: dict[tuple[str | None, str], RatifyError] = {}
    for fault in faults:
        key = (fault.column, fault.problem if fault.problem.startswith("unknown key") else "")
        before = found.setdefault(key, fault)
        if before is not fault:
            either = list(dict.fromkeys(one.allowed for one in (before, fault) if one.allowed))
            found[key] = RatifyError(
                before.problem,
                file=fault.file,
                column=fault.column,
                value=fault.value,
                allowed=", or ".join(either) or None,
                part=fault.part,
            )
    return list(found.values())


def _fault(fault: Any, content: Any, file: Path | str, root: type[BaseModel]) -> RatifyError:
    where = without_tags(fault["loc"])
    if fault["type"] not in {"missing", "extra_forbidden"}:
        where = _within(where, content)
    field = ".".join(str(part) for part in where) or "plan"
    part = part_named(content, field)
    if fault["type"] == "extra_forbidden":
        keys = ", ".join(_keys_at(content, where[:-1], root)) or "no such key"
        problem = f"unknown key; {QUOTED}" if is_unquoted(where[-1]) else "unknown key"
        return RatifyError(problem, file=file, column=field, allowed=keys, part=part)
    if fault["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        return _unknown_kind(fault["ctx"].get("tag"), where, file)
    problem, allowed = words_of(fault)
    value = shown_value(fault)
    return RatifyError(problem, file=file, column=field, value=value, allowed=allowed, part=part)


def _unknown_kind(kind: str | None, where: tuple[int | str, ...], file: Path | str) -> RatifyError:
    """Return the error for a part whose kind is missing or unknown."""
    return RatifyError(
        "is missing" if kind is None else "is not known here",
        file=file,
        column=".".join(str(part) for part in (*where, "kind")),
        value=kind,
        allowed=", ".join(next(_KINDS[str(key)] for key in reversed(where) if key in _KINDS)),
    )


def _keys_at(content: Any, where: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """Return the keys that are allowed at this path of the plan."""
    model: Any = root
    value = content
    kinds: dict[str, Any] = {}
    names = False  # whether the next key is a name of the user's, such as that of a server
    for part in where:
        value = value[part]
        if names:
            names = False
        elif not isinstance(part, int):
            annotation = model.model_fields[part].annotation
            listed = get_origin(annotation) is tuple
            kinds = _KINDS.get(part, {}) if listed else {}
            names = get_origin(annotation) is dict
            model = None if kinds else _model_in(annotation)
            if model is SentenceTransformer and is_server(value):
                model = EmbeddingServer
        elif kinds:
            model = kinds[value["kind"]]
        elif model is RatingScale and is_label_scale(value):
            model = LabelScale
    return [f.alias or name for name, f in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """Return the model that a field holds, also if it is in a tuple or optional."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inside = (_model_in(part) for part in get_args(annotation))
    return next((model for model in inside if model is not None), None)
