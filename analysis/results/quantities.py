"""The parts of a result: numbers (with interval, n, clusters, method, unit), tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import pandas as pd

from analysis.results.verdict import Verdict

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
        The same in words that a reader understands without the plan.
    estimate : float or None
        None if there is no finite estimate; `note` then says why.
    low, high : float or None
        Ends of the interval at `level`; None if the method has none.
    level : float
        Coverage of the interval, 0.95 by default.
    se : float or None
        Standard error.
    p_value : float or None
        Two-sided.
    n : int or None
        Number of units used (judgments, items, people: `unit_of_n` says which); None if the
        analysis could not be computed.
    unit_of_n : str
        What `n` counts.
    clusters : int or None
        Number of clusters for the errors.
    method : str
        Name of the method with its settings.
    unit : str
        Unit of the estimate ("log-odds per point", "proportion", "correlation").
    status : {'confirmatory', 'exploratory'}
        Whether the locked plan registered it.
    hypothesis : str
        The hypothesis that it tests; empty if none.
    note : str
        A warning to report with the number; empty if none.
    """

    analysis: str
    name: str
    label: str
    estimate: float | None
    n: int | None
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

    def __post_init__(self) -> None:
        """Replace numbers that are missing or not finite by None."""
        for name in ("estimate", "low", "high", "se", "p_value"):
            value = getattr(self, name)
            number = None if pd.isna(value) or math.isinf(value) else float(value)
            object.__setattr__(self, name, number)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them: no NaN, no infinity."""
        return asdict(self)


def to_frame(quantities: Sequence[Quantity]) -> pd.DataFrame:
    """Return the quantities as a table, one row each, columns in the order of the class."""
    return pd.DataFrame([q.to_json() for q in quantities])


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """A table of the report, stored in `results.json` and written as `tables/NAME.csv`.

    The CSV has every digit; `NAME.tex` and `NAME.md` are formatted for papers.

    Attributes
    ----------
    name : str
        File name without extension, unique.
    title, caption : str
        The caption gives the unit, the method and what a row is.
    frame : DataFrame
    status : {'confirmatory', 'exploratory'}
    level : float or None
        Coverage of its intervals, for the heading in a paper; None if rows differ.
    bounded : tuple of str
        Columns of statistics that cannot exceed 1 although their names do not say so (`numbers`
        knows kappa, rate and the like): two decimals are enough in papers.
    """

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    status: Status = "exploratory"
    level: float | None = 0.95
    bounded: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the table with its rows as lists and missing values as None."""
        rows = [[_plain(value) for value in row] for row in self.frame.itertuples(index=False)]
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "status": self.status,
            "columns": [str(c) for c in self.frame.columns],
            "rows": rows,
        }


@dataclass(frozen=True, kw_only=True)
class ResultFigure:
    """A figure of the report, written as `figures/NAME.svg`.

    Attributes
    ----------
    name : str
        File name without extension, unique.
    title, caption : str
        The caption says what is drawn, the intervals, n, and whether raters are simulated.
    alt : str
        The finding in one sentence, for readers who cannot see the figure.
    svg : str
        The drawing.
    status : {'confirmatory', 'exploratory'}
    """

    name: str
    title: str
    caption: str
    alt: str
    svg: str
    status: Status = "exploratory"

    def to_json(self) -> dict[str, Any]:
        """Return everything except the drawing."""
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "alt": self.alt,
            "status": self.status,
        }


@dataclass(frozen=True, kw_only=True)
class Results:
    """All results of an analysis. `results.json` is this object; other files are made from it.

    Attributes
    ----------
    kind : {'study', 'audit'}
    title, question : str
        Title of the study and the question raters answered.
    headline : list of str
        The answer in plain sentences, the most important first; it can be read alone.
    simulated : bool
        True if raters are simulated: every page and figure then says so.
    meta : dict
        Provenance: plan_hash, mode, seed, input files with SHA-256, package versions, times.
    hypotheses : list of dict
        `id`, `text` of every registered hypothesis.
    flow : list of dict
        `rule`, `unit`, `before`, `excluded`, `after`: exclusions in the plan's order.
    flow_notes : list of str
        Sentences about the flow: how the visits ended, how many people withdrew.
    verdict : Verdict
        What a reader wants to know first; its sentences come first in the headline too.
    quantities, tables, figures
        The numbers, tables and figures.
    methods, limits : list of str
        Paragraphs of text.
    amendments : list of dict
        `number`, `at`, `reason`, `known` and `changes` of every amendment of the plan.
    """

    kind: Literal["study", "audit"]
    title: str
    question: str
    headline: list[str]
    simulated: bool
    meta: dict[str, Any]
    quantities: list[Quantity]
    tables: list[ResultTable]
    figures: list[ResultFigure]
    methods: list[str]
    limits: list[str]
    hypotheses: list[dict[str, str]] = field(default_factory=list)
    flow: list[dict[str, Any]] = field(default_factory=list)
    flow_notes: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    amendments: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return everything for JSON, without the drawings."""
        return {
            "kind": self.kind,
            "title": self.title,
            "question": self.question,
            **self.verdict.to_json(),
            "headline": self.headline,
            "simulated": self.simulated,
            "meta": self.meta,
            "amendments": self.amendments,
            "hypotheses": self.hypotheses,
            "flow": self.flow,
            "flow_notes": self.flow_notes,
            "quantities": [q.to_json() for q in self.quantities],
            "tables": [t.to_json() for t in self.tables],
            "figures": [f.to_json() for f in self.figures],
            "methods": self.methods,
            "limits": self.limits,
        }


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if value is pd.NA or value is pd.NaT:
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value
