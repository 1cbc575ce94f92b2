"""Says of each item why its Bradley-Terry score is not finite by itself (Ford 1957)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from analysis.arrays import BoolArray, IntArray
from analysis.ranking.pair_counts import Cells, win_edges
from analysis.ranking.result import Structure


def score_notes(
    cells: Cells, groups: Structure, main: IntArray, consequence: str, no_error: BoolArray
) -> list[str]:
    """Return for every item why it has no finite score by itself, and what follows.

    Parameters
    ----------
    cells : Cells
    groups : Structure
    main : int array
        From `main_groups`.
    consequence : str
        What follows for items outside their main group.
    no_error : bool array of shape (n_items,)
        Items with a score but without an error.
    """
    outside = groups.strong != main[groups.component]
    beaten, beating = _reach(cells, main, groups) if outside.any() else (outside, outside)
    notes = [""] * len(outside)
    for item in np.flatnonzero(outside).tolist():
        reason = _reason(groups, main, item, bool(beaten[item]), bool(beating[item]))
        notes[item] = f"{reason}: {consequence}"
    for item in np.flatnonzero(no_error).tolist():
        notes[item] += "; " if notes[item] else ""
        notes[item] += "no standard error: fewer than 2 clusters"
    return notes


def _reason(groups: Structure, main: IntArray, item: int, beaten: bool, beating: bool) -> str:
    if not groups.losses[item]:
        return "never lost"
    if not groups.wins[item]:
        return "never won"
    if main[groups.component[item]] < 0:
        return "no two items beat each other, not even indirectly"
    if beaten:
        return "never beats the main group, not even indirectly"
    if beating:
        return "never loses to the main group, not even indirectly"
    return "neither beats nor loses to the main group, not even indirectly"


def _reach(cells: Cells, main: IntArray, groups: Structure) -> tuple[BoolArray, BoolArray]:
    """Return the items that main groups beat and that beat main groups through a chain of wins."""
    n = len(groups.strong)
    winner, loser = win_edges(cells)
    wins: Any = csr_array((np.ones(len(winner)), (winner, loser)), shape=(n, n))
    reached = []
    for graph in (wins, wins.T.tocsr()):
        seen = np.zeros(n, dtype=bool)
        for group in main[main >= 0]:
            root = int(np.flatnonzero(groups.strong == group)[0])
            seen[breadth_first_order(graph, root, return_predecessors=False)] = True
        reached.append(seen)
    return reached[0], reached[1]
