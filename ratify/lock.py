"""`ratify lock`: checks and freezes a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.cautions import looked_at, print_remarks, refuse
from ratify.chats import looked_at_chat
from ratify.command_line import STUDY, main, on_terminal, store_if_any
from ratify.document import say_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prereg.checking.remark import Remark
    from prereg.lock import Lock
    from study.chat.study import ChatStudy
    from study.folder import Study


@main.command()
@STUDY
@click.option("--registry", metavar="URL", help="Note where the locked plan is registered.")
@click.option("--git", is_flag=True, help="Note the git commit that holds the lock.")
@click.option(
    "--timestamp",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Note a timestamp authority's reply (RFC 3161) about the plan hash.",
)
@click.option("--yes", is_flag=True, help="Lock although there are warnings.")
def lock(
    folder: Path, *, registry: str | None, git: bool, timestamp: Path | None, yes: bool
) -> None:
    """Check and freeze the plan in DIR, and print the hash that every row of data will carry.

    It checks what `ratify check` checks. An error stops it. Where there are warnings, it asks on a
    terminal, and elsewhere it needs --yes. A plan that is locked stays as it is, and a study in
    which people have answered cannot be locked any more. Once it is registered or committed, run it
    again with --registry, --git or --timestamp: the lock then names what proves its date.
    """
    from prereg.chat.file import is_chat
    from prereg.lock import LOCK_FILE
    from study.chat.opening import lock_chat
    from study.known import refuse_collected
    from study.opening import lock_study

    if not (folder / LOCK_FILE).exists():
        refuse_collected(folder, None)  # what the folder shows, also where its store is elsewhere
        with store_if_any(folder) as store:
            refuse_collected(folder, store)
    study: Study | ChatStudy
    if is_chat(folder):
        _ask(looked_at_chat(folder), folder, yes=yes)
        study, frozen = lock_chat(folder)
    else:
        found, remarks = looked_at(folder)
        refuse(found.errors, folder)
        if not found.locked:
            print_remarks(remarks)
            _ask([one for one in remarks if one.severity == "warning"], folder, yes=yes)
        study, frozen = lock_study(folder)
    frozen = _stamped(folder, frozen, registry=registry, git=git, timestamp=timestamp)
    click.echo(f"locked    {folder} at {frozen.locked_at}")
    click.echo(f"plan hash {frozen.plan_hash}")
    for name, digest in sorted(frozen.parts.items()):
        click.echo(f"  {name:<13} {digest}")
    click.echo(
        f"{len(study.plan.hypotheses)} hypotheses, {len(study.plan.analyses)} registered analyses. "
        "Put the hash into your preregistration."
    )
    say_document(folder)


def _stamped(
    folder: Path, frozen: Lock, *, registry: str | None, git: bool, timestamp: Path | None
) -> Lock:
    """Add what proves the date of the newest version to the lock."""
    from prereg.stamps import add_stamp, check_stamp, git_stamp, registry_stamp, timestamp_stamp

    stamps = []
    if registry is not None:
        stamps.append(registry_stamp(frozen, registry))
    if git:
        stamps.append(git_stamp(folder, frozen))
    if timestamp is not None:
        stamps.append(timestamp_stamp(frozen, timestamp))
    for stamp in stamps:
        frozen = add_stamp(folder, stamp)
        click.echo(f"stamp     {check_stamp(folder, frozen, stamp)[1]}")
    return frozen


def _ask(warnings: Sequence[Remark], folder: Path, *, yes: bool) -> None:
    """Ask on a terminal whether to lock in spite of warnings; elsewhere refuse without --yes."""
    if not warnings or yes:
        return
    many = f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}"
    if on_terminal():
        click.confirm(f"{many}. Lock all the same?", abort=True, err=True)
        return
    raise RatifyError(
        f"{many}, so it is not locked", file=folder, allowed="mend them, or lock with --yes"
    )
