"""If these failed, a limit of calls would cut somebody off in the middle of a conversation."""

from __future__ import annotations

from typing import Any

import pytest

from prereg.chat.calls import calls_of_coach, least_calls, most_calls, most_messages
from prereg.chat.model import ChatPlan
from prereg.errors import RatifyError
from tests.prereg.chat.test_advice import ASKED, plan

MODERATED = {"safety": {"screen": ["lexicon", "moderation"], "server": "main"}}


def asked(calls: int, **changes: Any) -> ChatPlan:
    return plan(**ASKED, budget={"per_participant": {"calls": calls}}, **changes)


def test_the_coach_comes_first_and_the_rest_is_shared_by_the_conversations() -> None:
    here = asked(60)
    assert here.design.conversations == 2
    assert calls_of_coach(here) == 3  # the feedback, and two questions, after one round
    assert most_messages(here) == (60 - 3) // 2
    assert most_calls(here) == 2 * here.conversation.messages.max + 3


def test_moderation_is_asked_about_both_texts() -> None:
    here = asked(60, **MODERATED)
    assert calls_of_coach(here) == 2 + 2 * 3
    assert most_messages(here) == (60 - 8) // (2 * 3)


def test_no_more_than_the_plan_allows_and_no_limit_without_a_model() -> None:
    assert most_messages(asked(1_000)) == 40
    assert most_messages(plan()) == 40
    assert most_calls(plan()) == 0


@pytest.mark.parametrize("calls", range(5, 90))
def test_whoever_writes_and_asks_as_much_as_allowed_stays_within_the_calls(calls: int) -> None:
    here = asked(calls)
    assert 2 * most_messages(here) + calls_of_coach(here) <= max(calls, least_calls(here) + 1)


def test_calls_for_less_than_a_visit_are_refused() -> None:
    least = least_calls(asked(60))
    asked(least)
    with pytest.raises(RatifyError, match=f"calls: is too little.*at least {least}; 83 for all"):
        asked(least - 1)


def test_the_calls_of_a_participant_are_in_the_lock_and_the_money_is_not() -> None:
    assert asked(60).to_json() != asked(70).to_json()
    little, more = (plan(**ASKED, budget={"money": money}) for money in (5, 9))
    assert little.to_json() == more.to_json()
