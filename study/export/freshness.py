"""Says whether the exported tables of a study are as new as its store.

Only keys are compared, so that rows which somebody added to the tables by hand are no reason to
export again, and neither are ids that an export made unreadable. Tables are stale if the store has
rows that they lack, or if somebody has withdrawn since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Connection

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.tables.notes import heard_by
from prereg.tables.reader import NoRowsError, cell_text, read_table
from prereg.tables.reading import OWN
from study.export.files import export
from study.export.tidy import TidyTable, tidy_tables
from study.export.writing import FORMATS, TABLES_FOLDER, Exported
from study.folder import Study
from study.store.database import Store

# What tells the rows of a table apart; none of it is changed by an export.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "judgments": ("judgment_id",),
    "ratings": ("session_id", "rater_kind", "item_id", "dimension"),
    "best_worst": ("trial_id", "item_id"),
    "participants": ("session_id", "status"),
    "withdrawals": ("mode", "withdrawn_on"),
    "requests": ("request_id", "status"),
    "probes": ("probe_id",),
}
_Keys = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Freshness:
    """How the tables of a study compare with its store.

    Attributes
    ----------
    behind : tuple of str
        Tables that lack rows of the store.
    withdrawn : int
        People who have withdrawn since the export.
    ours_alone : int
        Answers that the store lacks although nobody who gave them has withdrawn.
    renamed : bool
        Whether the tables have other ids of raters than the store.
    ending : str
        The format of the tables.
    """

    behind: tuple[str, ...]
    withdrawn: int
    ours_alone: int
    renamed: bool
    ending: str

    @property
    def stale(self) -> bool:
        """Whether the tables have to be exported again."""
        return bool(self.behind or self.withdrawn)


def freshness(store: Store, study: Study) -> Freshness | None:
    """Compare the tables of a study with its store; None if there are none, or nothing is stored.

    Parameters
    ----------
    store : Store
    study : Study
    """
    folder = study.folder / TABLES_FOLDER
    answers = _path(folder, kind_of(study.plan).table)
    if answers is None:
        return None
    tables = tidy_tables(study)
    with store.snapshot() as connection:
        stored = {
            name: _stored(tables[name], keys, connection)
            for name, keys in _KEYS.items()
            if name in tables
        }
        raters = _pairs(_cells(tables["participants"], connection))
    if not any(stored.values()):
        return None
    exported = {name: _exported(_path(folder, name), _KEYS[name]) for name in stored}
    withdrawn = (stored["withdrawals"] - exported["withdrawals"]).total()
    named = _pairs(_records(_path(folder, "participants")))
    gone = set(named) - set(raters)
    unknown = max(0, len(gone) - withdrawn)
    return Freshness(
        behind=tuple(n for n, keys in stored.items() if n != "withdrawals" and keys - exported[n]),
        withdrawn=withdrawn,
        ours_alone=unknown or _left_alone(folder, stored, gone),
        renamed=any(raters[one] != named[one] for one in named if one in raters),
        ending=answers.suffix.removeprefix("."),
    )


def export_if_stale(store: Store, study: Study) -> Exported | None:
    """Export again if the tables are older than the store; None if they are not.

    Raises
    ------
    RatifyError
        If the tables are stale, and an export would lose answers or bring back ids of raters.
    """
    found = freshness(store, study)
    if found is None or not found.stale:
        return None
    folder = study.folder / TABLES_FOLDER
    why = ", ".join([*found.behind, *["withdrawals"] * bool(found.withdrawn)])
    if found.ours_alone or found.renamed:
        lost = "other ids of raters" if found.renamed else "answers that the store does not have"
        raise RatifyError(
            f"these tables are older than the store ({why}), and they have {lost}",
            file=folder,
            allowed="run `ratify export` as before, then `ratify analyze`",
        )
    return export(store, study, format=found.ending)


def _left_alone(folder: Path, stored: Mapping[str, _Keys], gone: set[str]) -> int:
    """Return how many answers only the tables have, except those of sessions that are gone."""
    alone = 0
    for name in ("judgments", "ratings", "best_worst"):
        if name not in stored:
            continue
        rows = [row for row in _records(_path(folder, name)) if row["session_id"] not in gone]
        alone += (_counted(rows, _KEYS[name]) - stored[name]).total()
    return alone


def _path(folder: Path, name: str) -> Path | None:
    paths = [folder / f"{name}.{ending}" for ending in FORMATS]
    return next((path for path in paths if path.exists()), None)


def _records(path: Path | None) -> list[dict[str, str]]:
    """Return the rows of an exported table; none if it does not exist or is empty."""
    if path is None:
        return []
    try:
        with heard_by(None):  # the analysis reads these tables again, and says how
            return read_table(path, OWN).rows
    except NoRowsError:
        return []


def _counted(rows: Iterable[Mapping[str, str]], keys: tuple[str, ...]) -> _Keys:
    return Counter(tuple(row.get(key, "") for key in keys) for row in rows)


def _exported(path: Path | None, keys: tuple[str, ...]) -> _Keys:
    return _counted(_records(path), keys)


def _cells(table: TidyTable, connection: Connection) -> Iterable[dict[str, str]]:
    names = list(table.columns)
    for row in table.rows(connection):
        yield dict(zip(names, map(cell_text, row), strict=True))


def _stored(table: TidyTable, keys: tuple[str, ...], connection: Connection) -> _Keys:
    return _counted(_cells(table, connection), keys)


def _pairs(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the rater of every session."""
    return {row["session_id"]: row["rater_id"] for row in rows}
