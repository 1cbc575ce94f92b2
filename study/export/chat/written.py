"""Count what was written in each conversation: messages, words, characters, and what was pasted."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from study.export.tidy import AT_A_TIME, Kept, of_study
from study.store.chat_tables import Conversation, Message
from study.store.tables import Visit

SUPPORTER = "supporter"


@dataclass
class Written:
    """Counts of one conversation, or of several.

    Attributes
    ----------
    messages, words, characters : int
        Of the participant.
    replies : int
        Of the partner, without its opening.
    pasted, keys : int or None
        As the browser counted them; None if it did not.
    watched, pasted_kept : int
        Characters of the messages whose pasting is known, and how many of these were pasted at
        most: whoever pasted more has deleted some of it.
    """

    messages: int = 0
    replies: int = 0
    words: int = 0
    characters: int = 0
    pasted: int | None = None
    keys: int | None = None
    watched: int = 0
    pasted_kept: int = 0

    def add(self, text: str, pasted: int | None, keys: int | None) -> None:
        """Count one message of the participant."""
        self.messages += 1
        self.words += len(text.split())
        self.characters += len(text)
        if keys is not None:
            self.keys = (self.keys or 0) + keys
        if pasted is not None:
            self.pasted = (self.pasted or 0) + pasted
            self.watched += len(text)
            self.pasted_kept += min(pasted, len(text))


def written(connection: Connection, study: Kept) -> dict[str, Written]:
    """Return what was written in every conversation, by its id."""
    rows = connection.execute(
        select(
            Message.conversation_id,
            Message.speaker,
            Message.turn,
            Message.text,
            Message.pasted_characters,
            Message.keys,
        )
        .join(Conversation, Conversation.conversation_id == Message.conversation_id)
        .join(Visit, Visit.session_id == Conversation.session_id)
        .where(of_study(Visit.__table__.c, study))
        .execution_options(yield_per=AT_A_TIME)
    )
    found: dict[str, Written] = {}
    for conversation_id, speaker, turn, text, pasted, keys in rows:
        counts = found.setdefault(conversation_id, Written())
        if speaker == SUPPORTER:
            counts.add(text, pasted, keys)
        elif turn:
            counts.replies += 1
    return found


def pasted_share(several: list[Written]) -> float | None:
    """Return the share of pasted characters in conversations; None if it is not known."""
    watched = sum(one.watched for one in several)
    return sum(one.pasted_kept for one in several) / watched if watched else None
