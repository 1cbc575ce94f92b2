"""Reads `plan.yaml` and reports its faults: the field, the bad value and what is allowed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.errors import RatifyError
from prereg.kinds.registry import CHAT, every_kind, unknown_kind
from prereg.plan.collection_rules import faults_of_collection
from prereg.plan.model import Plan
from prereg.plan.part_faults import faults_of_parts, is_unquoted, named_as_written, without_tags
from prereg.plan.rules import faults_of_rules
from prereg.yaml_file import read_mapping
from prereg.yaml_lines import YamlLines

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
    if content.get("kind") == CHAT:
        raise RatifyError(
            "is a plan of conversations, which is no plan of trials",
            file=file,
            column="kind",
            value=CHAT,
            allowed="what docs/chat.md says of a study of kind chat",
        )
    fault = fault_of_kind(content, file)
    if fault is not None:
        return None, [fault]
    try:
        plan = Plan.model_validate(content)
    except ValidationError as error:
        rest = _without_wrong_parts(error, content)
        found = faults_between_parts(rest, content, file) if rest is not None else []
        return None, faults_of_parts(error, content, file) + found
    return plan, faults_between_parts(plan, content, file)


def fault_of_kind(content: dict[str, Any], file: Path | str) -> RatifyError | None:
    """Return the fault of a kind that is not known, by which no other key can be judged."""
    kind = content.get("kind")
    if not isinstance(kind, str) or kind in every_kind():
        return None
    return unknown_kind(kind, file=file)


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


def faults_between_parts(plan: Plan, content: Any, file: Path | str) -> list[RatifyError]:
    """Return a fault for each part that does not fit another, named as in the user's file."""
    return named_as_written(faults_of_rules(plan), content, file)


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
        if fault_of_kind(content, path) is not None:
            raise
        content.pop("judges", None)
        try:
            plan = Plan.model_validate(content)
        except ValidationError:
            raise error from None
        if next(faults_of_collection(plan), None) is not None:
            raise error from None
        return plan


def content_of(path: Path | str) -> tuple[Path, dict[str, Any], YamlLines]:
    """Return where a plan is, what its YAML holds, and on which lines.

    Raises
    ------
    RatifyError
        When the file is missing or is not YAML.
    """
    path = plan_path(path)
    text = text_of(path)
    return path, read_mapping(text, file=path, what="plan"), YamlLines(text)


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
