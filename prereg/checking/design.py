"""What may not be meant in a design: trials that repeat, groups apart, items with few answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from prereg.checking.precision import expected_precision
from prereg.checking.remark import Remark, note, warning
from prereg.design.sequences import Trial
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan

# A comparison of items needs a few answers for each; fewer are worth a word.
FEW_ANSWERS = 5
# Below this reliability, more than half of the differences between items would be chance.
LOW_RELIABILITY = 0.5
NAMED = 3
Shown = tuple[str, ...]


def of_design(
    plan: Plan, scenarios: Mapping[str, str], sequences: Mapping[str, Sequence[Trial]]
) -> list[Remark]:
    """Return remarks about the trials that raters will see.

    Parameters
    ----------
    plan : Plan
    scenarios : mapping
        The scenario of each item.
    sequences : mapping
        The trials of each sequence.
    """
    shown = {
        name: [trial.item_ids for trial in trials if not trial.is_attention_check]
        for name, trials in sequences.items()
    }
    return [
        *_of_sameness(plan, shown),
        *_of_one_trial(plan),
        *_of_links(plan, scenarios, shown),
        *_of_counts(plan, scenarios, shown),
        *_of_precision(plan, scenarios, shown),
    ]


def answers_per_item(plan: Plan, sequences: Mapping[str, Sequence[Trial]]) -> str:
    """Return how many of people's answers each item gets if every place is filled."""
    trials = (t.item_ids for s in sequences.values() for t in s if not t.is_attention_check)
    counts = _counts(plan, trials)
    low, high = min(counts.values()), max(counts.values())
    often = f"{low}" if low == high else f"{low} to {high}"
    on = " on each scale" if plan.design.apart else ""
    return (
        f"{plan.design.raters} raters give each of the {len(counts)} items that are shown "
        f"{often} {'answer' if high == 1 else 'answers'}{on}"
    )


def _counts(plan: Plan, trials: Iterable[Shown]) -> Counter[str]:
    """Return how many answers each item gets, of those that ask the same about it."""
    counts = Counter(item for items in trials for item in items)
    # scales that are asked apart share the trials of an item evenly
    each = len(plan.scales) if plan.design.apart else 1
    return Counter({k: n * plan.design.raters_per_sequence // each for k, n in counts.items()})


def _of_sameness(plan: Plan, shown: Mapping[str, list[Shown]]) -> list[Remark]:
    """Warn if raters see few different trials, so that many people answer one question."""
    kind = kind_of(plan)
    different = {frozenset(trial) for trials in shown.values() for trial in trials}
    noun = kind.noun(plan)
    if len(shown) > 1 and len(different) == 1:
        items = " and ".join(f"'{name}'" for name in sorted(next(iter(different))))
        return [
            warning(
                f"all {len(shown)} sequences show one and the same trial, {items}, so the study "
                "says nothing about other items.",
                "Add items.",
                "materials.items",
            )
        ]
    alike = {frozenset(map(frozenset, trials)) for trials in shown.values()}
    if len(shown) > 1 and len(alike) == 1:
        return [
            warning(
                f"all {len(shown)} sequences show the same {len(different)} {noun}.",
                "That is right if everybody is to answer the same; otherwise add items.",
                "design.trials",
            )
        ]
    total = sum(map(len, shown.values()))
    if kind.compares and total >= 10 * len(different):
        times = total * plan.design.raters_per_sequence // len(different)
        return [
            warning(
                f"there are only {len(different)} different {noun} for {total} trials: each is "
                f"answered about {times} times.",
                "Add items, or plan fewer raters or trials.",
                "design.raters",
            )
        ]
    return []


def _of_one_trial(plan: Plan) -> list[Remark]:
    """Warn of sequences with one trial: nothing is known of a rater with one answer."""
    if plan.design.trials > 1 or not kind_of(plan).compares:
        return []
    noun = "pair" if kind_of(plan).asks_pairs else f"set of {kind_of(plan).shown(plan)}"
    return [
        warning(
            f"each sequence has one {noun}, so raters cannot be told apart: nobody's answers can "
            "be compared with their other answers.",
            "Plan more trials per rater, unless one answer each is meant.",
            "design.trials",
        )
    ]


def _of_links(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, list[Shown]]
) -> list[Remark]:
    """Warn if the comparisons of a scenario fall into groups that nothing compares."""
    if not kind_of(plan).compares:
        return []
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for trials in shown.values():
        for first, *others in trials:
            for other in others:
                leader[find(other)] = find(first)
    groups: dict[str, set[str]] = defaultdict(set)
    for name in list(leader):
        groups[scenarios.get(name, "")].add(find(name))
    return [
        warning(
            f"scenario '{scenario}': its comparisons fall into {len(found)} groups of items that "
            "nothing compares with each other, so one ranking of them cannot be made.",
            "Plan more trials or raters.",
            "design.raters",
        )
        for scenario, found in sorted(groups.items())
        if len(found) > 1
    ]


def _of_counts(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, list[Shown]]
) -> list[Remark]:
    """Warn of items that nobody sees, or that few people answer about."""
    counts = _counts(plan, (trial for trials in shown.values() for trial in trials))
    found = []
    unseen = [name for name in scenarios if name not in counts]
    if unseen and plan.design.sample is None:
        found.append(
            warning(
                f"{len(unseen)} of {len(scenarios)} items are in no trial: {_list(unseen)}.",
                "Plan more trials or raters, or leave these items out.",
                "design.raters",
            )
        )
    least = FEW_ANSWERS if kind_of(plan).compares else 2
    few = [name for name, n in counts.items() if n < least]
    if few:
        what = "too few to rank them" if kind_of(plan).compares else "so people cannot agree"
        found.append(
            warning(
                f"{len(few)} of {len(counts)} items get fewer than {least} answers, {what}: "
                f"{_list(few)}.",
                "Plan more raters, or fewer items.",
                "design.raters",
            )
        )
    return found


def _of_precision(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, list[Shown]]
) -> list[Remark]:
    """Say how precisely an item will be known, and warn where it is mostly chance."""
    found = expected_precision(plan, scenarios, shown)
    if found is None:
        return []
    if found.reliability < LOW_RELIABILITY:
        return [
            warning(
                f"{found.sentence} More than half of the differences between items would be "
                "chance.",
                "Plan more raters or fewer items, or say in assumptions why people are surer.",
                "design.raters",
            )
        ]
    return [note(found.sentence, key="design.raters")]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:NAMED]) + more
