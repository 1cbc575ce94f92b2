"""If these failed, the filter for code and instructions would not do what its table says."""

from __future__ import annotations

import pyarrow as pa
import pytest

from study.turns.rules import RULES, Rule, matches
from tests.support.paths import ROOT


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_finds_its_examples_and_leaves_the_others(rule: Rule) -> None:
    assert rule.examples
    assert rule.others
    found = matches(pa.array([*rule.examples, *rule.others]))[rule.name]
    assert found.tolist() == [True] * len(rule.examples) + [False] * len(rule.others)


@pytest.mark.parametrize(
    "text",
    [
        "I feel so alone since she left, and I do not know what to do.",
        "Thank you. You understand me better than my friends do.",
        "What should I cook tonight? I have rice and two eggs; nothing else.",
        "Do you think that my boss hates me?",
        "Is it normal to feel nothing after a funeral?",
        "My daughter learned to read at 4. I was so proud!",
        "Give me some advice about my mother, please.",
        "I was writing in my diary and started to cry.",
        "He said: you are a good listener.",
        "Could you listen for a minute?",
        "We broke up in May {it was raining}.",
        "lol ok",
        "",
    ],
)
def test_people_who_just_talk_are_left_alone(text: str) -> None:
    assert [name for name, found in matches(pa.array([text])).items() if found[0]] == []


def test_a_missing_text_is_found_by_no_rule() -> None:
    assert not any(found[0] for found in matches(pa.array([None], pa.string())).values())


def test_the_docs_have_the_same_table() -> None:
    page = (ROOT / "docs" / "turns.md").read_text(encoding="utf-8")
    for rule in RULES:
        looks = "user" if rule.by_user_only else "user, replies"
        row = f"| `{rule.name}` | {looks} | {rule.means} | "
        assert row in page, row
        (line,) = [line for line in page.splitlines() if line.startswith(row)]
        for text in (rule.examples[0], rule.others[0]):
            assert text.replace("\n", " ⏎ ") in line
