"""Reads `plan.yaml` and reports its faults: the field, the bad value and what is allowed."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from prereg.analyses.registry import ANALYSES
from prereg.errors import RatifyError
from prereg.fault_words import QUOTED, shown_value, words_of
from prereg.plan.causal import ENCODER_FORMS, EmbeddingServer, SentenceTransformer, is_server
from prereg.plan.collection import RatingScale
from prereg.plan.collection_rules import faults_of_collection
from prereg.plan.judging import JUDGES
from prereg.plan.label_scale import NAMES, POINTS, LabelScale, is_label_scale
from prereg.plan.model import Plan
from prereg.plan.practice import NUMBER, OWN
from prereg.plan.rules import faults_of_rules
from prereg.plan.survey import QUESTIONS
from prereg.yaml_file import read_mapping

PLAN_FILE = "plan.yaml"
# Parts on which no other part of a plan depends.
_ALONE = (
    "survey",
    "practice",
    "display",
    "data",
    "large",
    "assumptions",
    "data_management",
    "causal",
)


def parse_plan(text: str, *, file: Path | str) -> Plan:
    """Check a plan's YAML.

    Parameters
    ----------
    text : str
        YAML.
    file : path
        Named in errors.

    Raises
    ------
    RatifyError
        At the first fault: the field's path, the bad value, what is allowed.
    """
    plan, faults = _read(text, file)
    if plan is None or faults:
        raise faults[0]
    return plan


def _read(text: str, file: Path | str) -> tuple[Plan | None, list[RatifyError]]:
    """Return the plan, unless a part of it is wrong by itself, and every fault."""
    content = read_mapping(text, file=file, what="plan")
    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        rest = _without_wrong_parts(error, content)
        found = faults_between_parts(rest, content, file) if rest is not None else []
        return None, faults_of_parts(error, content, file) + found
    return plan, faults_between_parts(plan, content, file)


def _without_wrong_parts(error: ValidationError, content: dict[str, Any]) -> Plan | None:
    """Return a plan without its wrong parts; None if another part depends on one of them."""
    rest = copy.deepcopy(content)
    for fault in error.errors(include_url=False):
        where = without_tags(fault["loc"])
        if where and where[0] in _ALONE:
            rest.pop(str(where[0]), None)
        elif fault["type"] == "extra_forbidden" and is_unquoted(where[-1]):
            part: Any = rest
            for key in where[:-1]:
                part = part[key]
            del part[where[-1]]
        else:
            return None
    try:
        return Plan.model_validate(rest)
    except ValidationError:
        return None


def is_unquoted(key: int | str) -> bool:
    """Say whether an unknown key is rather the end of a text with a comma, without its quotes."""
    return len(str(key).split()) > 1


def faults_between_parts(plan: Plan, content: Any, file: Path | str) -> list[RatifyError]:
    """Return a fault for each part that does not fit another, named as in the user's file."""
    return [
        RatifyError(
            fault.problem,
            file=file,
            column=fault.column,
            value=fault.value,
            allowed=fault.allowed,
            part=part_named(content, fault.column or ""),
        )
        for fault in faults_of_rules(plan)
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


def load_plan(path: Path | str) -> Plan:
    """Read and check a plan.

    Parameters
    ----------
    path : path
        A `plan.yaml`, or the study folder that holds one.

    Raises
    ------
    RatifyError
        When the file is missing, is not YAML, or breaks a rule of the plan.
    """
    path = plan_path(path)
    return parse_plan(text_of(path), file=path)


def load_collected(path: Path | str) -> Plan:
    """Read a plan for the answers of people, whatever is wrong with its judges.

    A plan whose judges break a rule is returned without judges, and only each part by itself is
    checked. The hash of a lock shows whether anything else has changed.

    Raises
    ------
    RatifyError
        When the plan is wrong even without its judges.
    """
    path = plan_path(path)
    text = text_of(path)
    try:
        return parse_plan(text, file=path)
    except RatifyError as error:
        content = read_mapping(text, file=path, what="plan")
        content.pop("judges", None)
        try:
            plan = Plan.model_validate(content)
        except ValidationError:
            raise error from None
        if next(faults_of_collection(plan), None) is not None:
            raise error from None
        return plan


def plan_path(path: Path | str) -> Path:
    """Return the path of a plan, which may be named by its folder."""
    path = Path(path)
    return path / PLAN_FILE if path.is_dir() else path


def text_of(path: Path) -> str:
    """Return the text of a plan, or raise `RatifyError` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise RatifyError(
            "no such plan", file=path, allowed="a study folder; `ratify new DIR` makes one"
        ) from error
    except UnicodeDecodeError as error:
        raise RatifyError("is not text in UTF-8", file=path) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def _by_kind(models: tuple[Any, ...]) -> dict[str, Any]:
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


# Parts of the plan that come in kinds: the model of each kind.
_KINDS: dict[str, dict[str, Any]] = {
    "analyses": ANALYSES,
    "judges": _by_kind(JUDGES),
    "survey": _by_kind(QUESTIONS),
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


def faults_of_parts(error: ValidationError, content: Any, file: Path | str) -> list[RatifyError]:
    """Return the faults of a plan's parts, each as one line, misspelt keys first."""
    faults = error.errors(include_url=False)
    # a misspelt key also leaves its field missing: report the spelling, which the user can mend
    misspelt = [fault for fault in faults if fault["type"] == "extra_forbidden"]
    others = [
        fault
        for fault in faults
        if fault not in misspelt
        and not (fault["type"] == "missing" and _is_misspelt(fault["loc"], misspelt))
    ]
    return _one_for_each_field([_fault(fault, content, file) for fault in misspelt + others])


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


def _fault(fault: Any, content: Any, file: Path | str) -> RatifyError:
    where = without_tags(fault["loc"])
    if fault["type"] not in {"missing", "extra_forbidden"}:
        where = _within(where, content)
    field = ".".join(str(part) for part in where) or "plan"
    part = part_named(content, field)
    if fault["type"] == "extra_forbidden":
        keys = ", ".join(_keys_at(content, where[:-1])) or "no such key"
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
        allowed=", ".join(_KINDS[str(where[0])]),
    )


def _keys_at(content: Any, where: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are allowed at this path of the plan."""
    model: Any = Plan
    value = content
    kinds: dict[str, Any] = {}
    for part in where:
        value = value[part]
        if not isinstance(part, int):
            kinds = _KINDS.get(part, {})
            model = None if kinds else _model_in(model.model_fields[part].annotation)
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
