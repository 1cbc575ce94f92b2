"""The only error that a user may see: it names the place, the bad value and what is allowed."""

from __future__ import annotations

from pathlib import Path

# Characters of a bad value that are shown.
LONGEST = 60


class RatifyError(Exception):
    """A wrong input, explained in one line.

    Parameters
    ----------
    problem : str
        What is wrong, without a full stop.
    file : path or str, optional
        The file it was found in.
    row : int or str, optional
        Its record as a spreadsheet numbers it (the header is row 1), or its place in words where
        the file has no such rows, for example 'line 3'.
    column : str, optional
        The column, or the dotted path of a field in a plan.
    value : object, optional
        The value as it was read.
    allowed : str, optional
        What would have been accepted.
    part : str, optional
        The id of the analysis, judge or other part of a plan that the column is in.
    line : int, optional
        The line of the field in the file, from 1.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        row: int | str | None = None,
        column: str | None = None,
        value: object = None,
        allowed: str | None = None,
        part: str | None = None,
        line: int | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.row = row
        self.column = column
        self.value = value
        self.allowed = allowed
        self.part = part
        self.line = line
        super().__init__(self.one_line())

    def move(self, old: Path, new: Path) -> None:
        """Name a file below `old` as it is called below `new`."""
        if self.file is not None and Path(self.file).is_relative_to(old):
            self.file = str(new / Path(self.file).relative_to(old))
            self.args = (self.one_line(),)

    def one_line(self) -> str:
        """Return the whole message on one line."""
        place = [self.file] if self.file else []
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.row is not None:
            place.append(self.row if isinstance(self.row, str) else f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}" if self.row is not None else self.column)
        if self.part is not None:
            place[-1:] = [f"{' '.join(place[-1:])} ({self.part})".strip()]
        sentence = self.problem
        if self.value is not None:
            sentence += f", got {_short(self.value)}"
        if self.allowed:
            sentence += f" (allowed: {self.allowed})"
        line = ", ".join(place) + ": " + sentence if place else sentence
        return " ".join(line.split())


def _short(value: object) -> str:
    """Return the value quoted, on one line, cut off if it is long."""
    plain = getattr(value, "item", None)  # NumPy's cells, whose repr is np.float64(2.5)
    text = repr(plain() if plain is not None else value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
