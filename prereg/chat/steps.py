"""What a participant meets, step by step; it follows from the plan and the condition."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from prereg.chat.model import ChatPlan
from prereg.chat.surveys import AFTER_EACH, BEFORE, END

StepKind = Literal["survey", "talk", "video", "coach"]


@dataclass(frozen=True)
class Step:
    """One step of a visit.

    Attributes
    ----------
    kind : {'survey', 'talk', 'video', 'coach'}
    round : int
        The round that it belongs to, from 1; 0 before the first and after the last.
    survey : str
        `before`, `after_each` or `end`; empty for other kinds.
    page : int
        The page of the survey, or the clip of the video, from 0.
    """

    kind: StepKind
    round: int = 0
    survey: str = ""
    page: int = 0


@lru_cache(maxsize=256)
def _steps(
    pages: tuple[int, int, int],
    rounds: int,
    after: tuple[int, ...],
    parts: tuple[str, ...],
    clips: int,
) -> tuple[Step, ...]:
    before, each, end = pages
    found = [Step("survey", 0, BEFORE, page) for page in range(before)]
    for number in range(1, rounds + 1):
        found.append(Step("talk", number))
        found += [Step("survey", number, AFTER_EACH, page) for page in range(each)]
        if number in after:
            at = min(after.index(number), clips - 1)
            found += [Step("video", number, "", at)] * ("video" in parts)
            found += [Step("coach", number)] * ("coach" in parts)
    found += [Step("survey", 0, END, page) for page in range(end)]
    return tuple(found)


def steps_of(plan: ChatPlan, condition: str) -> tuple[Step, ...]:
    """Return every step of a participant of a condition, in order.

    Parameters
    ----------
    plan : ChatPlan
    condition : str

    Returns
    -------
    tuple of Step
        Pages of the survey before; for each round the conversation, the pages of the survey after
        it, and, after the rounds that `feedback.after_rounds` names, the video and the coach of the
        condition; pages of the survey at the end.
    """
    surveys = plan.surveys
    pages = (len(surveys.before), len(surveys.after_each), len(surveys.end))
    clips = len(plan.feedback.video.clips) if plan.feedback.video else 0
    return _steps(
        pages,
        plan.design.conversations,
        plan.feedback.after_rounds,
        plan.design.conditions[condition],
        clips,
    )
