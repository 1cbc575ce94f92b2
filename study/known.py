"""What is known of a study's live answers, counted in its store and its log of looks."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from prereg.amendments.amendment import Known, State
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock
from prereg.looks import LOOKS_FILE, read_looks
from prereg.tables.reader import NoRowsError, read_table
from prereg.tables.reading import OWN
from study.store.database import Store
from study.store.tables import ANSWERS, Visit, Withdrawal

_LIVE = "live"
_TABLES = "data"
# Every export has one of these.
_VISITS = ("participants.csv", "participants.parquet")


def what_is_known(folder: Path, store: Store | None, lock: Lock) -> Known:
    """Return what is known of a study's live answers, from its store and its log of looks.

    Raises
    ------
    RatifyError
        When the folder has tables of answers but no store, or its log cannot be read.
    """
    if store is None and _has_tables(folder):
        raise RatifyError(
            "holds tables of answers, but the store that they come from is not here",
            file=folder,
            allowed="the folder or the database in which the study is collected",
        )
    visits, answers, judged, gone = (0, 0, 0, 0) if store is None else _counted(store, lock)
    looked = [look.at for look in read_looks(folder) if look.mode == _LIVE]
    looked += _results_without_a_log(folder)
    if looked:
        return Known("seen", visits, answers, judged, min(looked))
    state: State = "not_looked" if visits or judged or gone else "no_data"
    return Known(state, visits, answers, judged)


def _results_without_a_log(folder: Path) -> list[str]:
    """Return when live results were made that are there; earlier releases had no log of looks."""
    try:
        results = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))
        meta = results["meta"]
        return [str(meta["created_at"])] if meta["mode"] == _LIVE else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _counted(store: Store, lock: Lock) -> tuple[int, int, int, int]:
    """Return live visits, people's answers, judges' answers and withdrawals."""
    with store.reading() as connection:

        def count(table: Any, *where: Any) -> int:
            of = (table.plan_hash == lock.root_hash, table.mode == _LIVE, *where)
            return connection.scalar(select(func.count()).select_from(table).where(*of)) or 0

        people = sum(count(table, table.rater_kind == "human") for table in ANSWERS)
        judged = sum(count(table, table.rater_kind != "human") for table in ANSWERS)
        return count(Visit), people, judged, count(Withdrawal)


def _has_tables(folder: Path) -> bool:
    """Say whether tables of answers were exported; a table of the lab's own is none."""
    return any((folder / _TABLES / name).exists() for name in _VISITS)


def _exported_visits(folder: Path) -> int:
    """Return how many live visits the exported tables have."""
    for name in _VISITS:
        path = folder / _TABLES / name
        if path.exists():
            with contextlib.suppress(NoRowsError):
                rows = read_table(path, OWN).rows
                return sum(row.get("mode") == _LIVE for row in rows)
    return 0


def refuse_collected(folder: Path, store: Store | None) -> None:
    """Refuse to lock a study for the first time if people have answered, or results were made.

    Parameters
    ----------
    folder : Path
        Without a lock.
    store : Store or None
        None if the study never had one.

    Raises
    ------
    RatifyError
        When the store or the exported tables have live visits, or the log of looks has a line.
    """
    had = what_was_collected(folder, store)
    if not had:
        return
    raise RatifyError(
        f"a lock would come too late: {' and '.join(had)}",
        file=folder,
        allowed=f"the {LOCK_FILE} under which they were made, put back with its amendments; "
        "another study needs a folder of its own",
    )


def what_was_collected(folder: Path, store: Store | None) -> list[str]:
    """Return what a study has of live visits and looks at results, in clauses; empty if nothing."""
    visits = _exported_visits(folder)
    if store is not None:
        with store.reading() as connection:
            live = select(func.count()).select_from(Visit).where(Visit.mode == _LIVE)
            visits = max(visits, connection.scalar(live) or 0)
    looks = len(read_looks(folder))
    had = [f"it has {visits:,} live visit{'s' * (visits != 1)}"] * bool(visits)
    return had + [f"{LOOKS_FILE} has {looks:,} look{'s' * (looks != 1)} at results"] * bool(looks)
