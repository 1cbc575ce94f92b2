"""Asks the judges of a study: estimates the costs first, shows progress, and can resume a run."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from prereg.plan.judging import LLMJudge
    from study.folder import Study
    from study.judges.runs.progress import Progress, Ran
    from study.judges.runs.spending import Estimate
    from study.store.database import Store

# Seconds between two lines of progress if there is no terminal.
SAID_EVERY = 30.0


def ask_judges(
    study: Study,
    store: Store,
    *,
    only: str | None = None,
    yes: bool = False,
    again: bool = False,
    batch: bool = False,
) -> bool:
    """Ask the judges of the plan, and print what each did.

    Parameters
    ----------
    study : Study
    store : Store
    only : str, optional
        The one judge to ask.
    yes : bool
        Whether to go on if the estimate is above the plan's limit.
    again : bool
        Whether to repeat requests that were refused or whose reply could not be read.
    batch : bool
        Whether to ask LLMs through their server's batch API.

    Returns
    -------
    bool
        Whether everything was asked.

    Raises
    ------
    RatifyError
        When there is no such judge, or a judge cannot be asked.
    """
    from prereg.plan.judging import LLMJudge
    from prereg.plan.panel_judge import PanelJudge
    from prereg.plan.table_judge import TableJudge
    from prereg.transport_log import log_changes
    from study.judges.given.answers import store_given
    from study.judges.runs.offline import run_judge

    whole = True
    for change in log_changes(study.folder, study.plan, study.lock):
        click.echo(f"changed since the lock: {change.sentence}")
    if not study.plan.judges:
        click.echo("the plan has no judges, so nothing was asked")
    for judge in _chosen(study, only):
        if isinstance(judge, PanelJudge):
            click.echo(
                f"judge {judge.id}: a panel of {', '.join(judge.of)}; `ratify analyze` makes it"
            )
            continue
        if isinstance(judge, TableJudge):
            click.echo(store_given(store, study, judge).sentence(judge))
            continue
        if isinstance(judge, LLMJudge):
            whole &= _ask_llm(study, store, judge, yes=yes, again=again, batch=batch)
            continue
        written = run_judge(store, study, judge)
        did = f"{written:,} answers" if written else "nothing left to ask"
        click.echo(f"judge {judge.id}: {did}")
    return whole


def estimates(study: Study, store: Store, *, only: str | None = None) -> list[str]:
    """Return what asking would cost, one line per judge; nothing is sent."""
    from prereg.plan.judging import LLMJudge

    lines = []
    for judge in _chosen(study, only):
        if isinstance(judge, LLMJudge):
            lines.append(estimate_of(study, store, judge).sentence())
        else:
            lines.append(f"judge {judge.id}: offline, costs nothing")
    return lines


def _chosen(study: Study, only: str | None) -> list[Any]:
    """Return the judges to ask: first those that cost nothing."""
    judges = sorted(study.plan.judges, key=lambda judge: judge.kind == "llm")
    if only is None:
        return judges
    found = [judge for judge in judges if judge.id == only]
    if not found:
        raise RatifyError(
            "the plan has no such judge",
            file=study.folder / "plan.yaml",
            column="judges",
            value=only,
            allowed=", ".join(judge.id for judge in study.plan.judges) or "none",
        )
    return found


def estimate_of(study: Study, store: Store, judge: LLMJudge, *, again: bool = False) -> Estimate:
    """Return what asking a judge for what is left would send and cost; nothing is sent."""
    from study.judges.ledger.reading import LedgerReading
    from study.judges.runs.spending import estimate
    from study.judges.wanted.asked import Asked

    ledger = LedgerReading(store, study.root_hash, judge.id)
    return estimate(Asked.of(study, judge), ledger, again=again)


def _ask_llm(
    study: Study, store: Store, judge: LLMJudge, *, yes: bool, again: bool, batch: bool
) -> bool:
    from study.judges.runs.spending import check_affordable

    if study.lock is None:
        raise RatifyError(
            "an LLM judge needs a locked plan",
            file=study.folder / "plan.yaml",
            allowed="run `ratify lock` first; `ratify judge --dry-run` needs no lock",
        )
    found = estimate_of(study, store, judge, again=again)
    click.echo(found.sentence())
    if not yes:
        _agree(judge, found, check_affordable)
    try:
        return _run_llm(study, store, judge, found, again=again, batch=batch)
    finally:
        for line in _unanswered(study, store, judge):
            click.echo(line)


def _run_llm(
    study: Study, store: Store, judge: LLMJudge, found: Estimate, *, again: bool, batch: bool
) -> bool:
    from study.judges.runs.batch import run_batch
    from study.judges.runs.live import run_llm

    if batch:
        ran = run_batch(store, study, judge, say=click.echo, again=again)
        click.echo(_did(judge, ran))
        if judge.pairs is not None:
            click.echo(f"judge {judge.id}: run it again without --batch for its ranking")
        return not (ran.stopped or ran.left or judge.pairs is not None)
    with _Shown(judge, found.calls) as shown:
        ran = run_llm(store, study, judge, again=again, progress=shown.tell)
    click.echo(_did(judge, ran))
    return not (ran.stopped or ran.left)


def _agree(judge: LLMJudge, found: Estimate, check: Any) -> None:
    """Ask whether to spend the money; without a terminal, refuse to exceed the plan's limit."""
    try:
        check(judge, found)
    except RatifyError as error:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise
        click.confirm(f"{error.problem}. Go on?", abort=True)


