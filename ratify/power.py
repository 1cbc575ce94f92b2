"""`ratify power`: says what a plan can find, from simulated studies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ratify.command_line import STUDY, main

if TYPE_CHECKING:
    from prereg.executor import Executor

# Seconds between two lines where there is no terminal.
SAID_EVERY = 30.0


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
    help="Also simulate half and twice the raters, trials and items, and 50 raters more.",
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
@click.pass_context
def power(
    ctx: click.Context,
    folder: Path,
    studies: int | None,
    curves: bool,
    processes: int,
    scheduler: str | None,
) -> None:
    """Say what the plan in DIR can find, from studies simulated under its own assumptions.

    Each simulated study has the plan's raters, trials, items, exclusions and judges, and is
    analysed as the plan says. DIR/power gets the power for each hypothesis, the expected width of
    each interval, the chance that the gate passes a good judge and a bad one, curves over raters,
    trials and items, figures, and sentences for the preregistration. Finished studies are kept: a
    run that was stopped goes on, and a changed plan starts anew.
    """
    # each process computes on one core; libraries read this when they are loaded
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from analysis.planning.power_files import write_power
    from analysis.planning.power_words import sentences
    from analysis.planning.powering import work_of

    work = work_of(folder, studies=studies, curves=curves)
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
        with _executor(scheduler if left else None) as executor, _Shown(left) as shown:
            work.finish(processes=processes, told=shown.tell, executor=executor)
    except KeyboardInterrupt:
        kept = work.total - len(work.left)
        click.echo(
            f"stopped; {kept:,} of {work.total:,} studies are kept, and the next run goes on",
            err=True,
        )
        ctx.exit(130)
    found = work.power()
    names = write_power(found, work.folder)
    for sentence in sentences(found):
        click.echo(sentence)
    click.echo(f"wrote {', '.join(names)} in {work.folder}/")


@contextlib.contextmanager
def _executor(scheduler: str | None) -> Iterator[Executor | None]:
    """Yield the workers of a scheduler, or None for processes of this machine."""
    if scheduler is None:
        yield None
        return
    from prereg.executor import executor_of

    with executor_of(scheduler) as executor:
        yield executor


class _Shown:
    """Shows progress: a bar on a terminal, an occasional line elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> _Shown:
        if sys.stdout.isatty() and self._total:
            self._bar = click.progressbar(
                length=self._total, label="simulated studies", show_eta=True, show_pos=True
            )
            self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def tell(self, task: object) -> None:
        """Count a finished study."""
        self._done += 1
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(1)
        elif now - self._said >= SAID_EVERY:
            self._said = now
            left = (now - self._began) / self._done * (self._total - self._done)
            click.echo(
                f"{self._done:,} of {self._total:,} studies, about {left / 60:,.0f} min left"
            )
