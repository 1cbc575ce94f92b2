"""`ratify import-preregr`: rebuilds a study from its document, or begins one from a form."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ratify.command_line import main


@main.command("import-preregr")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--with-lock",
    is_flag=True,
    help="Also restore the lock, its date and its amendments; by default the study can be locked "
    "anew.",
)
@click.option(
    "--plan",
    "worked",
    default="pairwise_preference",
    show_default=True,
    help="The worked plan that takes up a specification which Ratify did not write.",
)
def import_preregr(file: Path, folder: Path, with_lock: bool, worked: str) -> None:
    """Make a study folder DIR from FILE: study.md, preregr.yaml or preregr.json.

    From a document of Ratify the whole study is rebuilt: plan, items, sequences, texts, prompts,
    images; its plan hash is compared with the one in the document. Of another specification of the
    R package preregr, the title, the hypotheses and the sample size go into a worked plan, and the
    command says what it could not take.
    """
    from prereg.documents.reading import Specification, read_document
    from study.rebuilding import begin_study, rebuild_study

    found, word = read_document(file), shlex.quote(str(folder))
    if isinstance(found, Specification):
        begun = begin_study(found, folder, worked=worked)
        click.echo(f"{folder}: the worked plan {worked}, with the items of the demo")
        for line in begun.taken:
            click.echo(f"taken      {line}")
        for line in begun.left:
            click.echo(f"not taken  {line}")
        click.echo(f"Next: read and edit plan.yaml in {folder}, then `ratify check {word}`")
        return
    study = rebuild_study(found, folder, file=file, with_lock=with_lock)
    click.echo(f"{folder}: {len(study.items)} items, {len(study.sequences)} sequences")
    click.echo(f"plan hash {study.plan_hash}, as in {file}")
    if study.lock is None:
        click.echo(f"Next: `ratify lock {word}`")
    else:
        click.echo(f"locked    at {study.lock.locked_at}")
