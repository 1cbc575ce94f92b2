"""Ratify's command line: click groups only; every heavy import waits for its command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from study.folder import Study
    from study.store import Store

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
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
    help="Port to serve on; the next free one if it is taken, any free one if 0.",
)  # fmt: skip


class OneLine(click.Group):
    """A group whose commands end in one line and exit code 2 where an input is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
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
def new(
    folder: Path, items: Path | None, id_column: str, text_column: str, scenario_column: str | None
) -> None:
    """Make a study folder DIR from the worked plan, on your items or on the demo's."""
    from study.scaffold import new_study

    study = new_study(
        folder, items=items, id_column=id_column, text_column=text_column,
        scenario_column=scenario_column,
    )  # fmt: skip
    design = study.plan.design
    click.echo(
        f"{folder}: {len(study.items)} items, {design.raters} sequences of {design.trials} pairs"
    )
    click.echo(
        f"Next: read and edit plan.yaml, consent.md and instructions.md in {folder}, then "
        f"`ratify lock {folder}`"
    )


@main.command()
@STUDY
def lock(folder: Path) -> None:
    """Check and freeze the plan in DIR; prints the hash that every row of data will carry."""
    from analysis.rehearsal import rehearse
    from study.folder import lock_study, open_study

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
def serve(folder: Path, mode: str, host: str, port: int) -> None:
    """Serve the rater pages and the dashboard of DIR. Live mode needs the lock to match."""
    from study.folder import open_study

    study = open_study(folder, must_be_locked=mode == "live")
    with _store(folder) as store:
        _serve(study, store, mode=mode, host=host, port=port)


@main.command()
@STUDY
def judge(folder: Path) -> None:
    """Ask the judges of the plan in DIR; what is answered is not asked again."""
    from study.folder import open_study

    study = open_study(folder)
    with _store(folder) as store:
        _judge(study, store)


@main.command()
@STUDY
def export(folder: Path) -> None:
    """Write the tidy tables of DIR and their codebook into DIR/data."""
    from study.export import export as write_tables
    from study.folder import open_study

    study = open_study(folder, same_judges=False)
    with _store(folder) as store:
        target = write_tables(store, study)
    click.echo(f"wrote {target}/: " + ", ".join(sorted(path.name for path in target.iterdir())))


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
    from analysis.report import write_report

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
@click.option(
    "--human",
    "humans",
    multiple=True,
    required=True,
    metavar="[NAME=]FILE",
    help="Ratings by people: a wide file for each, or one long table. Repeat it.",
)
@click.option(
    "--judge",
    "judges",
    multiple=True,
    required=True,
    metavar="[NAME=]FILE",
    help="Ratings by a judge, in the same shapes. Repeat it.",
)
@click.option("--id", "id_column", default="item_id", show_default=True, help="The id column.")
@click.option(
    "--scale",
    nargs=2,
    type=float,
    required=True,
    metavar="MIN MAX",
    help="The two ends of the rating scale.",
)
@click.option(
    "--dimension",
    "dimensions",
    multiple=True,
    help="A column to compare; without it, the numeric columns all files share.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Seed of the bootstrap intervals; it is written into the results.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True,
              help="Folder for results.json, report.html and tables/.")  # fmt: skip
def audit(
    humans: tuple[str, ...],
    judges: tuple[str, ...],
    id_column: str,
    scale: tuple[float, float],
    dimensions: tuple[str, ...],
    seed: int,
    out: Path,
) -> None:
    """Say how reliable a judge is, from ratings you already have. No study is needed."""
    from analysis.audit import audit as run_audit
    from analysis.report import write_report
    from analysis.results import WRITTEN
    from prereg.files import replaced_folder

    results = run_audit(
        humans, judges, id_column=id_column, scale=scale, dimensions=dimensions or None, seed=seed
    )
    with replaced_folder(out, ours=WRITTEN) as folder:
        results.write(folder)
        write_report(folder)
    for sentence in results.headline:
        click.echo(sentence)
    click.echo(f"wrote {out}/report.html, results.json, tables/ and figures/")


