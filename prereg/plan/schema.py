"""The JSON Schema of a plan, from its models and their docstrings, for editors."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any

from pydantic import BaseModel

from prereg.analyses.registry import ANALYSES
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan

SCHEMA_FILE = "plan.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
# The first line of a plan, by which editors that know YAML find its schema.
SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
_FIELD = re.compile(r"^(\w[\w, ]*?)(?: : .*)?\n((?:    .*\n?|\n)+)", re.MULTILINE)


def plan_schema(root: type[BaseModel] = Plan) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `plan.yaml`.

    Parameters
    ----------
    root : type of BaseModel
        The model of the plan: `Plan`, or `prereg.chat.model.ChatPlan` for the kind chat.

    Returns
    -------
    dict
        Unknown keys are refused. Each part and, where its docstring describes them, each key has a
        description. What one part asks of another is left to `ratify check`.
    """
    schema = root.model_json_schema(by_alias=True, mode="validation")
    models = models_of_a_plan(root)
    for name, part in schema["$defs"].items():
        _describe(part, models.get(name))
    _describe(schema, root)
    _plainer(schema)
    return {
        "$schema": DRAFT,
        "$id": SCHEMA_FILE,
        **schema,
        "title": f"A plan of Ratify ({PLAN_FILE})",
    }


@cache
def schema_text(root: type[BaseModel] = Plan) -> str:
    """Return the schema as the text of its file."""
    return json.dumps(plan_schema(root), indent=1, ensure_ascii=False) + "\n"


def models_of_a_plan(root: type[BaseModel] = Plan) -> dict[str, type[BaseModel]]:
    """Return every model that a plan may hold, by name."""
    found: dict[str, type[BaseModel]] = {}
    queue: list[Any] = [root, *ANALYSES.values()]
    while queue:
        one = queue.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            if one.__name__ in found:
                continue
            found[one.__name__] = one
            queue += [field.annotation for field in one.model_fields.values()]
        else:
            queue += getattr(one, "__args__", ())
    return found


def _describe(part: dict[str, Any], model: type[BaseModel] | None) -> None:
    """Give a part and its keys the words of the model's docstring."""
    if model is None or "properties" not in part:
        return
    part["description"] = _summary(model)
    for base in reversed(model.__mro__):  # a key may be described where it is inherited from
        for name, text in _fields(base).items():
            if name in part["properties"]:
                part["properties"][name]["description"] = text


def _summary(model: type) -> str:
    """Return the docstring before its sections, each paragraph on one line."""
    text = inspect.cleandoc(model.__doc__ or "")
    text = re.split(r"\n\w+\n-{3,}\n", text)[0]
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


def _fields(model: type) -> dict[str, str]:
    """Return what the Attributes of a docstring say of each key."""
    text = inspect.cleandoc(model.__doc__ or "")
    _, _, rest = text.partition("\nAttributes\n----------\n")
    rest = re.split(r"\n\w+\n-{3,}\n", rest)[0] + "\n"
    return {
        name.strip(): " ".join(said.split())
        for names, said in _FIELD.findall(rest)
        for name in names.split(",")
    }


def _plainer(part: Any) -> None:
    """Take out the titles that pydantic makes from names, and its own keyword."""
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            del part["title"]
        part.pop("discriminator", None)
        for inner in part.values():
            _plainer(inner)
    elif isinstance(part, list):
        for inner in part:
            _plainer(inner)
