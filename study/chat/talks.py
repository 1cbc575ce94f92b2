"""A conversation as a request finds it: row, messages, clock, and what is shown of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from prereg.chat.conversation import Conversation as Plan
from study.chat import clock as clocks
from study.chat.clock import Clock, Word
from study.chat.study import ChatStudy
from study.store.chat_tables import Conversation, Message, SafetyEvent
from study.store.prepared import Prepared

SUPPORTER, PARTNER = "supporter", "partner"


@dataclass(frozen=True)
class Pending:
    """A screen's hit that the participant has not answered yet.

    Attributes
    ----------
    event_id : int
    conversation_id : str
    turn : int
    speaker : str
        supporter or partner; question or coach after the conversation.
    screen, category : str
    """

    event_id: int
    conversation_id: str
    turn: int
    speaker: str
    screen: str
    category: str


@dataclass(frozen=True)
class ShownMessage:
    """A message that the participant may see."""

    turn: int
    speaker: str
    text: str
    message_id: str


@dataclass(frozen=True)
class Shown:
    """What the page of a conversation shows.

    Attributes
    ----------
    conversation_id : str
    round : int
    scenario, title : str
        The scenario's id, and what participants are told of it, if anything.
    messages : tuple of ShownMessage
        In order; a reply is among them only once its typing delay is over.
    turn : int
        The number of the next message, for the form.
    owes_reply : bool
        Whether a reply is owed, or is there and not shown yet.
    waiting_seconds : float
        Since when.
    remaining_ms : int
    clock : str
        before, running, hidden, waiting, idle or over; `over` also within the grace.
    in_grace : bool
        Whether time is up, and what is being typed may still be sent.
    over : bool
        Whether no message can be sent any more.
    ended_because : str
        Empty, time, messages, participant, partner_failure or safety.
    flagged : Pending or None
        What the participant must answer first.
    failed : bool
        Whether the partner gave no answer any more, so that the visit is over.
    may_leave : bool
        Whether the participant may end the conversation, or go on after its end.
    """

    conversation_id: str
    round: int
    scenario: str
    title: str | None
    messages: tuple[ShownMessage, ...]
    turn: int
    owes_reply: bool
    waiting_seconds: float
    remaining_ms: int
    clock: Word
    in_grace: bool
    over: bool
    ended_because: str
    flagged: Pending | None
    failed: bool
    may_leave: bool


@dataclass(frozen=True)
class Talk:
    """A conversation as one statement of a transaction after the other has found it.

    Attributes
    ----------
    row : object
        Of the conversations table.
    messages : tuple of object
        Rows of the messages table, in order.
    pending : Pending or None
    """

    row: Any
    messages: tuple[Any, ...]
    pending: Pending | None

    @cached_property
    def last_sent(self) -> Any | None:
        """The participant's last message."""
        return self._find(SUPPORTER, self.row.turn) if self.row.turn else None

    @cached_property
    def reply(self) -> Any | None:
        """The reply to it, if it is there."""
        return self._find(PARTNER, self.row.turn) if self.row.turn else None

    @property
    def waits(self) -> bool:
        """Whether a reply is owed, or has not been shown yet."""
        reply = self.reply
        return bool(self.row.owes_reply) or (reply is not None and reply.shown_at is None)

    @property
    def is_open(self) -> bool:
        """Whether the conversation goes on."""
        return bool(self.row.status == "open")

    @cached_property
    def clock(self) -> Clock:
        """The clock as it was settled last."""
        row, sent = self.row, self.last_sent
        return Clock(
            started=row.first_message_at is not None,
            active_ms=row.active_ms,
            settled_at=row.settled_at,
            spoken_ms=(sent.clock_ms or 0) if sent is not None else 0,
            waiting=self.waits,
            held=self.pending is not None,
            hidden=row.hidden,
            seen_at=row.seen_at,
            hidden_ms=row.hidden_ms,
            time_up_at=row.time_up_at,
        )

    def said_last(self, plan: Plan) -> bool:
        """Say whether the one message of the grace has been sent."""
        sent = self.last_sent
        return sent is not None and (sent.clock_ms or 0) >= clocks.total_ms(plan)

    def can_show(self, now: float) -> bool:
        """Say whether a reply is there that is to be shown now, for the first time."""
        reply = self.reply
        held = self.pending is not None and self.pending.speaker == PARTNER
        return reply is not None and reply.shown_at is None and reply.show_from <= now and not held

    def _find(self, speaker: str, turn: int) -> Any | None:
        # from the end: it is among the last two
        found = (m for m in reversed(self.messages) if m.speaker == speaker and m.turn == turn)
        return next(found, None)


