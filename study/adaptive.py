"""Which pair to ask a judge next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from prereg.plan import PairSampling

# How far apart in the current ranking two neighbours may be.
REACH = 3

Ask = Callable[[int, int], bool]


def ask_pairs(count: int, sampling: PairSampling, ask: Ask, *, rng: np.random.Generator) -> None:
    """Ask a judge `sampling.per_scenario` pairs of the items 0..count-1.

    The scheme `elo_neighbours` follows [LE]: the item with the fewest comparisons so far meets one
    of its neighbours in the current Elo. The scheme `random` draws two different items.

    Parameters
    ----------
    count : int
        Number of items, at least two.
    sampling : PairSampling
        The plan's scheme, number of judgments, start and K.
    ask : callable
        `ask(left, right)` returns True where the left item is chosen.
    rng : numpy Generator
    """
    if sampling.scheme == "random":
        for _ in range(sampling.per_scenario):
            left, right = rng.choice(count, size=2, replace=False)
            ask(int(left), int(right))
        return
    rating = np.full(count, float(sampling.start))
    met = np.zeros(count)
    for jitter, step, side in zip(*_draws(sampling.per_scenario, count, rng), strict=True):
        first = int(np.argmin(met + jitter))
        second = _neighbour(rating, first, int(step))
        left, right = (first, second) if side else (second, first)
        won = ask(left, right)
        expected = 1.0 / (1.0 + 10.0 ** ((rating[right] - rating[left]) / 400.0))
        change = sampling.k * ((1.0 if won else 0.0) - expected)
        rating[left] += change
        rating[right] -= change
        met[first] += 1
        met[second] += 1


def _draws(
    total: int, count: int, rng: np.random.Generator
) -> tuple[Sequence[np.ndarray], Sequence[int], Sequence[bool]]:
    """Return a tie-breaker below 1 for each item, a step and a side for each judgment, at once."""
    jitter = rng.random((total, count), dtype=np.float32)
    steps = rng.choice([s for s in range(-REACH, REACH + 1) if s], size=total)
    return list(jitter), steps.tolist(), (rng.random(total) < 0.5).tolist()


def _neighbour(rating: np.ndarray, item: int, step: int) -> int:
    """Return the item `step` places away in the ranking, mirrored at its ends."""
    order = np.argsort(rating, kind="stable")
    here = int(np.flatnonzero(order == item)[0])
    last = len(order) - 1
    there = here + step
    if not 0 <= there <= last:
        there = here - step
    there = min(max(there, 0), last)
    if there == here:
        there = here + 1 if here < last else here - 1
    return int(order[there])
