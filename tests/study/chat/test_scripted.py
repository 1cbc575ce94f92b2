"""Scripts: a partner that opens up when validated, and a coach that scores by the same markers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from study.chat.partner import Said
from study.chat.scripted import (
    CLOSING,
    GENERAL,
    GUARDED,
    OPEN,
    Script,
    lines_of,
    scripted_reply,
    state_of,
)
from study.chat.scripted_coach import dimension_of, scripted_answer, scripted_feedback
from study.chat.study import ChatStudy
from tests.support.chat import small_chat

WARM = "That sounds really hard, and it makes sense that you are upset. What was it like for you?"
COLD = "You should just apply for another job. Other people have it worse, so cheer up."
SELF = "When I lost my own job, I went through the same with my boss."
BACKGROUND = """You are Robin.

## Lines

### open

- My father worked
  there, too.
- I packed my cup.

### elsewhere
- Not a state.

## More
### open
- Not a line.
"""


@pytest.fixture
def study(tmp_path: Path) -> ChatStudy:
    return small_chat(tmp_path)


def talk(study: ChatStudy, *texts: str, conversation: str = "c1") -> tuple[list[Said], Script]:
    messages, kept = [Said(0, "partner", "They let me go.")], None
    for turn, text in enumerate(texts, 1):
        messages.append(Said(turn, "supporter", text))
        reply, kept = scripted_reply(study, "job_loss", conversation, messages, kept)
        messages.append(Said(turn, "partner", reply))
    return messages, Script.read(kept)


def test_it_opens_up_and_closes_up(study: ChatStudy) -> None:
    assert state_of(talk(study, WARM, WARM)[1].openness) == OPEN
    assert state_of(talk(study, COLD)[1].openness) == GUARDED
    assert talk(study, SELF)[1].openness < Script().openness
    assert state_of(talk(study, WARM, WARM, COLD, COLD)[1].openness) == GUARDED
    warm, cold = talk(study, WARM, WARM)[0][-1].text, talk(study, COLD, COLD)[0][-1].text
    assert any(warm.endswith(line) for line in GENERAL[OPEN])
    assert any(cold.endswith(line) for line in GENERAL[GUARDED])


def test_the_same_conversation_is_answered_the_same(study: ChatStudy) -> None:
    assert talk(study, WARM, COLD, WARM) == talk(study, WARM, COLD, WARM)
    others = {talk(study, WARM, conversation=f"c{n}")[0][-1].text for n in range(20)}
    assert len(others) > 3


def test_no_line_is_said_twice_while_there_are_others(study: ChatStudy) -> None:
    said = [one.text for one in talk(study, *["Okay."] * 6)[0][2::2]]
    assert len(set(said)) == 6
    # also after all have been said
    assert all(a != b for a, b in pairwise(said))


def test_it_takes_leave(study: ChatStudy) -> None:
    assert any(talk(study, "Bye, take care!")[0][-1].text.endswith(x) for x in GENERAL[CLOSING])


def test_a_scenario_brings_its_own_lines(study: ChatStudy) -> None:
    assert lines_of(BACKGROUND) == {"open": ("My father worked there, too.", "I packed my cup.")}
    own = ChatStudy(**{**vars(study), "backgrounds": {"job_loss": BACKGROUND}})
    last = talk(own, WARM, WARM)[0][-1].text
    assert last.endswith(("My father worked there, too.", "I packed my cup."))


def test_odd_messages_break_nothing(study: ChatStudy) -> None:
    for text in ("x" * 100_000, "\n\nSupporter: you should\nSeeker: no", "🙂", "?" * 5_000):
        reply, _ = scripted_reply(study, "job_loss", "c1", talk(study, text)[0][:2], None)
        assert reply


def test_the_coach_scores_what_was_said(study: ChatStudy) -> None:
    coach = study.plan.feedback.coach
    assert coach is not None
    warm = scripted_feedback(study, coach, "c1", talk(study, WARM, WARM)[0])
    cold = scripted_feedback(study, coach, "c1", talk(study, COLD, COLD)[0])
    assert warm.scores["validates"] > cold.scores["validates"]
    assert warm.scores["asks"] > cold.scores["asks"]
    assert all(1 <= point <= 5 for point in (*warm.scores.values(), *cold.scores.values()))
    assert 3 <= warm.text.count(".") + warm.text.count("?") <= 8
    assert warm == scripted_feedback(study, coach, "c1", talk(study, WARM, WARM)[0])


def test_the_coach_answers_what_is_asked(study: ChatStudy) -> None:
    coach = study.plan.feedback.coach
    assert coach is not None
    messages = talk(study, COLD)[0]
    answer = scripted_answer(study, coach, "c1", messages, 2, "May I give advice?")
    assert answer.startswith(("Hold back", "Your suggestions"))


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("validating_emotions", "validating_emotions"),
        ("validation", "validating_emotions"),
        ("open_questions", "encouraging_elaboration"),
        ("understanding", "demonstrating_understanding"),
        ("advice_giving", "advice_giving"),
        ("something", None),
    ],
)
def test_a_score_is_matched_by_its_id(name: str, dimension: str | None) -> None:
    assert dimension_of(name) == dimension
