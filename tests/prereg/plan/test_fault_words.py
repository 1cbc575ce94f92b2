"""If this failed, the author of a plan would read the words of a Python package, not ours."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from prereg.errors import RatifyError
from prereg.fault_words import PATTERNS
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.plan.part_faults import faults_of_parts
from prereg.plan.reporting import large_of
from study.judges.prompts.files import PromptFile, parse_prompt

NAMES = ("pairwise_preference", "empathy_rating", "best_response")
WORKED = {
    name: (resources.files("prereg") / "worked" / name / "plan.yaml").read_text("utf-8")
    for name in NAMES
}
# Words that pydantic uses and that Ratify does not.
FOREIGN = re.compile(
    r"input should|should be|should have|field required|validation|\btuple\b|\bdict\b|instance of|"
    r"valid (string|integer|number|boolean|list)|regex|constrained|dictionary|cannot be read"
)
STRANGE = (None, "", "a b", "x" * 3000, -1, 0, 10**9, 2.5, True, [], {}, [[]], ["a b"], math.inf)
MORE = """
survey:
  - {id: student, kind: choice, question: "Are you a student?", options: [this, that]}
  - {id: age, kind: scale, question: 'How old?', min: 1, max: 5, low: young, high: old}
practice:
  - {texts: [one, two]}
display: {noun: Reply, labels: [A, B], speakers: [User]}
comprehension: {question: 'Why?', options: [this, that], answer: 1}
data: {missing: [NA], columns: {items: {age: alter}}}
"""


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a plan."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*path, key))


def _with(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(content)
    part = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return changed


def _faults(content: Any) -> list[RatifyError]:
    try:
        Plan.model_validate(content)
    except ValidationError as error:
        return faults_of_parts(error, content, "plan.yaml")
    return []


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_written_for_a_value_is_answered_in_our_words(name: str) -> None:
    content = yaml.safe_load(WORKED[name])
    if name == NAMES[0]:
        content |= yaml.safe_load(MORE)
    said = 0
    for path in _places(content):
        for value in STRANGE:
            changed = _with(content, path, value)
            for fault in _faults(changed):
                line = str(fault).replace(repr(value), "")
                assert not FOREIGN.search(line.casefold()), line
                said += 1
    assert said > 400


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  raters: 150", "  raters: 0", "design.raters: is too small, got 0 (allowed: 1 or more)"),
        ("  raters: 150", "  raters: 150.5", "is not a whole number, got 150.5"),
        (
            "  raters: 150",
            "  raters: 1000000",
            "is too large, got 1000000 (allowed: 100000 or less",
        ),
        ("seed: 20261121", "seed: lucky", "seed: is not a whole number, got 'lucky'"),
        ("side: balanced", "side: left", "is not known here, got 'left' (allowed: 'balanced')"),
        ("id: H2\n", "id: H 2\n", "has the wrong form, got 'H 2' (allowed: a letter, then letters"),
        ("id: H2\n", "id: 2\n", "is not text, got 2 (allowed: text; a number"),
        ("  trials: 10\n", "", "design.trials: is missing (allowed: a value)"),
        ("seed: 20261121", "seed: 1\nhypothesis: 3", "hypothesis: unknown key (allowed: "),
        (
            "seed: 20261121",
            "seed: 1\nsurvey: [{id: s, kind: choice, question: Q, options: []}]",
            "survey.0.options (s): has no entry (allowed: at least 2)",
        ),
        (
            "seed: 20261121",
            "seed: 1\nsurvey: [{id: s, kind: choice, question: Q, options: [one]}]",
            "survey.0.options (s): has too few entries: 1 entry (allowed: at least 2)",
        ),
        (
            "seed: 20261121",
            "seed: 1\nsurvey: [{id: s, kind: choice, question: Q, options: one}]",
            "survey.0.options (s): is not a list, got 'one' (allowed: a list, such as",
        ),
        (
            "seed: 20261121",
            "seed: 1\ndisplay: {noun: " + "x" * 50 + "}",
            "display.noun: has 50 characters, got '",
        ),
        ("seed: 20261121", "seed: 1\ndisplay: markdown", "display: is not a list of keys"),
        ("seed: 20261121", "seed: 1\npractice: two", "practice: is not a whole number, got 'two'"),
    ],
)
def test_the_words_of_each_kind_of_fault(old: str, new: str, says: str) -> None:
    text = WORKED[NAMES[0]]
    assert old in text
    with pytest.raises(RatifyError) as caught:
        parse_plan(text.replace(old, new, 1), file="plan.yaml")
    assert says in str(caught.value)


def test_a_text_with_a_comma_or_a_colon_is_said_to_need_quotation_marks() -> None:
    text = WORKED[NAMES[0]]
    own = "hypotheses:\n  - {id: H9, text: The larger GPT's gap, the more often it wins}\n"
    with pytest.raises(RatifyError) as caught:
        parse_plan(text.replace("hypotheses:\n", own, 1), file="plan.yaml")
    assert "unknown key; a text with a comma or a colon needs quotation marks" in str(caught.value)
    own = "hypotheses:\n  - id: H9\n    text: Note: more\n"
    with pytest.raises(RatifyError, match=r"not YAML at line .* needs quotation marks"):
        parse_plan(text.replace("hypotheses:\n", own, 1), file="plan.yaml")


def test_every_pattern_of_a_plan_has_words() -> None:
    found = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            found.update([part["pattern"]] if isinstance(part.get("pattern"), str) else [])
        for inner in part.values() if isinstance(part, dict) else part:
            if isinstance(inner, dict | list):
                walk(inner)

    walk(Plan.model_json_schema())
    walk(PromptFile.model_json_schema())
    assert found
    assert found <= set(PATTERNS)


def test_prompts_and_limits_speak_like_the_plan() -> None:
    with pytest.raises(RatifyError, match=r"bias: is too large, got '2' \(allowed: less than 1"):
        large_of(["bias=2"])
    with pytest.raises(RatifyError, match="bias: is not a number, got 'x'"):
        large_of(["bias=x"])
    with pytest.raises(RatifyError) as caught:
        parse_prompt("task: 3\n", name="p", file="p.yaml")
    assert not FOREIGN.search(str(caught.value).casefold())
