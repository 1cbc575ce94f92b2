"""Reads a `plan.yaml` of kind chat, and reports its faults as those of every other plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prereg.chat.model import ChatPlan
from prereg.chat.rules import faults_of_chat
from prereg.errors import RatifyError
from prereg.kinds.registry import CHAT
from prereg.plan.file import plan_path, text_of
from prereg.plan.part_faults import faults_of_parts, named_as_written
from prereg.yaml_file import read_mapping


def kind_in(path: Path | str) -> str | None:
    """Return the kind that a plan names; nothing else of it is checked.

    Parameters
    ----------
    path : path
        A `plan.yaml`, or the study folder that holds one.

    Returns
    -------
    str or None
        None where there is no plan, where it cannot be read, and where it names no kind.
    """
    path = plan_path(path)
    try:
        kind = read_mapping(text_of(path), file=path, what="plan").get("kind")
    except RatifyError:
        return None
    return kind if isinstance(kind, str) else None


def is_chat(path: Path | str) -> bool:
    """Say whether a study folder, or a plan, is of kind chat."""
    return kind_in(path) == CHAT


def load_chat_plan(path: Path | str) -> ChatPlan:
    """Read and check a plan of kind chat.

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
    return parse_chat_plan(text_of(path), file=path)


def parse_chat_plan(text: str, *, file: Path | str) -> ChatPlan:
    """Check the YAML of a plan of kind chat.

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
    plan, faults = read_chat_plan(text, file=file)
    if plan is None or faults:
        raise faults[0]
    return plan


def read_chat_plan(text: str, *, file: Path | str) -> tuple[ChatPlan | None, list[RatifyError]]:
    """Return a plan of kind chat, unless a part of it is wrong by itself, and every fault.

    Raises
    ------
    RatifyError
        When it is not YAML.
    """
    content: dict[str, Any] = read_mapping(text, file=file, what="plan")
    try:
        plan = ChatPlan.model_validate(content)
    except ValidationError as error:
        return None, faults_of_parts(error, content, file, root=ChatPlan)
    return plan, between_parts(plan, content, file)


def between_parts(plan: ChatPlan, content: Any, file: Path | str) -> list[RatifyError]:
    """Return each fault of how the parts of a plan fit each other, named as in the user's file."""
    found = named_as_written(faults_of_chat(plan), content, file)
    return list({str(one): one for one in found}.values())