def _unanswered(study: Study, store: Store, judge: LLMJudge) -> list[str]:
    """Return what is unanswered so far: a line for each reason, with an example of the words."""
    from study.judges.ledger.reading import LedgerReading

    counts: dict[str, int] = {}
    examples: dict[str, str] = {}
    for one in LedgerReading(store, study.root_hash, judge.id).unanswered():
        counts[one.reason] = counts.get(one.reason, 0) + one.count
        examples.setdefault(one.reason, one.example)
    return [
        f"judge {judge.id}: {count:,} unanswered, {reason.replace('_', ' ')}"
        + (f", for example: {examples[reason]}" if examples[reason] else "")
        for reason, count in counts.items()
    ]


def _did(judge: LLMJudge, ran: Ran) -> str:
    """Return what a run did, in one line."""
    money = f", {ran.money:,.2f} {judge.prices.currency} so far" if judge.prices else ""
    line = f"judge {judge.id}: {ran.settled - ran.unanswered:,} requests answered{money}"
    if ran.taken_over:
        line += (
            f"; {ran.taken_over:,} were taken over from a process that died and may have sent "
            "them, too: see their note in the table of requests"
        )
    if ran.unanswered:
        line += f"; {ran.unanswered:,} without an answer, see the table of requests"
    if ran.left:
        line += f"; {ran.left:,} are still to come: run it again"
    ends = {
        "budget": "; stopped: the plan's budget is spent",
        "interrupted": "; stopped; run it again to go on",
    }
    return line + ends.get(ran.stopped, "")


class _Shown:
    """Shows progress: a bar on a terminal, an occasional line elsewhere."""

    def __init__(self, judge: LLMJudge, total: int) -> None:
        self._judge = judge
        self._total = total
        self._began = self._said = time.monotonic()
        self._bar: Any = None
        self._now = ""

    def __enter__(self) -> _Shown:
        if sys.stdout.isatty() and self._total:
            self._bar = click.progressbar(
                length=self._total,
                label=f"judge {self._judge.id}",
                show_eta=True,
                item_show_func=lambda _: self._now,
            )
            self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def tell(self, progress: Progress) -> None:
        """Show where the run stands."""
        seconds = max(time.monotonic() - self._began, 0.001)
        rate = progress.settled / seconds
        self._now = f"{rate:,.1f}/s, {progress.at_once} at once"
        if self._judge.prices is not None:
            self._now += f", {progress.money:,.2f} {self._judge.prices.currency}"
        if progress.unanswered:
            self._now += f", {progress.unanswered} unanswered"
        if progress.waiting:
            self._now += ", the server does not answer"
        if self._bar is not None:
            self._bar.update(progress.settled - self._bar.pos)
        elif time.monotonic() - self._said >= SAID_EVERY:
            self._said = time.monotonic()
            left = (self._total - progress.settled) / rate if rate else 0.0
            click.echo(
                f"judge {self._judge.id}: {progress.settled:,} of {self._total:,}, {self._now}, "
                f"about {left / 60:,.0f} min left"
            )
