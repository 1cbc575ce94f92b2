"""A note on every request to an LLM judge: what the server said where there is no answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Bring a store of release 0.4.0 to this schema; existing values do not change."""
    op.add_column("requests", sa.Column("note", sa.Text))
