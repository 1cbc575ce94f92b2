"""Checks a whole study folder, and prints what was found, one line each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prereg.checking.remark import Remark
    from prereg.errors import RatifyError
    from study.checking.looking import Looked
    from study.folder import Study


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
    from analysis.planning.columns import absent_tables, faults_of_columns
    from analysis.planning.effect_names import faults_of_effects
    from analysis.planning.own_values import faults_of_values
    from analysis.planning.rehearsal import rehearsed
    from analysis.planning.whole_rehearsal import without_numbers
    from prereg.checking.remark import error_of, note
    from prereg.plan.collection_rules import fits_no_kind
    from study.checking.looking import look

    found = look(folder)
    plan, table = found.partial.plan, found.table
    if plan is not None and table is not None and not fits_no_kind(plan):
        found.add(_new_faults(found, rehearsed(plan, table.rows, folder)))
        found.add(list(faults_of_columns(plan, table.rows, folder)))
        if not found.locked:  # then a table may grow, and no analysis reads an assumption
            found.add(list(faults_of_values(plan, folder)))
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
    errors = [error_of(fault, found.partial.lines) for fault in found.errors]
    errors += _of_exploratory(found)
    order = {"error": 0, "warning": 1, "note": 2}
    return found, sorted(
        [*errors, *found.remarks],
        key=lambda one: (order[one.severity], one.file or "", one.line or 0),
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