_CONVERSATION = Prepared(
    select(Conversation.__table__).where(
        Conversation.session_id == bindparam("of_session"),
        Conversation.round == bindparam("of_round"),
    )
)
_MESSAGES_QUERY: Any = (
    select(
        Message.message_id,
        Message.turn,
        Message.speaker,
        Message.text,
        Message.show_from,
        Message.shown_at,
        Message.clock_ms,
    )
    .where(Message.conversation_id == bindparam("of_conversation"))
    .order_by(Message.turn, Message.speaker.desc())  # what was said, then the reply to it
)
_MESSAGES = Prepared(_MESSAGES_QUERY)
_PENDING: Any = (
    select(
        SafetyEvent.row_id,
        SafetyEvent.conversation_id,
        SafetyEvent.turn,
        SafetyEvent.speaker,
        SafetyEvent.screen,
        SafetyEvent.category,
    )
    .where(SafetyEvent.choice == "")
    .order_by(SafetyEvent.row_id)
)
_PENDING_HERE = Prepared(_PENDING.where(SafetyEvent.conversation_id == bindparam("of_talk")))
_PENDING_ANYWHERE = Prepared(_PENDING.where(SafetyEvent.session_id == bindparam("of_session")))


def read_talk(connection: Connection, session_id: str, round_: int) -> Talk | None:
    """Return the conversation of a round as this transaction sees it; None before it is opened."""
    row = _CONVERSATION.one(connection, {"of_session": session_id, "of_round": round_})
    if row is None:
        return None
    messages = _MESSAGES.every(connection, {"of_conversation": row.conversation_id})
    pending = _pending(_PENDING_HERE.one(connection, {"of_talk": row.conversation_id}))
    return Talk(row, tuple(messages), pending)


def lock_talk(connection: Connection, session_id: str, round_: int) -> Talk | None:
    """Return the conversation of a round, which no other transaction changes meanwhile."""
    locked = select(Conversation.conversation_id).where(
        Conversation.session_id == session_id, Conversation.round == round_
    )
    connection.execute(locked.with_for_update())
    return read_talk(connection, session_id, round_)


def pending_of(connection: Connection, session_id: str) -> Pending | None:
    """Return the first hit that a participant has not answered yet, in whatever they said."""
    return _pending(_PENDING_ANYWHERE.one(connection, {"of_session": session_id}))


def _pending(row: Any | None) -> Pending | None:
    if row is None:
        return None
    return Pending(row.row_id, row.conversation_id, row.turn, row.speaker, row.screen, row.category)


def shown(study: ChatStudy, talk: Talk, clock: Clock, now: float) -> Shown:
    """Return what the page shows of a conversation whose clock is settled.

    Parameters
    ----------
    study : ChatStudy
    talk : Talk
    clock : Clock
    now : float
    """
    row, plan = talk.row, study.plan.conversation
    scenario = study.plan.scenario(row.scenario)
    waits, over = talk.is_open and talk.waits, not talk.is_open
    until = clocks.grace_until(clock, plan)
    since = max(row.last_message_at, 0.0)
    return Shown(
        conversation_id=row.conversation_id,
        round=row.round,
        scenario=row.scenario,
        title=scenario.title,
        messages=tuple(
            ShownMessage(one.turn, one.speaker, one.text, one.message_id)
            for one in talk.messages
            if one.speaker == SUPPORTER or one.shown_at is not None
        ),
        turn=row.turn + 1,
        owes_reply=waits,
        waiting_seconds=max(0.0, now - since) if waits else 0.0,
        remaining_ms=clocks.remaining_ms(clock, plan),
        clock="over" if over else clocks.word(replace(clock, waiting=waits), plan),
        in_grace=not over and until is not None and now <= until and not talk.said_last(plan),
        over=over,
        ended_because=row.ended_because,
        flagged=talk.pending,
        failed=row.status == "failed",
        may_leave=may_leave(study, talk),
    )


def may_leave(study: ChatStudy, talk: Talk) -> bool:
    """Say whether a participant may end a conversation, or go on after its end."""
    if talk.pending is not None or talk.row.status == "failed":
        return False
    enough: bool = talk.row.turn >= study.plan.conversation.messages.min
    return enough or not talk.is_open
