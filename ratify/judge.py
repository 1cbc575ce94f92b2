"""`ratify judge`: asks the plan's judges, estimates the costs first, and can resume a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.derived import COMPARE, JUDGING
from prereg.errors import RatifyError
from ratify.asking import ask_judges, estimates
from ratify.command_line import STUDY, main, opened
from ratify.stages import chat_in, derive_again, stage_folder

if TYPE_CHECKING:
    from prereg.chat.model import ChatPlan


def score_frame(
    folder: Path, *, only: str | None, dry_run: bool, yes: bool, again: bool, batch: bool
) -> bool:
    """Let the LLMs of a causal plan score its frame, and write what they said into it.

    Parameters
    ----------
    folder : Path
    only, yes, again, batch
        As in `ask_judges`.
    dry_run : bool
        Whether only the cost is estimated.

    Returns
    -------
    bool
        Whether everything was asked.

    Raises
    ------
    RatifyError
        When the frame or a judge is wrong, or the study is locked already.
    """
    from prereg.plan.file import load_plan
    from ratify.sample import add_scores, refuse_begun
    from study.export.files import export
    from study.scoring import scoring_study

    refuse_begun(folder)
    place = scoring_study(folder).folder
    with opened(place, same_judges=True, new=True) as (study, store):
        if dry_run:
            for line in estimates(study, store, only=only):
                click.echo(line)
            return True
        whole = ask_judges(study, store, only=only, yes=yes, again=again, batch=batch)
        export(store, study)
    add_scores(folder, load_plan(folder), (place / "data" / "ratings.csv",))
    return whole


def _judging(folder: Path, chat: ChatPlan, *, frame: bool, again: bool) -> Path:
    """Return the folder in which judges score the conversations of a chat."""
    from prereg.lock import LOCK_FILE
    from study.stages.judging import reach_as_planned

    if frame:
        raise RatifyError(
            "is a study of kind chat, and --frame scores the units of a causal study",
            file=folder,
            allowed="`ratify judge`, which scores every conversation",
        )
    place = stage_folder(folder, JUDGING)
    if again and (folder / COMPARE / LOCK_FILE).exists():
        raise RatifyError(
            "is locked with the scores that judges gave, so they are not asked again",
            file=folder / COMPARE,
            allowed="without --again",
        )
    reach_as_planned(folder, chat)
    return place


@main.command()
@STUDY
@click.option("--only", metavar="JUDGE", help="Ask only this judge of the plan.")
@click.option("--dry-run", is_flag=True, help="Estimate the calls and their cost; send nothing.")
@click.option(
    "--try",
    "tries",
    type=click.IntRange(1, 50),
    metavar="N",
    help="Send N requests to each LLM and show what was sent, what came back, how it was read and "
    "what it cost. Needs no lock, and keeps nothing.",
)
@click.option(
    "--yes",
    is_flag=True,
    help="Do not ask before a run that may cost more than the plan's ask_above.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Also repeat requests that were refused or whose reply could not be read.",
)
@click.option(
    "--batch",
    is_flag=True,
    help="Ask LLMs through the batch API of their server, which is slower and often cheaper: "
    "submit, wait and collect.",
)
@click.option(
    "--frame",
    is_flag=True,
    help="Let the LLMs score every unit of a causal plan's frame. Needs no lock of the study: it "
    "comes before `ratify sample`. The requests are those of a study in DIR/scoring.",
)
@click.pass_context
def judge(
    ctx: click.Context,
    folder: Path,
    only: str | None,
    *,
    frame: bool,
    dry_run: bool,
    tries: int | None,
    yes: bool,
    again: bool,
    batch: bool,
) -> None:
    """Ask the judges of the plan in DIR. Questions that have an answer are not asked again.

    An LLM is asked once the plan is locked. Its key is read from the environment variable that the
    plan names. You may stop the command at any time; it resumes when you run it again. The exit
    code is 1 if questions are left, otherwise 0. In a study of kind chat they score its
    conversations, in DIR/judging; once everything is answered, DIR/compare is made.
    """
    chat = chat_in(folder)
    if chat is not None and not chat.judges:
        click.echo("the plan has no judges, so nothing was asked")
        return
    place = folder if chat is None else _judging(folder, chat, frame=frame, again=again)
    if tries is not None:
        from ratify.trying import try_judges

        ctx.exit(0 if try_judges(place, tries, only=only) else 2)
    if frame:
        whole = score_frame(folder, only=only, dry_run=dry_run, yes=yes, again=again, batch=batch)
        ctx.exit(0 if whole else 1)
    with opened(place, same_judges=True, new=True) as (study, store):
        if dry_run:
            for line in estimates(study, store, only=only):
                click.echo(line)
            return
        whole = ask_judges(study, store, only=only, yes=yes, again=again, batch=batch)
    if whole and chat is not None and only is None:
        for line in derive_again(folder, chat):
            click.echo(line)
    ctx.exit(0 if whole else 1)
