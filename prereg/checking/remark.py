"""One line about a study: an error, a warning or a note, with its place and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from prereg.checking.advice import advice
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.yaml_lines import YamlLines

# An error stops the lock; a warning wants a yes; a note says what is good to know.
Severity = Literal["error", "warning", "note"]
ERROR: Severity = "error"
WARNING: Severity = "warning"
NOTE: Severity = "note"


@dataclass(frozen=True)
class Remark:
    """What is wrong or unwise at one place of a study.

    Attributes
    ----------
    severity : {'error', 'warning', 'note'}
    problem : str
        What is wrong. Warnings and notes are sentences; an error continues its place.
    do : str
        What to do about it.
    file : str or None
    line : int or None
        The line of the key in the YAML, from 1.
    row : int, str or None
        The row of a table, as `RatifyError` has it.
    key : str or None
        The dotted path of a key of the plan, or the column of a table.
    part : str or None
        The id of the analysis, judge or other part that the key is in.
    value : object
        The value as it was read.
    allowed : str or None
    """

    severity: Severity
    problem: str
    do: str = ""
    file: str | None = None
    line: int | None = None
    row: int | str | None = None
    key: str | None = None
    part: str | None = None
    value: object = None
    allowed: str | None = None

    def __str__(self) -> str:
        """Return what is wrong and what to do, without the place."""
        return f"{self.problem} {self.do}".strip()

    def one_line(self) -> str:
        """Return the whole remark on one line: place, problem, and what to do.

        A warning or a note is a sentence, which has the value in it.
        """
        line = RatifyError(
            self.problem,
            file=self.file,
            row=self.row,
            column=self.key,
            value=self.value if self.severity == ERROR else None,
            allowed=self.allowed,
            part=self.part,
            line=self.line,
        ).one_line()
        joint = "; " if self.severity == ERROR and self.do else " "
        return f"{line}{joint}{self.do}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it; a value that JSON has no form for, as text."""
        found = asdict(self)
        if not isinstance(self.value, str | int | float | bool | None):
            found["value"] = str(self.value)
        return found

    def within(self, folder: Path, lines: YamlLines | None = None) -> Remark:
        """Return it with its file in a study folder: the plan, unless it names another."""
        if self.file is not None:
            return replace(self, file=str(folder / self.file))
        line = lines.line_of(self.key) if lines is not None and self.key else None
        return replace(self, file=str(folder / PLAN_FILE), line=line)


def warning(problem: str, do: str, key: str | None = None, **more: Any) -> Remark:
    """Return what is allowed, but probably not meant."""
    return Remark(WARNING, problem, do, key=key, **more)


def note(problem: str, do: str = "", key: str | None = None, **more: Any) -> Remark:
    """Return what is good to know."""
    return Remark(NOTE, problem, do, key=key, **more)


def error_of(fault: RatifyError, lines: YamlLines | None = None) -> Remark:
    """Return a fault as a remark, with the line of its key if it is in the plan."""
    in_plan = fault.file is not None and Path(fault.file).name == PLAN_FILE and fault.row is None
    line = lines.line_of(fault.column) if in_plan and lines and fault.column else None
    return Remark(
        ERROR,
        fault.problem,
        advice(fault),
        file=fault.file,
        line=line,
        row=fault.row,
        key=fault.column,
        part=fault.part,
        value=fault.value,
        allowed=fault.allowed,
    )
