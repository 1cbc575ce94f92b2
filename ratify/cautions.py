"""Checks a whole study folder, and prints what was found, one line each."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prereg.checking.remark import Remark
    from prereg.errors import RatifyError
    from study.amending import Draft
    from study.checking.looking import Looked
    from study.folder import Study

T = TypeVar("T")


def looked_at(folder: Path) -> tuple[Looked, list[Remark]]:
    """Look at everything in a study folder, and rehearse its analyses.

    Returns
    -------
    (Looked, list of Remark)
        What was seen; and errors, warnings and notes in this order, each in the order of the file.

    Raises
    ------
    RatifyError
        When there is no plan, or it is not YAML.
    """
    from prereg.checking.remark import error_of
    from study.checking.looking import look

    found = look(folder)
    _rehearse(found)
    errors = [error_of(fault, found.partial.lines) for fault in found.errors]
    errors += _of_exploratory(found)
    return found, _in_order([*errors, *found.remarks])


def found_by_amending(draft: Draft) -> tuple[list[RatifyError], list[Remark]]:
    """Return the errors, and the warnings and notes, that only the amended study has.

    What was so when the plan was locked stops no amendment: it may be about something else.

    Parameters
    ----------
    draft : Draft
    """
    from study.checking.looking import look_at
    from study.versions import as_it_was

    collected = draft.known.state != "no_data"
    found = look_at(draft.study)
    _rehearse(found, collected=collected)
    before = as_it_was(draft.study, draft.lock.versions[-1])
    if before is None:
        return found.errors, _in_order(found.remarks)
    was = look_at(before)
    _rehearse(was, collected=collected)
    return (
        _beyond(found.errors, was.errors, lambda one: (one.problem, str(one.value), one.row)),
        _in_order(
            _beyond(
                found.remarks, was.remarks, lambda one: (one.severity, one.problem, str(one.value))
            )
        ),
    )


def _beyond(now: Iterable[T], before: Iterable[T], said: Callable[[T], object]) -> list[T]:
    """Return what was not said before, or not so often; its place in the plan does not count."""
    left = Counter(map(said, before))
    new = []
    for one in now:
        if left[said(one)]:
            left[said(one)] -= 1
        else:
            new.append(one)
    return new


def _in_order(remarks: Iterable[Remark]) -> list[Remark]:
    """Return errors, warnings and notes in this order, each in the order of the file."""
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(remarks, key=lambda one: (order[one.severity], one.file or "", one.line or 0))


def _rehearse(found: Looked, *, collected: bool = False) -> None:
    """Add what is wrong or unwise in the analyses of a study, rehearsed by themselves.

    Parameters
    ----------
    found : Looked
    collected : bool
        Whether people have answered: then an own table may still grow, so that a value which it
        does not have is no error.
    """
    from analysis.planning.columns import absent_tables, faults_of_columns
    from analysis.planning.effect_names import faults_of_effects
    from analysis.planning.own_values import faults_of_values
    from analysis.planning.rehearsal import rehearsed
    from analysis.planning.whole_rehearsal import without_numbers
    from prereg.checking.remark import note
    from prereg.plan.collection_rules import fits_no_kind

    folder, plan, table = found.folder, found.partial.plan, found.table
    if plan is None or table is None or fits_no_kind(plan):
        return
    found.add(_new_faults(found, rehearsed(plan, table.rows, folder)))
    found.add(list(faults_of_columns(plan, table.rows, folder)))
    if not found.locked:  # then a table may grow, and no analysis reads an assumption
        values = list(faults_of_values(plan, folder))
        found.add([] if collected else values)
        found.remark([_not_yet(fault) for fault in values if collected])
        found.add(list(faults_of_effects(plan, table.rows)))
    if found.study is not None and not found.locked and not found.errors:
        trials = [one for hand in found.study.sequences.values() for one in hand]
        found.remark(list(without_numbers(plan, table.rows, trials)))
    found.remark(
        [
            note(
                f"the table '{name}' is not in {folder / 'data'} yet, so its columns are not "
                "checked; formulas that read it were rehearsed on a simulated table.",
                key=f"analyses.{number}.id",
            )
            for number, name in absent_tables(plan, folder)
        ]
    )


def _not_yet(fault: RatifyError) -> Remark:
    """Return a fault of an own table that may still grow as a warning."""
    from prereg.checking.remark import warning

    return warning(
        f"{fault.problem}, got {fault.value!r} (there: {fault.allowed}).",
        "Correct it, unless such rows follow.",
        fault.column,
    )


def refuse(errors: Sequence[RatifyError], folder: Path) -> None:
    """Raise the first error, and say how many more there are."""
    from prereg.errors import RatifyError

    if not errors:
        return
    if len(errors) == 1:
        raise errors[0]
    more = len(errors) - 1
    raise RatifyError(
        f"{errors[0].one_line()}; and {more} more error{'s' if more > 1 else ''}: "
        f"`ratify check {shlex.quote(str(folder))}` lists them"
    )


def _new_faults(found: Looked, faults: Iterable[RatifyError]) -> list[RatifyError]:
    """Return the faults at keys that have none yet: a formula fails at a column once."""
    known = {one.column for one in found.errors if one.column and one.row is None}
    return [
        fault
        for fault in faults
        if fault.row is not None or found.partial.in_file(fault.column or "") not in known
    ]


def _of_exploratory(found: Looked) -> list[Remark]:
    """Return what is wrong with the exploratory analyses. It stops no lock, but the analysis."""
    from dataclasses import replace

    from analysis.planning.columns import faults_of_columns
    from analysis.planning.rehearsal import rehearsed
    from prereg.checking.remark import error_of
    from prereg.errors import RatifyError
    from prereg.exploratory import EXPLORATORY_FILE, is_of_first, read_exploratory
    from prereg.yaml_lines import YamlLines

    plan, path = found.partial.plan, found.folder / EXPLORATORY_FILE
    if plan is None or not path.exists():
        return []
    whole = not found.partial.faults
    analyses, faults = read_exploratory(found.folder, plan, whole=whole)
    if analyses and whole and not faults and found.table is not None:
        both = plan.model_copy(update={"analyses": (*analyses, *plan.analyses)})
        faults = [
            RatifyError(
                one.problem, file=path, column=one.column, value=one.value, allowed=one.allowed
            )
            for check in (rehearsed, faults_of_columns)
            for one in check(both, found.table.rows, found.folder)
            if is_of_first(one, len(analyses))
        ]
    lines = YamlLines(path.read_text(encoding="utf-8-sig", errors="replace"))
    return [
        replace(error_of(one), line=lines.line_of(one.column) if one.column else None)
        for one in faults
    ]


def print_remarks(remarks: Iterable[Remark]) -> None:
    """Print remarks to stderr, one line each, with what they are."""
    for one in remarks:
        click.echo(f"{one.severity:<9} {one.one_line()}", err=True)


def print_cautions(study: Study) -> None:
    """Print warnings about a study, and how many answers an item will get, to stderr."""
    from prereg.plan.file import plan_path, text_of
    from prereg.yaml_lines import YamlLines
    from study.checking.looking import remarks_of

    lines = YamlLines(text_of(plan_path(study.folder)))
    print_remarks(one.within(study.folder, lines) for one in remarks_of(study))
