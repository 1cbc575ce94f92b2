"""Questions that show a judge's habits: sides exchanged, repeats, other words, rewrites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

from prereg.derived import erased
from prereg.plan.judging import Habits
from prereg.plan.model import Plan
from prereg.streams import Stream, stream
from study.folder import Study
from study.items import Item
from study.judges.wanted.asked import Asked
from study.judges.wanted.perturbations import PerturbedItem, Unchanged, attempted
from study.judges.wanted.wanted import Wanted


def everything(asked: Asked) -> Iterator[Wanted]:
    """Yield all that is known beforehand: trials, ratings and probes of habits, but no ranking.

    What is asked of a conversation that was withdrawn since is not wanted any more.
    """
    gone = erased(asked.study.folder)
    for wanted in chain(asked.trials(), asked.ratings(), probes(asked)):
        if not any(item.item_id in gone for item in wanted.items):
            yield wanted


def probes(asked: Asked) -> Iterator[Wanted]:
    """Yield every probe of a judge, together with the original that it is compared with.

    Most originals are asked anyway, as trials and ratings; then they cost nothing.
    """
    habits = asked.judge.habits
    if habits is None:
        return
    if habits.pairs:
        yield from _pair_probes(asked, habits)
    if habits.items:
        yield from _item_probes(asked, habits)


def probed_items(study: Study, habits: Habits) -> list[Item]:
    """Return the items that are also rated with perturbations: the same for every judge."""
    pool = rewritable_items(study, habits)
    rng = stream(study.plan.seed, Stream.PROBED_ITEMS)
    drawn = rng.permutation(len(pool))[: habits.items]
    return [pool[number] for number in sorted(drawn)]


def rewritable_items(study: Study, habits: Habits) -> list[Item]:
    """Return the items from which those to rewrite are drawn."""
    return [item for item in study.rated_items() if item.item_id not in habits.leave_out]


def rewrites(study: Study, habits: Habits) -> Iterator[PerturbedItem]:
    """Yield the probed items under each perturbation: the same for every judge, every time.

    A rewrite that cannot be made is left out. `study.judges.checks` refuses it before the lock, so
    only a lock of release 0.4.0 or earlier can want one.
    """
    yield from attempted_rewrites(study, habits, probed_items(study, habits))[0]


def attempted_rewrites(
    study: Study, habits: Habits, items: Sequence[Item]
) -> tuple[list[PerturbedItem], list[Unchanged]]:
    """Return the rewrites of some items, and those that cannot be made."""
    rows = {row["item_id"]: row for row in study.table.rows}
    rng = stream(study.plan.seed, Stream.PERTURBATIONS)
    return attempted(habits.perturbations, [rows[item.item_id] for item in items], rng=rng)


def perturbed(study: Study) -> Iterator[tuple[str, str, str]]:
    """Yield the item, perturbation and text of every rewrite for any judge of the plan."""
    found = [one for habits in _all_habits(study.plan) for one in rewrites(study, habits)]
    texts = {(one.item_id, one.perturbation): one.text for one in found}
    yield from ((*key, text) for key, text in texts.items())


def _all_habits(plan: Plan) -> list[Habits]:
    found = (getattr(judge, "habits", None) for judge in plan.judges)
    return [habits for habits in found if habits is not None]


def _pair_probes(asked: Asked, habits: Habits) -> Iterator[Wanted]:
    pairs = _drawn_pairs(asked, habits.pairs)
    for number, pair in enumerate(pairs, start=1):
        same = replace(asked.comparison(pair, purpose="trial"), purpose="probe")
        same = replace(same, session_id="", unit=f"pair {number}", probe="original")
        yield same
        yield replace(same, items=same.items[::-1], probe="swap")
        for time in range(1, habits.repeats + 1):
            yield replace(same, probe="repeat", variant=str(time), repeat=time)
        for prompt in asked.prompts.wordings:
            yield replace(same, probe="wording", variant=prompt.name, prompt=prompt)


def _drawn_pairs(asked: Asked, count: int) -> list[tuple[Item, ...]]:
    """Return this many different pairs of people's trials, or all; sides are as first shown."""
    first: dict[frozenset[str], tuple[str, ...]] = {}
    for trial in asked.study.trials():
        first.setdefault(frozenset(trial.item_ids), trial.item_ids)
    pool = list(first.values())
    drawn = sorted(asked.rng("probes").permutation(len(pool))[:count])
    return [tuple(asked.study.items[name] for name in pool[number]) for number in drawn]


def _item_probes(asked: Asked, habits: Habits) -> Iterator[Wanted]:
    for item in probed_items(asked.study, habits):
        yield from (_probe(one, "original", "") for one in asked.rating(item, position=0))
    for rewrite in rewrites(asked.study, habits):
        item = replace(asked.study.items[rewrite.item_id], text=rewrite.text)
        for one in asked.rating(item, position=0):
            yield _probe(one, "perturbation", rewrite.perturbation)


def _probe(rating: Wanted, probe: str, variant: str) -> Wanted:
    unit = f"item {rating.items[0].item_id}"
    return replace(rating, purpose="probe", session_id="", unit=unit, probe=probe, variant=variant)
