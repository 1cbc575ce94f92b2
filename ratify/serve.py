"""`ratify serve`: serves the pages of raters, or of a chat's participants, and the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.cautions import print_cautions
from ratify.command_line import MODE, PORT, STUDY, database, main
from ratify.stages import stage_folder

if TYPE_CHECKING:
    from study.chat.study import ChatStudy
    from study.folder import Study
    from study.serving.command import Serving


@main.command()
@STUDY
@MODE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@PORT
@click.option(
    "--stage",
    type=click.Choice(["compare"]),
    help="In a study of kind chat: serve the comparison of its conversations.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Number of server processes (gunicorn). More than one needs PostgreSQL.",
)
def serve(folder: Path, mode: str, host: str, port: int, stage: str | None, workers: int) -> None:
    """Serve the pages of raters or participants, and the dashboard, of DIR.

    Live mode needs a lock that matches.
    """
    from prereg.chat.file import is_chat
    from study.chat.opening import open_chat
    from study.opening import open_study
    from study.serving.command import Serving

    folder = stage_folder(folder, stage, mode=mode)
    serving = Serving(mode=mode, host=host, port=port, workers=workers)
    if is_chat(folder):
        chat = open_chat(folder, must_be_locked=mode == "live")
        serve_and_say(chat, serving, url=database())
        return
    study = open_study(folder, must_be_locked=mode == "live")
    serve_and_say(study, serving, url=database(), warn=mode == "pilot")


def serve_and_say(
    study: Study | ChatStudy, serving: Serving, *, url: str | None, warn: bool = False
) -> None:
    """Print the addresses of a study, and perhaps warnings; serve it until it is told to stop."""
    from ratify.invitations import link_of, links, opened_at
    from study.chat.study import ChatStudy
    from study.serving.command import serve_study

    link = link_of(study, trying=serving.mode != "live")
    pages = "participants' pages" if isinstance(study, ChatStudy) else "rater pages"

    def ready(bound: str, token: str | None) -> None:
        address = opened_at(bound)
        click.echo(f"{pages}  {address}/?{link}   ({serving.mode} data)")
        if token is None:
            click.echo(f"dashboard    {address}/dashboard/")
        else:
            click.echo(
                f"dashboard    {address}/dashboard/set-up?token={token}   (choose its password)"
            )
        for line in links(study, serving, bound):
            click.echo(line)
        if warn and not isinstance(study, ChatStudy):
            print_cautions(study)
        click.echo("stop with Ctrl-C")

    serve_study(study, serving, url=url, ready=ready, say=click.echo)
