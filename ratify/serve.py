"""`ratify serve`: serves the rater pages and the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ratify.cautions import print_cautions
from ratify.command_line import MODE, PORT, STUDY, database, main

if TYPE_CHECKING:
    from study.folder import Study
    from study.serving.command import Serving


@main.command()
@STUDY
@MODE
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@PORT
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Number of server processes (gunicorn). More than one needs PostgreSQL.",
)
def serve(folder: Path, mode: str, host: str, port: int, workers: int) -> None:
    """Serve the rater pages and the dashboard of DIR. Live mode needs a lock that matches."""
    from study.opening import open_study
    from study.serving.command import Serving

    study = open_study(folder, must_be_locked=mode == "live")
    serving = Serving(mode=mode, host=host, port=port, workers=workers)
    serve_and_say(study, serving, url=database(), warn=mode == "pilot")


def serve_and_say(study: Study, serving: Serving, *, url: str | None, warn: bool = False) -> None:
    """Print the addresses of a study, and perhaps warnings; serve it until it is told to stop."""
    from ratify.invitations import link_of, links, opened_at
    from study.serving.command import serve_study

    link = link_of(study, trying=serving.mode != "live")

    def ready(bound: str, token: str | None) -> None:
        address = opened_at(bound)
        click.echo(f"rater pages  {address}/?{link}   ({serving.mode} data)")
        if token is None:
            click.echo(f"dashboard    {address}/dashboard/")
        else:
            click.echo(
                f"dashboard    {address}/dashboard/set-up?token={token}   (choose its password)"
            )
        for line in links(study, serving, bound):
            click.echo(line)
        if warn:
            print_cautions(study)
        click.echo("stop with Ctrl-C")

    serve_study(study, serving, url=url, ready=ready, say=click.echo)