@main.command()
@click.argument("judgments", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the table as CSV here.")
def rank(judgments: Path, out: Path | None) -> None:
    """Rank items from a table JUDGMENTS you already have: Bradley-Terry, with Elo beside it.

    The table needs left_id, right_id and choice (left or right); where it has scenario and
    rater_id, items are ranked within scenario and errors are clustered by rater.
    """
    from analysis.rank_table import rank_table, refuse_foreign_table
    from prereg.files import write_text

    refuse_foreign_table(out)
    ranked = rank_table(judgments)
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
    from study.folder import open_study
    from study.scaffold import refuse_foreign
    from study.serve import refuse_served

    refuse_foreign(folder)
    refuse_served(folder)
    with replaced_folder(folder, ours=None) as beside:
        _run_demo(beside, shown=folder)
    if then_serve:
        study = open_study(folder)
        with _store(folder, url=None) as store:
            _serve(study, store, mode="pilot", host="127.0.0.1", port=port)


def _run_demo(folder: Path, *, shown: Path) -> None:
    """Do what a researcher would, command by command, with bots in the place of people."""
    from analysis.gate import judge_results
    from analysis.report import write_report
    from analysis.run import analyze_study
    from study.export import export as write_tables
    from study.folder import lock_study, open_study
    from study.scaffold import new_study, simulate_raters

    new_study(folder, demo=True)
    _, frozen = lock_study(folder)
    click.echo(f"locked the demo plan, hash {frozen.plan_hash[:16]}…")
    study = open_study(folder, must_be_locked=True)
    with _progress("simulated raters", study.plan.design.raters) as bar:
        sent = simulate_raters(study, arrived=lambda: bar.update(1))
    click.echo(f"{sent.finished} simulated raters went through the pages over HTTP")
    with _store(folder, url=None) as store:
        _judge(study, store)
        write_tables(store, study)
    results = analyze_study(folder, mode="bot")
    write_report(folder / "results")
    click.echo("\nWhat it found (simulated raters, conversations composed for the demo):")
    for sentence in results.headline:
        click.echo(f"  {sentence}")
    for line in judge_results(folder).lines():
        click.echo(f"  {line}")
    click.echo(f"\n{shown}/results/report.html   the report")
    click.echo(f"{shown}/results/results.json  every number; tables/ and figures/ beside it")
    click.echo(f"{shown}/data/                 the tidy tables and their codebook")


def _judge(study: Study, store: Store) -> None:
    from study.judges.run import run_judge

    for plan in study.plan.judges:
        written = run_judge(store, study, plan)
        did = f"{written:,} answers" if written else "nothing left to ask"
        click.echo(f"judge {plan.id}: {did}")


def _serve(study: Study, store: Store, *, mode: str, host: str, port: int) -> None:
    import study.serve as server
    from study.app import create_app

    key = server.dashboard_key()
    app = create_app(study, store, mode=mode, dashboard_key=key)
    listener = server.listen(host, port)
    address = f"[{host}]" if ":" in host else host

    def ready(taken: int) -> None:
        base = f"http://{address}:{taken}"
        if port and taken != port:
            click.echo(f"port {port} is taken, so this is port {taken}")
        click.echo(f"rater pages  {base}/?rater=YOUR-ID   ({mode} data)")
        click.echo(f"dashboard    {base}/dashboard/sign-in?key={key}")
        click.echo("stop with Ctrl-C")

    with server.marked_as_served(study.folder):
        server.serve(app, listener, ready=ready)


def _store(folder: Path, **database: str | None) -> Any:
    """Return the folder's store, closed at the end of a with block."""
    import contextlib
    import os

    from study.store import open_store

    url = database["url"] if "url" in database else os.environ.get(DATABASE)
    return contextlib.closing(open_store(folder, url))


def _progress(label: str, length: int) -> Any:
    """Return a progress bar on a terminal, something silent elsewhere."""
    return click.progressbar(length=length, label=label)


if __name__ == "__main__":
    main(prog_name="ratify")
