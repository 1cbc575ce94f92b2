"""A row of the queue as servers hold it, a reply as it is stored, and the queue's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.engine import Connection

from study.chat.screens import Hit
from study.store.chat_tables import Conversation, Owed, SafetyEvent
from study.store.tables import Visit

Kind = Literal["partner", "feedback", "answer"]
KINDS: tuple[Kind, ...] = ("partner", "feedback", "answer")
# What is still wanted.
OPEN = ("owed", "claimed")


class Place(Protocol):
    """Who is owed something."""

    @property
    def session_id(self) -> str:
        """The visit."""

    @property
    def mode(self) -> str:
        """Live, pilot or bot."""


@dataclass(frozen=True)
class OwedTask:
    """Something owed, as the server that has claimed it holds it.

    Attributes
    ----------
    owed_id : int
    session_id, conversation_id : str
    kind : {'partner', 'feedback', 'answer'}
    turn : int
        Of the message that is answered; the position of an answer of the coach, 0 for feedback.
    owed_at : float
    attempts : int
        How often it has been claimed, this time included.
    run_id : str
        The claim's holder.
    """

    owed_id: int
    session_id: str
    conversation_id: str
    kind: Kind
    turn: int
    owed_at: float
    attempts: int
    run_id: str


@dataclass(frozen=True)
class SettledReply:
    """A reply as it is stored.

    Attributes
    ----------
    text : str
    source : {'llm', 'scripted'}
    request_id : str, optional
    latency_ms : int, optional
    flag : str
        Why a screen or a check marked it.
    role_break : bool
        Whether the partner stepped out of its role.
    scores : mapping, optional
        Those of the coach's feedback.
    script : str, optional
        The new state of a scripted partner.
    hit : Hit, optional
        What a screen found in a reply that this one replaces.
    note : str, optional
        Kept beside the queue's row.
    """

    text: str
    source: str
    request_id: str | None = None
    latency_ms: int | None = None
    flag: str = ""
    role_break: bool = False
    scores: Mapping[str, int] | None = None
    script: str | None = None
    hit: Hit | None = None
    note: str | None = None


def lock_visit(connection: Connection, session_id: str) -> str | None:
    """Return the status of a visit, which no other transaction changes meanwhile, or None."""
    its = select(Visit.status).where(Visit.session_id == session_id)
    return connection.scalar(its.with_for_update())


def conversation_of(connection: Connection, conversation_id: str) -> Any | None:
    """Return the row of a conversation, locked, or None."""
    its = select(Conversation).where(Conversation.conversation_id == conversation_id)
    return connection.execute(its.with_for_update()).one_or_none()


def held_by(task: OwedTask) -> Any:
    """Return the update of a row that only its claim's holder can make."""
    return update(Owed).where(
        Owed.owed_id == task.owed_id, Owed.status == "claimed", Owed.run_id == task.run_id
    )


def is_active() -> ColumnElement[bool]:
    """Return the condition that the visit goes on."""
    return exists().where(Visit.session_id == Owed.session_id, Visit.status == "active")


def is_held() -> ColumnElement[bool]:
    """Return the condition that a participant must first choose whether to go on."""
    return exists().where(
        SafetyEvent.conversation_id == Owed.conversation_id, SafetyEvent.choice == ""
    )
