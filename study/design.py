"""Which pairs are shown, in which order, on which side: pure functions of plan, items and seed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prereg.errors import RatifyError
from prereg.plan import Plan, Sample
from prereg.tabular import Table

Pair = tuple[str, str]


@dataclass(frozen=True)
class Trial:
    """One slot of one sequence; a row of the sequences table."""

    sequence_id: str
    position: int
    left_id: str
    right_id: str
    is_attention_check: bool = False


def generate_sequences(plan: Plan, items: Table) -> list[Trial]:
    """Generate every sequence of the study.

    Pairs lie within one scenario; every item is shown equally often within its scenario (give or
    take one, or two where the number of items is odd), stands left as often as right (give or take
    one), and is not met twice by one rater unless the scenario has too few items. No pair repeats
    before all pairs have been used.

    Parameters
    ----------
    plan : Plan
        `design.raters` sequences of `design.trials` pairs; `seed`.
    items : Table
        Checked items; see `prereg.items.read_items`.

    Returns
    -------
    list of Trial
        raters x trials, by sequence and position (1..trials).

    Raises
    ------
    RatifyError
        When a sample asks for more items than a bin has, or a sequence would have to repeat a pair.
    """
    rng = np.random.default_rng([plan.seed, 1])
    pools = select_items(items, plan.design.sample, rng)
    raters, trials = plan.design.raters, plan.design.trials
    shares = _trials_per_scenario(sorted(pools), raters, trials)
    dealt: list[list[Pair]] = [[] for _ in range(raters)]
    for scenario, counts in shares.items():
        pool = pools[scenario]
        if max(counts) > len(pool) * (len(pool) - 1) // 2:
            raise RatifyError(
                f"scenario '{scenario}' has {len(pool)} items, too few for {max(counts)} "
                "different pairs in one sequence",
                file=items.path, allowed="more items, or fewer trials in the plan",
            )  # fmt: skip
        pairs = balance_sides(draw_pairs(pool, sum(counts), rng), rng)
        for sequence, hand in zip(dealt, deal(pairs, counts), strict=True):
            sequence.extend(hand)
    width = max(3, len(str(raters)))
    return [
        Trial(f"S{number:0{width}d}", position, *sequence[index])
        for number, sequence in enumerate(dealt, start=1)
        for position, index in enumerate(rng.permutation(len(sequence)), start=1)
    ]


def select_items(
    items: Table, sample: Sample | None, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Return the item ids of each scenario: all of them, or a stratified sample.

    Raises
    ------
    RatifyError
        When the column to stratify by is missing, not a number, or a bin holds too few items.
    """
    pools: dict[str, list[str]] = defaultdict(list)
    if sample is None:
        for record in items.rows:
            pools[record["scenario"]].append(record["item_id"])
        return dict(pools)
    items.require(sample.by)
    scored: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for row, record in enumerate(items.rows, start=2):
        value = items.number(row, sample.by)
        if value is None:
            raise items.error(row, sample.by, "is empty", allowed="a number to stratify by")
        scored[record["scenario"]].append((value, record["item_id"]))
    for scenario, pairs in scored.items():
        ordered = np.array([item_id for _, item_id in sorted(pairs)], dtype=object)
        for number, chunk in enumerate(np.array_split(ordered, sample.bins), start=1):
            if len(chunk) < sample.per_bin:
                raise RatifyError(
                    f"scenario '{scenario}' has {len(chunk)} items in bin {number} of "
                    f"{sample.bins} by {sample.by}",
                    file=items.path, allowed=f"at least {sample.per_bin} in each bin",
                )  # fmt: skip
            chosen = rng.choice(len(chunk), size=sample.per_bin, replace=False)
            pools[scenario].extend(str(chunk[i]) for i in sorted(chosen))
    return dict(pools)


def _trials_per_scenario(
    scenarios: Sequence[str], raters: int, trials: int
) -> dict[str, list[int]]:
    """Return how many trials of each scenario each sequence has, as even as the numbers allow."""
    base, extra = divmod(trials, len(scenarios))
    shares = {scenario: [base] * raters for scenario in scenarios}
    for rater in range(raters):
        for step in range(extra):
            # going round the scenarios spreads the remainder evenly over the study
            shares[scenarios[(rater * extra + step) % len(scenarios)]][rater] += 1
    return shares


def draw_pairs(pool: Sequence[str], count: int, rng: np.random.Generator) -> list[Pair]:
    """Draw pairs so that every item is met equally often and no pair repeats too early.

    Rounds of a round-robin tournament (the circle method) over a shuffled order: each round meets
    every item once, and all rounds together meet every pair once.

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


def balance_sides(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    """Turn each pair so that every item is left as often as right, within one.

    Walks an Euler circuit of the graph of pairs (odd items joined through a helper node): going
    round it leaves every node as often as it enters it.

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


def deal(pairs: Sequence[Pair], counts: Sequence[int]) -> list[list[Pair]]:
    """Deal pairs to sequences: no sequence gets a pair twice, nor, where it can be, an item.

    Parameters
    ----------
    pairs : sequence of (left, right)
    counts : sequence of int
        Pairs for each sequence, at most as many as there are different pairs; their sum is the
        number of pairs.
    """
    queue = deque(pairs)
    hands: list[list[Pair]] = []
    for count in counts:
        hand: list[Pair] = []
        while len(hand) < count:
            index = _best_fit(queue, hand)
            if index is None:
                hand.append(_swapped(queue.popleft(), hand, hands))
            else:
                hand.append(queue[index])
                del queue[index]
        hands.append(hand)
    return hands


def _best_fit(queue: Sequence[Pair], hand: Sequence[Pair]) -> int | None:
    """Return the first queued pair with no item in the hand, else the first pair not in it."""
    met = {item for pair in hand for item in pair}
    held = {frozenset(pair) for pair in hand}
    for index, pair in enumerate(queue):
        if not met.intersection(pair):
            return index
    return next((i for i, pair in enumerate(queue) if frozenset(pair) not in held), None)


def _swapped(pair: Pair, hand: Sequence[Pair], earlier: Sequence[list[Pair]]) -> Pair:
    """Give an earlier hand a pair it has not got, for one that this hand has not got."""
    held = {frozenset(other) for other in hand}
    for other_hand in reversed(earlier):
        theirs = {frozenset(other) for other in other_hand}
        if frozenset(pair) in theirs:
            continue
        for index, other in enumerate(other_hand):
            if frozenset(other) not in held:
                other_hand[index] = pair
                return other
    return pair


def sequence_rows(trials: Sequence[Trial]) -> list[Mapping[str, object]]:
    """Return trials as rows of the sequences table."""
    return [
        {
            "sequence_id": t.sequence_id,
            "position": t.position,
            "left_id": t.left_id,
            "right_id": t.right_id,
            "is_attention_check": "true" if t.is_attention_check else "false",
        }
        for t in trials
    ]
