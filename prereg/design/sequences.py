"""Makes the sequences of trials that raters see, from the plan, the items and the seed."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prereg.design.dealing import Items, deal
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan, Sample
from prereg.streams import Stream, stream
from prereg.tables.reader import Table

# The scenario of attention checks in every table; their texts are in the plan, not in the items.
CHECK_SCENARIO = "attention_check"


@dataclass(frozen=True)
class Trial:
    """One trial of one sequence: a row of the sequences table.

    Attributes
    ----------
    sequence_id : str
    position : int
        1 to n.
    item_ids : tuple of str
        What is shown, in order of place: left and right, the one item, or the options.
    is_attention_check : bool
    dimension : str
        The one scale that the rater of the sequence is asked for; empty if scales are not asked
        apart.
    """

    sequence_id: str
    position: int
    item_ids: Items
    is_attention_check: bool = False
    dimension: str = ""


def generate_sequences(plan: Plan, items: Table) -> list[Trial]:
    """Generate every sequence of the study.

    A trial shows items of one scenario. Every item is shown equally often within its scenario (give
    or take one, or two if the number of items is odd), and one rater does not see it twice unless
    the scenario has too few items. In pairs, every item is on the left as often as on the right
    (give or take one), and no pair repeats before all have been used; in sets, items rotate through
    the places. The first sequences alone are balanced too, because recruitment may stop early.
    Attention checks are where the plan puts them, in every sequence.

    Where scales are asked apart, sequences that follow each other ask for one scale each, in the
    plan's order, about the same items, in an order of their own. So every item is shown equally
    often on each scale, also while only the first sequences are used.

    Parameters
    ----------
    plan : Plan
        `design.sequences` sequences of `design.trials` trials; `seed`.
    items : Table
        Checked items; see `prereg.tables.items.read_items`.

    Returns
    -------
    list of Trial
        By sequence and position, from 1.

    Raises
    ------
    RatifyError
        When a sample asks for more items than a bin has, or a sequence would have to repeat a
        trial.
    """
    rng = stream(plan.seed, Stream.SEQUENCES)
    pools = select_items(items, plan.design.sample, rng)
    return _dealt(plan, items, pools, first=1, rng=rng)


def more_sequences(plan: Plan, items: Table, existing: Sequence[Trial]) -> list[Trial]:
    """Generate the sequences that an amended plan has more than before.

    They are balanced among themselves as those of `generate_sequences`, and show the items of the
    sample that was drawn before. Their random numbers depend on how many sequences there were.

    Parameters
    ----------
    plan : Plan
        As amended.
    items : Table
    existing : sequence of Trial
        Every trial of the sequences that there are; they do not change.

    Returns
    -------
    list of Trial
        Only the new ones; empty if the plan has no more sequences than there are.

    Raises
    ------
    RatifyError
        When a sequence would have to repeat a trial.
    """
    there = len({trial.sequence_id for trial in existing})
    if plan.design.sequences <= there:
        return []
    rng = stream(plan.seed, Stream.SEQUENCES, there)
    pools = select_items(items, None, rng)
    if plan.design.sample is not None:
        shown = {name for trial in existing for name in trial.item_ids}
        pools = {name: [i for i in pool if i in shown] for name, pool in pools.items()}
    return _dealt(plan, items, pools, first=there + 1, rng=rng)


def _dealt(
    plan: Plan,
    items: Table,
    pools: Mapping[str, list[str]],
    *,
    first: int,
    rng: np.random.Generator,
) -> list[Trial]:
    """Return the trials of the sequences with the numbers from `first` to the plan's last."""
    sequences, apart = plan.design.sequences, [""]
    if plan.design.apart:
        apart = [scale.id for scale in plan.scales]
    hands = sequences // len(apart)
    before = (first - 1) // len(apart)
    shares = _trials_per_scenario(sorted(pools), hands, plan.design.trials)
    dealt: list[list[Items]] = [[] for _ in range(before, hands)]
    for scenario, whole in shares.items():
        counts, pool = whole[before:], pools[scenario]
        _refuse_too_few(plan, items, scenario, len(pool), max(counts))
        drawn = kind_of(plan).draw(plan, pool, sum(counts), rng)
        for sequence, hand in zip(dealt, deal(drawn, counts), strict=True):
            sequence.extend(hand)
    width = max(3, len(str(sequences)))
    asked = [(hand, dimension) for hand in dealt for dimension in apart]
    return [
        trial
        for number, (hand, dimension) in enumerate(asked, start=first)
        for trial in _ordered(plan, f"S{number:0{width}d}", hand, dimension, rng)
    ]


def _refuse_too_few(plan: Plan, items: Table, scenario: str, size: int, most: int) -> None:
    """Refuse a scenario with too few items for one sequence's share of different trials."""
    kind = kind_of(plan)
    if most > math.comb(size, kind.shown(plan)):
        raise RatifyError(
            f"scenario '{scenario}' has {size} items, too few for {most} different "
            f"{kind.noun(plan)} in one sequence",
            file=items.path,
            allowed="more items, or fewer trials in the plan",
        )


def _ordered(
    plan: Plan, name: str, hand: Sequence[Items], dimension: str, rng: np.random.Generator
) -> list[Trial]:
    """Shuffle one sequence's trials and put the attention checks into their places."""
    shuffled = [(hand[index], False) for index in rng.permutation(len(hand))]
    checks = check_ids(plan)
    # the last check first, so that the places of earlier checks stay as the plan says
    after = [(check.after, number) for number, check in enumerate(plan.attention_checks)]
    for place, number in sorted(after, reverse=True):
        shuffled.insert(place, (checks[number], True))
    return [
        Trial(name, place, ids, check, dimension)
        for place, (ids, check) in enumerate(shuffled, start=1)
    ]


def check_ids(plan: Plan) -> list[Items]:
    """Return the ids that each attention check's texts have in every table."""
    return [
        tuple(f"check_{number}.{place}" for place in range(1, len(check.texts) + 1))
        for number, check in enumerate(plan.attention_checks, start=1)
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
                    file=items.path,
                    allowed=f"at least {sample.per_bin} in each bin",
                )
            chosen = rng.choice(len(chunk), size=sample.per_bin, replace=False)
            pools[scenario].extend(str(chunk[i]) for i in sorted(chosen))
    return dict(pools)


def _trials_per_scenario(
    scenarios: Sequence[str], sequences: int, trials: int
) -> dict[str, list[int]]:
    """Return how many trials of each scenario each sequence has, as evenly as possible."""
    base, extra = divmod(trials, len(scenarios))
    shares = {scenario: [base] * sequences for scenario in scenarios}
    for sequence in range(sequences):
        for step in range(extra):
            # going round the scenarios spreads the remainder evenly over the study
            shares[scenarios[(sequence * extra + step) % len(scenarios)]][sequence] += 1
    return shares


def sequence_rows(plan: Plan, trials: Sequence[Trial]) -> list[Mapping[str, object]]:
    """Return trials as rows of the sequences table."""
    options = kind_of(plan).columns(plan)
    return [
        {
            "sequence_id": t.sequence_id,
            "position": t.position,
            **dict(zip(options, t.item_ids, strict=True)),
            **({"dimension": t.dimension} if plan.design.apart else {}),
            "is_attention_check": "true" if t.is_attention_check else "false",
        }
        for t in trials
    ]
