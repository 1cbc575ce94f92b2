"""Which condition and which scenarios each place of a trial has; all follows from the plan's seed.

Places are numbered, and given out from the lowest free one. So a place says all about whoever takes
it, and a place that is given back is given to the next person with the same condition and
scenarios.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from prereg.chat.model import ChatPlan
from prereg.streams import Stream, stream

_PREFIX, _DIGITS = "p", 5


@dataclass(frozen=True)
class Allocated:
    """What belongs to a place.

    Attributes
    ----------
    condition : str
    scenarios : tuple of str
        One for each round, in order; no scenario twice.
    """

    condition: str
    scenarios: tuple[str, ...]


def place_ids(plan: ChatPlan) -> list[str]:
    """Return every place of a plan, in the order in which they are given out."""
    return [f"{_PREFIX}{number:0{_DIGITS}d}" for number in range(1, plan.design.supporters + 1)]


def place_number(place_id: str) -> int:
    """Return the number of a place, from 1."""
    return int(place_id.removeprefix(_PREFIX))


def allocated(plan: ChatPlan, place_id: str) -> Allocated:
    """Return the condition and the scenarios of a place.

    Conditions come in permuted blocks: each block of `allocation.block` places has every condition
    as often as its weight says, in a drawn order. Of the places up to any one, two conditions of
    the same weight therefore differ by at most half a block. Scenarios are counted along the places
    of one condition: with order `balanced`, up to any of them, each scenario has come equally often
    in each round, give or take one.

    Parameters
    ----------
    plan : ChatPlan
    place_id : str
        One of `place_ids`. What belongs to it does not depend on how many places there are.
    """
    design = plan.design
    number, size = place_number(place_id) - 1, design.allocation.block
    weights = tuple(design.weights.items())
    block = _block(plan.seed, weights, size, number // size)
    condition = block[number % size]
    ids = tuple(scenario.id for scenario in plan.scenarios)
    draw = design.scenarios.draw
    if design.scenarios.order == "random":
        rng = stream(plan.seed, Stream.SCENARIOS, place_id)
        return Allocated(condition, tuple(ids[i] for i in rng.permutation(len(ids))[:draw]))
    before = (number // size) * block.count(condition) + block[: number % size].count(condition)
    square = _square(plan.seed, condition, ids, draw, before // len(ids))
    return Allocated(condition, square[before % len(ids)])


@lru_cache(maxsize=4096)
def _block(
    seed: int, weights: tuple[tuple[str, int], ...], size: int, number: int
) -> tuple[str, ...]:
    """Return the conditions of one block of places, in order."""
    times = size // sum(weight for _, weight in weights)
    names = [name for name, weight in weights for _ in range(weight * times)]
    order = stream(seed, Stream.ALLOCATION, number).permutation(size)
    return tuple(names[i] for i in order)


@lru_cache(maxsize=4096)
def _square(
    seed: int, condition: str, ids: tuple[str, ...], draw: int, number: int
) -> tuple[tuple[str, ...], ...]:
    """Return the scenarios of as many participants of a condition as there are scenarios.

    They are rows of a cyclic Latin square over a drawn order of the scenarios: a participant's
    round is so many steps further in it, a different number for each round. So no row has a
    scenario twice, and no column (a round) does. Order and steps are drawn for each square, so that
    a scenario is not always followed by the same one.
    """
    rng = stream(seed, Stream.SCENARIOS, condition, number)
    names = [ids[i] for i in rng.permutation(len(ids))]
    steps: np.ndarray = rng.permutation(len(ids))[:draw]
    return tuple(
        tuple(names[(row + int(step)) % len(ids)] for step in steps) for row in range(len(ids))
    )
