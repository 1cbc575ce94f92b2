"""Prompts and requests for the tests of how a judge is asked."""

from __future__ import annotations

import re
from pathlib import Path

from study.items import Item
from study.judges.lexicon import DIMENSIONS
from study.judges.prompts.chosen import (
    Prompt,
    Question,
    ask_best_worst,
    ask_pairwise,
    ask_rating,
    load_prompt,
)

NOWHERE = Path("nowhere")
SIX = tuple(DIMENSIONS)
RUBRICS = ("six_behaviours", "empathy", "attachment", "support_functions")
TIES = ("pairwise_ties", "pairwise_ties_terse")
COMPARISONS = ("pairwise", "pairwise_terse", "pairwise_reader", *TIES, "best_worst")


def packaged(name: str) -> Prompt:
    return load_prompt(name, NOWHERE)


def item(text: str, context: str = "") -> Item:
    return Item("SECRET-ID", "SECRET-SCENARIO", text, context)


def user(question: Question) -> str:
    return question.messages[1]["content"]


def system(question: Question) -> str:
    return question.messages[0]["content"]


def questions_of(ask: Prompt, items: list[Item]) -> list[Question]:
    if ask.task == "pairwise":
        return [ask_pairwise(ask, "Q", items[0], items[1])]
    if ask.task == "best_worst":
        return [ask_best_worst(ask, "Q", items)]
    return [ask_rating(ask, one, list(ask.rubric)) for one in items if ask.rubric]


def code_of(message: str) -> str:
    """The code of a request, taken from its first marker, which comes before all material."""
    found = re.search(r"<<<BEGIN [^\n]*? ([0-9a-f]{16})>>>\n", message)
    assert found
    return found[1]


def fenced(message: str) -> dict[str, str]:
    """The text between the markers, by name, read by the rule alone."""
    code = code_of(message)
    pieces = re.split(rf"<<<(BEGIN|END) ([^\n]*?) {code}>>>", message)
    found = {}
    for at in range(1, len(pieces), 6):
        begin, name, inside, end, again = pieces[at : at + 5]
        assert (begin, end, name) == ("BEGIN", "END", again)
        assert inside[0] == inside[-1] == "\n"
        found[name] = inside[1:-1]
    return found


def around(message: str) -> str:
    """A message without the text between its markers."""
    code = code_of(message)
    return re.sub(
        rf"(<<<BEGIN ([^\n]*?) {code}>>>\n).*?(\n<<<END \2 {code}>>>)",
        r"\1\3",
        message,
        flags=re.DOTALL,
    ).replace(code, "CODE")


def own(task: str) -> str:
    """The shortest valid prompt file that somebody could write."""
    if task == "rating":
        return """
schema: 1
task: rating
version: 1
system: Rate the warmth.
user: "{scales} {text} {answer}"
dimensions:
  warmth:
    title: Warmth
    definition: How warm it is.
    min: 1
    max: 3
    levels: {1: cold, 2: lukewarm, 3: warm}
"""
    return f"""
schema: 1
task: {task}
version: 1
system: Compare.
user: "{{question}} {{texts}} {{answer}}"
"""
