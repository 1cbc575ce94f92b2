"""If these failed, a key of a plan would answer in a package's words, or with a traceback."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from prereg.analyses.registry import ANALYSES
from prereg.errors import RatifyError
from prereg.fault_words import words_of
from prereg.plan.judging import JUDGES
from prereg.plan.partial import partial_of
from prereg.plan.schema import models_of_a_plan
from prereg.plan.survey import QUESTIONS
from prereg.worked_plans import Choices, chosen_plan
from prereg.yaml_file import read_mapping
from prereg.yaml_lines import YamlLines

FOREIGN = re.compile(
    r"input should|field required|extra inputs|pydantic|yaml\.|validation error|valid (string|int|"
    r"number|bool|list|dict|tuple)|\btuple\b|\bdict\b|union_tag|discriminator|type=|traceback|"
    r"mapping values|could not find|expected <|while (scanning|parsing|constructing)|block (end|"
    r"mapping|sequence)|flow (sequence|mapping)|simple key|character '|constructor|should (be|have)"
)
WRONG = (None, "", "a b", -1, 2.5, True, [], {}, [[]], {"a": 1}, ["x", "x"], 10**20)
BASE = yaml.safe_load(chosen_plan("empathy_rating", Choices()))
MODELS = models_of_a_plan()


def refused(line: str) -> None:
    assert not FOREIGN.search(line.casefold()), line


def _faults(model: type[BaseModel], content: Any) -> Iterator[Any]:
    try:
        model.model_validate(content)
    except ValidationError as error:
        yield from error.errors(include_url=False)


@pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))
def test_every_key_of_every_part_answers_in_our_words(model: type[BaseModel]) -> None:
    said = 0
    for name, field in model.model_fields.items():
        for value in WRONG:
            for fault in _faults(model, {field.alias or name: value, "no such key": 1}):
                problem, allowed = words_of(fault)
                refused(f"{problem} ({allowed})")
                assert problem != "cannot be read", (model, name, value, fault)
                said += 1
    assert said >= len(model.model_fields)


def _plans() -> Iterator[dict[str, Any]]:
    """Yield plans with one wrong part: every key of the plan, of every kind of every list."""
    for key in [*BASE, "measures", "survey", "gate", "display", "assumptions", "large", "data"]:
        for value in (*WRONG, ["x"], [3], [{}], [{"kind": "none"}], {"no": {"such": "key"}}):
            yield BASE | {key: value}
        yield {name: value for name, value in BASE.items() if name != key}
    kinds = {"analyses": ANALYSES.values(), "judges": JUDGES, "survey": QUESTIONS}
    for part, models in kinds.items():
        for model in models:
            kind = model.model_fields["kind"].annotation.__args__[0]  # type: ignore[union-attr]
            for name in model.model_fields:
                for value in ({}, [[]], "a b", 2.5):
                    own = {"id": "mine", "kind": kind, "no_such_key": 1}
                    yield BASE | {part: [own | {name: value}]}


def test_a_plan_with_any_wrong_part_is_read_as_far_as_it_can_be() -> None:
    count = 0
    for plan in _plans():
        for fault in partial_of(plan, Path("plan.yaml"), YamlLines("")).faults:
            refused(str(fault))
            assert fault.column
            count += 1
    assert count > 1000


def test_whatever_is_typed_into_the_file_is_answered_in_our_words() -> None:
    rng = random.Random(3)
    text = "\n".join(chosen_plan("pairwise_preference", Choices()).splitlines()[:60])
    said = set()
    for _ in range(250):
        at = rng.randrange(len(text))
        typed = rng.choice(
            ["\t", ":", ": x: y", "'", '"', "[", "}", "*a", "&", "!x ", "@", "%", "`"]
        )
        typed = rng.choice(
            [typed, "\n" + typed, "\n" + " " * rng.randrange(6) + "- ", "\x07", "\n---\n"]
        )
        wrong = text[:at] + typed + text[at + rng.randrange(3) :]
        try:
            read_mapping(wrong, file="plan.yaml", what="plan")
        except RatifyError as error:
            line = str(error)
            refused(line)
            said.add(error.problem.partition(": ")[2])
            assert re.search(r"at line \d+: |holds YAML|is not a plan", line), line
    assert len(said) > 6
