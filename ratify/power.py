"""`ratify power`: says what a plan can find, from simulated studies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from prereg.errors import RatifyError
from prereg.tables.contract import MODES
from ratify.chats import refuse_chat
from ratify.command_line import STUDY, main
from ratify.shown import Shown

if TYPE_CHECKING:
    from analysis.planning.kept import Kept
    from prereg.executor import Executor


class Work(Protocol):
    """Simulated studies to be made."""

    @property
    def folder(self) -> Path:
        """Where they are kept."""

    @property
    def kept(self) -> Kept:
        """Those that are finished."""

    @property
    def left(self) -> list[tuple[str, int]]:
        """Those that are not."""

    @property
    def total(self) -> int:
        """How many are wanted."""

    def finish(
        self,
        *,
        processes: int,
        told: Callable[[tuple[str, int]], None],
        executor: Executor | None = None,
    ) -> None:
        """Simulate what is left."""


@main.command()
@STUDY
@click.option(
    "--studies",
    type=click.IntRange(1, 100_000),
    help="Studies to simulate; by default what the plan assumes (400). Only precision changes.",
)
@click.option(
    "--curves/--no-curves",
    default=True,
    show_default=True,
    help="Also simulate half and twice the raters, trials and items, and 50 raters more; with "
    "--causal half, 1.5, 2 and 3 times the labels.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=lambda: os.cpu_count() or 1,
    show_default="all cores",
    help="Processes that simulate; the numbers do not depend on it.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let the workers of this Dask scheduler simulate, for example tcp://10.0.0.5:8786.",
)
@click.option(
    "--causal",
    is_flag=True,
    help="How many labels? For the plan's causal section: the width of the corrected interval, "
    "its coverage, its power and the gate, for the plan's number of labels and others.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="With --causal: whose ratings predict what more labels give, if the study has any; live "
    "by default.",
)
@click.pass_context
def power(
    ctx: click.Context,
    folder: Path,
    studies: int | None,
    curves: bool,
    processes: int,
    scheduler: str | None,
    causal: bool,
    mode: str | None,
) -> None:
    """Say what the plan in DIR can find, from studies simulated under its own assumptions.

    Each simulated study has the plan's raters, trials, items, exclusions and judges, and is
    analysed as the plan says. DIR/power gets the power for each hypothesis, the expected width of
    each interval, the chance that the gate passes a good judge and a bad one, curves over raters,
    trials and items, figures, and sentences for the preregistration. Finished studies are kept: a
    run that was stopped goes on, and a changed plan starts anew.

    With --causal it says how many units people have to label. Where the study has ratings, it also
    predicts from them, without showing an estimate.
    """
    refuse_chat(
        folder,
        "power",
        "finds the power of plans with trials",
        "`ratify simulate`, which shows how wide the intervals of its analyses get",
    )
    if causal:
        _causal(ctx, folder, studies, curves, processes, scheduler, mode or "live")
        return
    if mode is not None:
        raise RatifyError("is for --causal only", file="--mode", value=mode, allowed="--causal")
    from analysis.planning.power_files import write_power
    from analysis.planning.power_words import sentences
    from analysis.planning.powering import work_of

    work = work_of(folder, studies=studies, curves=curves)
    _finish(ctx, work, processes, scheduler)
    found = work.power()
    names = write_power(found, work.folder)
    for sentence in sentences(found):
        click.echo(sentence)
    click.echo(f"wrote {', '.join(names)} in {work.folder}/")


def _causal(
    ctx: click.Context,
    folder: Path,
    studies: int | None,
    curves: bool,
    processes: int,
    scheduler: str | None,
    mode: str,
) -> None:
    """Say how many labels: from simulated studies, and from the study's ratings if it has any."""
    from analysis.estimating.more_labels import has_ratings, more_labels, write_more_labels
    from analysis.planning.label_files import write_label_power
    from analysis.planning.label_powering import label_work_of
    from analysis.planning.label_words import label_sentences, label_table, which_to_believe

    work = label_work_of(folder, studies=studies, curves=curves)
    # what is wrong in the ratings is said before the simulation, not after it
    after = more_labels(folder, mode=mode) if has_ratings(folder, mode=mode) else None
    _finish(ctx, work, processes, scheduler)
    found = work.power()
    names = write_label_power(found, work.folder)
    for line in [*label_table(found), *label_sentences(found)]:
        click.echo(line)
    if after is not None:
        names += write_more_labels(after, work.folder)
        click.echo(f"From the study's own ratings ({mode}):")
        predicted = after.predicted.width_at(min(round(found.own.labelled), after.predicted.units))
        believe = which_to_believe(
            found, predicted, treated=after.treated, simulated=after.simulated
        )
        for line in [*after.lines(), *after.sentences(), believe]:
            click.echo(line)
    click.echo(f"wrote {', '.join(names)} in {work.folder}/")


@contextlib.contextmanager
def _workers_of(scheduler: str | None) -> Iterator[Executor | None]:
    """Yield the workers of a scheduler, or None for processes of this machine."""
    if scheduler is None:
        yield None
        return
    from prereg.executor import executor_of

    with executor_of(scheduler) as executor:
        yield executor


def _finish(ctx: click.Context, work: Work, processes: int, scheduler: str | None) -> None:
    """Simulate what is left, and show how far it is; a stop by the keyboard keeps what is done."""
    if work.kept.replaced:
        click.echo(
            f"{work.folder}: the studies there were simulated from another plan, other "
            "assumptions, other items or other code; they are simulated anew",
            err=True,
        )
    left = len(work.left)
    if left < work.total:
        click.echo(f"{work.total - left:,} of {work.total:,} studies are kept from before")
    try:
        with (
            _workers_of(scheduler if left else None) as executor,
            Shown(left, things="studies", label="simulated studies") as shown,
        ):
            work.finish(processes=processes, told=lambda _: shown.tell(), executor=executor)
    except KeyboardInterrupt:
        kept = work.total - len(work.left)
        click.echo(
            f"stopped; {kept:,} of {work.total:,} studies are kept, and the next run goes on",
            err=True,
        )
        ctx.exit(130)
