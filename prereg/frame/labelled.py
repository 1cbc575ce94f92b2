"""Reads the sample of a causal study back, and checks it against its frame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from prereg.design.allocation import IntArray
from prereg.design.label_strata import FloatArray, Strata
from prereg.design.labels import BOTH, ESTIMATE, GATE, SAMPLED_FOR, inclusion_probability
from prereg.errors import RatifyError
from prereg.frame.reading import ID, Frame, causal_of
from prereg.frame.sampling import PROBABILITY, STRATUM
from prereg.frame.sampling import SAMPLED_FOR as SAMPLED_FOR_COLUMN
from prereg.plan.causal import SAMPLE_COLUMNS
from prereg.plan.model import Plan
from prereg.tables.items import read_items
from prereg.tables.reader import Table

AGAIN = "the table as `ratify sample` wrote it"
# How far a stored probability may be from the one that follows from the counts.
_CLOSE = 1e-9


@dataclass(frozen=True)
class Labelled:
    """The units that people label, and the probability of each unit of the frame.

    Attributes
    ----------
    frame : Frame
    strata : Strata
        Of every unit of the frame.
    units : array of int, shape (labelled,)
        The places in the frame of the units in the items table, in its order.
    sampled_for : tuple of str
        The draw of each of them: estimate, gate or both.
    probability : array, shape (units,)
        The inclusion probability of every unit of the frame, labelled or not.
    """

    frame: Frame = field(repr=False)
    strata: Strata = field(repr=False)
    units: IntArray
    sampled_for: tuple[str, ...] = field(repr=False)
    probability: FloatArray = field(repr=False)


def read_labelled(folder: Path, plan: Plan, frame: Frame) -> Labelled:
    """Read the items of a causal study as a probability sample of its frame.

    Parameters
    ----------
    folder : Path
    plan : Plan
        With a `causal` section.
    frame : Frame

    Raises
    ------
    RatifyError
        When the items lack a column of the sample, a cell is empty or no probability, an item is
        not in the frame or in another stratum, a stratum has no labels, or a probability is not
        the one that follows from the draw.
    """
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    return labelled(items, plan, frame)


def labelled(items: Table, plan: Plan, frame: Frame) -> Labelled:
    """Return a table of items as a probability sample of a frame; see `read_labelled`."""
    for column in SAMPLE_COLUMNS:
        if column not in items.columns:
            raise RatifyError(
                "there is no such column: the items are no probability sample",
                file=items.path,
                column=column,
                allowed="items that `ratify sample` drew from the frame",
            )
    items.require_filled(STRATUM, SAMPLED_FOR_COLUMN)
    strata = frame.strata(causal_of(plan, items.path))
    place = {name: at for at, name in enumerate(frame.ids)}
    for row, record in enumerate(items.rows, start=2):
        _check(items, row, record, frame, strata, place)
    units = np.array([place[record[ID]] for record in items.rows], dtype=np.int64)
    drawn = tuple(record[SAMPLED_FOR_COLUMN] for record in items.rows)
    each = _probabilities(items, strata, drawn)
    for row, record in enumerate(items.rows, start=2):
        promised = each[strata.of_unit[place[record[ID]]]]
        if abs((items.number(row, PROBABILITY) or 0) - promised) > _CLOSE:
            raise items.error(
                row,
                PROBABILITY,
                f"is not the probability of its stratum in this draw, {promised:.6g}",
                allowed=AGAIN,
            )
    return Labelled(frame, strata, units, drawn, each[strata.of_unit])


def _check(
    items: Table,
    row: int,
    record: dict[str, str],
    frame: Frame,
    strata: Strata,
    place: dict[str, int],
) -> None:
    """Raise at the first cell of an item that does not fit the frame."""
    if record[ID] not in place:
        raise items.error(
            row, ID, f"is no unit with both scores in {frame.table.path.name}", allowed=AGAIN
        )
    if record[SAMPLED_FOR_COLUMN] not in SAMPLED_FOR:
        raise items.error(
            row, SAMPLED_FOR_COLUMN, "is not known here", allowed=", ".join(SAMPLED_FOR)
        )
    name = strata.names[strata.of_unit[place[record[ID]]]]
    if record[STRATUM] != name:
        raise items.error(
            row, STRATUM, f"is not the stratum of this unit in the frame, '{name}'", allowed=AGAIN
        )
    chance = items.number(row, PROBABILITY)
    if chance is None or not 0 < chance <= 1:
        problem = "is empty" if chance is None else "is no probability"
        raise items.error(row, PROBABILITY, problem, allowed=f"above 0, to 1: {AGAIN}")


def _probabilities(items: Table, strata: Strata, drawn: tuple[str, ...]) -> FloatArray:
    """Return the probability of each stratum, from the numbers that were drawn."""
    counts: Counter[str] = Counter()
    for record, part in zip(items.rows, drawn, strict=True):
        counts[record[STRATUM]] += part in (ESTIMATE, BOTH)
    for name in strata.names:
        if not counts[name]:
            raise RatifyError(
                f"no unit of the stratum '{name}' was drawn for the estimate",
                file=items.path,
                column=STRATUM,
                value=name,
                allowed="at least one unit of each stratum of the frame",
            )
    labels = np.array([counts[name] for name in strata.names])
    random = sum(part in (GATE, BOTH) for part in drawn)
    return inclusion_probability(strata.sizes, labels, random)
