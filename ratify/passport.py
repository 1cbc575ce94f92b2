"""`ratify passport`: packs what a reader of a paper needs into one file."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main
from ratify.stages import analysed_folder


@main.command()
@STUDY
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write it. Default: DIR/passport",
)
def passport(folder: Path, out: Path | None) -> None:
    """Write the passport of the study in DIR from its plan, its lock and its results.

    passport.json (JSON-LD) says what was asked and of whom, how far people agree, every reading and
    habit of the judges with intervals, the gate's verdict and its conditions, the limits, and the
    hashes of plan, code and data. passport.html is the same as one page, passport.svg a badge that
    is never green for simulated raters; CITATION.cff and methods.md come with them.
    """
    from analysis.gate import judge_results
    from analysis.results.stale import refuse_stale
    from prereg.errors import RatifyError
    from prereg.passport.sources import RESULTS, read_sources
    from prereg.passport.verdict import gate_of, state_of
    from prereg.passport.writing import NAMES, write_passport

    folder = analysed_folder(folder)
    refuse_stale(folder)
    sources = read_sources(folder)
    if judge_results(folder).passed != gate_of(sources)["passed"]:
        raise RatifyError(
            "says something else of the gate than its numbers",
            file=folder / RESULTS,
            allowed="run `ratify analyze` again",
        )
    place = write_passport(sources, out)
    state = state_of(sources)
    click.echo(f"wrote {place}/: {', '.join(NAMES)}")
    click.echo(f"badge: {state.word}. {state.why}")
