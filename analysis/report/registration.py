"""What the report says of the registration: the lock, its amendments, and the looks at results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report.data import AmendmentData, ResultsData
from analysis.results.numbers import count
from analysis.results.words import counted

# What the chapter says in words is left out of the list of where results come from.
SAID_HERE = ("looks", "exploratory", "late_thresholds", "dropped_thresholds", "gate")


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The chapter on the registration.

    Attributes
    ----------
    sentences : list of str
        On the lock, and on when results were produced.
    amendments : list of AmendmentData
    exploratory : dict
        Why an analysis is exploratory although others are not, by its id.
    late : list of str
        Why thresholds of the gate cannot be used, and which were taken out.
    looks : list of (str, str)
        Time and number of answers of each look, oldest first; empty if there was only one.
    """

    sentences: list[str]
    amendments: list[AmendmentData]
    exploratory: dict[str, str]
    late: list[str]
    looks: list[tuple[str, str]]


def registration_of(data: ResultsData) -> Registration | None:
    """Return the chapter; None if the results are of no locked study."""
    meta = data.meta
    if data.kind != "study" or not meta.get("plan_hash"):
        return None
    looks = meta.get("looks") or []
    return Registration(
        sentences=[_lock(meta, len(data.amendments)), *([looks_sentence(looks)] if looks else [])],
        amendments=data.amendments,
        exploratory=dict(meta.get("exploratory") or {}),
        late=[
            *(
                f"Threshold {int(place) + 1} of the gate cannot be used: {why}."
                for place, why in (meta.get("late_thresholds") or {}).items()
            ),
            *(f"The gate cannot be passed: {why}." for why in meta.get("dropped_thresholds") or ()),
        ],
        looks=[(minute(one["at"]), count(one["answers"])) for one in looks] if looks[1:] else [],
    )


def looks_sentence(looks: Sequence[Mapping[str, Any]]) -> str:
    """Return in one sentence when results were first produced, and how often since.

    Parameters
    ----------
    looks : sequence of mapping
        `at` and `answers` of each look, oldest first; the last one made these results.
    """
    first, last, more = looks[0], looks[-1], len(looks) - 1
    began = (
        f"Results of people's answers were first produced on {minute(first['at'])}, from "
        f"{counted(first['answers'], 'answer')}"
    )
    if not more:
        return f"{began}; these are those results."
    return (
        f"{began}. They have been produced {_times(more)} since; these results are of "
        f"{minute(last['at'])}, from {counted(last['answers'], 'answer')}."
    )


def minute(at: str) -> str:
    """Return a time for a reader: the date and the minute."""
    return f"{at[:10]}, {at[11:16]} UTC" if len(at) >= 16 else at


def _lock(meta: Mapping[str, Any], amended: int) -> str:
    said = f"The plan was locked on {minute(str(meta.get('locked_at')))}"
    if not amended:
        return f"{said} and has not been amended."
    return f"{said} and amended {_times(amended)} since."


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{count(n)} times")
