"""`ratify password`: sets the dashboard's password."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from prereg.errors import RatifyError
from ratify.command_line import STUDY, main, store_of


@main.command()
@STUDY
@click.option("--password", "given", help="The new password. Without it, you are asked.")
def password(folder: Path, given: str | None) -> None:
    """Set the dashboard's password of DIR. Everybody who is signed in is signed out."""
    from prereg.chat.file import is_chat
    from study.chat.opening import open_chat
    from study.opening import open_study
    from study.web.accounts import set_password

    if is_chat(folder):
        open_chat(folder)
    else:
        open_study(folder, same_judges=False)
    if given is None and not sys.stdin.isatty():
        raise RatifyError("there is no terminal to type a password in", allowed="--password")
    given = given or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with store_of(folder) as store:
        set_password(store, given)
    click.echo("the dashboard has a new password")
