"""What the documents of a study are made of: its plan, its texts, and the files that are hashed."""

from __future__ import annotations

import tempfile
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prereg.amendments.amendment import AMENDMENTS_FILE
from prereg.documents.attached import Attached, Role, plain_text
from prereg.errors import RatifyError
from prereg.images import Image
from prereg.lock import LOCK_FILE, Lock
from prereg.parts import SEQUENCES_FILE, sequence_columns
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.plan.table_judge import TableJudge
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.items import read_items
from prereg.tables.notes import heard_by
from prereg.tables.reader import Table, csv_text

FORMAT = 1
# A larger frame of a causal study is not carried: only its SHA-256 is.
LARGEST_FRAME = 1024 * 1024


@dataclass(frozen=True)
class ShownPrompt:
    """What a model reads, with stand-ins where the items' texts come.

    Attributes
    ----------
    judge : str
    use : str
        What it is used for, in words.
    name : str
        A prompt that comes with Ratify, or a file of the study folder.
    version : int
    digest : str
        SHA-256 of what reaches the model.
    system, user : str
        The two messages.
    """

    judge: str
    use: str
    name: str
    version: int
    digest: str
    system: str
    user: str


@dataclass(frozen=True)
class Material:
    """A study as its documents describe it.

    Attributes
    ----------
    folder : Path
    plan : Plan
    items : Table
    sequences : sequence of mapping
        Rows of the sequences table, as the lock has or would have them.
    texts : mapping
        Consent and instructions.
    images : mapping
        The images that the texts show, by their names there.
    parts : mapping
        SHA-256 by part.
    plan_hash : str
        The hash of the lock; of a study that is not locked, the one that it would get.
    tool : str
        Name and version of the program that writes the documents.
    lock : Lock or None
    prompts : sequence of ShownPrompt
    versions : mapping
        What the lock keeps about each judge.
    tie_answer : str
        The words of a pair's third answer, if the plan offers ties.
    files : sequence of Attached
    power : tuple of str
        What `ratify power` found, in sentences; empty if nothing was simulated of this plan.
    """

    folder: Path
    plan: Plan
    items: Table
    sequences: Sequence[Mapping[str, Any]]
    texts: Mapping[str, str]
    images: Mapping[str, Image]
    parts: Mapping[str, str]
    plan_hash: str
    tool: str
    lock: Lock | None = None
    prompts: Sequence[ShownPrompt] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    tie_answer: str = ""
    files: Sequence[Attached] = ()
    power: tuple[str, ...] = ()

    @property
    def locked(self) -> bool:
        """Whether the study is locked."""
        return self.lock is not None

    def manifest(self) -> dict[str, Any]:
        """Return what a document says about the study in JSON: its hashes and who wrote it."""
        return {
            "format": FORMAT,
            "written_by": self.tool,
            "study": self.plan.id,
            "locked": self.locked,
            "locked_at": self.lock.locked_at if self.lock else None,
            "locked_by": self.lock.tool if self.lock else None,
            "plan_hash": self.plan_hash,
            "parts": dict(sorted(self.parts.items())),
            "judges": dict(self.versions),
            "files": {file.name: file.sha256 for file in self.files},
        }


def attached_files(
    folder: Path,
    plan: Plan,
    *,
    prompts: Iterable[str],
    images: Iterable[str],
    sequences: Sequence[Mapping[str, Any]],
    locked: bool,
) -> tuple[Attached, ...]:
    """Return every file of a study that its hash depends on, as a document carries it.

    Line ends of texts and of CSV files of items become those of Unix, and texts lose a byte order
    mark, which leaves the hash as it is. Files that are not text are carried byte by byte.

    Parameters
    ----------
    folder : Path
    plan : Plan
    prompts : iterable of str
        Names of the prompts that are files of the study folder.
    images : iterable of str
        Names of the images that the texts show.
    sequences : sequence of mapping
        Rows of the sequences table, for a study that is not locked.
    locked : bool

    Raises
    ------
    RatifyError
        When a file cannot be read.
    """
    texts = [PLAN_FILE, plan.materials.consent, plan.materials.instructions, *sorted(set(prompts))]
    found = [Attached(name, _text(folder / name)) for name in dict.fromkeys(texts)]
    found.append(_items(folder, plan))
    if locked:
        found.append(Attached(SEQUENCES_FILE, _text(folder / SEQUENCES_FILE)))
    else:
        table = csv_text(sequence_columns(plan), sequences)
        found.append(Attached(SEQUENCES_FILE, table.encode("utf-8")))
    tables = [
        name for judge in plan.judges if isinstance(judge, TableJudge) for name in judge.files
    ]
    others = [*(_file_of(folder, name) for name in tables), *sorted(images), *_frame(folder, plan)]
    found += [Attached(name, _bytes(folder / name)) for name in dict.fromkeys(others)]
    if locked:
        role: Role = "lock"
        found += [
            Attached(name, _bytes(folder / name), role)
            for name in (LOCK_FILE, AMENDMENTS_FILE)
            if (folder / name).exists()
        ]
    return tuple({file.name: file for file in reversed(found)}.values())[::-1]


def _frame(folder: Path, plan: Plan) -> list[str]:
    """Return the name of the frame, if there is one that is small enough to be carried."""
    if plan.causal is None:
        return []
    path = folder / plan.causal.frame
    small = path.exists() and path.stat().st_size <= LARGEST_FRAME
    return [plan.causal.frame] if small else []


def _file_of(folder: Path, name: str) -> str:
    """Return the file of a table, without the sheet that may be named after it."""
    path, sheet = file_and_sheet(folder / name)
    return name if sheet is None else path.relative_to(folder).as_posix()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path) from error
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error


def _text(path: Path) -> bytes:
    """Return a text without a byte order mark and with Unix line ends, as the hash reads it."""
    return _bytes(path).removeprefix(BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _items(folder: Path, plan: Plan) -> Attached:
    """Return the table of items: as text if that gives the same rows, else as it is."""
    name = _file_of(folder, plan.materials.items)
    content = _bytes(folder / name)
    if plain_text(content) is not None or not name.endswith(".csv"):
        return Attached(name, content)
    reading = plan.data.reading("items")
    with tempfile.TemporaryDirectory() as place, heard_by(None):
        rows = read_items(folder / plan.materials.items, reading).written
        again = Path(place) / "items.csv"
        text = csv_text(list(rows[0]), rows).encode("utf-8")
        again.write_bytes(text)
        try:
            same = read_items(again, reading).written == rows
        except RatifyError:
            same = False
    return Attached(name, text if same else content)
