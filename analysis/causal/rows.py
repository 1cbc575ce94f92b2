"""One line of a table of effects: what was estimated, on how many units, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.arrays import FloatArray
from analysis.causal.clustered import Estimate

OVERLAP, ATT, ATE = "overlap", "ATT", "ATE"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One estimate, in points of the outcome.

    Attributes
    ----------
    estimand : {'overlap', 'ATT', 'ATE'}
        The effect among units weighted by how easily they could be in either arm; among the
        treated; among all.
    method : str
    estimate : Estimate or None
        None where it is not given; `note` has the reason.
    treated, controls : int
        Units that were used.
    trimmed : int
        Units that were left out because their chance of treatment is too extreme.
    clipped : int
        Units whose chance was moved away from 0 or 1 before a number was divided by it.
    effective : tuple of float
        Treated and control units of equal weight that would be worth as much (Kish 1965).
    note : str
    """

    estimand: str
    method: str
    estimate: Estimate | None
    treated: int
    controls: int
    trimmed: int = 0
    clipped: int = 0
    effective: tuple[float, float]
    note: str = ""

    def line(self) -> dict[str, Any]:
        """Return the cells of this row of the table."""
        found = self.estimate
        empty = float("nan")
        return {
            "estimand": self.estimand,
            "method": self.method,
            "estimate": empty if found is None else found.value,
            "se": empty if found is None else found.se,
            "df": empty if found is None else found.df,
            "low": empty if found is None else found.low,
            "high": empty if found is None else found.high,
            "n": self.treated + self.controls,
            "users": 0 if found is None else found.clusters,
            "treated": self.treated,
            "controls": self.controls,
            "trimmed": self.trimmed,
            "clipped": self.clipped,
            "effective_treated": self.effective[0],
            "effective_controls": self.effective[1],
            "unit": "points",
            "note": self.note,
        }


def effective(weights: FloatArray, arm: FloatArray) -> tuple[float, float]:
    """Return the effective number of treated and of control units (Kish 1965)."""
    return _kish(weights[arm == 1]), _kish(weights[arm == 0])


def _kish(weights: FloatArray) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
