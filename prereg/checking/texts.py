"""Finds texts that nobody edited: of a worked plan, placeholders, and another language's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from prereg.checking.foreign import foreign_texts
from prereg.checking.language import NAMES, language_of
from prereg.checking.remark import Remark, warning
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import (
    Choices,
    chosen_plan,
    languages_of,
    translated,
    worked_plans,
    worked_texts,
)

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
    most: dict[str, list[str]] = {}  # worked plan -> what is its, in the language that has most
    for worked, language in _worked():
        theirs = worked_texts(worked, language)
        for name, text in texts.items():
            if text.split() == theirs[f"{name}.md"].split():
                found[name] = warning(
                    f"{getattr(plan.materials, name)} is still the text of a worked plan. Raters "
                    "would read about another study.",
                    "Write your own.",
                    f"materials.{name}",
                )
        same = _same(plan, _plan_of(worked), translated(worked, language))
        most[worked] = max(most.get(worked, []), same, key=len)
    return [*found.values(), *(_still(same) for same in most.values() if same)]


def _still(same: Sequence[str]) -> Remark:
    """Return the warning about what is still a worked plan's."""
    do = "Write your own before the lock: a change after it is an amendment, printed in the report"
    if "id" in same:
        do += ", and an id stays as it is once somebody has taken part"
    return warning(f"plan.yaml still has the worked plan's {_listed(same)}.", f"{do}.", same[0])


def _worked() -> Iterator[tuple[str, str]]:
    """Yield each worked plan in each language."""
    for worked in worked_plans():
        for language in languages_of(worked):
            yield worked, language


@cache
def _plan_of(worked: str) -> Plan:
    return parse_plan(chosen_plan(worked, Choices()), file=PLAN_FILE)


def _same(plan: Plan, theirs: Plan, texts: Mapping[str, str]) -> list[str]:
    """Return what a plan has in common with a worked plan in a language."""
    said = [texts.get(f"hypotheses.{n}.text", one.text) for n, one in enumerate(theirs.hypotheses)]
    code = texts.get("recruitment.codes.completed", theirs.recruitment.codes.completed)
    found = {
        "id": plan.id == theirs.id,
        "title": plan.title == texts.get("title", theirs.title),
        "hypotheses": bool(said) and [one.text for one in plan.hypotheses] == said,
        "recruitment.codes.completed": plan.recruitment.codes.completed == code,
    }
    return [name for name, alike in found.items() if alike]


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def placeholders(plan: Plan, texts: Mapping[str, str]) -> list[Remark]:
    """Return warnings about placeholders in the texts and in every text of the plan.

    Parameters
    ----------
    plan : Plan
    texts : mapping
        Consent and instructions.
    """
    parts = {getattr(plan.materials, name): text for name, text in texts.items()}
    return placeholders_in(parts, plan.to_json())


def placeholders_in(texts: Mapping[str, str], plan: Mapping[str, Any]) -> list[Remark]:
    """Return warnings about placeholders.

    Parameters
    ----------
    texts : mapping
        The text of each file, by its name in the study folder.
    plan : mapping
        As JSON holds it.
    """
    found = [
        warning(
            f"it still has a placeholder: '{place[0]}'.",
            "Write what belongs there.",
            file=file,
            line=number,
        )
        for file, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        for place in _PLACEHOLDER.finditer(line)
    ]
    for key, text in _texts_of(plan):
        place = _PLACEHOLDER.search(text)
        if place:
            found.append(
                warning(f"the plan still has a placeholder: '{place[0]}'.", "Write your own.", key)
            )
    return found


def other_languages(
    plan: Plan, texts: Mapping[str, str], items: Sequence[str] = (), *, pages: bool = True
) -> list[Remark]:
    """Return warnings about texts in another language than the pages', or than a judge reads.

    Parameters
    ----------
    plan : Plan
    texts : mapping
        Consent and instructions.
    items : sequence of str
        Texts of the items.
    pages : bool
        Whether the pages speak the plan's language. If not, nothing is compared with it.
    """
    found: list[Remark] = []
    parts = [(getattr(plan.materials, name), text) for name, text in texts.items()]
    if items:
        some = "\n".join(items[:: max(1, len(items) // _MOST_ITEMS)])
        parts.append((plan.materials.items, some))
    for file, text in parts:
        spoken = language_of(text)
        if pages and spoken not in {None, plan.language}:
            found.append(_in_another(NAMES[spoken], plan, file=file))
    within = (
        _in_another(part.name + part.others(), plan, part.keys[0]) for part in foreign_texts(plan)
    )
    return [*found, *(within if pages else ()), *_words_of_english(plan, items)]


def _in_another(spoken: str, plan: Plan, key: str | None = None, **place: Any) -> Remark:
    """Return the warning about a text in another language than the pages'."""
    return warning(
        f"this seems to be in {spoken}, but the pages' own words are in "
        f"{NAMES.get(plan.language, plan.language)} (language: {plan.language}).",
        "Translate it, or change language, unless both are meant.",
        key,
        **place,
    )


def _words_of_english(plan: Plan, items: Sequence[str]) -> Iterator[Remark]:
    """Warn of the baseline that counts English words where the items are in another language."""
    spoken = language_of("\n".join(items[:: max(1, len(items) // _MOST_ITEMS)]))
    if spoken in {None, "en"}:
        return
    for number, judge in enumerate(plan.judges):
        if judge.kind == "baseline" and judge.id == "lexical":
            yield warning(
                f"judge lexical counts English words, but the items seem to be in {NAMES[spoken]}: "
                "it will score most of them alike.",
                "Name another judge in the analyses and the gate; lexical can stay beside an LLM.",
                f"judges.{number}.id",
            )


def _texts_of(part: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a part of the plan, with its key."""
    if isinstance(part, str):
        yield key, part
    elif isinstance(part, dict | list):
        for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _texts_of(inner, f"{key}.{name}" if key else str(name))
