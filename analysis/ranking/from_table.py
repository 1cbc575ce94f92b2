"""Ranks the items of an existing table of judgments, without a plan or a study."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.ranking.elo import elo
from analysis.ranking.fit_check import check_fit
from analysis.ranking.result import Ranking
from analysis.ranking.table_choices import Words, read_choices
from analysis.ranking.table_errors import NO_ERRORS, cautions, honest
from analysis.ranking.table_raters import choose_raters
from analysis.ranking.table_side import (
    OPTION,
    one_side,
    require_both_sides,
    require_bounded_side,
    side_notes,
)
from analysis.ranking.table_ties import TIES, Ties, ranked_with
from analysis.ranking.tie_models import MODELS
from analysis.ranking.ties import TiedRanking
from analysis.results.words import counted
from analysis.tables import columns
from analysis.tables.columns import TIE
from prereg.errors import RatifyError
from prereg.tables.reader import Table, read_table
from prereg.tables.reading import Reading

# What keeps scores finite.
Penalty = Literal["ridge", "firth"]

SIDES_AND_CHOICE = ("left_id", "right_id", "choice")
# So many scenarios, groups and items of a group are named in a caution.
_MOST_NAMED = 4
# The options of `ratify rank` that name these columns.
_OPTIONS = {
    "left_id": "--left",
    "right_id": "--right",
    "choice": "--choice",
    "rater_id": "--rater",
    "scenario": "--scenario",
}


@dataclass(frozen=True)
class RankTable:
    """The Bradley-Terry and the Elo ranking in one table.

    Attributes
    ----------
    table : DataFrame
        `scenario` (if there is one), `item_id`, `rank`, `score`, `low`, `high` (Bradley-Terry,
        log-odds), `elo`, `elo_rank`, `n`, `wins`, `losses`, `ties` (if there are any), `note`.
    notes : tuple of str
        Methods and cautions.
    """

    table: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...]


def rank_table(
    path: Path,
    *,
    reading: Reading = Reading(),  # noqa: B008 - frozen
    words: Words = Words(),  # noqa: B008 - frozen
    raters: Sequence[str] = (),
    mode: str | None = None,
    check: bool = False,
    ties: Ties = "half",
    penalty: Penalty = "ridge",
    side_advantage: bool = False,
) -> RankTable:
    """Rank the items of a table of judgments.

    Parameters
    ----------
    path : Path
        A table with left_id, right_id, choice; scenario and rater_id if known. Rows with
        is_attention_check true are set aside.
    reading : Reading
        How its cells are read, and what it calls these columns.
    words : Words
        What it says for the left side, the right side and a tie.
    raters : sequence of str
        Whose judgments to take, see `choose_raters`; by default people's if there are any.
    mode : {'live', 'pilot', 'bot'}, optional
        Which of people's judgments to take; by default the only mode, or live.
    check : bool
        Whether a note compares the Bradley-Terry fit with choix's.
    ties : {'half', 'davidson', 'rao_kupper', 'drop'}
        'half': half a win for each item. 'davidson', 'rao_kupper': see `rank_with_ties`; Elo still
        moves by half a win. 'drop': rows with a tie are left out, and a note says by how much that
        stretches the scores.
    penalty : {'ridge', 'firth'}
        What keeps Bradley-Terry scores finite; 'firth' gives bias-reduced scores and profile
        intervals.
    side_advantage : bool
        Whether to fit an advantage of the left side, which a note gives.

    Raises
    ------
    RatifyError
        At the first row that is not a judgment, if there are only attention checks, where a model
        of ties cannot be fitted or compared with choix, and if the judgments cannot show an
        advantage of the left side.
    """
    columns.one_of("ties", ties, TIES)
    _refuse_both(penalty, ties, check=check, side_advantage=side_advantage)
    table = _read(path, reading)
    frame = pd.DataFrame(table.rows, columns=list(table.columns), dtype=str)
    with _named(table):
        frame, how = _checked(frame, words, table.spelling)
        judgments, checks = _without_checks(frame)
        whose = choose_raters(judgments, raters, mode)
        judgments = judgments[whose.kept].reset_index(drop=True)
        columns.require_rows(judgments, "judgments by these raters")
        by = "scenario" if "scenario" in judgments else None
        cluster = "rater_id" if "rater_id" in judgments else None
        if side_advantage:
            require_both_sides(columns.without_ties(judgments) if ties == "drop" else judgments)
        judgments, people, about_ties = ranked_with(
            judgments, ties, by=by, cluster=cluster, penalty=penalty, side_advantage=side_advantage
        )
        if side_advantage:
            require_bounded_side(judgments, by=by)
        people, alike = honest(people, judgments)
        sequential = elo(judgments, by=by, tie=TIE)
    shown = _beside(people, sequential, judgments, by)
    clusters = f", {counted(people.n_clusters, 'rater')}" if cluster else ""
    notes = [
        *table.notes,
        f"{people.method}; {counted(people.n_judgments, 'judgment')}, "
        f"{counted(people.n_items, 'item')}{clusters}",
        f"{sequential.method}; it depends on the order of the rows",
    ]
    notes += about_ties
    notes += [how] * bool(how)
    if side_advantage:
        few = cluster is not None and people.n_clusters < NO_ERRORS
        notes += side_notes(people, judgments, by=by, few=few, alike=alike)
    else:
        notes += one_side(judgments)
    notes += [*cautions(people, clustered=cluster is not None, alike=alike), *_apart(people)]
    if checks:
        notes.append(f"attention checks set aside: {checks:,}")
    notes += whose.notes
    if check and isinstance(people, TiedRanking):
        raise RatifyError(
            "choix has no model of ties to compare with", value=ties, allowed="half, drop"
        )
    if check:
        notes.append(check_fit(judgments, people, by=by, tie=TIE).sentence)
    if not people.strongly_connected:
        what = "penalty" if penalty == "firth" else "ridge"
        notes.append(f"some scores are finite only because of the {what}: see the column note")
    return RankTable(shown, tuple(notes))


def _refuse_both(penalty: Penalty, ties: Ties, *, check: bool, side_advantage: bool) -> None:
    """Raise `RatifyError` at options that do not go together."""
    firth, sides = f"--penalty {penalty}", OPTION
    for both, option, other, why in (
        (check and side_advantage, "--check", sides, "choix has no advantage of a side"),
        (check and penalty == "firth", "--check", firth, "choix fits with a ridge"),
        (side_advantage and penalty == "firth", sides, firth, "it is fitted with a ridge"),
        (
            ties in MODELS and penalty == "firth",
            f"--ties {ties}",
            firth,
            "it is fitted with a ridge",
        ),
    ):
        if both:
            raise RatifyError(f"{option} does not go with {other}: {why}", allowed="one of the two")


def _apart(people: Ranking) -> list[str]:
    """Return a caution for each scenario with items that no comparison connects, up to a few."""
    found = []
    for scenario, items in people.frame.groupby("scenario", sort=False):
        groups = [list(group["item_id"]) for _, group in items.groupby("component")]
        if len(groups) > 1:
            shown = "; ".join(map(_shortened, groups[:_MOST_NAMED]))
            shown += "; ..." if len(groups) > _MOST_NAMED else ""
            of = f" of scenario {name}" if (name := str(scenario)) else ""
            found.append(
                f"caution: the items{of} fall into {len(groups):,} groups never compared with each "
                f"other ({shown}): scores and ranks are valid only within a group"
            )
    more = len(found) - _MOST_NAMED
    if more > 0:
        scenarios = "scenario falls" if more == 1 else "scenarios fall"
        found[_MOST_NAMED:] = [f"caution: {more:,} more {scenarios} into such groups"]
    return found


def _shortened(items: Sequence[str]) -> str:
    return ", ".join(items[:_MOST_NAMED]) + (", ..." if len(items) > _MOST_NAMED else "")


def _read(path: Path, reading: Reading) -> Table:
    """Read the table, and say which options name its columns if one is not there."""
    ours = [reading.columns.get(name, name) for name in SIDES_AND_CHOICE]
    if len(set(ours)) < len(ours):
        raise RatifyError(
            "one column cannot be both sides or the choice",
            file=path,
            value=", ".join(ours),
            allowed="three columns: --left, --right, --choice",
        )
    table = read_table(path, reading)
    lacking = [name for name in SIDES_AND_CHOICE if name not in table.columns]
    if lacking:
        theirs = reading.columns.get(lacking[0], lacking[0])
        options = ", ".join(_OPTIONS[name] for name in lacking)
        raise table.no_column(theirs, {theirs: options})
    table.require(*(name for name in (*_OPTIONS, "is_attention_check") if name in table.columns))
    for name in SIDES_AND_CHOICE[:2]:
        table.refuse_damaged_ids(name)
    return table


@contextlib.contextmanager
def _named(table: Table) -> Iterator[None]:
    """Add the file's name, and the file's own names of columns, to errors about the table."""
    try:
        yield
    except RatifyError as error:
        row, column = error.row, error.column or ""
        raise RatifyError(
            error.problem,
            file=error.file or table.path,
            row=table.place(row) if isinstance(row, int) else row,
            column=table.spelling.get(column, column) or None,
            value=table.as_written(row, column) if isinstance(row, int) else error.value,
            allowed=error.allowed,
        ) from error


def _checked(
    frame: pd.DataFrame, words: Words, spelling: Mapping[str, str]
) -> tuple[pd.DataFrame, str]:
    """Return the judgments with choices in our words, every row checked, and how they were read."""
    columns.require_filled(frame, "left_id", "right_id")
    if "rater_id" in frame:
        columns.require_filled(frame, "rater_id")
    chosen, how = read_choices(frame, words, spelling)
    same = frame["left_id"] == frame["right_id"]
    columns.refuse(frame, "right_id", same, "an item is compared with itself", allowed="two items")
    scenario = columns.missing(frame["scenario"]) if "scenario" in frame else np.array([True])
    if not scenario.all():
        columns.refuse(
            frame, "scenario", scenario, "is empty", allowed="a name in every row, or in none"
        )
    return frame.assign(choice=chosen), how


def _without_checks(judgments: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the judgments of items, and how many were attention checks."""
    if "is_attention_check" not in judgments:
        return judgments, 0
    checks = columns.flags(judgments, "is_attention_check")
    kept = judgments[~checks].reset_index(drop=True)
    columns.require_rows(kept, "judgments other than attention checks")
    return kept, int(checks.sum())


