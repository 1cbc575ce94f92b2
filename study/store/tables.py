"""The store's tables. Unique constraints forbid here what the code must never do twice.

A session has one slot, a rater has one visit, a slot has one holder, and a trial has one answer.
`plan_hash` is that of the plan as it was locked, whatever its amendments, so that all of this holds
for the whole study.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Float, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# Which visits hold their slot.
HOLDING = "status IN ('active', 'finished')"


class Base(DeclarativeBase):
    """All tables of the store."""


class Slot(Base):
    """One place in one sequence, for one rater; `session_id` says who holds it."""

    __tablename__ = "slots"
    __table_args__ = (
        UniqueConstraint("plan_hash", "mode", "sequence_id", "slot", name="slots_once"),
    )

    slot_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    sequence_id: Mapped[str] = mapped_column(String(64))
    slot: Mapped[int] = mapped_column(Integer, default=1)
    session_id: Mapped[str | None] = mapped_column(String(64), unique=True)


class Visit(Base):
    """One person's visit, and where they are in it; a row of the participants table."""

    __tablename__ = "visits"
    __table_args__ = (
        UniqueConstraint("plan_hash", "mode", "rater_id", name="visits_once_per_rater"),
        Index(
            "visits_one_holder",
            "plan_hash",
            "mode",
            "sequence_id",
            "slot",
            unique=True,
            sqlite_where=text(HOLDING),
            postgresql_where=text(HOLDING),
        ),
    )

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    rater_id: Mapped[str] = mapped_column(String(128))
    condition: Mapped[str] = mapped_column(String(64), default="")
    sequence_id: Mapped[str] = mapped_column(String(64))
    slot: Mapped[int] = mapped_column(Integer, default=1)
    consented_at: Mapped[str] = mapped_column(String(32))
    finished_at: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16), default="active")
    # seconds since 1970: when the place may go to somebody else
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    answered: Mapped[int] = mapped_column(Integer, default=0)
    # the last trial that was on the rater's screen, and since when
    shown_position: Mapped[int] = mapped_column(Integer, default=0)
    shown_at: Mapped[str | None] = mapped_column(String(32))
    comprehension_attempts: Mapped[int | None] = mapped_column(Integer)
    comprehended: Mapped[bool] = mapped_column(Boolean, default=False)
    # how many practice trials were sent; empty means none
    practised: Mapped[int | None] = mapped_column(Integer)
    # answers to the end survey by the question's id, JSON, and when they were stored
    survey: Mapped[str | None] = mapped_column(Text)
    surveyed_at: Mapped[str | None] = mapped_column(String(32))
    platform_study_id: Mapped[str | None] = mapped_column(String(128))
    platform_session_id: Mapped[str | None] = mapped_column(String(128))
    withdrawal_key: Mapped[str] = mapped_column(String(64), unique=True)
    # the version of an amended plan under which the row was made; empty if that is plan_hash
    version_hash: Mapped[str | None] = mapped_column(String(64))


class AnyAnswer:
    """The columns of every answer of a person or a judge."""

    row_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8), default="live")
    session_id: Mapped[str] = mapped_column(String(96))
    rater_id: Mapped[str] = mapped_column(String(128))
    rater_kind: Mapped[str] = mapped_column(String(8))
    scenario: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    is_attention_check: Mapped[bool] = mapped_column(Boolean, default=False)
    passed_check: Mapped[bool | None] = mapped_column(Boolean)
    shown_at: Mapped[str | None] = mapped_column(String(32))
    answered_at: Mapped[str] = mapped_column(String(32))
    response_ms: Mapped[int | None] = mapped_column(Integer)
    hidden_ms: Mapped[int | None] = mapped_column(Integer)
    # the request to an LLM judge that gave the answer; see Request
    request_id: Mapped[str | None] = mapped_column(String(64))
    # the version of an amended plan under which the row was made; empty if that is plan_hash
    version_hash: Mapped[str | None] = mapped_column(String(64))


class Judgment(AnyAnswer, Base):
    """One choice or tie, by a person or a judge; a row of the judgments table."""

    __tablename__ = "judgments"
    __table_args__ = (
        UniqueConstraint("session_id", "position", name="judgments_once"),
        Index("judgments_by_rater", "plan_hash", "mode", "rater_id"),
    )

    judgment_id: Mapped[str] = mapped_column(String(64), unique=True)
    left_id: Mapped[str] = mapped_column(Text)
    right_id: Mapped[str] = mapped_column(Text)
    choice: Mapped[str] = mapped_column(String(5))
    purpose: Mapped[str] = mapped_column(String(8), default="trial")


class Rating(AnyAnswer, Base):
    """One score of one item on one dimension; a row of the ratings table."""

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint(
            "plan_hash",
            "mode",
            "rater_kind",
            "rater_id",
            "item_id",
            "dimension",
            name="ratings_once",
        ),
        Index("ratings_by_session", "session_id", "position"),
    )

    item_id: Mapped[str] = mapped_column(Text)
    dimension: Mapped[str] = mapped_column(String(64))
    value: Mapped[float] = mapped_column(Float)
    scale_min: Mapped[int] = mapped_column(Integer)
    scale_max: Mapped[int] = mapped_column(Integer)


