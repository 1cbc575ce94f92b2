"""`ratify turns`: reads WildChat into turn-pairs, filtered and counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError
from ratify.command_line import main
from ratify.shown import Shown

if TYPE_CHECKING:
    from study.turns.flow import Flow
    from study.turns.making import Made
    from study.turns.sampling import Sample
    from study.turns.shards import Shards


@main.command()
@click.argument("shards", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder to write: turns.parquet, and what each filter removed as flow.json, flow.csv, "
    "flow.svg and flow.png. It is replaced if it holds nothing else.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Read only the first N conversations, for a taste.",
)
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="Also draw N turn-pairs for the judge, stratified by model, turn and local hour, and "
    "write them as frame.parquet with their probability of being drawn. Needs --seed.",
)
@click.option("--seed", type=click.IntRange(0), metavar="S", help="The seed of the sample.")
def turns(
    shards: tuple[Path, ...], out: Path, limit: int | None, sample: int | None, seed: int | None
) -> None:
    """Read WildChat into turn-pairs: a prompt, its reply and the next user turn.

    SHARDS are the Parquet files of WildChat-1M or WildChat-4.8M, or folders that hold them. Kept
    are conversations in English, without code or instructions, not toxic, not redacted and of at
    least 3 turns; docs/turns.md has the rules.
    """
    from prereg.files import replaced_folder
    from study.turns.making import FLOW_CSV, FLOW_JSON, TURNS, make_turns, refuse_nothing
    from study.turns.sampling import FRAME, draw_sample
    from study.turns.shards import find_shards

    if (sample is None) != (seed is None):
        given, lacking = ("--seed", "--sample") if sample is None else ("--sample", "--seed")
        raise RatifyError(f"{given} needs {lacking}", allowed="--sample N --seed S")
    found = find_shards(shards)
    click.echo(_recognised(found))
    pictures = ("flow.svg", "flow.png")
    names = (TURNS, FLOW_JSON, FLOW_CSV, *pictures)
    drawn = None
    with replaced_folder(out, ours=(*names, FRAME)) as beside:
        total = found.conversations if limit is None else min(limit, found.conversations)
        with Shown(total, things="conversations", label="conversations") as shown:
            made = make_turns(found, beside, limit=limit, tell=shown.tell)
        refuse_nothing(made.flow, found, limit=limit)
        if sample is not None and seed is not None:
            drawn = draw_sample(beside / TURNS, beside / FRAME, size=sample, seed=seed)
        _draw(made.flow, beside)
    for line in _found(found, made, drawn, sample):
        click.echo(line)
    written = (*names, FRAME) if drawn else names
    click.echo(f"wrote {', '.join(written)} in {out}/")


def _recognised(shards: Shards) -> str:
    files = _counted(len(shards.paths), "file")
    talks = _counted(shards.conversations, "conversation")
    return f"{shards.release.name}: {files}, {talks}; {shards.release.note}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _draw(flow: Flow, folder: Path) -> None:
    """Draw the flow as SVG and PNG."""
    from analysis.evidence.figures import FlowWords, plot_flow
    from analysis.results.figure_style import png, svg
    from prereg.files import write_bytes, write_text

    words = FlowWords(
        first="Read",
        between="",
        last="Kept",
        units={
            "conversations": ("conversation", "conversations"),
            "turn_pairs": ("turn-pair", "turn-pairs"),
        },
        every_unit=True,
    )
    rows = [
        {
            "rule": row["removes"],
            "unit": row["unit"],
            "before": row["before"],
            "excluded": row["removed"],
            "after": row["after"],
        }
        for row in flow.rows()
    ]
    axes = plot_flow(rows, words=words)
    write_text(folder / "flow.svg", svg(axes))
    write_bytes(folder / "flow.png", png(axes))


def _table(flow: Flow) -> list[str]:
    """Return what each filter removed as the lines of a small table."""
    rows = list(flow.rows())
    steps = [("", "conversations", "turn-pairs"), ("Read", *_pair(rows[:2], "before"))]
    steps += [
        (rows[at]["removes"], *_pair(rows[at : at + 2], "removed", "-"))
        for at in range(0, len(rows), 2)
    ]
    steps.append(("Kept", *_pair(rows[-2:], "after")))
    return [f"{name:<33}{talks:>13}{pairs:>13}" for name, talks, pairs in steps]


def _pair(rows: list[dict[str, Any]], column: str, sign: str = "") -> tuple[str, str]:
    talks, pairs = (int(row[column]) for row in rows)
    return f"{sign * (talks > 0)}{talks:,}", f"{sign * (pairs > 0)}{pairs:,}"


def _found(shards: Shards, made: Made, drawn: Sample | None, asked: int | None) -> list[str]:
    """Return what was found, one line each."""
    from study.turns.making import said_of_toxic

    toxic = said_of_toxic(shards, made.flow)
    lines = [*_table(made.flow), *_of_flow(made.flow), *([toxic] if toxic else [])]
    gaps = {
        "the address of their user (each of their conversations counts as a user of its own)": (
            made.gaps.address
        ),
        "the time of their reply": made.gaps.time,
        "a local hour that is certain": made.gaps.local_hour,
    }
    lines += [
        f"{count:,} of {_counted(made.flow.left, 'turn-pair')} "
        f"{'lacks' if count == 1 else 'lack'} {what}"
        for what, count in gaps.items()
        if count
    ]
    if drawn is not None:
        made_of = ", ".join(drawn.by) or "nothing: one stratum"
        lines.append(
            f"sample: {drawn.size:,} of {_counted(drawn.of, 'turn-pair')}, "
            f"{len(drawn.strata):,} {'stratum' if len(drawn.strata) == 1 else 'strata'} by "
            f"{made_of}"
        )
        if asked is not None and drawn.size < asked:
            lines.append(f"sample: {asked:,} were asked for, and there are only {drawn.size:,}")
    return lines


def _of_flow(flow: Flow) -> list[str]:
    """Return what the table of the flow does not show: what was missing, and what was repeated."""
    lines = []
    missing = [f"{name} in {count:,}" for name, count in flow.missing.items() if count]
    if missing:
        lines.append(f"missing, so that the conversation left: {', '.join(missing)}")
    if flow.repeated_utterances:
        again = _counted(flow.repeated_utterances, "utterance")
        lines.append(
            f"{again} occurred again in the same conversation; "
            f"{_counted(flow.repeated_rounds, 'whole round')} of them "
            f"{'is' if flow.repeated_rounds == 1 else 'are'} among the repeated rounds"
        )
    return lines
