"""The store's tables of a chat: conversations, messages, what is owed, surveys, coaching, calls.

The visit itself is a row of `visits`: `condition` is the participant's, `sequence_id` their place
in the allocation, and `answered` how many steps of `prereg.chat.steps.steps_of` they have done.
Unique constraints forbid here what the code must never do twice: a turn has one message of each
speaker, and is owed one reply.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Float, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from study.store.tables import Base


class ChatVisit(Base):
    """What a visit to a chat has besides its row of `visits`.

    `reserved_money` and `reserved_calls` are the worst case that was set aside at consent.
    `ended_because` is empty, `partner_failure`, `safety` (the participant chose to stop) or
    `left`. `first_message_at` is empty as long as the place may be given back.
    """

    __tablename__ = "chat_visits"
    __table_args__ = (Index("chat_visits_by_study", "plan_hash", "mode"),)

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    scenarios: Mapped[str] = mapped_column(Text)  # ids in order of round, JSON
    reserved_money: Mapped[float] = mapped_column(Float, default=0.0)
    reserved_calls: Mapped[int] = mapped_column(Integer, default=0)
    first_message_at: Mapped[str | None] = mapped_column(String(32))
    ended_because: Mapped[str] = mapped_column(String(16), default="")
    safety_flags: Mapped[int] = mapped_column(Integer, default=0)
    # the video that is being watched: the step, and when it was first shown and ended
    video_step: Mapped[int | None] = mapped_column(Integer)
    video_shown_at: Mapped[str | None] = mapped_column(String(32))
    video_ended_at: Mapped[str | None] = mapped_column(String(32))


class Conversation(Base):
    """One conversation of a participant; a row of the conversations table.

    The clock is settled at each request: `active_ms` has run by `settled_at` (seconds since 1970),
    and it runs on from there if `running`. `seen_at` is the last heartbeat of a page that is seen.
    `hidden` says whether the page said that it is not seen. `status` is `open`, `over` or `failed`;
    `ended_because` is `time`, `messages`, `participant`, `partner_failure` or `safety`.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("session_id", "round", name="conversations_once"),
        Index("conversations_by_study", "plan_hash", "mode"),
    )

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    version_hash: Mapped[str | None] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    session_id: Mapped[str] = mapped_column(String(64))
    rater_id: Mapped[str] = mapped_column(String(128))
    condition: Mapped[str] = mapped_column(String(64))
    round: Mapped[int] = mapped_column(Integer)
    scenario: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(8), default="open")
    ended_because: Mapped[str] = mapped_column(String(16), default="")
    opened_at: Mapped[str] = mapped_column(String(32))
    first_message_at: Mapped[str | None] = mapped_column(String(32))
    ended_at: Mapped[str | None] = mapped_column(String(32))
    turn: Mapped[int] = mapped_column(Integer, default=0)  # messages of the participant so far
    owes_reply: Mapped[bool] = mapped_column(Boolean, default=False)
    active_ms: Mapped[int] = mapped_column(Integer, default=0)
    settled_at: Mapped[float] = mapped_column(Float, default=0.0)
    running: Mapped[bool] = mapped_column(Boolean, default=False)
    hidden: Mapped[bool] = mapped_column(Boolean, default=False)
    seen_at: Mapped[float] = mapped_column(Float, default=0.0)
    last_message_at: Mapped[float] = mapped_column(Float, default=0.0)
    hidden_ms: Mapped[int] = mapped_column(Integer, default=0)
    # when time was up, in seconds since 1970: what is typed may be sent within the grace
    time_up_at: Mapped[float | None] = mapped_column(Float)
    role_breaks: Mapped[int] = mapped_column(Integer, default=0)
    # state of a scripted partner, JSON
    script: Mapped[str | None] = mapped_column(Text)


