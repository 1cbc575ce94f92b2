"""Judges that give one answer to every item: how they are found, and what a pass of theirs shows.

A constant answer tells no item from another. Where most items are alike it is still close to most
people on most items, so it can pass the alternative-annotator test; that pass shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.agreement.alternative_annotator import AlternativeAnnotator
from analysis.agreement.panel import Panel
from analysis.results.words import listed

# The made-up judge that gives every item the answer that people give most often.
ALWAYS = "always the most frequent answer"
MEANS_NOTHING = "so a pass means nothing"
# What each judge always says, by dimension: only judges and dimensions of one answer.
Constants = Mapping[str, Mapping[str, float]]


def constants_of(table: Panel) -> dict[str, dict[str, float]]:
    """Return what each judge always says, on the dimensions where it says one thing.

    Parameters
    ----------
    table : Panel
        A judge counts on items that people rated; two of them are needed to see a constant.
    """
    found: dict[str, dict[str, float]] = {judge: {} for judge in table.judges}
    for judge in table.judges:
        for name, people in table.people.items():
            rated = table.judge(judge, name)
            given = rated[~np.isnan(rated) & (~np.isnan(people)).any(axis=1)]
            if given.size > 1 and np.ptp(given) == 0:
                found[judge][name] = float(given[0])
    return found


def most_frequent(table: Panel, dimension: str) -> float:
    """Return the answer that people give most often, the lowest of several; NaN without one."""
    people = table.people[dimension]
    values, times = np.unique(people[~np.isnan(people)], return_counts=True)
    return float(values[times.argmax()]) if values.size else np.nan


def always_answering(table: Panel) -> Panel:
    """Return the same people with one judge, who always gives their most frequent answer."""
    judged = {
        name: np.full((len(table.items), 1), most_frequent(table, name)) for name in table.people
    }
    return replace(table, judges=(ALWAYS,), judged=judged)


def passes_always(tested: AlternativeAnnotator | None, dimension: str) -> bool:
    """Say whether one and the same answer for every item passes the test, by either correction.

    A pass is compared with a constant's most lenient one, so that no pass counts in one place and
    means nothing in another.

    Parameters
    ----------
    tested : AlternativeAnnotator or None
        The test of the panel that `always_answering` returns.
    dimension : str
    """
    if tested is None:
        return False
    return any(
        bool(one.passes or one.passes_all) for one in tested.verdicts if one.dimension == dimension
    )


def pass_note(constant: str, idle: str) -> str:
    """Return why a pass of the test means nothing; empty if it may mean something.

    Parameters
    ----------
    constant : str
        What the judge always says; empty if its answers vary.
    idle : str
        An answer that would pass if every item got it; empty if none would.
    """
    if constant:
        return f"It always says {constant}, {MEANS_NOTHING}."
    return f"A judge that always says {idle} would pass too, {MEANS_NOTHING}." if idle else ""


def idle_sentences(answers: Mapping[str, str], what: str) -> list[str]:
    """Return the sentence on passes that a constant answer has too; none where there are none.

    Parameters
    ----------
    answers : mapping of str to str
        By dimension, the answer that would pass.
    what : str
        'rating' or 'label'.
    """
    if not answers:
        return []
    shown = [f"{name} ({answer})" for name, answer in answers.items()]
    return [
        f"Passing means nothing on {listed(shown)}: a judge that gives every item the same {what} "
        "would pass too."
    ]


def always_said(answers: Mapping[str, str], names: Sequence[str]) -> str:
    """Return what a judge always says on these dimensions: '3 on warmth and 1 on advice'."""
    return listed([f"{answers[name]} on {name.replace('_', ' ')}" for name in names])
