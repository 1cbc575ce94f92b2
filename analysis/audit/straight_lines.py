"""People who gave the same rating on every dimension of nearly every item."""

from __future__ import annotations

import numpy as np

from analysis.agreement.panel import Panel
from analysis.results.numbers import percent
from analysis.results.verdict import Flagged, Note
from prereg.plan.reporting import Large

# With fewer dimensions or items, the same rating everywhere says nothing.
FEWEST_DIMENSIONS, FEWEST_ITEMS = 3, 5


def straight_lines(table: Panel, large: Large) -> tuple[Flagged, ...]:
    """Return the people whose ratings look like straight lines, in the order of the table.

    Parameters
    ----------
    table : Panel
    large : Large
        `same` is the share of items from which a person is flagged.
    """
    found: list[Flagged] = []
    if len(table.dimensions) < FEWEST_DIMENSIONS:
        return ()
    cube = np.stack([table.people[name] for name in table.dimensions])
    for place, name in enumerate(table.humans):
        mine = cube[:, :, place]
        whole = mine[:, ~np.isnan(mine).any(axis=0)]
        if whole.shape[1] < FEWEST_ITEMS:
            continue
        share = float((whole == whole[0]).all(axis=0).mean())
        if share >= large.same:
            found.append(
                Flagged(
                    who=name,
                    answers=whole.shape[1],
                    reason=f"the same rating on all {len(table.dimensions)} dimensions of "
                    f"{percent(share)} of the items",
                )
            )
    return tuple(found)


def straight_note(found: tuple[Flagged, ...], people: int) -> tuple[Note, ...]:
    """Return the finding on straight lines; none if nobody is flagged."""
    if not found:
        return ()
    return (
        Note(
            severity="critical" if 4 * len(found) >= people else "warning",
            about="people",
            says=f"{len(found)} of {people} people gave the same rating on every dimension of "
            "nearly every item.",
            do="Look at their answers in the table of people; run the analysis without them too.",
        ),
    )
