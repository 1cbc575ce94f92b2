"""Says from a study's own labels how wide its corrected interval gets with more of them.

Only the error of the corrected estimate is used and shown, never the estimate: a pilot that decides
how many labels are bought must not decide by what it found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.causal.correction.estimates import three_estimates
from analysis.causal.correction.more_labels import Prediction, prediction
from analysis.causal.correction.width_figures import plot_widths
from analysis.estimating.examined import FOLDS
from analysis.estimating.reading import read_inputs
from analysis.evidence.tables import TABLES_FOLDER
from analysis.results.figure_style import png, svg
from analysis.results.numbers import number
from analysis.tables.tidy import table_path
from prereg import files
from prereg.plan.assumptions import CausalAssumptions
from prereg.plan.file import load_plan
from prereg.tables.notes import heard_by
from prereg.tables.reader import read_table

TABLE, JSON, FIGURE = "causal-pilot.csv", "causal-pilot.json", "causal-pilot_width"
FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class MoreLabels:
    """What more labels make of a study's interval.

    Attributes
    ----------
    predicted : Prediction
    treated : int
        Labelled units that people call treated.
    effective : float
        See `ThreeEstimates.effective_labels`.
    wanted : float
        The width that is wanted, in points.
    simulated : bool
        Whether bots answered.
    """

    predicted: Prediction
    treated: int
    effective: float
    wanted: float
    simulated: bool

    @property
    def sizes(self) -> list[int]:
        """Numbers of labels: half of those so far, so many, and more; none beyond the frame."""
        so_far, units = self.predicted.labels, self.predicted.units
        return [size for size in (round(so_far * one) for one in FACTORS) if 1 <= size <= units]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per number of labels."""
        found = self.predicted
        return pd.DataFrame(
            [
                {
                    "labelled": size,
                    "width": found.width_at(size),
                    "se": found.se_at(size),
                    "so_far": size == found.labels,
                }
                for size in self.sizes
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        found = self.predicted
        return {
            "labels": found.labels,
            "treated": self.treated,
            "units": found.units,
            "effective_labels": self.effective,
            "se": found.se,
            "df": found.df,
            "sizes": self.to_frame().to_dict("records"),
            "wanted": {
                "width": self.wanted,
                "labels": found.labels_for(self.wanted),
                "width_with_all_units": found.width_at(found.units),
            },
            "sentences": self.sentences(),
        }

    def sentences(self) -> list[str]:
        """Return what the labels so far say of more labels."""
        found = self.predicted
        head = (
            f"{found.labels:,} units are labelled so far, {self.treated:,} of them treated by "
            f"people, and the corrected 95% interval is {number(found.width_at(found.labels), 2)} "
            f"points wide. These labels are worth {self.effective:,.0f} labels of a simple random "
            "sample."
        )
        labels = found.labels_for(self.wanted)
        width = f"A width of {self.wanted:g}"
        if labels is None:
            return [
                head,
                f"{width} cannot be reached: with people's labels of all {found.units:,} units the "
                f"interval would still be about {number(found.width_at(found.units), 2)} wide.",
            ]
        more = labels - found.labels
        if more <= 0:
            return [head, f"{width} is reached; about {labels:,} labels would have been enough."]
        return [
            head,
            f"{width} takes about {labels:,} labels of {found.units:,} units, {more:,} more than "
            "so far, if they are drawn in the same proportions.",
        ]

    def lines(self) -> list[str]:
        """Return the widths by number of labels, one line each; those so far have a star."""
        cells = [("labelled", "predicted width")]
        cells += [
            (
                f"{size:,}{'*' if size == self.predicted.labels else ' '}",
                number(self.predicted.width_at(size), 2),
            )
            for size in self.sizes
        ]
        widths = [max(len(row[at]) for row in cells) for at in range(2)]
        return [
            "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
            for row in cells
        ]


def has_ratings(folder: Path, *, mode: str) -> bool:
    """Say whether the exported tables of a study have people's ratings of a mode.

    Parameters
    ----------
    folder : Path
    mode : {'live', 'pilot', 'bot'}

    Raises
    ------
    RatifyError
        If the table of ratings cannot be read.
    """
    path = table_path(folder / TABLES_FOLDER, "ratings")
    if not path.exists():
        return False
    with heard_by(None):
        rows = read_table(path, load_plan(folder).data.reading("ratings")).rows
    return any(row.get("rater_kind") == "human" and row.get("mode") == mode for row in rows)


def more_labels(folder: Path, *, mode: str) -> MoreLabels:
    """Predict from a study's ratings what more labels would make of its corrected interval.

    Parameters
    ----------
    folder : Path
        See `reading.read_inputs`.
    mode : {'live', 'pilot', 'bot'}
        Whose ratings are used.

    Raises
    ------
    RatifyError
        If something is missing or wrong, an arm is empty, or every unit is labelled.
    """
    inputs = read_inputs(folder, mode=mode)
    assumed = inputs.evidence.plan.assumptions.causal or CausalAssumptions()
    three = three_estimates(
        inputs.frame,
        inputs.labels,
        inputs.cuts,
        inputs.evidence.rng(FOLDS),
        folds=inputs.causal.estimators.folds,
    )
    return MoreLabels(
        prediction(three.corrected, three.effective_labels, three.labels, len(inputs.frame)),
        three.treated,
        three.effective_labels,
        assumed.wanted(inputs.causal.gate.margin),
        inputs.evidence.simulated,
    )


def write_more_labels(found: MoreLabels, folder: Path) -> list[str]:
    """Write `causal-pilot.csv`, `causal-pilot.json`, and the width by labels as SVG and PNG.

    Parameters
    ----------
    found : MoreLabels
    folder : Path
        Which must exist.

    Returns
    -------
    list of str
        The names of the files.
    """
    table = found.to_frame().to_csv(index=False, lineterminator="\n", float_format="%.6g")
    files.write_text(folder / TABLE, table)
    text = json.dumps(found.to_json(), ensure_ascii=False, indent=1, sort_keys=True)
    files.write_text(folder / JSON, text + "\n")
    predicted = found.predicted
    axes = plot_widths(
        found.sizes,
        [predicted.width_at(size) for size in found.sizes],
        predicted.width_at,
        own=predicted.labels,
        wanted=found.wanted,
        units=predicted.units,
        warning="Simulated raters" if found.simulated else "",
    )
    files.write_text(folder / f"{FIGURE}.svg", svg(axes))
    files.write_bytes(folder / f"{FIGURE}.png", png(axes))
    return [TABLE, JSON, f"{FIGURE}.svg", f"{FIGURE}.png"]
