"""`ratify amend`: records a reasoned change of a locked plan."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.chats import refuse_chat
from ratify.command_line import STUDY, main, store_if_any


@main.command()
@STUDY
@click.option("--reason", required=True, help="Why the plan is changed, in one sentence.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
def amend(folder: Path, reason: str, dry_run: bool) -> None:
    """Append a reasoned change to the locked plan in DIR.

    Edit plan.yaml or a text first. The amended study is checked as by `ratify check`: an error that
    the plan did not have when it was locked stops the amendment, and new warnings and notes are
    shown. What has changed, when, why, and what was known of the data at that moment is appended to
    plan.amendments.jsonl and printed in the report. Sequences that are there stay as they are;
    those of more raters are appended. A server that is running takes the change up, and raters who
    have begun go on under the version they consented to. Once somebody has taken part, what their
    answers depend on cannot be amended: items, scales, trials, sides, seed.
    """
    refuse_chat(
        folder,
        "amend",
        "does not know how people who have begun could go on under what they consented to",
        "a new study folder; how servers are reached, prices and the budget may change "
        "without an amendment",
    )
    from prereg.turns import alone
    from ratify.cautions import found_by_amending, print_remarks, refuse
    from ratify.document import say_document
    from study.amending import amend as record
    from study.amending import draft_amendment

    # nobody else amends between what is known and its record, and no results are made
    with alone(folder), store_if_any(folder) as store:
        draft = draft_amendment(folder, store)
        errors, remarks = found_by_amending(draft)
        print_remarks(remarks)
        refuse(errors, folder)
        amendment = None if dry_run else record(folder, draft, reason)
    for change in draft.changes:
        click.echo(f"changed   {change.sentence}")
    known = draft.known if amendment is None else amendment.known
    click.echo(f"known     {known.sentence}")
    if amendment is None:
        click.echo("nothing was recorded (--dry-run)")
        return
    click.echo(f"amended   {folder} at {amendment.at}, amendment {amendment.number}")
    click.echo(f"plan hash {amendment.plan_hash}")
    say_document(folder)
