"""The tables of release 0.1.0, which did not record its version in the store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Make the tables of an empty store."""
    _slots()
    _visits()
    _showings()
    _judgments()
    _ratings()


def _slots() -> None:
    op.create_table(
        "slots",
        sa.Column("slot_id", sa.Integer, primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("sequence_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), unique=True),
        sa.Column("claimed_at", sa.String(32)),
        sa.UniqueConstraint("plan_hash", "mode", "sequence_id"),
    )


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("condition", sa.String(64), nullable=False),
        sa.Column("sequence_id", sa.String(64), nullable=False),
        sa.Column("consented_at", sa.String(32), nullable=False),
        sa.Column("finished_at", sa.String(32)),
        sa.Column("status", sa.String(16), nullable=False),
        sa.UniqueConstraint("plan_hash", "mode", "rater_id"),
    )
    op.create_index("ix_visits_mode", "visits", ["mode"])


def _showings() -> None:
    op.create_table(
        "showings",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("shown_at", sa.String(32), nullable=False),
    )


def _judgments() -> None:
    op.create_table(
        "judgments",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("judgment_id", sa.String(64), nullable=False, unique=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("session_id", sa.String(96), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("rater_kind", sa.String(8), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("left_id", sa.Text, nullable=False),
        sa.Column("right_id", sa.Text, nullable=False),
        sa.Column("choice", sa.String(5), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_attention_check", sa.Boolean, nullable=False),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.Column("response_ms", sa.Integer),
        sa.Column("hidden_ms", sa.Integer),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.UniqueConstraint("session_id", "position"),
    )
    op.create_index("judgments_by_rater", "judgments", ["plan_hash", "mode", "rater_id"])


def _ratings() -> None:
    op.create_table(
        "ratings",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("rater_kind", sa.String(8), nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("dimension", sa.String(64), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("scale_min", sa.Integer, nullable=False),
        sa.Column("scale_max", sa.Integer, nullable=False),
        sa.UniqueConstraint("plan_hash", "rater_id", "item_id", "dimension"),
    )
