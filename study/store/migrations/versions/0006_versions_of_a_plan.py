"""Rows name the version of an amended plan under which they were made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = ("visits", "judgments", "ratings", "best_worst", "requests", "probes")


def upgrade() -> None:
    """Bring a store of an earlier release to this schema; existing values do not change."""
    for table in TABLES:
        op.add_column(table, sa.Column("version_hash", sa.String(64)))
