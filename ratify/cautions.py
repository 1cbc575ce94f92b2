"""Prints what a researcher should know before answers are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from study.folder import Study


def print_cautions(study: Study) -> None:
    """Print warnings about a study, and how many answers an item will get, to stderr."""
    from prereg.cautions import answers_per_item, cautions, left_from_worked_plan
    from study.judges.given.planned import gate_warnings
    from study.scaffold import has_demo_items

    scenarios = {item.item_id: item.scenario for item in study.items.values()}
    found = cautions(study.plan, scenarios, study.sequences) + gate_warnings(study)
    left = left_from_worked_plan(study.plan, study.texts)
    if left and not has_demo_items(study):
        found += left
    for line in found:
        click.echo(f"warning   {line}", err=True)
    click.echo(f"design    {answers_per_item(study.plan, study.sequences)}", err=True)
