"""`ratify causal`: estimates an effect that is corrected for the judge's errors, behind a gate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.analyze import bring_up_to_date
from ratify.chats import refuse_chat
from ratify.command_line import MODE, STUDY, main

if TYPE_CHECKING:
    from analysis.estimating.run import Estimated

# Exit codes beside 0, and 2 for wrong input.
NO_PASS, NO_PROOF = 3, 4


def run_causal(folder: Path, *, mode: str, despite: str = "") -> Estimated:
    """Estimate the effect of a study's plan, and write its results and their report.

    Parameters
    ----------
    folder : Path
    mode : {'live', 'pilot', 'bot'}
    despite : str
        Why figures from the judge alone are wanted without a PASS of the gate.

    Raises
    ------
    RatifyError
        If something is missing or wrong.
    """
    from analysis.estimating.run import estimate_effect
    from analysis.gate import CAUSAL_FOLDER
    from analysis.report.page import write_report
    from ratify.analyses_shown import analyses_shown

    with analyses_shown() as began:
        found = estimate_effect(
            folder,
            mode=mode,
            despite=despite,
            began=began,
            told=lambda done, of: began(f"the proof: planted effect {done} of {of}"),
        )
    write_report(folder / CAUSAL_FOLDER)
    return found


@main.command()
@STUDY
@MODE
@click.option(
    "--despite-gate",
    metavar="REASON",
    help="Show figures from the judge's scores alone without a PASS; every number carries REASON.",
)
@click.pass_context
def causal(ctx: click.Context, folder: Path, mode: str, despite_gate: str | None) -> None:
    """Estimate the effect that the plan of DIR names, corrected by people's labels.

    The gate's three rooms come first, then the proof that the estimator finds planted effects on
    the study's own covariates. Without a PASS there is an audit of the judge and the corrected
    estimate, and the exit code is 3; if the proof is broken, no headline is printed, and it is 4.
    Everything is written to DIR/results-causal.
    """
    refuse_chat(
        folder,
        "causal",
        "estimates an effect in the frame of a causal study",
        "`ratify analyze`, which compares the conditions of the trial",
    )
    from analysis.gate import CAUSAL_FOLDER
    from prereg.tables.notes import tell

    if despite_gate is not None and not despite_gate.strip():
        raise RatifyError(
            "is empty", file="--despite-gate", value=despite_gate, allowed="a reason in words"
        )
    bring_up_to_date(folder)
    found = run_causal(folder, mode=mode, despite=(despite_gate or "").strip())
    tell(found.results.meta["notes"])
    for sentence in found.results.headline:
        click.echo(sentence)
    for line in found.gate.lines():
        click.echo(line)
    if despite_gate and not found.gate.passed:
        click.echo(f"  They are printed all the same. The reason given: {despite_gate.strip()}")
    place = folder / CAUSAL_FOLDER
    click.echo(f"wrote {place}/report.html, results.json, tables/ and figures/")
    if not found.proof.holds:
        ctx.exit(NO_PROOF)
    if not found.gate.passed and not despite_gate:
        ctx.exit(NO_PASS)
