"""A number as Ratify reports it: never without its interval, n, clusters, method and unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

Status = Literal["confirmatory", "exploratory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One reported number; a row of `results.json`.

    Attributes
    ----------
    analysis : str
        Id of the analysis in the plan (for an audit, the name of the table).
    name : str
        What is estimated, unique within its analysis (a coefficient, `spearman`, `bin 1-3`).
    label : str
        The same in words a reader understands without the plan.
    estimate : float or None
        None where no finite estimate exists; `note` then says why.
    low, high : float or None
        Ends of the interval at `level`; None where the method has none.
    level : float
        Coverage of the interval, 0.95 by default.
    se : float or None
        Standard error.
    p_value : float or None
        Two-sided.
    n : int
        Units that entered (judgments, items, people: `unit_of_n` says which).
    unit_of_n : str
        What `n` counts.
    clusters : int or None
        Number of clusters the errors allow for.
    method : str
        Name of the method with its settings.
    unit : str
        Unit of the estimate ("log-odds per point", "proportion", "correlation").
    status : {'confirmatory', 'exploratory'}
        Whether the locked plan registered it.
    hypothesis : str
        The hypothesis it serves, empty if none.
    note : str
        A warning that must travel with the number, empty if none.
    """

    analysis: str
    name: str
    label: str
    estimate: float | None
    n: int
    unit_of_n: str
    method: str
    unit: str
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    se: float | None = None
    p_value: float | None = None
    clusters: int | None = None
    status: Status = "exploratory"
    hypothesis: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them: no NaN, no infinity."""
        return {key: finite(value) for key, value in asdict(self).items()}


def finite(value: Any) -> Any:
    """Return the value, or None where it is a float that JSON cannot hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_frame(quantities: Sequence[Quantity]) -> pd.DataFrame:
    """Return the quantities as a table, one row each, columns in the order of the class."""
    return pd.DataFrame([q.to_json() for q in quantities])
