"""Visits count practice trials, and hold the answers to the end survey."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring a store of release 0.4.0 to this schema; existing values do not change."""
    op.add_column("visits", sa.Column("practised", sa.Integer))
    op.add_column("visits", sa.Column("survey", sa.Text))
    op.add_column("visits", sa.Column("surveyed_at", sa.String(32)))
