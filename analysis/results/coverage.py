"""How much of what it was asked a judge answered: its label, and how a report recognises it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analysis.results.numbers import count
from analysis.results.quantities import Quantity
from analysis.results.words import counted

# What a share is of, where "asked of a judge that it answered" would hide what an analysis needs:
# equal scores are scores, but no choice.
CHOSEN, SCORED = "trials it chose a side in", "trials with both items scored"
_ANSWERED = "Share of the {what} asked of {judge} that it answered"
_LABELS: Mapping[str, str] = {
    CHOSEN: "Share of the trials that {judge} chose a side in",
    SCORED: "Share of the trials with both items scored by {judge}",
}
# What the judge did, for each label.
_DID: Mapping[str, str] = {
    _ANSWERED: "answered",
    _LABELS[CHOSEN]: "chose a side in",
    _LABELS[SCORED]: "scored both items in",
}
_PATTERNS = [
    (re.compile(label.format(what=r"\w+", judge="(.+)")), did) for label, did in _DID.items()
]


def coverage_label(what: str, judge: str) -> str:
    """Return the label of a coverage.

    Parameters
    ----------
    what : str
        What a judge was asked, such as 'pairs', or `CHOSEN` or `SCORED`.
    judge : str
    """
    return _LABELS.get(what, _ANSWERED).format(what=what, judge=judge)


def unit_of(what: str) -> str:
    """Return what a coverage counts: trials, items, ratings or pairs."""
    return "trials" if what in _LABELS else what


def said_of(quantity: Quantity) -> tuple[str, str] | None:
    """Return who did what, and the counts, of a coverage; None for any other number.

    For example 'gpt answered' and '98 of 100 items'.
    """
    for pattern, did in _PATTERNS:
        if found := pattern.fullmatch(quantity.label):
            n, unit = quantity.n or 0, quantity.unit_of_n
            answered = round((quantity.estimate or 0.0) * n)
            return (
                f"{found[1]} {did}",
                f"{count(answered)} of {counted(n, unit.removesuffix('s'), unit)}",
            )
    return None
