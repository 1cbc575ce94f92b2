"""The items to which a judge gives another label than people who agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.agreement.label_agreement import LabelAgreement
from analysis.results.verdict import Disagreement


def worst_labels(
    found: LabelAgreement,
    texts: Mapping[str, str],
    *,
    shown: int,
    judges: Sequence[str] | None = None,
) -> tuple[Disagreement, ...]:
    """Return the items on which most people gave one label and a judge another.

    Parameters
    ----------
    found : LabelAgreement
    texts : mapping
        The text of each item; items without a text are left out.
    shown : int
        Number of items per judge; one item is shown once, for its clearest dimension.
    judges : sequence of str, optional
        By default all.

    Returns
    -------
    tuple of Disagreement
        Those first on which the largest share of people gave one label, and the most people. No
        rater is named.
    """
    rows: list[Disagreement] = []
    for judge in judges if judges is not None else found.table.judges:
        apart = [
            row for name in found.table.dimensions for row in _apart(found, texts, judge, name)
        ]
        apart.sort(key=lambda row: (-row.size, row.what))
        seen: set[str] = set()
        for row in apart:
            if len(seen) < shown and row.texts[0][0] not in seen:
                seen.add(row.texts[0][0])
                rows.append(row)
    return tuple(rows)


def _apart(
    found: LabelAgreement, texts: Mapping[str, str], judge: str, dimension: str
) -> list[Disagreement]:
    """Return one row per item to which most people gave another label than the judge."""
    labels = found.classes[dimension]
    own = found.table.judge(judge, dimension)
    rows = []
    for place, item in enumerate(found.table.items):
        people = found.table.people[dimension][place]
        given = Counter(int(code) for code in people[~np.isnan(people)])
        if not given or np.isnan(own[place]) or item not in texts:
            continue
        code, most = given.most_common(1)[0]
        share = most / given.total()
        if code == own[place] or share <= 0.5:
            continue
        rows.append(
            Disagreement(
                judge=judge,
                what=f"{dimension.replace('_', ' ')}, item {item}",
                people=", ".join(f"{labels[one]} ({times})" for one, times in given.most_common()),
                said=labels[int(own[place])],
                texts=((f"Item {item}", texts[item]),),
                size=share + 1e-3 * most,
            )
        )
    return rows
