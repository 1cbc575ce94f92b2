"""What a registered analysis hands to the report, and how its numbers are stamped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.evidence import Evidence
from analysis.results import Quantity, ResultFigure, ResultTable
from prereg.analyses import AnyAnalysis


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one registered analysis found."""

    sentence: str = ""
    quantities: list[Quantity] = field(default_factory=list)
    tables: list[ResultTable] = field(default_factory=list)
    figures: list[ResultFigure] = field(default_factory=list)


def stamp(analysis: AnyAnalysis, evidence: Evidence) -> dict[str, Any]:
    """Return what marks a quantity as registered, and for which hypothesis."""
    return {"status": evidence.status, "hypothesis": analysis.hypothesis or ""}


def interval(low: float, high: float) -> str:
    """Return an interval as sentences show it."""
    return f"[{low:.2f}, {high:.2f}]"


def number(value: Any) -> float | None:
    """Return a number as a quantity holds it: None where it is missing."""
    return None if pd.isna(value) else float(value)
