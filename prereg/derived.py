"""What chains a derived study folder to the study that its items come from.

`ratify items` derives the studies `judging/` and `compare/` of a chat. What they were derived from
is in `derived.json`, which their locks hash as a part of its own. Their locks hash each item with
the SHA-256 of its text instead of the text, so that the text can be erased when the participant
withdraws: `erased.csv` then holds that digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from prereg import files
from prereg.errors import RatifyError
from prereg.tables.reader import read_table, write_csv
from prereg.tables.reading import OWN

DERIVED_FILE, ERASED_FILE = "derived.json", "erased.csv"
PART = "chained"  # the name of the part
# Also read by raters of a comparison that goes on.
ERASED_TEXT = "(This conversation was withdrawn. Choose either side; this answer does not count.)"
JUDGING, COMPARE = "judging", "compare"
_COLUMNS = ("item_id", "text_sha256", "erased_at")


@dataclass(frozen=True)
class Chained:
    """What a derived study was derived from.

    Attributes
    ----------
    stage : {'judging', 'compare'}
    plan_hash : str
        Of the chat's lock.
    mode : str
        Of the conversations: live, pilot or bot.
    inputs : str
        SHA-256 of what its items were derived from.
    judging : str
        The plan hash of the study `judging/`; empty in that study itself.
    """

    stage: str
    plan_hash: str
    mode: str
    inputs: str
    judging: str = ""

    def write(self, folder: Path) -> None:
        """Write it into a study folder."""
        files.write_json(folder / DERIVED_FILE, asdict(self))


def chained(folder: Path) -> Chained | None:
    """Return what a study folder was derived from; None if it is a study of its own.

    Raises
    ------
    RatifyError
        When the file is not what `ratify items` wrote.
    """
    path = folder / DERIVED_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Chained(**{str(name): str(value) for name, value in content.items()})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise RatifyError(
            "is not what `ratify items` wrote", file=path, allowed="the file as it was"
        ) from error


def chained_part(folder: Path) -> dict[str, str]:
    """Return the part of the lock that chains a study to another; empty if there is none."""
    found = chained(folder)
    return {} if found is None else asdict(found)


def erased(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the text of every erased item of a derived study, by its id."""
    if not (folder / ERASED_FILE).exists():
        return {}
    table = read_table(folder / ERASED_FILE, OWN)
    table.require(*_COLUMNS)
    return {row["item_id"]: row["text_sha256"] for row in table.rows}


def erased_at(folder: Path) -> list[str]:
    """Return when each text of a derived study was erased; empty if none was."""
    if not (folder / ERASED_FILE).exists():
        return []
    return [row["erased_at"] for row in read_table(folder / ERASED_FILE, OWN).rows]


def hashed_items(folder: Path, rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return rows of the items as the lock of a study folder hashes them.

    In a derived study a text stands for its SHA-256, also after it was erased.
    """
    if not (folder / DERIVED_FILE).exists():
        return [dict(row) for row in rows]
    return with_digests(rows, erased(folder))


def with_digests(
    rows: Sequence[Mapping[str, str]], gone: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return rows of items with the SHA-256 of each text in its place; `gone` is from `erased`."""
    return [
        {
            **row,
            "text": gone[row["item_id"]]
            if row.get("text") == ERASED_TEXT and row.get("item_id") in gone
            else files.sha256(row.get("text", "").encode()),
        }
        for row in rows
    ]


def inputs_hash(rows: Sequence[Mapping[str, str]]) -> str:
    """Return one hash of items as `hashed_items` returns them."""
    return files.sha256(files.canonical_json([dict(row) for row in rows]))


def erase(folder: Path, items: Sequence[str], *, at: str) -> int:
    """Erase the texts of items from a derived study folder.

    Parameters
    ----------
    folder : Path
    items : sequence of str
        Their ids; what is erased already, or is not there, is left alone.
    at : str
        When, ISO 8601, UTC.

    Returns
    -------
    int
        How many texts were erased now.
    """
    path = folder / "items.csv"
    table = read_table(path, OWN)
    known = erased(folder)
    wanted = set(items)
    # a run that was stopped may have written the digest alone
    now = [row for row in table.written if row["item_id"] in wanted and row["text"] != ERASED_TEXT]
    if not now:
        return 0
    there = read_table(folder / ERASED_FILE, OWN).written if known else []
    digests = [
        {
            "item_id": row["item_id"],
            "text_sha256": files.sha256(row["text"].encode()),
            "erased_at": at,
        }
        for row in now
        if row["item_id"] not in known
    ]
    # first the digests: a text without its digest could never be checked again
    write_csv(folder / ERASED_FILE, list(_COLUMNS), [*there, *digests])
    rows = [
        {**row, "text": ERASED_TEXT} if row["item_id"] in wanted else row for row in table.written
    ]
    write_csv(path, list(table.columns), rows)
    return len(now)
