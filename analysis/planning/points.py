"""The sizes of a study for which power is simulated: the plan's own, and others for curves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analysis.planning.layout import Layout, layout_of
from prereg.design.sequences import generate_sequences, select_items
from prereg.plan.model import Plan
from prereg.streams import Stream, stream
from prereg.tables.reader import Table

Curve = Literal["plan", "raters", "trials", "items"]
CURVES: tuple[Curve, ...] = ("raters", "trials", "items")
# What the next raters buy.
MORE_RATERS = 50
_FACTORS = (0.5, 2.0)


@dataclass(frozen=True)
class Point:
    """One size of the study.

    Attributes
    ----------
    curve : {'plan', 'raters', 'trials', 'items'}
        What differs from the plan.
    raters, trials, items : int
        People, trials of each, and items in all.
    """

    curve: Curve
    raters: int
    trials: int
    items: int

    @property
    def key(self) -> str:
        """Its name in the file of finished studies and for its random numbers."""
        return "plan" if self.curve == "plan" else f"{self.curve} {getattr(self, self.curve)}"


@dataclass(frozen=True)
class Setup:
    """All that the simulated studies of one point have in common.

    Attributes
    ----------
    point : Point
    plan : Plan
        With the sizes of the point.
    items : DataFrame
        All columns as text.
    layout : Layout
    """

    point: Point
    plan: Plan
    items: pd.DataFrame
    layout: Layout

    @property
    def key(self) -> str:
        """That of its point."""
        return self.point.key


def points_of(plan: Plan, items: Table, *, curves: bool) -> list[Point]:
    """Return the plan's own size first, then those of the curves.

    Parameters
    ----------
    plan : Plan
    items : Table
    curves : bool
        Whether to add half and twice the raters, trials and items, and 50 raters more.
    """
    design = plan.design
    pools = _pools(plan, items)
    used = sum(map(len, pools.values()))
    own = Point("plan", design.raters, design.trials, used)
    found = [own]
    if not curves:
        return found
    each = plan.raters_together
    sizes: dict[Curve, list[int]] = {
        "raters": [
            _multiple(wanted, each)
            for wanted in (
                design.raters * _FACTORS[0],
                design.raters + MORE_RATERS,
                design.raters * _FACTORS[1],
            )
        ],
        "trials": [max(1, round(design.trials * factor)) for factor in _FACTORS],
        "items": [_in_all(pools, factor) for factor in _FACTORS],
    }
    for curve in CURVES:
        others = sorted(set(sizes[curve]) - {getattr(own, curve)})
        found += [replace(own, curve=curve, **{str(curve): size}) for size in others]
    return found


def setup_of(plan: Plan, items: Table, point: Point) -> Setup:
    """Return what the studies of a point have in common; its sequences are made as a lock does.

    Raises
    ------
    RatifyError
        If there are too few items for so many different trials.
    """
    if point.curve == "items":
        items = _other_items(plan, items, point)
        plan = plan.model_copy(update={"design": plan.design.model_copy(update={"sample": None})})
    if point.curve != "plan":
        plan = _resized_plan(plan, point)
    frame = pd.DataFrame(items.rows, columns=list(items.columns), dtype=str)
    return Setup(point, plan, frame, layout_of(plan, frame, generate_sequences(plan, items)))


def _resized_plan(plan: Plan, point: Point) -> Plan:
    """Return the plan with the point's sizes; the own tables' people grow with the raters."""
    design = plan.design.model_copy(update={"raters": point.raters, "trials": point.trials})
    factor = point.raters / plan.design.raters
    effects = {
        name: assumed.model_copy(update={"people": max(4, round(assumed.people * factor))})
        if assumed.people is not None
        else assumed
        for name, assumed in plan.assumptions.effects.items()
    }
    assumptions = plan.assumptions.model_copy(update={"effects": effects})
    return plan.model_copy(update={"design": design, "assumptions": assumptions})


def _multiple(wanted: float, each: int) -> int:
    return max(1, math.ceil(wanted / each)) * each


def _resized(count: int, factor: float) -> int:
    return max(2, round(count * factor))


def _in_all(pools: dict[str, list[str]], factor: float) -> int:
    return sum(_resized(len(pool), factor) for pool in pools.values())


def _pools(plan: Plan, items: Table) -> dict[str, list[str]]:
    """Return the items of each scenario that people may see."""
    return select_items(items, plan.design.sample, stream(plan.seed, Stream.SEQUENCES))


def _other_items(plan: Plan, items: Table, point: Point) -> Table:
    """Return fewer items, or more: those that do not exist are copies of others with own ids."""
    pools = _pools(plan, items)
    factor = next(f for f in _FACTORS if _in_all(pools, f) == point.items)
    rng = stream(plan.seed, Stream.POWER, point.key)
    known = {row["item_id"]: row for row in items.rows}
    rows: list[dict[str, str]] = []
    for pool in pools.values():
        wanted = _resized(len(pool), factor)
        kept = pool
        if wanted < len(pool):
            kept = [pool[at] for at in sorted(rng.choice(len(pool), wanted, replace=False))]
        rows += [known[name] for name in kept]
        copied: dict[str, int] = defaultdict(int)
        for at in _spread(len(pool), wanted - len(kept), rng):
            copied[pool[at]] += 1
            name = f"{pool[at]}~{copied[pool[at]]}"
            rows.append({**known[pool[at]], "item_id": name})
    return Table(Path(items.path), items.columns, rows)


def _spread(count: int, more: int, rng: np.random.Generator) -> Sequence[int]:
    """Return `more` places of `count`, each about equally often."""
    rounds = -(-more // count) if more > 0 else 0
    drawn = [int(at) for _ in range(rounds) for at in rng.permutation(count)]
    return drawn[: max(0, more)]
