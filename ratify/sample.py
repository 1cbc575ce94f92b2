"""`ratify sample`: draws the units that people label from the frame of a causal study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.chats import refuse_chat
from ratify.command_line import STUDY, main, store_if_any

if TYPE_CHECKING:
    from prereg.plan.model import Plan


@main.command()
@STUDY
@click.option(
    "--scores",
    metavar="RATINGS",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Tidy ratings of a judge, as `ratify export` writes them: its scores become columns of "
    "the frame. May be given more than once.",
)
@click.option(
    "--pilot",
    metavar="RATINGS",
    type=click.Path(path_type=Path),
    help="Tidy ratings by people of some units, for the spread within each stratum. The plan's key "
    "causal.labels.pilot names them too.",
)
@click.option("--replace", is_flag=True, help="Replace items that this command did not draw.")
def sample(folder: Path, *, scores: tuple[Path, ...], pilot: Path | None, replace: bool) -> None:
    """Draw the units that people label in DIR, and write them into its items table.

    The plan's causal section says how: a sample by strata of the judge's two scores, for the
    estimate, and a purely random one for the gate. Each unit's inclusion probability is stored. The
    same plan and the same frame give the same sample. It refuses a study that is locked, or in
    which people have answered.
    """
    refuse_chat(
        folder,
        "sample",
        "draws the units of a causal study",
        "`ratify items`, which makes items of conversations and draws as compare.sample says",
    )
    from prereg.frame.reading import between_points, causal_of, no_clusters, read_frame
    from prereg.frame.sampling import draw_sample, item_rows, table_of_strata
    from prereg.plan.file import PLAN_FILE, load_plan
    from prereg.tables.reader import write_csv

    plan = load_plan(folder)
    one = causal_of(plan, folder / PLAN_FILE)
    refuse_begun(folder)
    items = folder / plan.materials.items
    if not replace:
        _refuse_foreign(items, plan)
    if scores:
        add_scores(folder, plan, scores)
    frame = read_frame(folder, plan)
    drawn = draw_sample(plan, frame, pilot=_pilot(folder, one.labels.pilot, pilot))
    rows = item_rows(plan, frame, drawn)
    write_csv(items, list(rows[0]), rows)
    for line in table_of_strata(drawn):
        click.echo(line)
    both = int((drawn.estimate & drawn.gate).sum())
    click.echo(
        f"wrote {items}: {len(rows):,} of {len(frame.rows):,} units, {int(drawn.estimate.sum()):,} "
        f"for the estimate, {int(drawn.gate.sum()):,} for the gate, {both:,} of them for both"
    )
    if frame.unscored:
        units, have, were = (
            ("unit", "has", "was") if frame.unscored == 1 else ("units", "have", "were")
        )
        click.echo(
            f"{frame.unscored:,} {units} of {one.frame} {have} not both scores of the judge and "
            f"{were} left out"
        )
    for said in (between_points(frame, one), no_clusters(frame, one)):
        if said is not None:
            click.echo(said)
    short = one.labels.stratified - int(drawn.estimate.sum())
    if short > 0:
        click.echo(f"{short:,} of the {one.labels.stratified:,} stratified labels found no unit")


def refuse_begun(folder: Path) -> None:
    """Refuse a study that is locked, or in which somebody has taken part."""
    from prereg.lock import LOCK_FILE
    from study.known import what_was_collected

    why = "a new sample would come too late"
    allowed = "the sample that people were promised; another study needs a folder of its own"
    if (folder / LOCK_FILE).exists():
        raise RatifyError(f"{why}: the study is locked", file=folder / LOCK_FILE, allowed=allowed)
    had = what_was_collected(folder, None)  # also where the store is elsewhere
    if not had:
        with store_if_any(folder) as store:
            had = what_was_collected(folder, store)
    if had:
        raise RatifyError(f"{why}: {' and '.join(had)}", file=folder, allowed=allowed)


def _refuse_foreign(items: Path, plan: Plan) -> None:
    """Refuse to replace a table of items that is neither a sample nor the demo's."""
    from prereg.plan.causal import SAMPLE_COLUMNS
    from prereg.tables.notes import heard_by
    from prereg.tables.reader import read_table
    from study.scaffold import are_demo_items

    if not items.exists():
        return
    with heard_by(None):
        table = read_table(items, plan.data.reading("items"))
    if set(SAMPLE_COLUMNS) <= set(table.columns):
        return
    texts = {row.get("item_id", ""): row.get("text", "") for row in table.rows}
    if are_demo_items(texts) or _all_in_frame(texts, items.parent, plan):
        return
    raise RatifyError(
        "holds items that `ratify sample` did not draw, which would be lost",
        file=items,
        allowed="--replace, or another place for them",
    )


def _all_in_frame(texts: dict[str, str], folder: Path, plan: Plan) -> bool:
    """Say whether every item is a unit of the frame, so that nothing is lost with it."""
    from prereg.frame.reading import causal_of, read_units

    scores = tuple(part.score for part in causal_of(plan, folder).scores.values())
    units = read_units(folder, plan, without=scores)
    return texts.items() <= {row["item_id"]: row["text"] for row in units.rows}.items()


def add_scores(folder: Path, plan: Plan, paths: tuple[Path, ...]) -> None:
    """Write a judge's scores into the frame."""
    from prereg.frame.reading import causal_of, read_units
    from prereg.frame.scores import judge_scores, write_scores

    columns = tuple(part.score for part in causal_of(plan, folder).scores.values())
    units = read_units(folder, plan, without=columns)
    found = judge_scores(paths, plan, [row["item_id"] for row in units.rows])
    write_scores(units, found)
    for column, of_item in found.items():
        click.echo(f"{units.path}: {len(of_item):,} of {len(units.rows):,} units got {column}")


def _pilot(folder: Path, named: str | None, given: Path | None) -> Path | None:
    """Return the table of the pilot: that of the plan, or that of the command line."""
    if named is None:
        return given
    of_plan = folder / named
    if given is not None and given.resolve() != of_plan.resolve():
        raise RatifyError(
            "the plan names another pilot", file="--pilot", value=str(given), allowed=str(of_plan)
        )
    return of_plan
