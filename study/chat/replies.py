"""Store a reply of the partner, or a text of the coach, in the transaction that settles it."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection

from study.chat.owed_rows import OwedTask, SettledReply
from study.chat.screens import iso
from study.chat.study import ChatStudy
from study.store.chat_tables import Coaching, Conversation, Message


def keep_message(
    connection: Connection,
    study: ChatStudy,
    task: OwedTask,
    talk: Any,
    reply: SettledReply,
    now: float,
) -> None:
    """Store a partner's reply; it is shown once the typing delay is over."""
    typed = study.plan.conversation.typing.seconds(len(reply.text))
    message = {
        "message_id": secrets.token_urlsafe(18),
        "conversation_id": task.conversation_id,
        "session_id": task.session_id,
        "turn": task.turn,
        "speaker": "partner",
        "source": reply.source,
        "text": reply.text,
        "sent_at": iso(now),
        "show_from": max(now, task.owed_at + typed),
        "clock_ms": talk.active_ms,
        "request_id": reply.request_id,
        "latency_ms": reply.latency_ms,
        "flag": reply.flag,
    }
    connection.execute(insert(Message).values(message))
    changes: dict[str, Any] = {"owes_reply": False}
    if reply.role_break:
        changes["role_breaks"] = Conversation.role_breaks + 1
    if reply.script is not None:
        changes["script"] = reply.script
    its = update(Conversation).where(Conversation.conversation_id == task.conversation_id)
    connection.execute(its.values(changes))


def keep_coaching(
    connection: Connection, task: OwedTask, talk: Any, reply: SettledReply, now: float
) -> None:
    """Store the coach's feedback, or its answer to a question."""
    row = {
        "session_id": task.session_id,
        "conversation_id": task.conversation_id,
        "round": talk.round,
        "position": task.turn,
        "kind": task.kind,
        "source": reply.source,
        "text": reply.text,
        "scores": None if reply.scores is None else json.dumps(dict(reply.scores)),
        "sent_at": iso(now),
        "request_id": reply.request_id,
        "latency_ms": reply.latency_ms,
        "flag": reply.flag,
    }
    connection.execute(insert(Coaching).values(row))
