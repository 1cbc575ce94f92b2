"""Draws the units that people label, and makes the items table of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prereg.design.labels import LabelSample, allocation, draw_labels
from prereg.design.pilot import pilot_spreads
from prereg.errors import RatifyError
from prereg.frame.reading import ID, TEXT, TURN_PAIR, Frame, causal_of
from prereg.frame.scores import people_scores
from prereg.plan.causal import SAMPLE_COLUMNS, Causal
from prereg.plan.model import Plan

SCENARIO, ALL = "scenario", "all"
STRATUM, SAMPLED_FOR, PROBABILITY = SAMPLE_COLUMNS


def draw_sample(plan: Plan, frame: Frame, *, pilot: Path | None = None) -> LabelSample:
    """Draw the units that people label, as the plan says.

    Parameters
    ----------
    plan : Plan
        With a `causal` section.
    frame : Frame
    pilot : Path, optional
        Tidy ratings by people of units of this frame.

    Raises
    ------
    RatifyError
        When the labels are too few for the strata, or the pilot says nothing about this frame.
    """
    one = causal_of(plan, frame.table.path)
    _refuse_empty_arm(frame, one)
    strata = frame.strata(one)
    spreads = None
    if pilot is not None:
        place = {name: at for at, name in enumerate(frame.ids)}
        given = people_scores(pilot, plan)
        rated = [name for name in given if name in place]
        units = np.array([place[name] for name in rated], dtype=np.int64)
        people = np.array([given[name] for name in rated]).reshape(-1, 2)
        try:
            spreads = pilot_spreads(strata, units, people[:, 0], people[:, 1], one.treatment)
        except RatifyError as error:
            raise RatifyError(
                f"{error.problem} ({len(rated)} of {len(given)} rated items are of the frame)",
                file=pilot,
                allowed=error.allowed,
            ) from error
    labels = allocation(strata, one.labels, spreads=None if spreads is None else spreads.tolist())
    return draw_labels(frame.ids, strata, labels, random=one.labels.random, seed=plan.seed)


def _refuse_empty_arm(frame: Frame, one: Causal) -> None:
    """Raise if the judge put no unit at all into an arm."""
    found = {one.treatment.arm(score) for score in np.unique(frame.treatment)}
    for arm, allowed in (
        ("treated", f"at least {one.treatment.treated:g}"),
        ("control", f"at most {one.treatment.control:g}"),
    ):
        if arm not in found:
            raise RatifyError(
                f"the judge called no unit {arm}, so that arm is empty",
                file=frame.table.path,
                column=one.treatment.score,
                allowed=f"some scores of {allowed}",
            )


def item_rows(plan: Plan, frame: Frame, sample: LabelSample) -> list[dict[str, str]]:
    """Return the sample as rows of the items table, in the order of their ids.

    A row has every column of the frame, but not the texts of which `text` is made: the pages show a
    column `prompt` above the text. All items are of one scenario.
    """
    one = causal_of(plan, frame.table.path)
    left_out = {ID, TEXT, SCENARIO, *TURN_PAIR, one.confounders.text, *SAMPLE_COLUMNS}
    further = [name for name in frame.table.columns if name not in left_out]
    rows = []
    for unit in np.flatnonzero(sample.labelled).tolist():
        record = frame.table.rows[frame.rows[unit]]
        rows.append(
            {
                ID: record[ID],
                SCENARIO: ALL,
                TEXT: record[TEXT],
                **{name: record[name] for name in further},
                STRATUM: sample.strata.names[sample.strata.of_unit[unit]],
                SAMPLED_FOR: sample.sampled_for(unit),
                PROBABILITY: repr(float(sample.probability[unit])),
            }
        )
    return sorted(rows, key=lambda row: row[ID])


def table_of_strata(sample: LabelSample) -> list[str]:
    """Return the strata as lines of text: units, labels, inclusion probability."""
    names, arms = sample.strata.names, sample.strata.arms
    drawn = np.bincount(
        sample.strata.of_unit, weights=sample.labelled, minlength=len(names)
    ).astype(int)
    cells: list[Sequence[str]] = [("stratum", "judge says", "units", "drawn", "probability")]
    cells += [
        (name, arm, f"{size:,}", f"{n:,}", f"{p:.4f}")
        for name, arm, size, n, p in zip(
            names,
            arms,
            sample.strata.sizes.tolist(),
            drawn.tolist(),
            sample.stratum_probability.tolist(),
            strict=True,
        )
    ]
    cells.append(("all", "", f"{sum(sample.strata.sizes.tolist()):,}", f"{drawn.sum():,}", ""))
    widths = [max(len(row[at]) for row in cells) for at in range(5)]
    return [
        "  ".join(
            text.ljust(width) if at < 2 else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
