"""The log of looks: every time results were produced from people's live answers.

`plan.looks.jsonl` has one line per look, in canonical JSON. Each line holds the SHA-256 of the line
before, without its line end, so a line that is edited, moved or taken out of the middle shows. The
results themselves say how many looks there were, so lines taken from the end show as well.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from prereg import files
from prereg.errors import RatifyError
from prereg.turns import alone

LOOKS_FILE = "plan.looks.jsonl"
_ALLOWED = "the file as `ratify analyze` wrote it"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One time when results were produced.

    Attributes
    ----------
    at : str
        When, ISO 8601 in UTC; the results have the same time.
    mode : str
        Whose answers were analysed.
    plan_hash : str
        Of the newest version of the plan.
    answers : int
        How many answers of people were analysed, after exclusions.
    results : str
        SHA-256 of `results.json`.
    previous : str
        SHA-256 of the line before; empty in the first line.
    """

    at: str
    mode: str
    plan_hash: str
    answers: int
    results: str
    previous: str

    def line(self) -> str:
        """Return the look as its line of the log, without the line end."""
        return files.canonical_json(asdict(self)).decode("utf-8")


class LooksLog:
    """The log of one study folder, while no other process can append to it.

    Parameters
    ----------
    folder : Path
        The study folder.

    Attributes
    ----------
    looks : tuple of Look
        All of them, oldest first.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOOKS_FILE
        self._lines = _lines(self._path)
        self.looks = _chain(self._lines, self._path)

    def append(self, *, at: str, mode: str, plan_hash: str, answers: int, results: str) -> Look:
        """Append a look; the log is replaced as a whole, so a line is there in full or not at all.

        Raises
        ------
        RatifyError
            When the log cannot be written.
        """
        look = Look(
            at=at,
            mode=mode,
            plan_hash=plan_hash,
            answers=answers,
            results=results,
            previous=_hash(self._lines[-1]) if self._lines else "",
        )
        lines = [*self._lines, look.line()]
        files.write_text(self._path, "".join(f"{line}\n" for line in lines))
        self._lines, self.looks = lines, (*self.looks, look)
        return look


@contextlib.contextmanager
def looks_log(folder: Path) -> Iterator[LooksLog]:
    """Open the log of a study folder; another process that opens it waits until this one is done.

    Raises
    ------
    RatifyError
        When the log has been edited, or cannot be read.
    """
    with alone(folder):
        yield LooksLog(folder)


def read_looks(folder: Path) -> tuple[Look, ...]:
    """Return the looks of a study folder, oldest first; none if there is no log.

    Raises
    ------
    RatifyError
        When the log has been edited, or cannot be read.
    """
    path = folder / LOOKS_FILE
    return _chain(_lines(path), path)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError("cannot be read", file=path, allowed=_ALLOWED) from error
    # text mode has read CRLF as one line end
    return text.removesuffix("\n").split("\n") if text else []


def _chain(lines: list[str], path: Path) -> tuple[Look, ...]:
    """Return the looks of these lines, if each holds the hash of the line before."""
    looks = []
    before = ""
    for number, line in enumerate(lines, start=1):
        look = _look(line, number, path)
        if look.previous != before:
            raise RatifyError(
                "has been edited: this line does not hold the hash of the line before",
                file=path,
                row=f"line {number}",
                column="previous",
                value=look.previous,
                allowed=before or "empty in the first line",
            )
        looks.append(look)
        before = _hash(line)
    return tuple(looks)


def _look(line: str, number: int, path: Path) -> Look:
    try:
        content = json.loads(line)
        return Look(
            at=str(content["at"]),
            mode=str(content["mode"]),
            plan_hash=str(content["plan_hash"]),
            answers=int(content["answers"]),
            results=str(content["results"]),
            previous=str(content["previous"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RatifyError(
            "this line is not an entry of the log of looks",
            file=path,
            row=f"line {number}",
            allowed=_ALLOWED,
        ) from error


def _hash(line: str) -> str:
    return files.sha256(line.encode("utf-8"))
