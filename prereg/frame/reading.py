"""Reads the frame: one row per unit, checked, with the judge's scores as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from prereg.design.label_strata import FloatArray, Strata, strata_of
from prereg.errors import RatifyError
from prereg.frame.hashed import no_frame
from prereg.frame.nan import refuse_nan
from prereg.frame.notations import refuse_other_notations
from prereg.plan.causal import Causal
from prereg.plan.model import Plan
from prereg.tables.notes import heard_by, tell
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading

ID, TEXT, LOCAL_HOUR = "item_id", "text", "local_hour"
# The three texts of a turn-pair. Two units with the same three are one unit.
TURN_PAIR = ("prompt", "reply", "next_turn")
_HOURS = range(24)


@dataclass(frozen=True)
class Frame:
    """The units of a frame that have both scores of the judge.

    Attributes
    ----------
    table : Table
        Every row of the file.
    rows : tuple of int
        The places in `table.rows` of the units with both scores.
    treatment, outcome : array, shape (units,)
        The judge's scores.
    """

    table: Table
    rows: tuple[int, ...] = field(repr=False)
    treatment: FloatArray = field(repr=False)
    outcome: FloatArray = field(repr=False)

    @property
    def ids(self) -> list[str]:
        """The `item_id` of each unit."""
        return [self.table.rows[at][ID] for at in self.rows]

    @property
    def unscored(self) -> int:
        """The number of rows without a score, which are left out."""
        return len(self.table.rows) - len(self.rows)

    def users(self, causal: Causal) -> list[str]:
        """Return the user of each unit."""
        return [self.table.rows[at][causal.user] for at in self.rows]

    def strata(self, causal: Causal) -> Strata:
        """Return the stratum of each unit, as the plan draws labels from them."""
        labels = causal.labels
        return strata_of(
            self.treatment,
            self.outcome,
            causal.treatment,
            labels=labels.stratified,
            floor=labels.floor,
        )


def causal_of(plan: Plan, file: Path | str) -> Causal:
    """Return the plan's `causal` section, or raise `RatifyError` if it has none."""
    if plan.causal is None:
        raise RatifyError(
            "the plan has no causal section, so it has no frame",
            file=file,
            column="causal",
            allowed="the section, as docs/causal.md describes it",
        )
    return plan.causal


def read_units(folder: Path, plan: Plan, *, without: tuple[str, ...] = ()) -> Table:
    """Read the frame of a study folder and check everything but the judge's scores.

    Parameters
    ----------
    folder : Path
    plan : Plan
        With a `causal` section.
    without : tuple of str
        Columns that need not be there yet.

    Returns
    -------
    Table
        Every unit once, with a text and a user.

    Raises
    ------
    RatifyError
        When the frame is missing, lacks a column that the plan names, an id, a text or a user is
        missing, a score is NaN, the numbers of a confounder are in another notation, or a unit is
        there twice. It names file, row and column.
    """
    one = causal_of(plan, folder)
    own = plan.data.reading("frame")
    named = [name for name in dict.fromkeys(one.columns.values()) if name not in without]
    texts = (TEXT, *TURN_PAIR, one.confounders.text)
    path = folder / one.frame
    if not path.exists():
        raise no_frame(path)
    notes: list[str] = []
    with heard_by(notes.append):  # a refusal is one line, without what was read before it
        table = read_table(path, _with(own, exact=(ID, one.user), verbatim=texts))
    refuse_nan(table, [part.score for part in one.scores.values()])
    tell(notes)
    hours = (LOCAL_HOUR,) if one.confounders.time_bins else ()
    table.require(ID, TEXT, *named, *hours)
    for column in (TEXT, one.confounders.text):
        table.require_text(column)
    table.require_filled(ID, TEXT, one.user)
    table.require_unique(ID)
    table.refuse_damaged_ids(ID)
    table.refuse_damaged_ids(one.user)
    _refuse_same_pairs(table)
    if hours:
        _refuse_no_hours(table)
    there = [name for name in one.confounders.columns if name in table.columns]
    refuse_other_notations(table, there)
    return table


def _with(own: Reading, *, exact: tuple[str, ...], verbatim: tuple[str, ...]) -> Reading:
    return replace(own, exact=(*own.exact, *exact), verbatim=(*own.verbatim, *verbatim))


def _refuse_same_pairs(table: Table) -> None:
    """Raise at the first unit whose three texts an earlier unit has."""
    if not set(TURN_PAIR) <= set(table.columns):
        return
    seen: dict[tuple[str, ...], int] = {}
    for row, record in enumerate(table.rows, start=2):
        first = seen.setdefault(tuple(record[name] for name in TURN_PAIR), row)
        if first != row:
            raise table.error(
                row,
                ID,
                f"has the same {', '.join(TURN_PAIR[:2])} and {TURN_PAIR[2]} as "
                f"{table.place_words(first)}",
                allowed="each turn-pair once",
            )


