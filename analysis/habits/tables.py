"""Reads the tables that show judges' habits; only probes or judgments are required."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.arrays import BoolArray
from analysis.tables import columns
from analysis.tables import tidy as tables
from analysis.tables.tidy import naming, read_frame, table_path
from prereg.errors import RatifyError
from prereg.tables.contract import CHOICES, ITEMS, JUDGMENTS, PERTURBED, PROBES, REQUESTS
from prereg.tables.reader import NoRowsError
from prereg.tables.reading import reading_of

TABLES_FOLDER = "data"
NAMES = ("items", "judgments", "ratings", "probes", "perturbed", "requests")
# The cells of a probe, of which those of pairs or those of items are empty.
_CELLS = ("left_id", "right_id", "choice", "item_id", "dimension", *PROBES.numeric)


@dataclass(frozen=True, kw_only=True)
class HabitTables:
    """Tidy tables about judges, each checked; empty if there is no such table.

    Attributes
    ----------
    items, judgments, ratings, probes, perturbed, requests : DataFrame
        As in the codebook; judgments and ratings hold people's rows too.
    mode : str or None
        Which of people's rows count; None if no table says.
    files : tuple of Path
        The files that were read.
    notes : tuple of str
        Notes on the choice of rows.
    """

    items: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    judgments: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    ratings: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    probes: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    perturbed: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    requests: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    mode: str | None = None
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def read_habit_tables(folder: Path, *, mode: str | None = None) -> HabitTables:
    """Read the tables of a folder that show judges' habits.

    Parameters
    ----------
    folder : Path
        A study folder (its tables are in `data/`), or a folder of tidy tables.
    mode : {'live', 'pilot', 'bot'}, optional
        Which people the judges are compared with; by default the only mode in the tables, or live
        if there are several.

    Raises
    ------
    RatifyError
        If there are neither probes nor judgments, or a row does not follow the codebook.
    """
    place = folder
    if not any(table_path(folder, name).exists() for name in ("probes", "judgments")):
        place = folder / TABLES_FOLDER
    paths = {name: table_path(place, name) for name in NAMES}
    if not (paths["probes"].exists() or paths["judgments"].exists()):
        raise RatifyError(
            "there are neither probes nor judgments here",
            file=folder,
            allowed="a study folder after `ratify export`, or a folder with probes.csv or "
            "judgments.csv",
        )
    readers = {
        "items": read_texts,
        "judgments": _read_choices,
        "ratings": _read_points,
        "probes": read_probes,
        "perturbed": read_perturbed,
        "requests": read_requests,
    }
    there = [name for name in NAMES if paths[name].exists()]
    read = {name: _or_empty(readers[name], paths[name]) for name in there}
    chosen, notes = _one_mode([read[n] for n in ("judgments", "ratings") if n in read], mode, place)
    return HabitTables(**read, mode=chosen, notes=notes, files=tuple(paths[name] for name in there))


def _read_points(path: Path) -> pd.DataFrame:
    """Read the ratings on scales of points: habits are about distances, which labels lack."""
    read = tables.read_ratings(path)
    return read[read["given_label"] == ""] if "given_label" in read else read


def read_probes(path: Path) -> pd.DataFrame:
    """Read a table of probes.

    Returns
    -------
    DataFrame
        `value` and the ends of its scale as numbers, all else as text; a row about a pair has
        empty cells of items, and a row about an item has empty cells of pairs.

    Raises
    ------
    RatifyError
        If a row is neither a pair with a choice nor an item with a value, or a judge answered one
        probe twice.
    """
    frame = read_frame(path, PROBES.required, ids=("rater_id",), reading=reading_of(PROBES.names))
    for name in _CELLS:
        if name not in frame:
            frame[name] = ""
    with naming(path):
        columns.require_filled(frame, "rater_id", "unit")
        pair = ~columns.missing(frame["left_id"])
        columns.refuse(
            frame,
            "item_id",
            pair != columns.missing(frame["item_id"]),
            "is a probe of a pair and of an item, or of neither",
            allowed="one of the two",
        )
        _require_where(frame, pair, "right_id")
        bad = pair & ~frame["choice"].isin(CHOICES)
        columns.refuse(frame, "choice", bad, "is not a choice", allowed=", ".join(CHOICES))
        columns.allow_words(frame, PROBES)
        _require_where(frame, ~pair, "dimension", "value")
        for name in PROBES.numeric:
            frame[name] = columns.numbers(frame, name)
        columns.refuse_outside(frame)
        once = ["rater_id", "unit", "probe", "variant", "dimension"]
        columns.refuse(
            frame,
            "unit",
            frame.duplicated(once),
            "an earlier row has the same probe",
            allowed="one row per probe",
        )
    return frame


def read_perturbed(path: Path) -> pd.DataFrame:
    """Read a table of rewritten texts: `item_id`, `perturbation`, `text`.

    Raises
    ------
    RatifyError
        If a cell is empty, or an item has the same rewrite twice.
    """
    how = reading_of(PERTURBED.names)
    frame = read_frame(path, PERTURBED.required, ids=("item_id",), reading=how)
    with naming(path):
        columns.require_filled(frame, *PERTURBED.required)
        twice = frame.duplicated(["item_id", "perturbation"])
        columns.refuse(frame, "item_id", twice, "has this rewrite already", allowed="one row each")
    return frame


def read_requests(path: Path) -> pd.DataFrame:
    """Read a table of requests.

    Returns
    -------
    DataFrame
        Tokens, latency, attempts, cost and `p_left` as numbers (NaN where empty or absent).

    Raises
    ------
    RatifyError
        If a status, purpose or reason is unknown, or an unanswered request has no reason.
    """
    how = reading_of(REQUESTS.names)
    frame = read_frame(path, REQUESTS.required, ids=("rater_id",), reading=how)
    for name in (*REQUESTS.numeric, "reason", "model", "fingerprint"):
        if name not in frame:
            frame[name] = ""
    with naming(path):
        columns.require_filled(frame, "rater_id")
        columns.allow_words(frame, REQUESTS)
        silent = (frame["status"] == "answered") != (frame["reason"] == "")
        columns.refuse(
            frame,
            "reason",
            silent,
            f"does not match status '{_first(frame, silent, 'status')}'",
            allowed="a reason if unanswered, otherwise an empty cell",
        )
        if "request_id" in frame:
            twice = frame["request_id"].duplicated()
            columns.refuse(
                frame, "request_id", twice, "occurs in an earlier row", allowed="one row"
            )
        for name in REQUESTS.numeric:
            frame[name] = columns.numbers(frame, name)
            columns.refuse(frame, name, frame[name] < 0, "is negative", allowed="0 or more")
    return frame


def read_texts(path: Path) -> pd.DataFrame:
    """Read the items' texts: `item_id`, `text`, and any other columns.

    Raises
    ------
    RatifyError
        If an id is empty, damaged or repeated.
    """
    how = reading_of(ITEMS.names)
    frame = read_frame(path, ("item_id", "text"), ids=("item_id",), reading=how)
    with naming(path):
        columns.require_filled(frame, "item_id")
        twice = frame["item_id"].duplicated()
        columns.refuse(frame, "item_id", twice, "occurs in an earlier row", allowed="one row")
    return frame


def _read_choices(path: Path) -> pd.DataFrame:
    """Read judgments of people and judges, from a study or from elsewhere."""
    frame = tables.read_judgments(path, complete=False)
    with naming(path):
        columns.require_columns(frame, "rater_id", "rater_kind")
        columns.require_filled(frame, "rater_id")
        columns.allow_words(frame, JUDGMENTS)
        if "is_attention_check" in frame:
            columns.flags(frame, "is_attention_check")
    return frame


def _or_empty(reader: Callable[[Path], pd.DataFrame], path: Path) -> pd.DataFrame:
    """Return a table, empty if the file has no rows."""
    try:
        return reader(path)
    except NoRowsError:
        return pd.DataFrame()


def _one_mode(
    frames: Sequence[pd.DataFrame], wanted: str | None, place: Path
) -> tuple[str | None, tuple[str, ...]]:
    """Return the mode of people's rows that count, and a note on those left out."""
    there = set[str]()
    for frame in frames:
        if "mode" in frame:
            there |= set(frame.loc[frame["rater_kind"] == "human", "mode"])
    if wanted is not None and there and wanted not in there:
        raise RatifyError(
            f"there are no {wanted} answers by people here",
            file=place,
            allowed=f"--mode {' or '.join(sorted(there))}",
        )
    if wanted is not None or len(there) < 2:
        return wanted or next(iter(there), None), ()
    if "live" not in there:
        raise RatifyError(
            "people's answers are of several modes, which are never mixed",
            file=place,
            value=" and ".join(sorted(there)),
            allowed=f"--mode {' or '.join(sorted(there))}",
        )
    others = " and ".join(sorted(there - {"live"}))
    return "live", (f"People's live answers count; those of mode {others} are left out.",)


def _require_where(frame: pd.DataFrame, rows: BoolArray, *names: str) -> None:
    for name in names:
        bad = rows & columns.missing(frame[name])
        columns.refuse(frame, name, bad, "is empty", allowed="a value")


def _first(frame: pd.DataFrame, bad: pd.Series[bool], column: str) -> str:
    return str(frame.loc[bad, column].iloc[0]) if bad.any() else ""
