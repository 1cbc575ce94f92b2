"""`ratify document`: writes the documents of a plan, for registries, a board and a stranger."""

from __future__ import annotations

from pathlib import Path

import click

from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write them. Default: DIR/preregistration",
)
def document(folder: Path, out: Path | None) -> None:
    """Write the documents of the plan in DIR: what a registry, a board and a stranger need.

    aspredicted and osf answer the questions of these registries; data_management is for an ethics
    board; study is the full document. Each is Markdown, and HTML to print. preregr.yaml and
    preregr.json are a specification for the R package preregr. From study.md or a preregr file,
    `ratify import-preregr` rebuilds the study. A study of kind chat has only the full document,
    with everything that people and models read.
    """
    from prereg.chat.document import CHAT_NAMES
    from prereg.chat.file import is_chat
    from prereg.documents.data_management import missing_keys
    from prereg.documents.writing import NAMES
    from study.opening import open_study

    if is_chat(folder):
        click.echo(f"wrote {documents_of(folder, out)}/: {', '.join(CHAT_NAMES)}")
        return
    study = open_study(folder)
    place = documents_of(folder, out)
    click.echo(f"wrote {place}/: {', '.join(NAMES)}")
    if study.lock is None:
        click.echo("the plan is not locked; the documents say so")
    gone = missing_keys(study.plan)
    if gone:
        click.echo(f"data_management does not say: {', '.join(gone)}")


def documents_of(folder: Path, out: Path | None = None) -> Path:
    """Write the documents of a study, and return their folder.

    Raises
    ------
    RatifyError
        When something in the study folder is wrong, or the documents cannot be written.
    """
    from prereg.chat.document import write_chat_document
    from prereg.chat.file import is_chat
    from prereg.documents.writing import write_documents
    from study.chat.documented import chat_material
    from study.documented import material_of

    if is_chat(folder):
        return write_chat_document(chat_material(folder), out)
    return write_documents(material_of(folder, power=_power(folder)), out)


def _power(folder: Path) -> tuple[str, ...]:
    """Return what `ratify power` found of the plan as it is; say so if it is of another version."""
    from analysis.planning.kept import key_of
    from analysis.planning.label_powering import label_key_of
    from prereg.documents.power import LABELS_FILE, POWER_FILE, power_sentences
    from prereg.errors import RatifyError
    from prereg.plan.file import load_plan
    from prereg.tables.items import read_items

    def of_plan() -> str:
        plan = load_plan(folder)
        items = read_items(folder / plan.materials.items, plan.data.reading("items"))
        return key_of(plan, items)

    found: list[str] = []
    for file, key in ((POWER_FILE, of_plan), (LABELS_FILE, lambda: label_key_of(folder))):
        if not (folder / file).exists():
            continue
        try:
            found += power_sentences(folder, key(), file=file)
        except RatifyError as error:
            click.echo(f"note: {error}", err=True)
    return tuple(found)


def say_document(folder: Path) -> None:
    """Write the documents of a study that has just been locked, and say which one to register.

    The lock stands, whatever stops the documents.
    """
    from prereg.errors import RatifyError

    try:
        place = documents_of(folder)
    except RatifyError as error:
        click.echo(f"ratify: the documents were not written: {error}", err=True)
        return
    click.echo(
        f"document  {place / 'study.md'} is the document to register, with all that it names"
    )
