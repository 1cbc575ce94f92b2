"""Check judges before the lock for everything that would stop them after it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE
from prereg.plan.judging import MECHANICAL, AnyJudge, Habits, LLMJudge
from prereg.plan.table_judge import TableJudge
from study.folder import Study
from study.judges.given.answers import covers
from study.judges.wanted.perturbations import Unchanged
from study.judges.wanted.probes import attempted_rewrites, probed_items, rewritable_items

# How many ids a message names.
NAMED = 10


@dataclass
class Checked:
    """What is wrong with the judges of a study, and what is worth knowing about them.

    Attributes
    ----------
    faults : list of RatifyError
        What would stop a judge after the lock.
    notes : list of str
        What stops nothing, but may not be meant.
    """

    faults: list[RatifyError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_before_lock(study: Study) -> None:
    """Raise `RatifyError` at the first fault of a judge that would stop it after the lock."""
    faults = checked(study).faults
    if faults:
        raise faults[0]


def checked(study: Study) -> Checked:
    """Return every fault of a study's judges, and notes about them."""
    found = Checked()
    for number, judge in enumerate(study.plan.judges):
        where = f"judges.{number}"
        if judge.pairs is not None:
            _pairs(study, judge, where, found)
        if isinstance(judge, LLMJudge):
            _llm(study, judge, where, found)
        if isinstance(judge, TableJudge):
            _table(study, judge, found)
    return found


def table_notes(study: Study) -> list[str]:
    """Return how much of people's trials each judge of kind table answers, if it is not all."""
    found = Checked()
    for judge in study.plan.judges:
        if isinstance(judge, TableJudge):
            _table(study, judge, found)
    return found.notes


def _fault(study: Study, problem: str, column: str, value: object, allowed: str) -> RatifyError:
    return RatifyError(
        problem, file=study.folder / PLAN_FILE, column=column, value=value, allowed=allowed
    )


def _pairs(study: Study, judge: AnyJudge, where: str, found: Checked) -> None:
    """Note scenarios with too few items for the pairs that a judge's own ranking takes."""
    assert judge.pairs is not None
    count = judge.pairs.per_scenario
    groups = study.by_scenario()
    for scenario in dict.fromkeys(item.scenario for item in study.items.values()):
        items = len(groups.get(scenario, []))
        if items < 2:
            found.faults.append(
                _fault(
                    study,
                    f"scenario '{scenario}' has {items or 'no'} item in the sequences, which makes "
                    "no pair to rank",
                    f"{where}.pairs",
                    count,
                    "two items or more in each scenario, or more raters or trials",
                )
            )
        elif items == 2 and count > 2:
            found.notes.append(
                f"judge {judge.id}: scenario '{scenario}' has one pair, which pairs would ask "
                f"{count:,} times"
            )


def _llm(study: Study, judge: LLMJudge, where: str, found: Checked) -> None:
    if judge.key_variable is not None and not os.environ.get(judge.key_variable, "").strip():
        found.notes.append(
            f"judge {judge.id}: the environment has no key yet ({judge.key_variable})"
        )
    habits = judge.habits
    if habits is None:
        return
    where = f"{where}.habits"
    found.faults += _own(study, habits, where)
    found.faults += _left_out(study, habits, where)
    found.faults += _rewrites(study, habits, where)
    there = len({frozenset(trial.item_ids) for trial in study.trials()})
    if kind_of(study.plan).asks_pairs and habits.pairs > there:
        found.notes.append(
            f"judge {judge.id}: habits asks {habits.pairs} pairs, but people's trials have {there}"
        )
    pool = len(rewritable_items(study, habits))
    if habits.items > pool:
        found.notes.append(
            f"judge {judge.id}: habits rates {habits.items} items again, but there are {pool}"
        )


def _own(study: Study, habits: Habits, where: str) -> Iterator[RatifyError]:
    """Yield a fault for each value by which no item is the judge's own."""
    if habits.own is None or habits.own.column not in study.table.columns:
        return
    column = habits.own.column
    there = Counter(row[column].strip() for row in study.table.rows)
    for number, value in enumerate(habits.own.values):
        if not there[value]:
            known = ", ".join(f"'{name}'" for name, _ in there.most_common(NAMED) if name)
            yield _fault(
                study,
                f"no item has this in its column '{column}'",
                f"{where}.own.values.{number}",
                value,
                known or f"a column '{column}' that is filled",
            )


def _left_out(study: Study, habits: Habits, where: str) -> Iterator[RatifyError]:
    for number, name in enumerate(habits.leave_out):
        if name not in study.items:
            yield _fault(
                study,
                "is not the id of an item",
                f"{where}.leave_out.{number}",
                name,
                "ids of the items",
            )


def _rewrites(study: Study, habits: Habits, where: str) -> Iterator[RatifyError]:
    """Yield a fault for each rewrite that cannot be made of an item that is drawn for it."""
    if not habits.items:
        return
    if not rewritable_items(study, habits):
        yield _fault(study, "leaves no item to rewrite", f"{where}.leave_out", None, "fewer items")
        return
    drawn = attempted_rewrites(study, habits, probed_items(study, habits))[1]
    if not drawn:
        return
    every = attempted_rewrites(study, habits, rewritable_items(study, habits))[1]
    for name in dict.fromkeys(one.perturbation for one in drawn):
        yield _rewrite_fault(study, name, [one for one in every if one.perturbation == name], where)


def _rewrite_fault(
    study: Study, name: str, lacking: Sequence[Unchanged], where: str
) -> RatifyError:
    ids = [one.item_id for one in lacking]
    named = ", ".join(f"'{one}'" for one in ids[:NAMED])
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    many = len(ids) > 1
    what = f"item{'s' if many else ''} {named}{more}"
    if name in MECHANICAL:
        problem = f"'{name}' leaves {what} as {'they are' if many else 'it is'}"
        problem += ", so nothing would be measured"
    else:
        problem = f"{what} {'have' if many else 'has'} no rewritten text that differs from the text"
        problem += f", in the column '{name}'"
    row = next(n for n, r in enumerate(study.table.rows, start=2) if r["item_id"] == ids[0])
    return _fault(
        study,
        f"{problem} (first in {study.table.place_words(row)} of {study.table.path.name})",
        f"{where}.perturbations",
        name,
        f"perturbations without '{name}', other texts, or leave_out: [{', '.join(ids[:NAMED])}"
        f"{', ...' if more else ''}]",
    )


def _table(study: Study, judge: TableJudge, found: Checked) -> None:
    """Read a judge's tables, and say how much of the study they answer."""
    try:
        there = covers(study, judge)
    except RatifyError as error:
        found.faults.append(error)
        return
    if not there.answered and judge.ranking is None:  # one that ranks has said something
        found.faults.append(
            RatifyError(
                f"judge '{judge.id}' answers none of people's trials: {there.covered}",
                file=study.folder / judge.files[0],
                allowed="scores or choices of the items of the study",
            )
        )
    elif there.answered < there.asked or there.ignored:
        found.notes.append(there.sentence(judge).replace("nothing new; ", ""))
