"""The group of commands and what they share: options, one-line errors, opening a study."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prereg.errors import RatifyError
from prereg.tables.contract import MODES

if TYPE_CHECKING:
    from study.folder import Study
    from study.store.database import Store

# The last digits of sums depend on how many threads add them, and whoever verifies results has
# another number of processors. Libraries read this when they are loaded, so it comes first; with
# processes of our own, more threads would only wait for each other.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


def _no_file(_: click.Context, __: click.Parameter, folder: Path) -> Path:
    """Refuse a file, such as DIR/plan.yaml, where a command takes the folder that holds it."""
    if folder.is_file():
        inside = (folder.parent / "plan.yaml").exists()
        allowed = f"the study folder {folder.parent}" if inside else "a study folder"
        raise RatifyError("is a file", file=folder, allowed=allowed)
    return folder


STUDY = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path), callback=_no_file)
MODE = click.option(
    "--mode",
    type=click.Choice(MODES),
    default="live",
    show_default=True,
    help="Kind of data. Every table keeps the kinds apart.",
)
BLIND = click.option(
    "--blind",
    is_flag=True,
    help="Shuffle people's answers, to try the analysis before anybody sees a result.",
)
PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to serve on. If it is taken, the next free port is used; 0 means any free port.",
)


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Print a library's warning as one line without a path, each once; none should come."""
    said: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **_more: Any) -> None:
        line = f"ratify: {category.__name__}: {' '.join(str(message).split())}"
        if line not in said:
            said.add(line)
            click.echo(line, err=True)

    before = warnings.showwarning
    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


@contextlib.contextmanager
def _notes_once() -> Iterator[None]:
    """Print each note on how tables were read once, on standard error."""
    from prereg.tables.notes import heard_by

    said: set[str] = set()

    def show(note: str) -> None:
        if note not in said:
            said.add(note)
            click.echo(note, err=True)

    with heard_by(show):
        yield


class OneLine(click.Group):
    """A group whose commands end in one line and exit code 2 if an input is wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with _warnings_in_one_line(), _notes_once():
                return super().invoke(ctx)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "ratify"
            click.echo(f"{command}: {error.format_message()}", err=True)
            ctx.exit(2)
        except RatifyError as error:
            click.echo(f"ratify: {error}", err=True)
            ctx.exit(2)
        except Exception as error:
            said = _fault_of_database(error)
            if said is None:
                raise
            click.echo(f"ratify: {said}", err=True)
            ctx.exit(2)


@click.group(
    cls=OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="ratify-eval", prog_name="ratify")
def main() -> None:
    """Ask people whether an LLM judge may be believed: plan, lock, collect, analyse, report."""


def _fault_of_database(error: Exception) -> RatifyError | None:
    """Return the line for an error that a database raised while a command ran, else None."""
    if not type(error).__module__.startswith(("sqlalchemy.", "sqlite3", "study.store.")):
        return None
    from study.store.faults import fault

    return fault(error, "the store")


def on_terminal() -> bool:
    """Say whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def database() -> str | None:
    """Return the URL of the database, or None if it is SQLite in the study folder."""
    return os.environ.get("RATIFY_DATABASE_URL")


@contextlib.contextmanager
def own_stores() -> Iterator[None]:
    """Keep what a simulation makes in its own folders, whichever database the study itself has."""
    from study.store.engines import URL_VARIABLE

    given = os.environ.pop(URL_VARIABLE, None)
    try:
        yield
    finally:
        if given is not None:
            os.environ[URL_VARIABLE] = given


@contextlib.contextmanager
def store_of(folder: Path, *, new: bool = True) -> Iterator[Store]:
    """Open a folder's store, which is closed at the end of a with block.

    Where answers may be stored for the first time, the folder notes which database has them.
    """
    from study.store.database import mark_store, open_store
    from study.store.faults import fault

    with contextlib.closing(open_store(folder, database(), new=new)) as store:
        try:
            if new:
                mark_store(folder, store)
            yield store
        except Exception as error:
            if _fault_of_database(error) is None:
                raise
            raise fault(error, store.place) from error


@contextlib.contextmanager
def store_if_any(folder: Path) -> Iterator[Store | None]:
    """Open the store of a study; yield None if it never had one."""
    from study.store.database import BEGUN_FILE, ELSEWHERE_FILE, STORE_FILE

    marks = (STORE_FILE, BEGUN_FILE, ELSEWHERE_FILE)
    if not any((folder / name).exists() for name in marks):
        yield None
        return
    with store_of(folder, new=False) as store:
        yield store


@contextlib.contextmanager
def opened(
    folder: Path, *, same_judges: bool = False, new: bool = False
) -> Iterator[tuple[Study, Store]]:
    """Open a study and its store; the store is closed at the end of the with block.

    Parameters
    ----------
    folder : Path
    same_judges : bool
        See `study.opening.open_study`.
    new : bool
        Whether the store may be made; a command that reads answers must find some.
    """
    from study.opening import open_study

    study = open_study(folder, same_judges=same_judges)
    with store_of(folder, new=new) as store:
        yield study, store
