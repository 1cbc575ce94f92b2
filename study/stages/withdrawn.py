"""Deletes what judges' servers said about conversations that were withdrawn."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update

from prereg.derived import ERASED_TEXT, erased
from prereg.tables.items import read_items
from study.export.writing import FORMATS
from study.folder import Study
from study.store.database import Store
from study.store.tables import Request

_AT_A_TIME = 500  # rows that one statement names


def forget_replies(store: Store, study: Study) -> int:
    """Delete the words that servers sent about items whose text was erased.

    Also what was noted of a request without a reply, because a server's error may quote it. What
    was read from them, points and choices, stays, so that the tables stay whole; the analysis
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
        said = or_(Request.reply.is_not(None), Request.note.is_not(None))
        count = 0
        for start in range(0, len(rows), _AT_A_TIME):
            part = Request.row_id.in_(rows[start : start + _AT_A_TIME])
            done = connection.execute(
                update(Request).where(part, said).values(reply=None, note=None)
            )
            count += int(done.rowcount)
        if count:
            store.mark_deleted(connection)
        return count

    count = store.write(forget) if rows else 0
    if count:
        store.forget_deleted()
    return count


def tables_hold(place: Path, gone: Collection[str]) -> bool:
    """Say whether the exported items still have the text of an item that was erased."""
    paths = [place / f"items.{ending}" for ending in FORMATS]
    return any(
        row["item_id"] in gone and row["text"] != ERASED_TEXT
        for path in paths
        if path.exists()
        for row in read_items(path).written
    )
