"""LLM judges: requests and their outcomes, probes of habits, and the runs that are asking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring a store of release 0.2.0 to this schema; existing values do not change."""
    for table in ("judgments", "ratings", "best_worst"):
        op.add_column(table, sa.Column("request_id", sa.String(64)))
    _requests()
    _probes()
    op.create_table(
        "judge_runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("alive_until", sa.Float, nullable=False),
    )
    op.create_table(
        "ranking_holds",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.UniqueConstraint("plan_hash", "rater_id", "scenario", name="ranking_holds_once"),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("rater_kind", sa.String(8), nullable=False),
        sa.Column("purpose", sa.String(8), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("item_ids", sa.Text, nullable=False),
        sa.Column("prompt", sa.String(128), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("run_id", sa.String(64)),
        sa.Column("reason", sa.String(32)),
        sa.Column("reply", sa.Text),
        sa.Column("answers", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("cost", sa.Float),
        sa.Column("p_left", sa.Float),
        sa.Column("asked_at", sa.String(32)),
        sa.Column("answered_at", sa.String(32)),
        sa.UniqueConstraint("plan_hash", "request_id", name="requests_once"),
    )
    op.create_index("requests_by_judge", "requests", ["plan_hash", "rater_id", "status"])


def _probes() -> None:
    op.create_table(
        "probes",
        sa.Column("row_id", sa.Integer, primary_key=True),
        sa.Column("probe_id", sa.String(64), nullable=False),
        sa.Column("plan_hash", sa.String(64), nullable=False),
        sa.Column("rater_id", sa.String(128), nullable=False),
        sa.Column("rater_kind", sa.String(8), nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("probe", sa.String(16), nullable=False),
        sa.Column("variant", sa.String(128), nullable=False),
        sa.Column("scenario", sa.Text, nullable=False),
        sa.Column("left_id", sa.Text),
        sa.Column("right_id", sa.Text),
        sa.Column("choice", sa.String(5)),
        sa.Column("item_id", sa.Text),
        sa.Column("dimension", sa.String(64)),
        sa.Column("value", sa.Float),
        sa.Column("scale_min", sa.Integer),
        sa.Column("scale_max", sa.Integer),
        sa.Column("request_id", sa.String(64)),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("plan_hash", "probe_id", name="probes_once"),
    )
    op.create_index("probes_by_judge", "probes", ["plan_hash", "rater_id"])
