"""If these failed, German buttons would stand around an English consent, or a plan be broken."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.worked_plans import (
    ENGLISH,
    Choices,
    chosen_plan,
    languages_of,
    translated,
    worked_plans,
    worked_texts,
)
from prereg.yaml_edit import with_key_after, with_values
from study.language import languages

OTHERS = [(w, one) for w in worked_plans() for one in languages_of(w) if one != ENGLISH]


def texts_of(part: Any, key: str = "") -> dict[str, str]:
    """Return every text of a plan that raters or readers see, by its path."""
    if isinstance(part, str):
        return {key: part}
    found: dict[str, str] = {}
    if isinstance(part, dict | list):
        for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
            if name not in {"id", "platform", "direction"}:
                found |= texts_of(inner, f"{key}.{name}" if key else str(name))
    return found


@pytest.mark.parametrize("worked", ["pairwise_preference", "empathy_rating", "best_response"])
def test_the_first_worked_plans_have_every_language_of_the_pages(worked: str) -> None:
    assert sorted(languages_of(worked)) == sorted(languages())


@pytest.mark.parametrize(("worked", "language"), OTHERS)
def test_everything_that_people_read_is_translated(worked: str, language: str) -> None:
    plain = yaml.safe_load(chosen_plan(worked, Choices()))
    changed = yaml.safe_load(chosen_plan(worked, Choices(language=language)))
    parts = ("title", "hypotheses", "design.question", "scales", "comprehension", "survey")
    seen = {
        key: text
        for key, text in texts_of(plain).items()
        if key.startswith((*parts, "attention_checks", "practice"))
        and not re.search(r"\.(kind|expected)\b", key)
    }
    after = texts_of(changed)
    assert {key for key in seen if after[key] == seen[key]} == set()
    assert set(translated(worked, language)) >= set(seen)
    left = {key: text for key, text in after.items() if key not in translated(worked, language)}
    assert left == {k: t for k, t in texts_of(plain).items() if k in left} | {"language": language}
    plan = parse_plan(chosen_plan(worked, Choices(language=language)), file="plan.yaml")
    english = parse_plan(chosen_plan(worked, Choices()), file="plan.yaml")
    same = {"design", "measures", "judges", "analyses", "exclusions", "gate", "seed", "kind"}
    for part in same - {"design"}:
        assert getattr(plan, part) == getattr(english, part)
    for name, text in worked_texts(worked, language).items():
        own, theirs = worked_texts(worked)[name], text
        assert theirs.startswith("# ")
        assert theirs.count("\n\n") == own.count("\n\n"), "the same paragraphs"
        assert own.count("**") == theirs.count("**") or name == "instructions.md"
        assert re.findall(r"\d+", own) == re.findall(r"\d+", theirs), "the same numbers"


def test_choices_change_their_values_and_nothing_else() -> None:
    before = chosen_plan("empathy_rating", Choices())
    chosen = Choices(
        title="Warm or cold? A study: 'ours'",
        question='How "warm"?',
        raters=30,
        trials=4,
        platform="prolific",
        code="C-1",
    )
    after = chosen_plan("empathy_rating", chosen)
    plan = parse_plan(after, file="plan.yaml")
    assert (plan.title, plan.design.question) == (chosen.title, chosen.question)
    assert (plan.design.raters, plan.design.trials, plan.recruitment.platform) == (
        30,
        4,
        "prolific",
    )
    assert plan.id == "warm_or_cold_a_study_ours"
    codes = plan.recruitment.codes
    assert (codes.completed, codes.screened_out, codes.failed_attention) == (
        "C-1",
        "C-1-SO",
        "C-1-AC",
    )
    assert plan.attention_checks[0].after == 4, "not after the last trial"
    changed = [a for a, b in zip(after.splitlines(), before.splitlines(), strict=True) if a != b]
    assert len(changed) == 8, changed
    assert after.count("#") == before.count("#"), "the comments stay"


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"raters": 0}, r"^--raters: is too small, got 0 \(allowed: 1 or more\)$"),
        ({"trials": 10_000}, "^--trials: is too large"),
        ({"title": "  "}, "^--title: is empty"),
        ({"language": "fr"}, "^--language: .*no texts in this language, got 'fr'"),
        ({"platform": "mturk"}, "^--platform: is not known here"),
    ],
)
def test_a_choice_that_a_plan_refuses_is_named_by_its_flag(choices: Any, says: str) -> None:
    with pytest.raises(RatifyError, match=says):
        chosen_plan("pairwise_preference", Choices(**choices))


def test_values_are_replaced_where_they_stand() -> None:
    text = "# why\na: one two   # kept\nb: {c: 'x: y', d: 3}\ne:\n  - f: long\n      text\n  - g\n"
    changed = with_values(text, {"a": "yes", "b.c": 'q"', "b.d": 4, "e.0.f": "f: g", "e.1": "on"})
    assert yaml.safe_load(changed) == {
        "a": "yes",
        "b": {"c": 'q"', "d": 4},
        "e": [{"f": "f: g"}, "on"],
    }
    assert changed.startswith("# why\na: ")
    assert "   # kept\n" in changed
    with pytest.raises(LookupError):
        with_values(text, {"b.z": 1})
    assert with_key_after(text, "a", "k", "v").splitlines()[2] == "k: v"
