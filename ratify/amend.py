"""`ratify amend`: records a reasoned change of a locked plan."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.command_line import STUDY, main, store_of

if TYPE_CHECKING:
    from study.store.database import Store


@main.command()
@STUDY
@click.option("--reason", required=True, help="Why the plan is changed, in one sentence.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
def amend(folder: Path, reason: str, dry_run: bool) -> None:
    """Append a reasoned change to the locked plan in DIR.

    Edit plan.yaml or a text first. What has changed, when, why, and what was known of the data at
    that moment is appended to plan.amendments.jsonl and printed in the report. Sequences that are
    there stay as they are; those of more raters are appended. A server that is running takes the
    change up, and raters who have begun go on under the version they consented to. Once somebody
    has taken part, what their answers depend on cannot be amended: items, scales, trials, sides,
    seed.
    """
    from analysis.planning.rehearsal import rehearsed
    from prereg.turns import alone
    from ratify.document import say_document
    from study.amending import amend as record
    from study.amending import draft_amendment

    # nobody else amends between what is known and its record, and no results are made
    with alone(folder), _store_if_any(folder) as store:
        draft = draft_amendment(folder, store)
        for fault in rehearsed(draft.study.plan, draft.study.table.rows, folder):
            raise fault
        amendment = None if dry_run else record(folder, draft, reason)
    for change in draft.changes:
        click.echo(f"changed   {change.sentence}")
    click.echo(f"known     {draft.known.sentence}")
    if amendment is None:
        click.echo("nothing was recorded (--dry-run)")
        return
    click.echo(f"amended   {folder} at {amendment.at}, amendment {amendment.number}")
    click.echo(f"plan hash {amendment.plan_hash}")
    say_document(folder)


@contextlib.contextmanager
def _store_if_any(folder: Path) -> Iterator[Store | None]:
    """Open the store of a study; yield None if it never had one."""
    from study.store.database import BEGUN_FILE, ELSEWHERE_FILE, STORE_FILE

    marks = (STORE_FILE, BEGUN_FILE, ELSEWHERE_FILE)
    if not any((folder / name).exists() for name in marks):
        yield None
        return
    with store_of(folder, new=False) as store:
        yield store
