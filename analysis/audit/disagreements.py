"""The worst disagreements of a judge with people, with the texts that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.agreement.panel import Panel
from analysis.results.numbers import number
from analysis.results.verdict import Disagreement


def worst_ratings(
    table: Panel, texts: Mapping[str, str], judges: Sequence[str], *, shown: int
) -> tuple[Disagreement, ...]:
    """Return the items on which each judge is furthest from the median of people.

    Parameters
    ----------
    table : Panel
    texts : mapping
        The text of each item; items without a text are left out.
    judges : sequence of str
    shown : int
        Number of items per judge; one item is shown once, for its worst dimension.

    Returns
    -------
    tuple of Disagreement
        No rater is named: people's ratings are sorted.
    """
    found: list[Disagreement] = []
    for judge in judges:
        rows = [row for name in table.dimensions for row in _apart(table, texts, judge, name)]
        rows.sort(key=lambda row: (-row.size, row.what))
        seen: set[str] = set()
        for row in rows:
            if len(seen) < shown and row.texts[0][0] not in seen:
                seen.add(row.texts[0][0])
                found.append(row)
    return tuple(found)


def _apart(
    table: Panel, texts: Mapping[str, str], judge: str, dimension: str
) -> list[Disagreement]:
    """Return one row per item that judge and people rated differently."""
    own = table.judge(judge, dimension)
    rows = []
    for place, item in enumerate(table.items):
        people = table.people[dimension][place]
        people = np.sort(people[~np.isnan(people)])
        if not people.size or np.isnan(own[place]) or item not in texts:
            continue
        size = abs(float(own[place]) - float(np.median(people)))
        if size > 0:
            rows.append(
                Disagreement(
                    judge=judge,
                    what=f"{dimension.replace('_', ' ')}, item {item}",
                    people=_listed(people.tolist()),
                    said=f"{own[place]:g}",
                    texts=((f"Item {item}", texts[item]),),
                    size=size,
                )
            )
    return rows


def _listed(ratings: Sequence[float]) -> str:
    """Return people's ratings: each of them, or how many there are with their median."""
    if len(ratings) <= 6:
        return ", ".join(f"{value:g}" for value in ratings)
    return f"median {number(float(np.median(ratings)), 1)} of {len(ratings)} people"
