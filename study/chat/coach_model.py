"""What a coach's model is sent after a conversation, and how its reply is read.

What participants and partners wrote stands between marker lines that it cannot imitate, as items do
for judges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prereg.chat.partner import Coach
from study.chat.chat_models import Question
from study.chat.limits import CHARACTERS_PER_TOKEN, first_sentences, plain, says_nothing, shortened
from study.chat.partner import LANGUAGE, Said
from study.chat.study import ChatStudy
from study.judges.prompts.fences import RULE, code_for, fence
from study.judges.prompts.thoughts import covered
from study.language import language_name
from study.llm.reply import Reply, TroubleError

SENTENCES, SCORES = "{{sentences}}", "{{scores}}"
TEXT, SCORE = "text", "score_"
_NAMES = {"supporter": "Supporter", "partner": "Seeker"}
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True)
class Feedback:
    """What a coach says of a conversation, with its scores by their ids."""

    text: str
    scores: Mapping[str, int]


def transcript(messages: Iterable[Said]) -> str:
    """Return a conversation as one text, a paragraph for each message."""
    return "\n\n".join(f"{_NAMES[one.speaker]}: {one.text}" for one in messages)


def feedback_question(study: ChatStudy, coach: Coach, messages: Sequence[Said]) -> Question:
    """Return what the coach's model is sent for its feedback."""
    system = coach_prompt(study, coach)
    text = transcript(messages)
    code = code_for([text], beside=[system])
    asked = (
        f"{fence('conversation', text, code)}\n\n"
        f'Give your feedback as one JSON object with "{TEXT}" (what you say to the supporter) and '
        f"{', '.join(_asked(score) for score in coach.scores)}."
    )
    return Question((_system(system), _user(asked)), schema_of(coach))


def answer_question(
    study: ChatStudy,
    coach: Coach,
    messages: Sequence[Said],
    feedback: str,
    exchanges: Sequence[tuple[str, str]],
    question: str,
) -> Question:
    """Return what the coach's model is sent for an answer to a participant's question.

    Parameters
    ----------
    study : ChatStudy
    coach : Coach
    messages : sequence of Said
    feedback : str
    exchanges : sequence of (str, str)
        Questions before, with their answers.
    question : str
    """
    system = coach_prompt(study, coach)
    text = transcript(messages)
    asked = [one for one, _ in exchanges]
    code = code_for([text, *asked, question], beside=[system])
    sent = [
        _system(system),
        _user(f"{fence('conversation', text, code)}\n\nGive your feedback in plain text."),
        {"role": "assistant", "content": feedback},
    ]
    for one, answered in exchanges:
        sent += [_user(_fenced(one, code)), {"role": "assistant", "content": answered}]
    return Question((*sent, _user(_fenced(question, code))))


def coach_prompt(study: ChatStudy, coach: Coach) -> str:
    """Return the coach's prompt, with the rule about marker lines."""
    scores = "\n".join(f"- {one.label}: {one.min} to {one.max}" for one in coach.scores)
    filled = (
        study.prompts["coach"]
        .replace(LANGUAGE, language_name(study.plan.language))
        .replace(SENTENCES, str(coach.sentences))
        .replace(SCORES, scores)
    )
    return f"{filled.rstrip()}\n\n{RULE}"


def schema_of(coach: Coach) -> dict[str, Any]:
    """Return the JSON schema of feedback."""
    points = {
        SCORE + one.id: {"type": "integer", "enum": list(range(one.min, one.max + 1))}
        for one in coach.scores
    }
    return {
        "type": "object",
        "properties": {TEXT: {"type": "string"}, **points},
        "required": [TEXT, *points],
        "additionalProperties": False,
    }


def read_feedback(text: str, coach: Coach) -> Feedback:
    """Read feedback; what is too long is cut, but no score is guessed.

    Parameters
    ----------
    text : str
        A JSON object, perhaps with words around it.
    coach : Coach

    Raises
    ------
    TroubleError
        When it is no such object, says nothing, or a score is missing or off its scale.
    """
    found = _OBJECT.search(_covered(text))
    try:
        given = json.loads(found[0]) if found else None
    except (ValueError, RecursionError) as error:
        raise TroubleError("unreadable", detail="not JSON") from error
    if not isinstance(given, dict):
        raise TroubleError("unreadable", detail="no JSON object")
    said = given.get(TEXT)
    words = bounded(said, coach) if isinstance(said, str) else ""
    if says_nothing(words):
        raise TroubleError("unreadable", detail=f'"{TEXT}" is empty or missing')
    scores = {}
    for one in coach.scores:
        point = _whole(given.get(SCORE + one.id))
        if point is None or not one.min <= point <= one.max:
            detail = f'"{SCORE}{one.id}" is not a whole number from {one.min} to {one.max}'
            raise TroubleError("unreadable", detail=detail)
        scores[one.id] = point
    return Feedback(words, scores)


def read_answer(reply: Reply, coach: Coach) -> str:
    """Return the text of an answer to a question, of bounded length.

    Raises
    ------
    TroubleError
        When it says nothing.
    """
    if reply.ended and not reply.cut:
        raise TroubleError("unreadable", detail=reply.ended)
    words = bounded(_covered(reply.text), coach, whole=not reply.cut)
    if says_nothing(words):
        raise TroubleError("unreadable", detail="an empty reply")
    return words


def bounded(text: str, coach: Coach, *, whole: bool = True) -> str:
    """Return a coach's text: plain, with as many sentences as the plan allows."""
    short = shortened(plain(text), CHARACTERS_PER_TOKEN * coach.max_tokens, whole=whole)
    return first_sentences(short, coach.sentences)


def _covered(text: str) -> str:
    try:
        return covered(text)
    except ValueError as error:
        raise TroubleError("cut_off", detail="only thoughts, and no answer") from error


def _whole(value: object) -> int | None:
    """Return a whole number written as 4, 4.0 or "4"."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    return None


def _asked(score: Any) -> str:
    return f'"{SCORE}{score.id}" (a whole number from {score.min} to {score.max})'


def _fenced(question: str, code: str) -> str:
    return f"{fence('question', question, code)}\n\nAnswer the supporter's question."


def _system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
