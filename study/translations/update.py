"""Keep the catalogues of translations up to date: extract the strings, merge them, compile them.

`python -m study.translations.update` does all of this. `--check` only says what it would change. A
language code as an argument begins a new catalogue. The files depend on the sources alone: they
contain no date, no line number, and no name of a machine or a version.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from babel import Locale
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
ROOM = HERE.parent
TEMPLATE = HERE / "messages.pot"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
READERS = {".py": "python", ".html": "jinja2.ext:babel_extract"}
# The lines of Babel's header that a reader of a catalogue needs.
HEADER = ("Language:", "Plural-Forms:", "MIME-Version:", "Content-Type:", "Content-Transfer-")


class Plain(Catalog):
    """A catalogue whose header does not say when, where and with what it was made."""

    def __iter__(self) -> Iterator[Message]:
        """Yield the header and every message."""
        header, *messages = super().__iter__()
        lines = str(header.string).splitlines(keepends=True)
        yield Message("", "".join(line for line in lines if line.startswith(HEADER)))
        yield from messages


def po_file(language: str) -> Path:
    """Return the file of a language's catalogue; the compiled catalogue is beside it."""
    return HERE / language / "LC_MESSAGES" / "messages.po"


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(path.parent.parent.name for path in HERE.glob("*/LC_MESSAGES/messages.po"))


def extract() -> Catalog:
    """Return every string marked for translation, in the order of the files."""
    found = Plain(
        header_comment="# Every string of the rater's pages.\n"
        "# Made by `make translations`; not to be edited.",
        fuzzy=False,
    )
    for path in sorted(path for path in ROOM.rglob("*") if path.suffix in READERS):
        place = path.relative_to(ROOM.parent).as_posix()
        for line, message, comments, context in extract_from_file(
            READERS[path.suffix], path, KEYWORDS, options={"silent": "false"}
        ):
            found.add(message, None, [(place, line)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """Return a language's catalogue from disk, or an empty one if there is none."""
    comment = (
        f"# The rater's pages in {Locale.parse(language).english_name}.\n"
        "# Translate the msgstr lines, then run `make translations`."
    )
    catalog = Plain(language, header_comment=comment, fuzzy=False)
    path = po_file(language)
    if path.exists():
        with path.open("rb") as stream:
            old = read_po(stream, locale=language, abort_invalid=True)
        catalog.mime_headers = old.mime_headers  # keeps the file's plural forms
        for message in old:
            if message.id:
                catalog[message.id] = message
    return catalog


def merge(language: str, template: Catalog) -> Catalog:
    """Return a catalogue with the template's strings; inexact matches are marked fuzzy."""
    catalog = read(language)
    catalog.update(template, update_header_comment=False)
    return catalog


def as_text(catalog: Catalog) -> bytes:
    """Return a catalogue as the text that translators edit."""
    stream = io.BytesIO()
    write_po(
        stream, catalog, width=0, include_lineno=False, ignore_obsolete=True, include_previous=True
    )
    return stream.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return a catalogue in gettext's compiled form, without fuzzy or missing translations."""
    stream = io.BytesIO()
    write_mo(stream, catalog)
    return stream.getvalue()


def built(*more: str) -> dict[Path, bytes]:
    """Return the content that every file here should have, with those of new languages."""
    template = extract()
    files = {TEMPLATE: as_text(template)}
    for language in sorted({*languages(), *more}):
        catalog = merge(language, template)
        files[po_file(language)] = as_text(catalog)
        files[po_file(language).with_suffix(".mo")] = compiled(catalog)
    return files


def stale(files: dict[Path, bytes]) -> list[Path]:
    """Return which of these files are missing or out of date on disk."""
    return [path for path, text in files.items() if not path.exists() or path.read_bytes() != text]


def faults(language: str) -> list[str]:
    """Return what is left for a translator to do: one line for each string."""
    catalog = read(language)
    wrong = {message.id: str(errors[0]) for message, errors in catalog.check()}
    found = []
    for message in catalog:
        given = message.string if isinstance(message.string, tuple) else (message.string,)
        if not message.id:
            continue
        if not all(given):
            fault = "is not translated"
        elif message.fuzzy:
            fault = "is fuzzy"
        elif message.id in wrong:
            fault = wrong[message.id]
        else:
            continue
        english = message.id if isinstance(message.id, str) else message.id[0]
        found.append(f"{language}: {fault}: {english}")
    return found


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; say what is out of date.")
@click.argument("new", nargs=-1, metavar="[LANGUAGE]...")
def main(*, check: bool, new: tuple[str, ...]) -> None:
    """Extract the strings of the rater's pages, update every catalogue, and compile it."""
    files = built(*new)
    changed = stale(files)
    for path in changed:
        click.echo(f"{'out of date' if check else 'written'}: {path.relative_to(ROOM.parent)}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[path])
    left = [line for language in languages() for line in faults(language)]
    for line in left:
        click.echo(line)
    sys.exit(1 if left or (check and changed) else 0)


if __name__ == "__main__":
    main()
