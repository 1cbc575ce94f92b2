"""Choose which pair to ask a judge next, also with many calls under way and after a break."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prereg.plan.pairs import PairSampling
from prereg.tables.contract import TIE
from study.judges.adaptive.information import InformativePairs

# How far apart in the current ranking two neighbours may be.
REACH = 3

# Judgments whose tie-breakers are in memory at once; all would be judgments x items numbers.
_ROWS = 64

Ask = Callable[[int, int], float]

# How much of a win an answer is for the left item.
WON = {"left": 1.0, "right": 0.0, TIE: 0.5}


class Scheme(Protocol):
    """Hands out pairs of the items 0..count-1, each as (left, right).

    A pair is out from `next` or `given` until `record` or `abandon`. Any number of pairs may be
    out, and replies come in any order. If none is out, `next` has one or the scheme is finished.
    """

    @property
    def finished(self) -> bool:
        """Whether `next` will never have a pair again; some pairs may still be out."""

    def next(self) -> tuple[int, int] | None:
        """Hand out the next pair, or None if there is nothing to ask now, or ever."""

    def given(self, left: int, right: int) -> None:
        """Note a pair that an earlier run handed out; the order must be the same."""

    def record(self, left: int, right: int, left_won: float) -> None:
        """Note the reply to a pair that is out: 1 if left won, 0 if right did, 1/2 for a tie."""

    def abandon(self, left: int, right: int) -> None:
        """Note that a pair that is out stays unanswered; it counts as asked."""

    def leave_out(self, items: Collection[int]) -> None:
        """Hand out no pair with one of these items any more; what was recorded stays."""


def scheme_of(count: int, sampling: PairSampling, *, rng: np.random.Generator) -> Scheme:
    """Return the plan's scheme for a number of items.

    Parameters
    ----------
    count : int
        Number of items; below two there is nothing to ask.
    sampling : PairSampling
        The plan's scheme, number of judgments, start, K and reliability.
    rng : numpy Generator
        For this scheme alone, if a run may be resumed. With the same seed, and the same pairs given
        and recorded in the same order, `elo_neighbours` and `random` continue where they were.
    """
    if sampling.scheme == "information":
        return InformativePairs(count, sampling.per_scenario, sampling.reliability, rng=rng)
    if sampling.scheme == "random":
        return RandomPairs(count, sampling, rng=rng)
    return EloNeighbours(count, sampling, rng=rng)


def ask_pairs(count: int, sampling: PairSampling, ask: Ask, *, rng: np.random.Generator) -> None:
    """Ask a judge one pair after the other, until the scheme is finished.

    Parameters
    ----------
    count : int
        Number of items.
    sampling : PairSampling
        The plan's scheme, number of judgments, start, K and reliability.
    ask : callable
        `ask(left, right)` returns 1 if the left item is chosen, 0 if the right one, 1/2 for a tie.
    rng : numpy Generator
    """
    scheme = scheme_of(count, sampling, rng=rng)
    while (pair := scheme.next()) is not None:
        scheme.record(*pair, ask(*pair))


class _Counted:
    """A scheme that asks an exact number of pairs."""

    def __init__(self, count: int, sampling: PairSampling, rng: np.random.Generator) -> None:
        self._there = np.arange(count)
        self._left_to_ask = sampling.per_scenario if count > 1 else 0
        self._out: Counter[tuple[int, int]] = Counter()
        self._rng = rng

    @property
    def finished(self) -> bool:
        """Whether every pair has been handed out."""
        return not self._left_to_ask

    def leave_out(self, items: Collection[int]) -> None:
        """Hand out no pair with one of these items any more."""
        self._there = np.setdiff1d(self._there, list(items))
        if len(self._there) < 2:
            self._left_to_ask = 0

    def _hand_out(self, left: int, right: int) -> tuple[int, int]:
        self._left_to_ask -= 1
        self._out[left, right] += 1
        return left, right

    def _take_back(self, left: int, right: int) -> None:
        if not self._out[left, right]:
            raise ValueError(f"the pair {left}, {right} is not out")
        self._out[left, right] -= 1


class RandomPairs(_Counted):
    """Two different items, drawn at random for each pair."""

    def __init__(self, count: int, sampling: PairSampling, *, rng: np.random.Generator) -> None:
        super().__init__(count, sampling, rng)

    def next(self) -> tuple[int, int] | None:
        """Draw two items."""
        return None if self.finished else self._hand_out(*self._draw())

    def given(self, left: int, right: int) -> None:
        """Draw what the earlier run drew, so that the next pair is the one it would have drawn."""
        self._draw()
        self._hand_out(left, right)

    def record(self, left: int, right: int, left_won: float) -> None:
        """Note the reply; it does not affect later pairs."""
        self._take_back(left, right)

    def abandon(self, left: int, right: int) -> None:
        """Note that there is no reply."""
        self._take_back(left, right)

    def _draw(self) -> tuple[int, int]:
        left, right = self._rng.choice(self._there, size=2, replace=False)
        return int(left), int(right)


class EloNeighbours(_Counted):
    """Compare the item with the fewest comparisons with a neighbour in the current Elo [LE].

    A pair that is out counts as a comparison; its reply changes the ratings when it comes.
    """

    def __init__(self, count: int, sampling: PairSampling, *, rng: np.random.Generator) -> None:
        super().__init__(count, sampling, rng)
        self._k = sampling.k
        self._rating = np.full(count, float(sampling.start))
        self._met = np.zeros(count)
        self._draws = _draws(self._left_to_ask, count, rng)

    def next(self) -> tuple[int, int] | None:
        """Choose an item, its neighbour, and their sides."""
        if self.finished:
            return None
        ties, step, on_left = next(self._draws)
        there = self._there
        first = int(np.argmin((self._met + ties)[there]))
        second = int(there[_neighbour(self._rating[there], first, step)])
        first = int(there[first])
        self._meet(first, second, 1)
        return self._hand_out(*((first, second) if on_left else (second, first)))

    def given(self, left: int, right: int) -> None:
        """Skip the random numbers that the earlier run drew for this pair."""
        next(self._draws)
        self._meet(left, right, 1)
        self._hand_out(left, right)

    def record(self, left: int, right: int, left_won: float) -> None:
        """Change both ratings."""
        self._take_back(left, right)
        rating = self._rating
        expected = 1.0 / (1.0 + 10.0 ** ((rating[right] - rating[left]) / 400.0))
        change = self._k * (float(left_won) - expected)
        rating[left] += change
        rating[right] -= change

    def abandon(self, left: int, right: int) -> None:
        """Allow both items one more comparison instead."""
        self._take_back(left, right)
        self._meet(left, right, -1)

    def _meet(self, left: int, right: int, times: int) -> None:
        self._met[left] += times
        self._met[right] += times


def _draws(
    total: int, count: int, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.float32], int, bool]]:
    """Yield a tie-breaker below 1 for each item, a step and a side, for each judgment.

    `rng` moves at once past all of these, as if they were drawn together: first the tie-breakers,
    then the steps, then the sides. A copy draws the tie-breakers again when they are needed.
    """
    again = copy.deepcopy(rng)
    for rows in _portions(total):
        rng.random((rows, count), dtype=np.float32)
    steps = rng.choice([s for s in range(-REACH, REACH + 1) if s], size=total)
    on_left = rng.random(total) < 0.5

    def one_by_one() -> Iterator[tuple[NDArray[np.float32], int, bool]]:
        ties = (row for n in _portions(total) for row in again.random((n, count), dtype=np.float32))
        yield from zip(ties, steps.tolist(), on_left.tolist(), strict=True)

    return one_by_one()


def _portions(total: int) -> Iterator[int]:
    yield from (min(_ROWS, total - begun) for begun in range(0, total, _ROWS))


def _neighbour(rating: NDArray[np.float64], item: int, step: int) -> int:
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