class BestWorst(AnyAnswer, Base):
    """One choice of most and least; one row per option in the best_worst table."""

    __tablename__ = "best_worst"
    __table_args__ = (UniqueConstraint("session_id", "position", name="best_worst_once"),)

    trial_id: Mapped[str] = mapped_column(String(64), unique=True)
    options: Mapped[str] = mapped_column(Text)  # item ids in order of place, JSON
    most_id: Mapped[str] = mapped_column(Text)
    least_id: Mapped[str] = mapped_column(Text)
    why: Mapped[str | None] = mapped_column(Text)


class Request(Base):
    """One request to an LLM judge's server and its outcome; a row of the requests table.

    `request_id` is the hash of all that the reply may depend on, so nothing is paid for twice. A
    row is `claimed` by the run that is asking, then `answered`, or `unanswered` for a reason.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("plan_hash", "request_id", name="requests_once"),
        Index("requests_by_judge", "plan_hash", "rater_id", "status"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64))
    plan_hash: Mapped[str] = mapped_column(String(64))
    rater_id: Mapped[str] = mapped_column(String(128))
    rater_kind: Mapped[str] = mapped_column(String(8))
    purpose: Mapped[str] = mapped_column(String(8))
    scenario: Mapped[str] = mapped_column(Text)
    item_ids: Mapped[str] = mapped_column(Text)  # as asked, JSON
    prompt: Mapped[str] = mapped_column(String(128))
    status: Mapped[str] = mapped_column(String(10))
    run_id: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(32))
    note: Mapped[str | None] = mapped_column(Text)  # the server's words, or what was left out
    reply: Mapped[str | None] = mapped_column(Text)
    answers: Mapped[str | None] = mapped_column(Text)  # what was read from the reply, JSON
    model: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str | None] = mapped_column(Text)
    input_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    cost: Mapped[float | None] = mapped_column(Float)
    p_left: Mapped[float | None] = mapped_column(Float)
    asked_at: Mapped[str | None] = mapped_column(String(32))
    answered_at: Mapped[str | None] = mapped_column(String(32))
    # the version of an amended plan under which the row was made; empty if that is plan_hash
    version_hash: Mapped[str | None] = mapped_column(String(64))


class Probe(Base):
    """One answer that only serves to show a judge's habits; a row of the probes table."""

    __tablename__ = "probes"
    __table_args__ = (
        UniqueConstraint("plan_hash", "probe_id", name="probes_once"),
        Index("probes_by_judge", "plan_hash", "rater_id"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    probe_id: Mapped[str] = mapped_column(String(64))
    plan_hash: Mapped[str] = mapped_column(String(64))
    rater_id: Mapped[str] = mapped_column(String(128))
    rater_kind: Mapped[str] = mapped_column(String(8))
    unit: Mapped[str] = mapped_column(Text)
    probe: Mapped[str] = mapped_column(String(16))
    variant: Mapped[str] = mapped_column(String(128))
    scenario: Mapped[str] = mapped_column(Text)
    left_id: Mapped[str | None] = mapped_column(Text)
    right_id: Mapped[str | None] = mapped_column(Text)
    choice: Mapped[str | None] = mapped_column(String(5))
    item_id: Mapped[str | None] = mapped_column(Text)
    dimension: Mapped[str | None] = mapped_column(String(64))
    value: Mapped[float | None] = mapped_column(Float)
    scale_min: Mapped[int | None] = mapped_column(Integer)
    scale_max: Mapped[int | None] = mapped_column(Integer)
    request_id: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[str] = mapped_column(String(32))
    # the version of an amended plan under which the row was made; empty if that is plan_hash
    version_hash: Mapped[str | None] = mapped_column(String(64))


class JudgeRun(Base):
    """A process that is asking a judge; its claims are void once `alive_until` has passed."""

    __tablename__ = "judge_runs"

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    alive_until: Mapped[float] = mapped_column(Float)  # seconds since 1970


class RankingHold(Base):
    """The run that ranks a scenario; only one can, as the next pair depends on all replies."""

    __tablename__ = "ranking_holds"
    __table_args__ = (
        UniqueConstraint("plan_hash", "rater_id", "scenario", name="ranking_holds_once"),
    )

    row_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    rater_id: Mapped[str] = mapped_column(String(128))
    scenario: Mapped[str] = mapped_column(Text)
    run_id: Mapped[str] = mapped_column(String(64))


class Withdrawal(Base):
    """The fact that somebody withdrew, without saying who."""

    __tablename__ = "withdrawals"

    row_id: Mapped[int] = mapped_column(primary_key=True)
    plan_hash: Mapped[str] = mapped_column(String(64))
    mode: Mapped[str] = mapped_column(String(8))
    withdrawn_on: Mapped[str] = mapped_column(String(10))


class Setting(Base):
    """A setting of the researcher's while the study runs: the password's hash, a pause."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Login(Base):
    """One browser in which the researcher is signed in; only its cookie holds the token."""

    __tablename__ = "logins"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[float] = mapped_column(Float)


ANSWERS: tuple[type[Judgment | Rating | BestWorst], ...] = (Judgment, Rating, BestWorst)
