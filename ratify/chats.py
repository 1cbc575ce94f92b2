"""What several commands do with a study of kind chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError
from ratify.command_line import store_of

if TYPE_CHECKING:
    from prereg.checking.remark import Remark
    from prereg.worked_plans import Choices
    from study.chat.study import ChatStudy
    from study.checking.chat import LookedChat
    from study.store.database import Store


def refuse_chat(folder: Path, command: str, does: str, instead: str) -> None:
    """Raise `RatifyError` if a folder is of kind chat, with which a command can do nothing.

    Parameters
    ----------
    folder : Path
    command : str
        Its name.
    does : str
        What the command does.
    instead : str
        What to do.
    """
    from prereg.chat.file import is_chat

    if is_chat(folder):
        raise RatifyError(
            f"is a study of kind chat, and `ratify {command}` {does}", file=folder, allowed=instead
        )


@contextmanager
def chat_opened(folder: Path, *, new: bool = False) -> Iterator[tuple[ChatStudy, Store]]:
    """Open a study of kind chat and its store, which is closed at the end of a with block."""
    from study.chat.opening import open_chat

    study = open_chat(folder)
    with store_of(folder, new=new) as store:
        yield study, store


def make_chat(folder: Path, worked: str, choices: Choices, given: dict[str, Any]) -> None:
    """Make a study folder of kind chat, and say what to do next.

    Parameters
    ----------
    folder : Path
    worked : str
    choices : Choices
    given : dict
        Options about items, by their flags; a chat has none.
    """
    import shlex

    from study.chat.scaffold import new_chat

    for flag, value in given.items():
        if value is not None:
            raise RatifyError(
                "is about items, and a chat makes its own: the conversations",
                file=flag,
                value=str(value),
                allowed="no such option with this --plan",
            )
    study = new_chat(folder, worked=worked, choices=choices)
    plan = study.plan
    click.echo(
        f"{folder}: {plan.design.supporters} participants, {plan.design.conversations} "
        f"conversations each, {len(plan.design.conditions)} conditions, {len(plan.scenarios)} "
        "scenarios"
    )
    if choices.title is not None:
        click.echo(f"its id is {plan.id}")
    click.echo(
        f"Next: read and edit plan.yaml, consent.md, instructions.md and safety.md in {folder}, "
        f"and the scenarios, then `ratify check {shlex.quote(str(folder))}`"
    )


def check_chat(ctx: click.Context, folder: Path, *, as_json: bool) -> None:
    """Do what `ratify check` does, for a study of kind chat."""
    from prereg.transport_log import changes_since_lock
    from ratify.cautions import print_remarks

    found = _seen(folder)
    if as_json:
        said = [one.to_json() for one in found.remarks]
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
        ctx.exit(2 if found.errors else 0)
    print_remarks(found.remarks)
    if found.errors:
        ctx.exit(2)
    study = found.study
    assert study is not None  # otherwise something is wrong
    for change in changes_since_lock(folder, study.plan, study.lock):
        click.echo(f"changed since the lock: {change.sentence}")
    state = "is locked and unchanged" if study.lock is not None else "can be locked"
    many = len(found.warnings)
    warned = f"; {many} warning{'' if many == 1 else 's'}" if many else ""
    click.echo(
        f"{folder} {state}: {study.plan.design.supporters:,} participants, "
        f"{len(study.plan.scenarios)} scenarios, {len(study.plan.judges)} judges{warned}"
    )


def _seen(folder: Path) -> LookedChat:
    """Look at everything in a chat's folder, and rehearse its formulas."""
    from prereg.plan.file import PLAN_FILE
    from ratify.chat_rehearsed import rehearsed_chat
    from study.checking.chat import look_at_chat

    found = look_at_chat(folder)
    whole = found.unread.isdisjoint({"surveys", "analyses", "measures", "judges"})
    if (
        found.plan is not None
        and whole
        and not any(
            (one.column or "").startswith(("analyses", "measures", "judges"))
            for one in found.errors
        )
    ):
        found.add(rehearsed_chat(found.plan, folder / PLAN_FILE))
    return found


def looked_at_chat(folder: Path) -> list[Remark]:
    """Look at a chat's folder before it is locked; print and return its warnings.

    Raises
    ------
    RatifyError
        When anything stops the lock.
    """
    from ratify.cautions import print_remarks, refuse

    found = _seen(folder)
    refuse(found.errors, folder)
    if not found.locked:
        print_remarks(found.remarks)
    return [] if found.locked else found.warnings
