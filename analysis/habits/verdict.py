"""The findings on judges' habits, and the habits that could not be tested."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.habits.measure import FOUND, UNTESTED, Measure
from analysis.habits.sentences import HABITS, clause, with_interval
from analysis.results.verdict import Note, NotRun, Verdict

_DO = {
    "first": "Ask every pair in both orders and count only the answers that do not change.",
    "letter": "Ask with other names for the two texts, or in both orders.",
    "length": "Compare texts of similar length, or report the result at equal length too.",
    "own": "Do not let a model judge texts of its own model.",
    "halo": "Ask for one dimension per request.",
    "rewrite": "Do not compare texts that differ in what the rewrite changes.",
}


def of_habits(measures: Sequence[Measure]) -> Verdict:
    """Return a warning per habit that was found, and what could not be tested and why."""
    notes: dict[tuple[str, str], Note] = {}
    gaps: dict[tuple[str, str], NotRun] = {}
    for m in measures:
        key = (m.judge, m.habit)
        if m.accuses and m.reading == FOUND and key not in notes:
            notes[key] = Note(
                severity="warning",
                about=m.judge,
                says=f"{m.judge} has a habit that has nothing to do with what it judges "
                f"({HABITS[m.habit]}). {m.label}: {with_interval(m)}.",
                do=_DO[m.habit],
            )
        if m.reading == UNTESTED and m.note and key not in gaps:
            gaps[key] = NotRun(check=f"{m.judge}: {HABITS[m.habit]}", why=clause(m.note))
    return Verdict(notes=tuple(notes.values()), not_run=tuple(gaps.values()))
