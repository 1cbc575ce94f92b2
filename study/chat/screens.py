"""The screens that every message passes before it is shown or sent: what they found is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from study.chat.lexicon import found_in
from study.chat.study import ChatStudy
from study.store.chat_tables import ChatVisit, SafetyEvent
from study.store.inserting import insert_new

LEXICON: Final = "lexicon"
MODERATION: Final = "moderation"


@dataclass(frozen=True)
class Hit:
    """What a screen has found.

    Attributes
    ----------
    screen : {'lexicon', 'moderation'}
    category : str
    """

    screen: str
    category: str


class Screens:
    """The screens of a plan.

    Parameters
    ----------
    study : ChatStudy

    Attributes
    ----------
    moderates : bool
        Whether a server's moderation endpoint is asked, too; see `study.chat.speaking`.
    """

    def __init__(self, study: ChatStudy) -> None:
        screen = study.plan.safety.screen
        self._searches = LEXICON in screen
        self.moderates = MODERATION in screen

    def __call__(self, text: str) -> Hit | None:
        """Return what is found in a text at once, without a server."""
        return self.lexicon(text)

    def lexicon(self, text: str) -> Hit | None:
        """Return what the lexicon finds in a text, if the plan has that screen."""
        category = found_in(text) if self._searches else ""
        return Hit(LEXICON, category) if category else None


def note_hit(
    connection: Connection,
    session_id: str,
    conversation_id: str,
    turn: int,
    speaker: str,
    hit: Hit,
    now: float,
) -> bool:
    """Note a hit once for a turn and speaker, and flag the visit; return False if it was noted.

    Parameters
    ----------
    connection : Connection
        Of the transaction that stores the message.
    session_id, conversation_id : str
    turn : int
    speaker : {'supporter', 'partner', 'question', 'coach'}
        `question` is what a participant asks the coach; its turn, and the coach's, is the position.
    hit : Hit
    now : float
        Seconds since 1970.
    """
    values = {
        "session_id": session_id,
        "conversation_id": conversation_id,
        "turn": turn,
        "speaker": speaker,
        "screen": hit.screen,
        "category": hit.category,
        "at": iso(now),
        "choice": "",
    }
    if not insert_new(connection, SafetyEvent, values):
        return False
    visit = update(ChatVisit).where(ChatVisit.session_id == session_id)
    connection.execute(visit.values(safety_flags=ChatVisit.safety_flags + 1))
    return True


def is_noted(connection: Connection, conversation_id: str, turn: int, speaker: str) -> bool:
    """Say whether a hit of this turn and speaker has been noted."""
    event = select(SafetyEvent.row_id).where(
        SafetyEvent.conversation_id == conversation_id,
        SafetyEvent.turn == turn,
        SafetyEvent.speaker == speaker,
    )
    return connection.scalar(event) is not None


def iso(now: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(now, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
