"""Ratify's command line: click groups only; every heavy import waits for its command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError
from ratify.audit import audit
from ratify.judge import judge

if TYPE_CHECKING:
    from study.folder import Study
    from study.serving.command import Serving

DATABASE = "RATIFY_DATABASE_URL"
STUDY = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
MODE = click.option(
    "--mode",
    type=click.Choice(["live", "pilot", "bot"]),
    default="live",
    show_default=True,
    help="Kind of data. They are kept apart in every table.",
)
PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to serve on; the next free one if it is taken, any free one if 0.",
)


class OneLine(click.Group):
    """A group whose commands end in one line and exit code 2 where an input is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "ratify"
            click.echo(f"{command}: {error.format_message()}", err=True)
            ctx.exit(2)
        except RatifyError as error:
            click.echo(f"ratify: {error}", err=True)
            ctx.exit(2)


@click.group(
    cls=OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="ratify-eval", prog_name="ratify")
def main() -> None:
    """Ask people whether an LLM judge may be believed: plan, lock, collect, analyse, report."""


@main.command()
@STUDY
@click.option("--items", type=click.Path(path_type=Path), help="Your table of items, CSV/Parquet.")
@click.option("--id", "id_column", default="item_id", show_default=True, help="Its id column.")
@click.option("--text", "text_column", default="text", show_default=True, help="Its text column.")
@click.option(
    "--scenario", "scenario_column", help="Its scenario column; without it, one scenario."
)
@click.option(
    "--plan",
    "worked",
    default="pairwise_preference",
    show_default=True,
    help="The worked plan: pairwise_preference, empathy_rating or best_response.",
)
def new(
    folder: Path,
    items: Path | None,
    id_column: str,
    text_column: str,
    scenario_column: str | None,
    worked: str,
) -> None:
    """Make a study folder DIR from a worked plan, on your items or on the demo's."""
    from prereg.kinds.registry import kind_of
    from study.scaffold import new_study

    study = new_study(
        folder,
        items=items,
        id_column=id_column,
        text_column=text_column,
        scenario_column=scenario_column,
        worked=worked,
    )
    design = study.plan.design
    click.echo(
        f"{folder}: {len(study.items)} items, {design.sequences} sequences of "
        f"{design.trials} {kind_of(study.plan).noun(study.plan)}"
    )
    click.echo(
        f"Next: read and edit plan.yaml, consent.md and instructions.md in {folder}, then "
        f"`ratify lock {folder}`"
    )


@main.command()
@STUDY
def lock(folder: Path) -> None:
    """Check and freeze the plan in DIR; prints the hash that every row of data will carry."""
    from analysis.planning.rehearsal import rehearse
    from study.opening import lock_study, open_study

    study = open_study(folder)
    rehearse(study.plan, [item.scenario for item in study.items.values()])
    _, frozen = lock_study(folder)
    click.echo(f"locked    {folder} at {frozen.locked_at}")
    click.echo(f"plan hash {frozen.plan_hash}")
    for name, digest in sorted(frozen.parts.items()):
        click.echo(f"  {name:<13} {digest}")
    click.echo(
        f"{len(study.plan.hypotheses)} hypotheses, {len(study.plan.analyses)} registered analyses. "
        "Put the hash into your preregistration."
    )


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
    help="Processes that serve, by gunicorn; more than one needs PostgreSQL.",
)
def serve(folder: Path, mode: str, host: str, port: int, workers: int) -> None:
    """Serve the rater pages and the dashboard of DIR. Live mode needs the lock to match."""
    from study.opening import open_study
    from study.serving.command import Serving

    study = open_study(folder, must_be_locked=mode == "live")
    _serve(study, Serving(mode=mode, host=host, port=port, workers=workers), url=_database())


@main.command()
@STUDY
@click.option("--password", "given", help="The new password; asked for without it.")
def password(folder: Path, given: str | None) -> None:
    """Set the dashboard's password of DIR; whoever is signed in is signed out."""
    from study.opening import open_study
    from study.web.accounts import set_password

    open_study(folder, same_judges=False)
    if given is None and not sys.stdin.isatty():
        raise RatifyError("there is no terminal to ask on", allowed="--password")
    given = given or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with _store(folder) as store:
        set_password(store, given)
    click.echo("the dashboard has a new password")


@main.command()
@STUDY
@click.argument("statuses", metavar="FILE", type=click.Path(path_type=Path))
@MODE
def release(folder: Path, statuses: Path, mode: str) -> None:
    """Free the places of raters that the platform's table FILE calls RETURNED or TIMED-OUT.

    FILE is Prolific's export of submissions, or any table with rater_id and status.
    """
    from study.opening import open_study
    from study.visits.recruitment import release_from_file

    study = open_study(folder, same_judges=False)
    with _store(folder) as store:
        released = release_from_file(store, study, mode, statuses)
    click.echo(released.sentence())


