"""Chats: conversations, messages, replies that are owed, surveys, coaching, calls to models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring a store of an earlier release to this schema; existing values do not change."""
    _chat_visits()
    _conversations()
    _messages()
    _owed()
    _chat_calls()
    _coaching()
    _chat_survey_answers()
    _safety_events()


def _chat_visits() -> None:
    op.create_table(
        "chat_visits",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("scenarios", sa.Text, nullable=False),
        sa.Column("reserved_money", sa.Float, nullable=False),
        sa.Column("reserved_calls", sa.Integer, nullable=False),
        sa.Column("first_message_at", sa.String(32)),
        sa.Column("ended_because", sa.String(16), nullable=False),
        sa.Column("safety_flags", sa.Integer, nullable=False),
        sa.Column("video_step", sa.Integer),
        sa.Column("video_shown_at", sa.String(32)),
        sa.Column("video_ended_at", sa.String(32)),
    )
    op.create_index("chat_visits_by_study", "chat_visits", ["plan_hash", "mode"])


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.String(64), primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("version_hash", sa.String(64)),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("condition", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("scenario", sa.String(64), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("ended_because", sa.String(16), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("first_message_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("owes_reply", sa.Boolean, nullable=False),
        sa.Column("active_ms", sa.Integer, nullable=False),
        sa.Column("settled_at", sa.Float, nullable=False),
        sa.Column("running", sa.Boolean, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
        sa.Column("last_message_at", sa.Float, nullable=False),
        sa.Column("hidden_ms", sa.Integer, nullable=False),
        sa.Column("time_up_at", sa.Float),
        sa.Column("role_breaks", sa.Integer, nullable=False),
        sa.Column("script", sa.Text),
        sa.UniqueConstraint("session_id", "round", name="conversations_once"),
    )
    op.create_index("conversations_by_study", "conversations", ["plan_hash", "mode"])


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("speaker", sa.String(9), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.Column("show_from", sa.Float, nullable=False),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("clock_ms", sa.Integer),
        sa.Column("compose_ms", sa.Integer),
        sa.Column("keys", sa.Integer),
        sa.Column("pasted_characters", sa.Integer),
        sa.Column("hidden_ms", sa.Integer),
        sa.Column("request_id", sa.String(64)),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("flag", sa.String(32), nullable=False),
        sa.UniqueConstraint("message_id"),
        sa.UniqueConstraint("conversation_id", "turn", "speaker", name="messages_once"),
    )
    op.create_index("messages_by_session", "messages", ["session_id"])


def _owed() -> None:
    op.create_table(
        "owed",
        sa.Column("owed_id", sa.Integer, primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("owed_at", sa.Float, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("run_id", sa.String(64)),
        sa.Column("claimed_until", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("note", sa.Text),
        sa.Column("settled_at", sa.String(32)),
        sa.UniqueConstraint("conversation_id", "kind", "turn", name="owed_once"),
    )
    op.create_index("owed_by_status", "owed", ["plan_hash", "mode", "status"])


def _chat_calls() -> None:
    op.create_table(
        "chat_calls",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("owed_id", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(10), nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cost", sa.Float),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("request_id"),
    )
    op.create_index("chat_calls_by_session", "chat_calls", ["session_id"])
    op.create_index("chat_calls_by_study", "chat_calls", ["plan_hash", "mode"])


def _coaching() -> None:
    op.create_table(
        "coaching",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("scores", sa.Text),
        sa.Column("sent_at", sa.String(32), nullable=False),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("flag", sa.String(32), nullable=False),
        sa.UniqueConstraint("session_id", "round", "position", name="coaching_once"),
    )


def _chat_survey_answers() -> None:
    op.create_table(
        "chat_survey_answers",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("survey", sa.String(10), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("session_id", "round", "question", name="chat_survey_answers_once"),
    )


def _safety_events() -> None:
    op.create_table(
        "safety_events",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("speaker", sa.String(9), nullable=False),
        sa.Column("screen", sa.String(10), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("choice", sa.String(8), nullable=False),
        sa.UniqueConstraint("conversation_id", "turn", "speaker", name="safety_events_once"),
    )
    op.create_index("safety_events_by_session", "safety_events", ["session_id"])