class Message(Base):
    """One message; a row of the messages table. Turn 0 holds the partner's opening."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "turn", "speaker", name="messages_once"),
        Index("messages_by_session", "session_id"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    conversation_id: Mapped[str] = mapped_column(String(64))
    session_id: Mapped[str] = mapped_column(String(64))
    turn: Mapped[int] = mapped_column(Integer)
    speaker: Mapped[str] = mapped_column(String(9))  # supporter, partner
    source: Mapped[str] = mapped_column(String(8))  # typed, opening, llm, scripted
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[str] = mapped_column(String(32))
    # a reply is shown from then on, in seconds since 1970: after the typing delay
    show_from: Mapped[float] = mapped_column(Float, default=0.0)
    shown_at: Mapped[str | None] = mapped_column(String(32))
    clock_ms: Mapped[int | None] = mapped_column(Integer)
    compose_ms: Mapped[int | None] = mapped_column(Integer)
    keys: Mapped[int | None] = mapped_column(Integer)
    pasted_characters: Mapped[int | None] = mapped_column(Integer)
    hidden_ms: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[str | None] = mapped_column(String(64))
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    # why a screen or a check marked it; empty if none did
    flag: Mapped[str] = mapped_column(String(32), default="")


class Owed(Base):
    """Something that a partner or a coach owes a participant; made in the message's transaction.

    A server claims it (`run_id`, `claimed_until`), asks without a transaction, and stores the reply
    and `answered` in one transaction, which only the holder of the claim can do. `status` is
    `owed`, `claimed`, `answered`, `failed` (given up) or `dropped` (nobody waits for it any more).
    """

    __tablename__ = "owed"
    __table_args__ = (
        UniqueConstraint("conversation_id", "kind", "turn", name="owed_once"),
        Index("owed_by_status", "plan_hash", "mode", "status"),
    )

    owed_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    session_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))  # partner, feedback, answer
    turn: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(String(8), default="owed")
    owed_at: Mapped[float] = mapped_column(Float)  # seconds since 1970
    not_before: Mapped[float] = mapped_column(Float, default=0.0)
    run_id: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[float] = mapped_column(Float, default=0.0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    reason: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[str | None] = mapped_column(String(32))


class Call(Base):
    """One call to a model, whether or not it was answered; what a chat has cost is their sum."""

    __tablename__ = "chat_calls"
    __table_args__ = (
        Index("chat_calls_by_session", "session_id"),
        Index("chat_calls_by_study", "plan_hash", "mode"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    session_id: Mapped[str] = mapped_column(String(64))
    owed_id: Mapped[int] = mapped_column(Integer)
    purpose: Mapped[str] = mapped_column(String(10))  # partner, feedback, answer, moderation
    model: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))  # asked, answered, failed
    reason: Mapped[str | None] = mapped_column(String(32))
    input_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    cost: Mapped[float | None] = mapped_column(Float)
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    asked_at: Mapped[str] = mapped_column(String(32))


class Coaching(Base):
    """One text between a participant and the coach; a row of the coaching table."""

    __tablename__ = "coaching"
    __table_args__ = (UniqueConstraint("session_id", "round", "position", name="coaching_once"),)

    row_id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    round: Mapped[int] = mapped_column(Integer)
    # 0 is the feedback; then question 1, answer 2, question 3, ...
    position: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(8))  # feedback, question, answer
    source: Mapped[str] = mapped_column(String(8))  # llm, scripted, typed
    text: Mapped[str] = mapped_column(Text)
    scores: Mapped[str | None] = mapped_column(Text)  # by dimension, JSON
    sent_at: Mapped[str] = mapped_column(String(32))
    shown_at: Mapped[str | None] = mapped_column(String(32))
    request_id: Mapped[str | None] = mapped_column(String(64))
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    flag: Mapped[str] = mapped_column(String(32), default="")


class SurveyAnswer(Base):
    """The answer to one question of a chat's surveys; a row of the surveys table."""

    __tablename__ = "chat_survey_answers"
    __table_args__ = (
        UniqueConstraint("session_id", "round", "question", name="chat_survey_answers_once"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64))
    survey: Mapped[str] = mapped_column(String(10))  # before, after_each, end
    round: Mapped[int] = mapped_column(Integer, default=0)
    question: Mapped[str] = mapped_column(String(64))
    value: Mapped[str | None] = mapped_column(Text)  # empty if it was left open
    shown_at: Mapped[str | None] = mapped_column(String(32))
    answered_at: Mapped[str] = mapped_column(String(32))


class SafetyEvent(Base):
    """A screen's hit, and what the participant then chose."""

    __tablename__ = "safety_events"
    __table_args__ = (
        UniqueConstraint("conversation_id", "turn", "speaker", name="safety_events_once"),
        Index("safety_events_by_session", "session_id"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    turn: Mapped[int] = mapped_column(Integer)
    speaker: Mapped[str] = mapped_column(String(9))
    screen: Mapped[str] = mapped_column(String(10))  # lexicon, moderation
    category: Mapped[str] = mapped_column(String(32))
    at: Mapped[str] = mapped_column(String(32))
    choice: Mapped[str] = mapped_column(String(8), default="")  # went_on, stopped


CHAT_TABLES: tuple[type[Base], ...] = (
    ChatVisit,
    Conversation,
    Message,
    Owed,
    Call,
    Coaching,
    SurveyAnswer,
    SafetyEvent,
)
