"""What a matching found: its pairs, how similar they are, and who was left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.results.words import counted

Method = Literal["greedy", "optimal"]
Solver = Literal["greedy", "dense", "sparse"]

ESTIMAND = "ATT of the matched treated units"
NO_CORRECTION = (
    "No estimate by matching is corrected for the judge's errors: the judge's scores choose who is "
    "treated and say the outcome, so its errors are in this number"
)
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Pairs of one treated and one control unit, each unit in one pair at most.

    Attributes
    ----------
    method : {'greedy', 'optimal'}
    solver : {'greedy', 'dense', 'sparse'}
        'dense' solved the whole table of similarities; 'sparse' the nearest control units, and
        proved that no other pair would have made the matching better.
    caliper : float
        The lowest similarity of a pair.
    treated, control : int array of shape (pairs,)
        Rows of the frame.
    similarity : array of shape (pairs,)
        Cosine of the two embeddings.
    none_within_caliper : int array
        Rows of treated units that no control unit is as similar to as the caliper asks.
    none_left : int array
        Rows of treated units whose control units within the caliper are all in other pairs.
    neighbours : int or None
        How many control units of each treated unit entered the sparse or greedy matching.
    rounds, widened : int
        How often the sparse matching was solved, and how many treated units got more control
        units than `neighbours` for that.
    units : int
        Of the frame.
    """

    method: Method
    solver: Solver
    caliper: float
    treated: IntArray = field(repr=False)
    control: IntArray = field(repr=False)
    similarity: FloatArray = field(repr=False)
    none_within_caliper: IntArray = field(repr=False)
    none_left: IntArray = field(repr=False)
    neighbours: int | None = None
    rounds: int = 1
    widened: int = 0
    units: int = 0

    estimand = ESTIMAND

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.treated)

    @property
    def total(self) -> float:
        """The sum of the similarities of all pairs."""
        return float(self.similarity.sum())

    @property
    def weights(self) -> FloatArray:
        """1 for a unit of the frame that is in a pair, 0 for every other one."""
        found = np.zeros(self.units)
        found[self.treated] = found[self.control] = 1.0
        return found

    @property
    def note(self) -> str:
        """What to know of the estimate, in sentences without a full stop."""
        parts = [self._left_out(), self._solved(), NO_CORRECTION]
        return ". ".join(part for part in parts if part)

    def _left_out(self) -> str:
        far, late = len(self.none_within_caliper), len(self.none_left)
        if not far + late:
            return "Every treated unit is matched"
        why = [
            f"{counted(n, 'has', 'have')} {words}"
            for n, words in (
                (far, f"no control unit with a similarity of {self.caliper:g} or more"),
                (late, "only control units within the caliper that are in other pairs"),
            )
            if n
        ]
        of = counted(len(self) + far + late, "treated unit")
        return f"Of {of}, {far + late:,} are not matched: {' and '.join(why)}"

    def _solved(self) -> str:
        if self.solver != "sparse" or self.rounds == 1:
            return ""
        return (
            f"The {self.neighbours} nearest control units of each treated unit were too few for "
            f"the best matching: {counted(self.widened, 'treated unit')} got more, and the "
            f"matching was solved {self.rounds} times"
        )

    def pairs(self, unit: Sequence[str]) -> pd.DataFrame:
        """Return one row per pair: the ids of its units, and their similarity.

        Parameters
        ----------
        unit : sequence of str
            The ids of the frame's units.
        """
        ids = np.asarray(unit)
        return pd.DataFrame(
            {
                "treated_id": ids[self.treated],
                "control_id": ids[self.control],
                "similarity": self.similarity,
            }
        )

    def similarities(self) -> pd.DataFrame:
        """Return the quantiles of the pairs' similarity, and their mean; one row each."""
        values = np.quantile(self.similarity, QUANTILES) if len(self) else [np.nan] * len(QUANTILES)
        rows = [(f"quantile {q:g}", float(v)) for q, v in zip(QUANTILES, values, strict=True)]
        mean = float(self.similarity.mean()) if len(self) else np.nan
        return pd.DataFrame([("mean", mean), *rows], columns=["statistic", "similarity"])

    def counts(self) -> pd.DataFrame:
        """Return how many treated units are matched, and how many are not, by reason."""
        rows = [
            ("matched", len(self)),
            ("no control unit within the caliper", len(self.none_within_caliper)),
            ("no control unit left within the caliper", len(self.none_left)),
        ]
        return pd.DataFrame(rows, columns=["treated_units", "n"])
