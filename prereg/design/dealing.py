"""Draws pairs and sets of items, balances their places and deals them to sequences."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import islice

import numpy as np

Pair = tuple[str, str]
Items = tuple[str, ...]

# How many trials are searched for one whose items are all new to a sequence. Without a limit,
# dealing a few items to tens of thousands of raters would search all the trials that are left.
LOOK_AHEAD = 2_000


def draw_pairs(pool: Sequence[str], count: int, rng: np.random.Generator) -> list[Pair]:
    """Draw pairs so that every item is used equally often and no pair repeats too early.

    The pairs are rounds of a round-robin tournament (the circle method) in a shuffled order: each
    round has every item once, and all rounds together have every pair once.

    Parameters
    ----------
    pool : sequence of str
        At least two item ids.
    count : int
        Number of pairs.
    """
    pairs: list[Pair] = []
    while len(pairs) < count:
        order: list[str | None] = [pool[i] for i in rng.permutation(len(pool))]
        if len(order) % 2:
            order.append(None)
        size = len(order)
        for _ in range(size - 1):
            matches = zip(order[: size // 2], reversed(order[size // 2 :]), strict=True)
            meeting = [(a, b) for a, b in matches if a is not None and b is not None]
            pairs.extend(meeting[i] for i in rng.permutation(len(meeting)))
            order.insert(1, order.pop())
    return pairs[:count]


def draw_sets(pool: Sequence[str], size: int, count: int, rng: np.random.Generator) -> list[Items]:
    """Draw sets of different items so that every item is used equally often, within one.

    Parameters
    ----------
    pool : sequence of str
        At least `size` item ids.
    size : int
        Items in a set.
    count : int
        Number of sets.

    Returns
    -------
    list of tuple of str
        In no particular order within a set; see `balance_places`.
    """
    queue: deque[str] = deque()
    sets: list[Items] = []
    while len(sets) < count:
        if len(queue) < size:
            # items left over from the round before come first, so that none falls behind
            left = set(queue)
            shuffled = [pool[i] for i in rng.permutation(len(pool))]
            queue.extend(item for item in shuffled if item not in left)
            queue.extend(item for item in shuffled if item in left)
        sets.append(tuple(queue.popleft() for _ in range(size)))
    return sets


def balance_places(sets: Sequence[Items], rng: np.random.Generator) -> list[Items]:
    """Order each set so that every item is about equally often at every place.

    The sets are ordered in turn. Each item gets a place where it has seldom been so far; ties are
    broken at random.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import, and only needed here

    stood: dict[str, np.ndarray] = {}
    ordered = []
    for items in sets:
        counts = np.array([stood.setdefault(i, np.zeros(len(items))) for i in items])
        # squares keep one item from being at one place far too often to suit the others
        cost = (counts + 1) ** 2 - counts**2 + rng.random(counts.shape) * 0.5
        rows, places = linear_sum_assignment(cost)
        for row, place in zip(rows, places, strict=True):
            stood[items[row]][place] += 1
        ordered.append(tuple(items[row] for row in np.argsort(places)))
    return ordered


def balance_sides(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    """Order each pair so that every item is on the left as often as on the right, within one.

    Walks an Euler circuit of the graph of pairs (odd items are joined through a helper node): the
    circuit leaves every node as often as it enters it.

    Parameters
    ----------
    pairs : sequence of (str, str)

    Returns
    -------
    list of (left, right)
        The same pairs in the same order.
    """
    ends: list[tuple[str, str]] = list(pairs)
    degree: dict[str, int] = defaultdict(int)
    for a, b in ends:
        degree[a] += 1
        degree[b] += 1
    helper = ""  # no item has an empty id
    ends += [(node, helper) for node, d in degree.items() if d % 2]
    neighbours: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for index in rng.permutation(len(ends)):
        a, b = ends[index]
        neighbours[a].append((b, int(index)))
        neighbours[b].append((a, int(index)))
    turned: list[Pair | None] = [None] * len(ends)
    for start in list(neighbours):
        node = start
        while neighbours[node]:
            other, index = neighbours[node].pop()
            if turned[index] is None:
                turned[index] = (node, other)
                node = other
    flip = rng.random() < 0.5  # so that no direction of the walk is favoured
    kept = [pair for pair in turned[: len(pairs)] if pair is not None]
    return [(b, a) if flip else (a, b) for a, b in kept]


def deal(trials: Sequence[Items], counts: Sequence[int]) -> list[list[Items]]:
    """Deal trials to sequences; none gets the same trial twice or, if possible, the same item.

    Parameters
    ----------
    trials : sequence of tuple of str
        Pairs, sets, or single items.
    counts : sequence of int
        Trials in each sequence, at most the number of different trials; the sum is the number of
        trials.
    """
    queue = deque(trials)
    everything = {item for trial in trials for item in trial}
    hands: list[list[Items]] = []
    for count in counts:
        hand: list[Items] = []
        new = everything.copy()
        while len(hand) < count:
            index = _best_fit(queue, hand, new)
            if index is None:
                trial = _swapped(queue.popleft(), hand, hands)
            else:
                trial = queue[index]
                del queue[index]
            hand.append(trial)
            new.difference_update(trial)
        hands.append(hand)
    return hands


def _best_fit(queue: Sequence[Items], hand: Sequence[Items], new: set[str]) -> int | None:
    """Return the index of the first trial with only new items, else of the first new trial."""
    if len(new) >= len(queue[0]):
        for index, trial in enumerate(islice(queue, LOOK_AHEAD)):
            if new.issuperset(trial):
                return index
    held = {frozenset(trial) for trial in hand}
    return next((i for i, trial in enumerate(queue) if frozenset(trial) not in held), None)


def _swapped(trial: Items, hand: Sequence[Items], earlier: Sequence[list[Items]]) -> Items:
    """Swap a trial with an earlier hand, so that it is new to both, and return what comes back."""
    held = {frozenset(other) for other in hand}
    for other_hand in reversed(earlier):
        theirs = {frozenset(other) for other in other_hand}
        if frozenset(trial) in theirs:
            continue
        for index, other in enumerate(other_hand):
            if frozenset(other) not in held:
                other_hand[index] = trial
                return other
    return trial
