"""Steer recruitment while a study runs: pause it, and free the places of raters who left."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prereg.errors import RatifyError
from prereg.lock import utc_now
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import OWN
from study.folder import Study
from study.store import settings
from study.store.database import Store
from study.visits.claims import release

# The names in Prolific's export, and in a table of one's own; spaces and case do not matter.
ID_COLUMNS = ("participant_id", "rater_id")
STATUS_COLUMN = "status"
ENDED = {"returned": "returned", "timed_out": "timed_out"}


class Rooted(Protocol):
    """A study of any kind, by the hash under which the store knows it."""

    @property
    def root_hash(self) -> str: ...  # noqa: D102


def is_paused(store: Store, study: Rooted, mode: str) -> bool:
    """Say whether newcomers are sent away; raters who have begun can always continue."""
    with store.reading() as connection:
        return settings.read(connection, _pause(study, mode)) is not None


def pause(store: Store, study: Rooted, mode: str) -> None:
    """Send newcomers away from now on, on every server of this store."""
    store.write(lambda connection: settings.put(connection, _pause(study, mode), utc_now()))


def resume(store: Store, study: Rooted, mode: str) -> None:
    """Let newcomers in again."""
    store.write(lambda connection: settings.drop(connection, _pause(study, mode)))


def _pause(study: Rooted, mode: str) -> str:
    return f"paused:{mode}:{study.root_hash}"


@dataclass(frozen=True)
class Released:
    """What a platform's export changed in the store.

    Attributes
    ----------
    released : int
        Raters who were under way; their places are free again.
    already_ended : int
        Raters whose visit had ended before.
    finished : tuple of str
        Raters who have answered everything here; nothing changes, whatever the platform says.
    unknown : int
        Raters who never consented here, or withdrew.
    other : int
        Raters whom the export does not call returned or timed out; nothing changes.
    """

    released: int
    already_ended: int
    finished: tuple[str, ...]
    unknown: int
    other: int

    def sentence(self) -> str:
        """Return all of this in one sentence."""
        said = (
            f"{self.released} released, {self.already_ended} had ended before, "
            f"{len(self.finished)} finished here and not changed, {self.unknown} unknown here, "
            f"{self.other} neither returned nor timed out"
        )
        return said + (f"; finished here: {', '.join(self.finished)}" if self.finished else "")


def release_from_file(store: Store, study: Study, mode: str, path: Path | str) -> Released:
    """Free the places of raters whom the recruitment platform calls returned or timed out.

    A rater with several rows, one of them with another status, came back and is not released.
    Answers are kept. The same file may be read any number of times.

    Parameters
    ----------
    path : path
        The platform's export: Prolific's, with columns Participant id and Status, or any table
        with rater_id and status.

    Raises
    ------
    RatifyError
        When the file is not such a table, or an id is missing or damaged; then nothing changes.
    """
    return release_all(path, lambda rater, status: release(store, study, mode, rater, status))


def release_all(path: Path | str, free: Callable[[str, str], str]) -> Released:
    """Free the places of those who left, as `release_from_file` does, of any kind of study.

    Parameters
    ----------
    path : path
    free : callable
        Takes a rater's id and how their visit ended; returns its status before.
    """
    ends, other = _read_ends(read_table(path, OWN))
    found: dict[str, list[str]] = {}
    for rater_id, status in ends.items():
        before = free(rater_id, status)
        found.setdefault(before, []).append(rater_id)
    active, finished, unknown = (found.pop(s, []) for s in ("active", "finished", "unknown"))
    return Released(
        released=len(active),
        already_ended=sum(map(len, found.values())),
        finished=tuple(finished),
        unknown=len(unknown),
        other=other,
    )


def _read_ends(table: Table) -> tuple[dict[str, str], int]:
    """Return how the visits of raters who left ended, and how many other raters there are."""
    ids, statuses = column_of(table, *ID_COLUMNS), column_of(table, STATUS_COLUMN)
    table.require_filled(ids, statuses)
    table.refuse_damaged_ids(ids)
    ends: dict[str, str] = {}
    others = set()
    for record in table.rows:
        rater_id, status = record[ids], ENDED.get(_plain(record[statuses]))
        if status is None:
            others.add(rater_id)
        else:
            ends[rater_id] = status
    return {name: status for name, status in ends.items() if name not in others}, len(others)


def column_of(
    table: Table,
    *names: str,
    allowed: str = "a recruitment platform's export: Participant id (or rater_id) and Status",
) -> str:
    """Return the column that has one of these names, as the file spells it.

    Raises
    ------
    RatifyError
        When the table has none of them.
    """
    for name in names:
        for column in table.columns:
            if _plain(column) == name:
                return column
    raise RatifyError(f"there is no column '{names[-1]}'", file=table.path, allowed=allowed)


def _plain(text: str) -> str:
    """Return a name in one spelling: exports differ in case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_-]+", "_", text.strip().lower())
