"""Deletes what judges' servers said about conversations that were withdrawn."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select, update

from prereg.derived import erased
from study.folder import Study
from study.store.database import Store
from study.store.tables import Request


def forget_replies(store: Store, study: Study) -> int:
    """Delete the words that servers sent about items whose text was erased.

    What was read from them, points and choices, stays, so that the tables stay whole; the analysis
    leaves it out.

    Returns
    -------
    int
        How many replies were deleted.
    """
    gone = set(erased(study.folder))
    if not gone:
        return 0
    of_study = Request.plan_hash == study.root_hash
    with store.reading() as connection:
        asked = connection.execute(select(Request.row_id, Request.item_ids).where(of_study)).all()
    rows = [row_id for row_id, ids in asked if gone & set(json.loads(ids))]

    def forget(connection: Any) -> int:
        wanted = (Request.row_id.in_(rows), Request.reply.is_not(None))
        done = connection.execute(update(Request).where(*wanted).values(reply=None, note=None))
        return int(done.rowcount)

    return store.write(forget)
