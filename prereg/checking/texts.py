"""Finds texts that nobody edited: of a worked plan, placeholders, and another language's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from prereg.checking.language import NAMES, language_of
from prereg.checking.remark import Remark, warning
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.model import Plan

_PLACEHOLDER = re.compile(
    r"\bTODO\b|\bFIXME\b|\bTBD\b|\bXX+\b|_{4,}|\?\?\?|(?i:lorem ipsum)"
    r"|(?i:<(?:your|insert|name|e-?mail)\b[^<>\n]{0,40}>)"
    r"|(?i:\[(?:your|insert|enter|add|name|e-?mail|phone|contact|institution|ihr|ihre|hier|اسم|أدخل)"
    r"\b[^\]\n]{0,40}\](?!\())"
)
# At most so many items are read to tell their language.
_MOST_ITEMS = 40


def left_from_worked_plan(plan: Plan, texts: Mapping[str, str]) -> list[Remark]:
    """Return warnings about texts and names that are still those of a worked plan.

    Parameters
    ----------
    plan : Plan
        Of a study with the researcher's own items.
    texts : mapping
        Its consent and instructions.
    """
    found: dict[str, Remark] = {}
    for worked in (resources.files("prereg") / "worked").iterdir():
        theirs = parse_plan((worked / PLAN_FILE).read_text(encoding="utf-8"), file=PLAN_FILE)
        files = [one for one in worked.iterdir() if one.name.endswith(".md")]
        for name, text in texts.items():
            given = [one for one in files if one.name.partition(".")[0] == name]
            if any(text.split() == one.read_text(encoding="utf-8").split() for one in given):
                found[name] = warning(
                    f"{getattr(plan.materials, name)} is still the text of a worked plan. Raters "
                    "would read about another study.",
                    "Write your own.",
                    f"materials.{name}",
                )
        same = [name for name in ("id", "title") if getattr(plan, name) == getattr(theirs, name)]
        if plan.hypotheses and plan.hypotheses == theirs.hypotheses:
            same.append("hypotheses")
        if plan.recruitment.codes.completed == theirs.recruitment.codes.completed:
            same.append("recruitment.codes.completed")
        if same:
            said = f"plan.yaml still has the worked plan's {_words(same)}."
            do = "Write your own before the lock, because they cannot be changed afterwards."
            found[said] = warning(said, do, same[0])
    return list(found.values())


def _words(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def placeholders(plan: Plan, texts: Mapping[str, str]) -> list[Remark]:
    """Return warnings about placeholders in the texts and in every text of the plan.

    Parameters
    ----------
    plan : Plan
    texts : mapping
        Consent and instructions.
    """
    found = [
        warning(
            f"it still has a placeholder: {place[0]}",
            "Write what belongs there.",
            file=getattr(plan.materials, name),
            line=number,
        )
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        for place in _PLACEHOLDER.finditer(line)
    ]
    for key, text in _texts_of(plan.to_json()):
        place = _PLACEHOLDER.search(text)
        if place:
            found.append(
                warning(f"the plan still has a placeholder: {place[0]}", "Write your own.", key)
            )
    return found


def other_languages(
    plan: Plan, texts: Mapping[str, str], items: Sequence[str] = ()
) -> list[Remark]:
    """Return warnings about texts in another language than the pages' own words.

    Parameters
    ----------
    plan : Plan
    texts : mapping
        Consent and instructions.
    items : sequence of str
        Texts of the items.
    """
    found = []
    shown = {f"materials.{name}": (getattr(plan.materials, name), t) for name, t in texts.items()}
    shown |= {key: (key, text) for key, text in _shown_by(plan)}
    if items:
        some = items[:: max(1, len(items) // _MOST_ITEMS)]
        shown["materials.items"] = (plan.materials.items, "\n".join(some))
    for key, (name, text) in shown.items():
        spoken = language_of(text)
        if spoken is None or spoken == plan.language:
            continue
        found.append(
            warning(
                f"{name} seems to be in {NAMES[spoken]}, but the pages' own words are in "
                f"{NAMES.get(plan.language, plan.language)} (language: {plan.language}).",
                "Translate it, or change language, unless both are meant.",
                key,
            )
        )
    return found


def _shown_by(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the parts of the plan that raters read, with their key."""
    content = plan.to_json()
    yield "design.question", plan.design.question
    for key in ("scales", "comprehension", "attention_checks", "practice", "survey", "display"):
        said = [text for _, text in _texts_of(content.get(key), key) if " " in text]
        if said:
            yield key, "\n".join(said)


def _texts_of(part: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a part of the plan, with its key."""
    if isinstance(part, str):
        yield key, part
    elif isinstance(part, dict | list):
        for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _texts_of(inner, f"{key}.{name}" if key else str(name))