def _beside(
    people: Ranking, sequential: Ranking, judgments: pd.DataFrame, by: str | None
) -> pd.DataFrame:
    """Return both rankings in one table; wins, losses and ties are whole numbers."""
    key = ["scenario", "item_id"]  # one id may occur in two scenarios
    beside = sequential.frame[[*key, "score", "rank"]]
    beside = beside.rename(columns={"score": "elo", "rank": "elo_rank"})
    table = people.frame.merge(beside, on=key, validate="1:1")
    for name in ("score", "low", "high"):
        table[name] += 0.0  # a score of minus zero is zero
    shown = ["item_id", "rank", "score", "low", "high", "elo", "elo_rank", "n", "wins", "losses"]
    tied = judgments[judgments["choice"] == TIE]
    if len(tied):
        where = tied["scenario"] if by else pd.Series("", index=tied.index)
        halves = Counter[tuple[str, str]]()
        for side in ("left_id", "right_id"):
            halves.update(zip(where, tied[side], strict=True))
        items = zip(table["scenario"], table["item_id"], strict=True)
        table["ties"] = [halves[one] for one in items]
        for name in ("wins", "losses"):
            table[name] = (table[name] - table["ties"] / 2).astype(int)
        shown.append("ties")
    return table[[*(["scenario"] if by else []), *shown, "note"]]


def refuse_foreign_table(path: Path | None) -> None:
    """Raise `RatifyError` if a file that is not a ranking exists at the path."""
    if path is None or not path.exists():
        return
    try:
        head = path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        head = ""
    if not head.removeprefix("scenario,").startswith("item_id,rank,score,"):
        raise RatifyError("already exists and would be lost", file=path, allowed="a new file")
