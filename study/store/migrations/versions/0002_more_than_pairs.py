"""More raters per sequence, leases, comprehension, withdrawal, ratings and best-worst by people.

Every row of release 0.1.0 is kept. New columns are filled with what was true then: one rater per
sequence, no comprehension question, no platform, and ratings only by judges.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# Release 0.1.0 did not name unique constraints. PostgreSQL names them like this; SQLite does not.
UNNAMED = {"uq": "%(table_name)s_%(column_0_N_name)s_key"}
HOLDING = "status IN ('active', 'finished')"
# Raters who are under way when the store is upgraded keep their place for at least this long.
GRACE_SECONDS = 60 * 60

Columns = dict[str, sa.types.TypeEngine[Any]]


def upgrade() -> None:
    """Bring a store of release 0.1.0 to this schema."""
    if op.get_context().dialect.name == "postgresql":
        # an older server that still runs must not store an answer that is then not counted
        op.execute(
            "LOCK TABLE slots, visits, showings, judgments, ratings IN ACCESS EXCLUSIVE MODE"
        )
    _slots()
    _visits()
    op.drop_table("showings")
    _judgments()
    _ratings()
    _best_worst()
    _small_tables()


def _add(table: str, columns: Columns) -> None:
    """Add columns that may be empty until they are filled."""
    for name, kind in columns.items():
        op.add_column(table, sa.Column(name, kind))


def _slots() -> None:
    op.add_column("slots", sa.Column("slot", sa.Integer))
    op.execute("UPDATE slots SET slot = 1")
    with op.batch_alter_table("slots", naming_convention=UNNAMED) as slots:
        slots.drop_constraint("slots_plan_hash_mode_sequence_id_key", type_="unique")
        slots.drop_column("claimed_at")
        slots.alter_column("slot", existing_type=sa.Integer, nullable=False)
        slots.create_unique_constraint("slots_once", ["plan_hash", "mode", "sequence_id", "slot"])


def _visits() -> None:
    required: Columns = {
        "slot": sa.Integer(),
        "lease_until": sa.Float(),
        "answered": sa.Integer(),
        "shown_position": sa.Integer(),
        "comprehended": sa.Boolean(),
        "withdrawal_key": sa.String(64),
    }
    optional: Columns = {
        "shown_at": sa.String(32),
        "comprehension_attempts": sa.Integer(),
        "platform_study_id": sa.String(128),
        "platform_session_id": sa.String(128),
    }
    _add("visits", required | optional)
    _fill_visits()
    op.drop_index("ix_visits_mode", table_name="visits")
    with op.batch_alter_table("visits", naming_convention=UNNAMED) as visits:
        visits.drop_constraint("visits_plan_hash_mode_rater_id_key", type_="unique")
        for name, kind in required.items():
            visits.alter_column(name, existing_type=kind, nullable=False)
        visits.create_unique_constraint("visits_once_per_rater", ["plan_hash", "mode", "rater_id"])
        visits.create_unique_constraint("visits_withdrawal_key_key", ["withdrawal_key"])
    op.create_index(
        "visits_one_holder",
        "visits",
        ["plan_hash", "mode", "sequence_id", "slot"],
        unique=True,
        sqlite_where=sa.text(HOLDING),
        postgresql_where=sa.text(HOLDING),
    )


def _fill_visits() -> None:
    """Fill in where every rater is: how many answers, and the last trial on their screen."""
    connection = op.get_bind()
    connection.execute(
        sa.text(
            """
            UPDATE visits SET
                slot = 1,
                lease_until = CASE WHEN status = 'active' THEN :lease ELSE 0 END,
                comprehended = false,
                answered = (
                    SELECT count(*) FROM judgments
                    WHERE judgments.session_id = visits.session_id
                ),
                shown_position = coalesce((
                    SELECT max(position) FROM showings
                    WHERE showings.session_id = visits.session_id
                ), 0),
                shown_at = (
                    SELECT shown_at FROM showings
                    WHERE showings.session_id = visits.session_id
                    ORDER BY position DESC LIMIT 1
                )
            """
        ),
        {"lease": time.time() + GRACE_SECONDS},
    )
    sessions = connection.scalars(sa.text("SELECT session_id FROM visits")).all()
    if sessions:
        connection.execute(
            sa.text("UPDATE visits SET withdrawal_key = :key WHERE session_id = :session_id"),
            [{"session_id": name, "key": secrets.token_urlsafe(24)} for name in sessions],
        )


def _judgments() -> None:
    op.add_column("judgments", sa.Column("passed_check", sa.Boolean))
    with op.batch_alter_table("judgments", naming_convention=UNNAMED) as judgments:
        judgments.drop_constraint("judgments_session_id_position_key", type_="unique")
        judgments.create_unique_constraint("judgments_once", ["session_id", "position"])


def _ratings() -> None:
    required: Columns = {
        "mode": sa.String(8),
        "session_id": sa.String(96),
        "scenario": sa.Text(),
        "position": sa.Integer(),
        "is_attention_check": sa.Boolean(),
        "answered_at": sa.String(32),
    }
    optional: Columns = {
        "passed_check": sa.Boolean(),
        "shown_at": sa.String(32),
        "response_ms": sa.Integer(),
        "hidden_ms": sa.Integer(),
    }
    _add("ratings", required | optional)
    op.execute(
        """
        UPDATE ratings SET
            mode = 'live',
            session_id = substr(ratings.plan_hash, 1, 12) || ':' || ratings.rater_id || '\\:rating',
            scenario = '',
            position = numbered.position,
            is_attention_check = false,
            answered_at = ''
        FROM (
            SELECT row_id, row_number() OVER (
                PARTITION BY plan_hash, rater_id ORDER BY row_id
            ) AS position
            FROM ratings
        ) AS numbered
        WHERE numbered.row_id = ratings.row_id
        """
    )
    with op.batch_alter_table("ratings", naming_convention=UNNAMED) as ratings:
        ratings.drop_constraint("ratings_plan_hash_rater_id_item_id_dimension_key", type_="unique")
        for name, kind in required.items():
            ratings.alter_column(name, existing_type=kind, nullable=False)
        ratings.create_unique_constraint(
            "ratings_once", ["plan_hash", "mode", "rater_kind", "rater_id", "item_id", "dimension"]
        )
    op.create_index("ratings_by_session", "ratings", ["session_id", "position"])


def _best_worst() -> None:
    op.create_table(
        "best_worst",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("trial_id", sa.String(64), nullable=False, unique=True),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("most_id", sa.Text, nullable=False),
        sa.Column("least_id", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("session_id", sa.String(96), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("rater_kind", sa.String(8), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_attention_check", sa.Boolean, nullable=False),
        sa.Column("passed_check", sa.Boolean),
        sa.Column("shown_at", sa.String(32)),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.Column("response_ms", sa.Integer),
        sa.Column("hidden_ms", sa.Integer),
        sa.UniqueConstraint("session_id", "position", name="best_worst_once"),
    )


def _small_tables() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("withdrawn_on", sa.String(10), nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
