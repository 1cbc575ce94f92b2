"""Reads and checks `results.json`: a report is made from the file, not from memory.

The models mirror `analysis.results.quantities`. A file that does not fit raises a one-line error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from analysis.results.quantities import Quantity, Status
from analysis.results.verdict import Severity
from prereg.errors import RatifyError
from prereg.fault_words import shown_value, words_of

# A name is used as a path and as an id in the page.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Cell = str | bool | int | float | None


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)


class TableData(_Part):
    """A table as `ResultTable.to_json` wrote it."""

    name: Name
    title: str
    caption: str
    status: Status
    columns: list[str]
    rows: list[list[Cell]]

    @model_validator(mode="after")
    def _rectangular(self) -> TableData:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} has {len(row)} cells for {len(self.columns)} columns"
                )
        return self


class FigureData(_Part):
    """A figure as `ResultFigure.to_json` wrote it; the drawing is in its own file."""

    name: Name
    title: str
    caption: str
    alt: str
    status: Status


class Hypothesis(_Part):
    """One registered hypothesis."""

    id: str
    text: str


class ChangeData(_Part):
    """One key that an amendment changed."""

    part: str
    key: str
    before: str
    after: str


class AmendmentData(_Part):
    """One amendment of the locked plan."""

    number: int
    at: str
    reason: str
    known: str
    changes: list[ChangeData]


class FlowStep(_Part):
    """One exclusion rule, in the plan's order."""

    rule: str
    unit: str
    before: int
    excluded: int
    after: int


class CellData(_Part):
    """One judge on one dimension, in a word."""

    judge: str
    dimension: str
    word: str
    why: str = ""


class NoteData(_Part):
    """One finding."""

    severity: Severity
    about: str
    says: str
    do: str


class NotRunData(_Part):
    """A check that could not run."""

    check: str
    why: str


class DecisionData(_Part):
    """The verdict on a hypothesis."""

    id: str
    verdict: str
    how: str


class FlaggedData(_Part):
    """A person whose answers look careless."""

    who: str
    answers: int
    reason: str


class DisagreementData(_Part):
    """An item on which a judge is far from people."""

    judge: str
    what: str
    people: str
    said: str
    texts: list[tuple[str, str]]


class VerdictData(_Part):
    """The verdict; empty in results of earlier versions."""

    sentences: list[str] = []
    cells: list[CellData] = []
    not_run: list[NotRunData] = []
    hypotheses: list[DecisionData] = []
    people: list[FlaggedData] = []
    disagreements: list[DisagreementData] = []
    limits: list[str] = []

    @property
    def judges(self) -> list[str]:
        """The rows of the grid."""
        return list(dict.fromkeys(cell.judge for cell in self.cells))

    @property
    def dimensions(self) -> list[str]:
        """The columns of the grid."""
        return list(dict.fromkeys(cell.dimension for cell in self.cells))

    def cell(self, judge: str, dimension: str) -> CellData | None:
        """Return a cell of the grid, None where a judge has none."""
        found = (c for c in self.cells if (c.judge, c.dimension) == (judge, dimension))
        return next(found, None)

    def decision(self, hypothesis: str) -> DecisionData | None:
        """Return the verdict on a hypothesis."""
        return next((one for one in self.hypotheses if one.id == hypothesis), None)


class ResultsData(_Part):
    """The whole of `results.json`."""

    kind: Literal["study", "audit"]
    title: str
    question: str
    headline: list[str]
    simulated: bool
    meta: dict[str, Any]
    amendments: list[AmendmentData] = []
    hypotheses: list[Hypothesis] = []
    flow: list[FlowStep] = []
    flow_notes: list[str] = []
    quantities: list[Quantity]
    tables: list[TableData]
    figures: list[FigureData]
    methods: list[str]
    limits: list[str]
    verdict: VerdictData = VerdictData()
    findings: list[NoteData] = []

    @model_validator(mode="after")
    def _unique(self) -> ResultsData:
        for parts in (self.tables, self.figures):
            names = [part.name for part in parts]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"two tables or two figures have the name {twice[0]}")
        return self


def read_results(path: Path) -> ResultsData:
    """Return the results of a file.

    Raises
    ------
    RatifyError
        If the file is missing, is not JSON, or does not contain results.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise RatifyError(
            "there is no results file here; run the analysis first: `ratify analyze`", file=path
        ) from error
    except OSError as error:
        raise RatifyError(f"cannot read this file: {error.strerror}", file=path) from error
    try:
        return ResultsData.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        known = first["type"] not in {"missing", "json_invalid"}
        problem, allowed = words_of(first)
        raise RatifyError(
            problem,
            file=path,
            column=field,
            value=shown_value(first) if known and field else None,
            allowed=allowed,
        ) from error
