"""The script that Alembic runs: the missing steps, in the transaction that the caller began.

The caller commits or rolls back, so that a step that fails halfway leaves the store as it was.
"""

from __future__ import annotations

from alembic import context

import study.store.chat_tables  # noqa: F401 - its tables belong to the schema
from study.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # SQLite too: the store begins its transactions itself
)
with context.begin_transaction():
    context.run_migrations()