@main.command()
@STUDY
@click.argument("rater_id")
@MODE
def withdraw(folder: Path, rater_id: str, mode: str) -> None:
    """Delete all answers of RATER_ID in DIR, who wrote that they withdraw; cannot be undone."""
    from study.opening import open_study
    from study.visits.withdrawal import withdraw_rater

    study = open_study(folder, same_judges=False)
    with _store(folder) as store:
        if not withdraw_rater(store, study, mode, rater_id):
            raise RatifyError(
                "has no visit here",
                file=folder,
                value=rater_id,
                allowed=f"a rater_id of {mode} data; see --mode",
            )
    click.echo("deleted; only that somebody withdrew today is kept")


main.add_command(judge)
main.add_command(audit)


@main.command()
@STUDY
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Of the tables.",
)
def export(folder: Path, file_format: str) -> None:
    """Write the tidy tables of DIR and their codebook into DIR/data, in place of what is there."""
    from study.export.files import export as write_tables
    from study.opening import open_study

    study = open_study(folder, same_judges=False)
    with _store(folder) as store:
        exported = write_tables(store, study, format=file_format)
    click.echo(f"wrote {exported.folder}/: {', '.join(exported.tables)}, CODEBOOK.md")
    if exported.note:
        click.echo(exported.note)


@main.command()
@STUDY
@MODE
def analyze(folder: Path, mode: str) -> None:
    """Run the registered analyses on the tidy tables in DIR/data; writes DIR/results."""
    from analysis.run import analyze_study

    results = analyze_study(folder, mode=mode)
    for sentence in results.headline:
        click.echo(sentence)
    click.echo(f"wrote {folder / 'results'}/results.json, tables/ and figures/")


@main.command()
@STUDY
def report(folder: Path) -> None:
    """Write report.html from the results in DIR/results."""
    from analysis.report.page import write_report

    click.echo(f"wrote {write_report(folder / 'results')}")


@main.command()
@STUDY
@click.pass_context
def gate(ctx: click.Context, folder: Path) -> None:
    """Exit 0 only where every threshold of the plan in DIR holds in its results, else 1."""
    from analysis.gate import judge_results

    verdict = judge_results(folder)
    for line in verdict.lines():
        click.echo(line)
    ctx.exit(0 if verdict.passed else 1)


@main.command()
@click.argument("judgments", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the table as CSV here.")
@click.option("--check", is_flag=True, help="Compare the fit with that of the package choix.")
def rank(judgments: Path, out: Path | None, check: bool) -> None:
    """Rank items from a table JUDGMENTS you already have: Bradley-Terry, with Elo beside it.

    The table needs left_id, right_id and choice (left or right); where it has scenario and
    rater_id, items are ranked within scenario and errors are clustered by rater.
    """
    from analysis.ranking.from_table import rank_table, refuse_foreign_table
    from prereg.files import write_text

    refuse_foreign_table(out)
    ranked = rank_table(judgments, check=check)
    if out is None:
        click.echo(ranked.table.to_string(index=False, float_format="%.3f", na_rep=""))
    else:
        write_text(out, ranked.table.to_csv(index=False, lineterminator="\n"))
        click.echo(f"wrote {out}: {len(ranked.table)} items")
    for line in ranked.notes:
        click.echo(line, err=True)


@main.command()
@click.argument(
    "folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path("ratify-demo")
)
@click.option("--serve/--no-serve", "then_serve", default=True, help="Serve it afterwards.")
@PORT
def demo(folder: Path, then_serve: bool, port: int) -> None:
    """Run a whole study with simulated raters into DIR (./ratify-demo), then serve it.

    A demo that is already there is made anew.
    """
    from prereg.files import replaced_folder
    from ratify.demo import run_demo
    from study.opening import open_study
    from study.scaffold import refuse_foreign
    from study.serving.command import Serving
    from study.serving.server import refuse_served

    refuse_foreign(folder)
    refuse_served(folder)
    with replaced_folder(folder, ours=None) as beside:
        run_demo(beside, shown=folder)
    if then_serve:
        serving = Serving(mode="pilot", host="127.0.0.1", port=port, workers=1)
        _serve(open_study(folder), serving, url=None)


def _serve(study: Study, serving: Serving, *, url: str | None) -> None:
    from study.serving.command import serve_study

    link = "rater=YOUR-ID"
    if study.plan.recruitment.platform == "prolific":
        # as Prolific's form for the study's link wants it, the placeholders included
        link = "&".join(
            f"{name}={{{{%{name}%}}}}" for name in ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
        )

    def ready(address: str, token: str | None) -> None:
        click.echo(f"rater pages  {address}/?{link}   ({serving.mode} data)")
        if token is None:
            click.echo(f"dashboard    {address}/dashboard/")
        else:
            click.echo(
                f"dashboard    {address}/dashboard/set-up?token={token}   (choose its password)"
            )
        click.echo("stop with Ctrl-C")

    serve_study(study, serving, url=url, ready=ready, say=click.echo)


def _database() -> str | None:
    import os

    return os.environ.get(DATABASE)


def _store(folder: Path, **database: str | None) -> Any:
    """Return the folder's store, closed at the end of a with block."""
    import contextlib

    from study.store.database import open_store

    return contextlib.closing(open_store(folder, database.get("url", _database())))
