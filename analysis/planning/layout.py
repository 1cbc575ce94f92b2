"""The design of a study as arrays: which rater sees which items, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arrays import BoolArray, IntArray
from prereg.design.sequences import CHECK_SCENARIO, Trial
from prereg.plan.model import Plan

Words = NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """Every trial that a study would show if nobody left, one row for each rater and trial.

    Attributes
    ----------
    items : str array of shape (n_items,)
    scenarios : str array of shape (n_items,)
    sequence : str array of shape (n_raters,)
        The sequence of each rater; raters of a first slot come first.
    slot : int array of shape (n_raters,)
    dimension : str array of shape (n_raters,)
        The one scale that each rater is asked for; empty if scales are not asked apart.
    trials : int array of shape (n_raters,)
        How many trials each rater sees, attention checks among them.
    rater : int array of shape (n_rows,)
    position : int array of shape (n_rows,)
        From 1.
    shown : int array of shape (n_rows, n_shown)
        Index of each item; 0 in attention checks.
    names : str array of shape (n_rows, n_shown)
        Ids of what is shown.
    check : int array of shape (n_rows,)
        Which attention check a row is, from 0; -1 for a trial.
    """

    items: Words
    scenarios: Words
    sequence: Words
    slot: IntArray
    dimension: Words
    trials: IntArray
    rater: IntArray
    position: IntArray
    shown: IntArray
    names: Words
    check: IntArray

    @property
    def is_check(self) -> BoolArray:
        """Where a row is an attention check."""
        return self.check >= 0

    @property
    def scenario(self) -> Words:
        """The scenario of each row."""
        return np.where(self.is_check, CHECK_SCENARIO, self.scenarios[self.shown[:, 0]])

    @property
    def once(self) -> IntArray:
        """The rows that judges answer: each trial of each sequence once, without checks."""
        return np.flatnonzero((self.slot[self.rater] == 1) & ~self.is_check)


def layout_of(plan: Plan, items: pd.DataFrame, sequences: Sequence[Trial]) -> Layout:
    """Return the design of a study as arrays.

    Parameters
    ----------
    plan : Plan
    items : DataFrame
        `item_id` and `scenario`.
    sequences : sequence of Trial
        By sequence and position.
    """
    ids = items["item_id"].astype(str).to_numpy(dtype=object)
    at = {name: place for place, name in enumerate(ids)}
    own: dict[str, list[Trial]] = {}
    for trial in sequences:
        own.setdefault(trial.sequence_id, []).append(trial)
    slots = plan.design.raters_per_sequence
    visits = [(name, slot) for slot in range(1, slots + 1) for name in own]
    rows = [(n, trial) for n, (name, _) in enumerate(visits) for trial in own[name]]
    numbers = {f"check_{n}.1": n - 1 for n in range(1, len(plan.attention_checks) + 1)}
    return Layout(
        items=ids,
        scenarios=items["scenario"].astype(str).to_numpy(dtype=object),
        sequence=np.array([name for name, _ in visits], dtype=object),
        slot=np.array([slot for _, slot in visits]),
        dimension=np.array([own[name][0].dimension for name, _ in visits], dtype=object),
        trials=np.array([len(own[name]) for name, _ in visits]),
        rater=np.array([n for n, _ in rows]),
        position=np.array([trial.position for _, trial in rows]),
        shown=np.array([[at.get(name, 0) for name in trial.item_ids] for _, trial in rows]),
        names=np.array([trial.item_ids for _, trial in rows], dtype=object),
        check=np.array([numbers[t.item_ids[0]] if t.is_attention_check else -1 for _, t in rows]),
    )
