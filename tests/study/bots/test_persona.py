"""If this failed, bots would not be the people that the plan of a chat assumes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from prereg.chat.assumptions import Supporters
from prereg.chat.model import ChatPlan
from prereg.chat.surveys import AFTER_EACH, BEFORE
from study.bots.persona import Persona
from tests.support.chat import small_chat

MANY = 1_500


def _plan(folder: Path, **simulated: Any) -> ChatPlan:
    return small_chat(folder, simulated=simulated).plan


def _correlation(first: list[float], second: list[float]) -> float:
    return float(np.corrcoef(first, second)[0, 1])


def test_the_same_number_is_the_same_person(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    one, again, other = (Persona.of(plan, number) for number in (1, 1, 2))
    assert one.skill == again.skill != other.skill
    assert [one.seconds() for _ in range(3)] == [again.seconds() for _ in range(3)]


@pytest.mark.parametrize("correlation", [0.1, 0.8])
def test_trait_scores_follow_skill_as_closely_as_is_assumed(
    tmp_path: Path, correlation: float
) -> None:
    plan = _plan(tmp_path, trait=correlation)
    people = [Persona.of(plan, number) for number in range(MANY)]
    trait = [one.traits["care"] for one in people]
    assert abs(_correlation([one.skill for one in people], trait) - correlation) < 3 / MANY**0.5
    assert abs(float(np.std([one.skill for one in people])) - plan.simulated.skill_sd) < 0.05


def test_an_item_that_is_turned_round_is_answered_the_other_way_round(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    straight, turned = [], []
    for number in range(400):
        answers: dict[str, str] = {}
        person = Persona.of(plan, number)
        for page in plan.surveys.before:
            answers |= person.answers(page.questions, BEFORE)
        straight.append(float(answers["care_1"]))
        turned.append(float(answers["care_2"]))
    assert _correlation(straight, turned) < -0.3
    assert set(straight) == {1, 2, 3, 4, 5}


def test_a_self_rating_follows_the_last_conversation_as_is_assumed(tmp_path: Path) -> None:
    plan = _plan(tmp_path, self_rating=0.9)
    shown, rated = [], []
    for number in range(400):
        person = Persona.of(plan, number)
        shown.append(person.next_skill())
        questions = plan.surveys.after_each[0].questions
        rated.append(float(person.answers(questions, AFTER_EACH)["heard"]))
    assert _correlation(shown, rated) > 0.55


def test_an_effect_begins_with_what_was_seen_and_is_that_of_the_condition(tmp_path: Path) -> None:
    plan = _plan(tmp_path, effects={"coach": 2.0, "combined": 3.0}, within_sd=0)
    person = Persona.of(plan, 1)
    assert person.next_skill() == person.skill
    person.seen.add("coach")
    assert math.isclose(person.next_skill() - person.skill, 2.0)
    person.seen.add("video")
    assert math.isclose(person.next_skill() - person.skill, 3.0)


def test_shares_who_leave_paste_and_admit_are_those_of_the_plan(tmp_path: Path) -> None:
    plan = _plan(tmp_path, leave=0.2, paste=0.3, admit_ai=0.5)
    people = [Persona.of(plan, number) for number in range(MANY)]
    assert abs(np.mean([one.leaves_at is not None for one in people]) - 0.2) < 0.04
    assert abs(np.mean([one.pastes for one in people]) - 0.3) < 0.04
    assert len({one.leaves_at for one in people} - {None}) > 5


def test_only_who_pasted_and_admits_it_says_so(tmp_path: Path) -> None:
    rule = {"rule": "admitted_ai", "question": "used_ai", "values": ["yes it did"]}
    plan = small_chat(tmp_path, exclusions=[rule], simulated={"paste": 0.5}).plan
    for number in range(60):
        person = Persona.of(plan, number)
        said = person.answers(plan.surveys.end[0].questions, "end")["used_ai"]
        assert said == ("1" if person.pastes and person.admits else "2")


def test_effects_beyond_reason_are_refused() -> None:
    with pytest.raises(ValidationError, match="between -10 and 10"):
        Supporters(effects={"coach": 11})


def test_a_condition_without_a_named_effect_has_that_of_its_ingredients() -> None:
    assert Supporters().effect("control", ()) == 0
    both = Supporters().effect("both", ("video", "coach"))
    assert both > Supporters().effect("x", ("coach",)) > Supporters().effect("y", ("video",)) > 0
    assert Supporters(effects={"both": 0}).effect("both", ("video", "coach")) == 0
