"""The verdict of a result: a sentence per judge, a grid, findings, and what could not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "note")

# The words of the grid, with what each means; the report prints the meaning below the grid.
REPLACES = "may replace a person"
AGREES = "agrees"
BIASED = "biased"
REVERSED = "reversed"
OTHER_SHARES = "other shares"
EXCHANGED = "labels exchanged"
SHORT = "falls short"
TOO_FEW = "not enough data"
NO_YARDSTICK = "no yardstick"
MEANING = {
    REPLACES: "passes the test for taking a person's place, and is neither biased nor reversed",
    AGREES: "agrees with a person about as well as people agree with each other",
    BIASED: "scores higher or lower than people by more than the limit",
    REVERSED: "high where people are low: perhaps the scale is coded the other way round",
    OTHER_SHARES: "gives a label more or less often than people, by more than the limit",
    EXCHANGED: "agrees with people only if its labels stand for others: perhaps the names differ",
    SHORT: "agrees less with people than people agree with each other",
    TOO_FEW: "the data do not decide",
    NO_YARDSTICK: "people do not agree with each other beyond chance, so nothing can be compared",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One judge on one dimension: a word of `MEANING`, and the numbers behind it."""

    judge: str
    dimension: str
    word: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Note:
    """One finding.

    Attributes
    ----------
    severity : {'critical', 'warning', 'note'}
    about : str
        The judge, the people or the study.
    says : str
        What was found, with its number.
    do : str
        What to do about it.
    """

    severity: Severity
    about: str
    says: str
    do: str


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """A check that could not run, and why."""

    check: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The verdict on one hypothesis: supported, not supported or not decided, and by what."""

    id: str
    verdict: str
    how: str


@dataclass(frozen=True, kw_only=True)
class Flagged:
    """One person whose answers look careless, and why; `who` is a label, not a platform's id."""

    who: str
    answers: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """An item or comparison on which a judge is far from people.

    Attributes
    ----------
    judge, what : str
    people, said : str
        What people and the judge answered.
    texts : tuple of (str, str)
        Name and text of what they read.
    size : float
        How far apart they are; the largest come first.
    """

    judge: str
    what: str
    people: str
    said: str
    texts: tuple[tuple[str, str], ...]
    size: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Everything a reader wants to know first.

    Attributes
    ----------
    sentences : tuple of str
        One per judge, audited judges before baselines.
    cells : tuple of Cell
        The grid: judge by judge.
    notes : tuple of Note
        The findings.
    not_run : tuple of NotRun
    hypotheses : tuple of Decision
    people : tuple of Flagged
    disagreements : tuple of Disagreement
    limits : tuple of str
        Sentences that say what counts as large.
    """

    sentences: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()
    notes: tuple[Note, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    hypotheses: tuple[Decision, ...] = ()
    people: tuple[Flagged, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    limits: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return `verdict` and `findings` as results.json holds them."""
        whole = asdict(self)
        notes = sorted(whole.pop("notes"), key=lambda note: SEVERITIES.index(note["severity"]))
        return {"verdict": whole, "findings": notes}


def joined(parts: Sequence[Verdict]) -> Verdict:
    """Return several verdicts as one; what is said twice is said once."""
    fields = Verdict.__dataclass_fields__
    every = {
        name: tuple(dict.fromkeys(one for part in parts for one in getattr(part, name)))
        for name in fields
    }
    return Verdict(**every)