def _refuse_no_hours(table: Table) -> None:
    """Raise at the first local hour that is no hour of a day; it may be empty."""
    for row in range(2, len(table.rows) + 2):
        hour = table.number(row, LOCAL_HOUR)
        if hour is not None and hour not in _HOURS:
            raise table.error(row, LOCAL_HOUR, "is not an hour of a day", allowed="0 to 23, empty")


def read_frame(folder: Path, plan: Plan) -> Frame:
    """Read the frame of a study folder with the judge's scores.

    Returns
    -------
    Frame
        Units without either score are left out; `unscored` counts them.

    Raises
    ------
    RatifyError
        As `read_units`; when a score is outside its scale, no unit has both scores, all have the
        same outcome, their users are fewer than the plan's folds, or the placebo or the negative
        control is not a number for each of them, or the same for all.
    """
    return scored(read_units(folder, plan), plan)


def scored(table: Table, plan: Plan) -> Frame:
    """Return the units of a checked frame that have both scores; see `read_frame`."""
    one = causal_of(plan, table.path)
    ends = {scale.id: (scale.min, scale.max) for scale in plan.scales}
    columns = [
        _scores(table, part.score, *ends[part.scale]) for part in (one.treatment, one.outcome)
    ]
    treatment, outcome = columns
    rows = np.flatnonzero(~np.isnan(treatment) & ~np.isnan(outcome))
    if not len(rows):
        raise RatifyError(
            f"no unit has both scores ({one.treatment.score}, {one.outcome.score})",
            file=table.path,
            allowed="scores in these columns; `ratify sample --scores` takes them from ratings",
        )
    if not np.ptp(outcome[rows]) > 0:
        raise RatifyError(
            "the judge gave every unit the same score of the outcome",
            file=table.path,
            column=one.outcome.score,
            value=float(outcome[rows][0]),
            allowed="an outcome that differs between units",
        )
    frame = Frame(table, tuple(rows.tolist()), treatment[rows], outcome[rows])
    refuse_few_users(frame, one)
    for name in (one.placebo, one.negative_control):
        if name is not None:
            _refuse_no_test(table, name, rows.tolist())
    return frame


def _refuse_no_test(table: Table, column: str, rows: list[int]) -> None:
    """Raise if a placebo or a negative control is not a number somewhere, or never differs."""
    found = set()
    for at in rows:
        value = table.number(at + 2, column)
        if value is None:
            raise table.error(
                at + 2, column, "is empty", allowed="a number for every unit with both scores"
            )
        found.add(value)
    if len(found) == 1:
        raise RatifyError(
            "is the same for all units, so it tests nothing",
            file=table.path,
            column=column,
            value=found.pop(),
            allowed="a column that differs between units",
        )


def refuse_few_users(frame: Frame, causal: Causal) -> None:
    """Raise `RatifyError` if the users of a frame cannot be split into the plan's folds."""
    users, folds = len(set(frame.users(causal))), causal.estimators.folds
    if users < folds:
        raise RatifyError(
            f"{users} user{'s' * (users != 1)} cannot be split into {folds} folds",
            file=frame.table.path,
            column=causal.user,
            value=users,
            allowed=f"{folds} users or more",
        )


def no_clusters(frame: Frame, causal: Causal) -> str | None:
    """Return the sentence for a frame in which no two units have a user in common, else None."""
    if len(set(frame.users(causal))) < len(frame.rows):
        return None
    return (
        f"each of the {len(frame.rows):,} units has a user of its own in {causal.user}, so nothing "
        "is clustered: if some units are of one person, the intervals are too narrow"
    )


def between_points(frame: Frame, causal: Causal) -> str | None:
    """Return the sentence for judge's scores that are no whole points, else None."""
    found = []
    for part, scores in ((causal.treatment, frame.treatment), (causal.outcome, frame.outcome)):
        broken = np.flatnonzero(scores != np.round(scores))
        if len(broken):
            first = frame.table.place_words(frame.rows[broken[0]] + 2)
            many = f"{len(broken):,} unit{'s' * (len(broken) != 1)}"
            found.append(f"{part.score} of {many} (first {scores[broken[0]]:g}, {first})")
    if not found:
        return None
    return (
        f"the judge's score is between two points of the scale: {', '.join(found)}; such a score "
        "is a value of its own in the strata"
    )


def _scores(table: Table, column: str, low: float, high: float) -> FloatArray:
    """Return a column of scores; NaN where a cell is empty."""
    found = np.full(len(table.rows), np.nan)
    for row in range(2, len(table.rows) + 2):
        value = table.number(row, column)
        if value is not None and not low <= value <= high:
            raise table.error(
                row, column, "is outside the scale", allowed=f"{low} to {high}, or empty"
            )
        found[row - 2] = np.nan if value is None else value
    return found
