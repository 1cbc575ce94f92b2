"""`ratify embed`: turns the texts of a causal study's frame into vectors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from prereg.errors import RatifyError
from ratify.chats import refuse_chat
from ratify.command_line import STUDY, main
from ratify.shown import Shown

if TYPE_CHECKING:
    from prereg.plan.model import Plan
    from prereg.tables.reading import Reading
    from study.encoders.embedding import Embedding


def embed_frame(
    folder: Path,
    frame: str,
    column: str,
    setting: str | Mapping[str, str],
    *,
    scheduler: str | None = None,
    reading: Reading | None = None,
) -> Path:
    """Embed a column of a frame, and write `embeddings.parquet` into the study folder.

    Parameters
    ----------
    folder : Path
        The study folder.
    frame : str
        A file in it.
    column : str
        That holds the texts.
    setting : str or mapping
        The encoder, as the plan has it.
    scheduler : str, optional
        The address of a Dask scheduler whose workers embed.
    reading : Reading, optional
        How the frame's cells are read.

    Returns
    -------
    Path
        Of the file that was written.

    Raises
    ------
    RatifyError
        When the frame, a text, the encoder or the scheduler cannot be used. What is finished is
        kept.
    """
    from prereg.executor import executor_of
    from study.encoders.door import chosen
    from study.encoders.embedding import Embedding
    from study.encoders.encoder import TextFaultError
    from study.encoders.served import Served
    from study.encoders.tables import EMBEDDINGS_FILE, read_texts, write_embeddings

    choice = chosen(setting)
    if choice.is_served and scheduler is not None:
        raise RatifyError(
            "the plan's encoder is a server, which this machine asks itself",
            column="--scheduler",
            value=scheduler,
            allowed="no scheduler with this encoder",
        )
    texts = read_texts(folder / frame, column, reading)
    embedding = Embedding(folder, choice, texts.texts)
    if isinstance(embedding.encoder, Served):
        embedding.encoder.tell = partial(click.echo, err=True)
    _say_before(embedding, len(texts.texts))
    try:
        if embedding.left:
            with (
                executor_of(scheduler) as executor,
                Shown(embedding.left, things="texts", label="texts embedded") as shown,
            ):
                embedding.finish(executor, told=shown.tell)
    except TextFaultError as fault:
        raise texts.fault(fault) from fault
    vectors = embedding.vectors()
    path = folder / EMBEDDINGS_FILE
    write_embeddings(path, texts, vectors, embedding.encoder)
    _say_after(embedding, path, vectors.shape)
    return path


def embed_plan(folder: Path, plan: Plan, *, scheduler: str | None = None) -> Path:
    """Embed the texts of a plan's frame with the plan's encoder; see `embed_frame`.

    Raises
    ------
    RatifyError
        Also when the plan has no causal section.
    """
    causal = plan.causal
    if causal is None:
        raise RatifyError(
            "the plan has no causal section, so there is nothing to embed",
            file=folder / "plan.yaml",
            allowed="causal.frame and causal.confounders",
        )
    confounders = causal.confounders
    encoder = confounders.encoder
    setting = encoder if isinstance(encoder, str) else encoder.model_dump()
    return embed_frame(
        folder,
        causal.frame,
        confounders.text,
        setting,
        scheduler=scheduler,
        reading=plan.data.reading("frame"),
    )


def _say_before(embedding: Embedding, units: int) -> None:
    kept = embedding.total - embedding.left
    known = f", {kept:,} of them kept from before" if kept else ""
    click.echo(
        f"encoder {embedding.encoder.name}: {units:,} units, {embedding.total:,} different "
        f"texts{known}"
    )


def _say_after(embedding: Embedding, path: Path, shape: tuple[int, ...]) -> None:
    from study.encoders.served import Served

    encoder = embedding.encoder
    if isinstance(encoder, Served) and encoder.count.requests:
        click.echo(
            f"{encoder.count.requests:,} requests, {encoder.count.tokens:,} tokens by the "
            "server's count"
        )
    if encoder.lexical:
        click.echo("the encoder is lexical: it matches words, not meaning")
    click.echo(f"wrote {shape[1]:,} components of {shape[0]:,} units to {path}")


@main.command()
@STUDY
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Let the workers of this Dask scheduler embed, for example tcp://10.0.0.5:8786.",
)
@click.pass_context
def embed(ctx: click.Context, folder: Path, scheduler: str | None) -> None:
    """Embed the texts of the frame in DIR with the encoder that the plan names.

    DIR/embeddings.parquet gets one row per unit. Each text is embedded once and its vector is kept
    in DIR/.embeddings, so a run that was stopped goes on, and a second run costs nothing.
    """
    refuse_chat(
        folder, "embed", "embeds the frame of a causal study", "a study with a causal section"
    )
    from prereg.plan.file import load_plan

    try:
        embed_plan(folder, load_plan(folder), scheduler=scheduler)
    except KeyboardInterrupt:
        click.echo("stopped; what is finished is kept, and the next run goes on", err=True)
        ctx.exit(130)
