"""The coach as a participant meets it: its feedback on a round, their questions, its answers.

What the coach says is owed like a partner's reply (`study.chat.owing`): feedback at position 0,
then question 1, answer 2, question 3, ... A question that is sent many times is kept once, because
its position is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from prereg.chat.partner import Coach
from study.chat.coach_model import Feedback, read_feedback
from study.chat.limits import plain, says_nothing
from study.chat.owing import Place, owe
from study.chat.screens import Screens, iso, note_hit
from study.chat.study import ChatStudy
from study.store.chat_tables import Coaching, Conversation, Owed, SafetyEvent
from study.store.database import Store
from study.store.inserting import insert_new
from study.store.tables import Visit

__all__ = ["CoachView", "Exchange", "Feedback", "ask", "read_feedback", "view"]

Outcome = Literal[
    "kept", "repeated", "taken", "waiting", "flagged", "empty", "too_long", "too_many", "over"
]
FEEDBACK: Final = "feedback"
QUESTION: Final = "question"
ANSWER: Final = "answer"
OPEN = ("owed", "claimed")


@dataclass(frozen=True)
class Exchange:
    """A question of the participant, or the coach's answer to it."""

    position: int
    kind: str
    text: str


@dataclass(frozen=True)
class CoachView:
    """What the coach's page shows.

    Attributes
    ----------
    feedback : str or None
        None while it is owed.
    scores : mapping
        By the score's id.
    exchanges : tuple of Exchange
        Questions and answers, in order.
    owes : bool
        Whether feedback or an answer is still to come.
    waiting_seconds : float
        Since when.
    asked : int
        How many questions were asked so far.
    flagged : bool
        Whether the participant must first say whether they go on.
    may_ask : bool
        Whether one more question is allowed now.
    may_go_on : bool
        Whether the plan lets them go on.
    """

    feedback: str | None
    scores: Mapping[str, int]
    exchanges: tuple[Exchange, ...]
    owes: bool
    waiting_seconds: float
    asked: int
    flagged: bool
    may_ask: bool
    may_go_on: bool


def view(
    store: Store, study: ChatStudy, place: Place, number: int, now: float | None = None
) -> CoachView:
    """Return what the coach's page shows, and note when a text was first shown.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : Place
    number : int
        Of the round.
    now : float, optional
        Seconds since 1970.
    """
    now = time.time() if now is None else now
    with store.reading() as connection:
        state = _read(connection, place, number)
    coach = _coach(study)
    seen = _shown(coach, state, now)
    unseen = [row.row_id for row in state.rows if row.kind != QUESTION and row.shown_at is None]
    if unseen and not state.flagged:
        its = update(Coaching).where(Coaching.row_id.in_(unseen), Coaching.shown_at.is_(None))
        store.write(lambda connection: connection.execute(its.values(shown_at=iso(now))))
    return seen


def ask(
    store: Store,
    study: ChatStudy,
    place: Place,
    number: int,
    text: str,
    now: float,
    *,
    asked: int | None = None,
) -> Outcome:
    """Keep a question to the coach, once, and note that an answer is owed.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    place : Place
    number : int
        Of the round.
    text : str
    now : float
        Seconds since 1970.
    asked : int, optional
        How many questions had been asked when the form was shown; by it, a form that is sent again
        is recognised.

    Returns
    -------
    {'kept', 'repeated', 'taken', 'waiting', 'flagged', 'empty', 'too_long', 'too_many', 'over'}
        `flagged` was kept as well; it is answered once the participant goes on. `taken`: another
        window was first, with other words.
    """
    coach, words = _coach(study), plain(text)
    if says_nothing(words):
        return "empty"
    if len(words) > study.plan.conversation.messages.characters:
        return "too_long"
    hit = Screens(study).lexicon(words)

    def keep(connection: Connection) -> Outcome:
        active = select(Visit.status).where(Visit.session_id == place.session_id)
        if connection.scalar(active.with_for_update()) != "active":
            return "over"
        state = _read(connection, place, number)
        if asked is not None and asked < state.asked:
            return "repeated" if state.question(asked) == words else "taken"
        if state.owes or state.flagged or state.feedback is None:
            return "waiting"
        if state.asked >= coach.questions.max:
            return "too_many"
        position = 2 * state.asked + 1
        row = {
            "session_id": place.session_id,
            "conversation_id": state.conversation_id,
            "round": number,
            "position": position,
            "kind": QUESTION,
            "source": "typed",
            "text": words,
            "sent_at": iso(now),
            "flag": hit.screen if hit else "",
        }
        if not insert_new(connection, Coaching, row):
            return "repeated"
        owe(connection, study, place, state.conversation_id, ANSWER, position + 1, now)
        if hit is not None:
            whose = (place.session_id, state.conversation_id, position)
            note_hit(connection, *whose, QUESTION, hit, now)
            return "flagged"
        return "kept"

    return store.write(keep)


@dataclass(frozen=True)
class _State:
    conversation_id: str
    rows: tuple[Any, ...]
    owed_at: float | None
    flagged: bool

    @property
    def owes(self) -> bool:
        return self.owed_at is not None

    @property
    def asked(self) -> int:
        return sum(row.kind == QUESTION for row in self.rows)

    def question(self, before: int) -> str | None:
        """Return the question that was asked after so many others."""
        return next((row.text for row in self.rows if row.position == 2 * before + 1), None)

    @property
    def feedback(self) -> Any | None:
        return next((row for row in self.rows if row.kind == FEEDBACK), None)


def _read(connection: Connection, place: Place, number: int) -> _State:
    """Return everything about the coach of a round."""
    talk = select(Conversation.conversation_id).where(
        Conversation.session_id == place.session_id, Conversation.round == number
    )
    conversation_id = connection.scalar(talk) or ""
    rows = (
        select(Coaching.__table__)
        .where(Coaching.session_id == place.session_id, Coaching.round == number)
        .order_by(Coaching.position)
    )
    owed = select(Owed.owed_at).where(
        Owed.conversation_id == conversation_id,
        Owed.kind.in_((FEEDBACK, ANSWER)),
        Owed.status.in_(OPEN),
    )
    hit = select(SafetyEvent.row_id).where(
        SafetyEvent.session_id == place.session_id, SafetyEvent.choice == ""
    )
    return _State(
        conversation_id,
        tuple(connection.execute(rows)),
        connection.scalar(owed),
        connection.scalar(hit) is not None,
    )


def _shown(coach: Coach, state: _State, now: float) -> CoachView:
    first, asked = state.feedback, state.asked
    idle = first is not None and not state.owes and not state.flagged
    return CoachView(
        feedback=None if first is None else first.text,
        scores=json.loads(first.scores) if first is not None and first.scores else {},
        exchanges=tuple(
            Exchange(row.position, row.kind, row.text) for row in state.rows if row.kind != FEEDBACK
        ),
        owes=state.owes or first is None,
        waiting_seconds=max(0.0, now - state.owed_at) if state.owed_at is not None else 0.0,
        asked=asked,
        flagged=state.flagged,
        may_ask=idle and asked < coach.questions.max,
        may_go_on=idle and asked >= coach.questions.min,
    )


def _coach(study: ChatStudy) -> Coach:
    coach = study.plan.feedback.coach
    assert coach is not None, "only a plan with a coach has such a step"
    return coach
