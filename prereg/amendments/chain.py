"""Reads the chain of amendments and checks that it follows from the lock, link by link."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE, Amendment
from prereg.errors import RatifyError

_AS_IT_WAS = "the file as `ratify amend` left it"


def read_amendments(
    folder: Path, *, plan_hash: str, of_lock: Mapping[str, str]
) -> tuple[Amendment, ...]:
    """Return the amendments of a study folder in order; none if there is no such file.

    Parameters
    ----------
    folder : Path
    plan_hash : str
        Of the lock.
    of_lock : mapping
        What every amendment says of the lock: when, by which tool and code it was made.

    Raises
    ------
    RatifyError
        When a line is not an amendment, its hash does not follow from it, one is missing or out of
        order, or its time is before that of the version before it.
    """
    path = folder / AMENDMENTS_FILE
    try:
        lines = lines_of(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError("cannot be read", file=path, allowed=_AS_IT_WAS) from error
    found: list[Amendment] = []
    previous, at = plan_hash, of_lock["locked_at"]
    for row, line in enumerate(lines, start=1):
        amendment = _read_line(line, row, path)
        _check_link(amendment, row, path, previous=previous, at=at, of_lock=of_lock)
        found.append(amendment)
        previous, at = amendment.plan_hash, amendment.at
    return tuple(found)


def lines_of(text: str) -> list[str]:
    """Return the lines of a file of amendments; the signs U+2028 and U+0085 of a text end none."""
    return text.removesuffix("\n").split("\n") if text else []


def _read_line(line: str, row: int, path: Path) -> Amendment:
    try:
        amendment = Amendment.from_json(json.loads(line))
        seal = amendment.seal()
        hashes = {name: _hash(part) for name, part in amendment.locked.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RatifyError(
            "is not an amendment that `ratify amend` wrote", file=path, row=row, allowed=_AS_IT_WAS
        ) from error
    if seal != amendment.plan_hash:
        raise RatifyError(
            f"amendment {amendment.number} has been edited: its plan_hash does not follow from it",
            file=path,
            row=row,
            column="plan_hash",
            value=amendment.plan_hash,
            allowed=_AS_IT_WAS,
        )
    for name, digest in hashes.items():
        if digest != amendment.parts.get(name):
            raise RatifyError(
                f"amendment {amendment.number} does not hold the {name} that it hashes",
                file=path,
                row=row,
                column=f"locked.{name}",
                allowed=_AS_IT_WAS,
            )
    return amendment


def _check_link(
    amendment: Amendment,
    row: int,
    path: Path,
    *,
    previous: str,
    at: str,
    of_lock: Mapping[str, str],
) -> None:
    """Refuse an amendment that does not follow the version before it."""
    if amendment.number != row or amendment.previous != previous:
        raise RatifyError(
            f"amendment {amendment.number} does not follow the version before it: an amendment is "
            "missing, or they are not in order",
            file=path,
            row=row,
            column="previous",
            value=amendment.previous,
            allowed=previous,
        )
    if amendment.at < at:
        raise RatifyError(
            f"amendment {amendment.number} is dated before the version that it changes",
            file=path,
            row=row,
            column="at",
            value=amendment.at,
            allowed=f"{at} or later",
        )
    for name, value in amendment.of_lock.items():
        if of_lock.get(name) != value:
            raise RatifyError(
                f"the lock has been edited: amendment {amendment.number} saw another {name}",
                file=path.parent / "plan.lock.json",
                column=name,
                value=of_lock.get(name),
                allowed=value,
            )


def append_amendment(folder: Path, amendment: Amendment) -> None:
    """Append an amendment; the file is written whole or not at all.

    Raises
    ------
    RatifyError
        When the file cannot be written, or another amendment has been appended meanwhile.
    """
    path = folder / AMENDMENTS_FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if len(lines_of(before)) != amendment.number - 1:
        raise RatifyError(
            "another amendment was appended meanwhile", file=path, allowed="run it again"
        )
    line = json.dumps(amendment.to_json(), ensure_ascii=False, allow_nan=False)
    files.write_text(path, f"{before}{line}\n")


def changed_prefix(
    rows: Sequence[Mapping[str, str]], versions: Sequence[tuple[int, str]]
) -> int | None:
    """Return the number of the first version whose sequences are not the first rows any more.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of the sequences table, with its own columns only, as text.
    versions : sequence of (int, str)
        Of each version the number of rows, and the SHA-256 of its sequences.

    Returns
    -------
    int or None
        None if all are as they were.
    """
    for number, (count, digest) in enumerate(versions):
        if _hash([dict(row) for row in rows[:count]]) != digest:
            return number
    return None


def _hash(part: Any) -> str:
    return files.sha256(files.canonical_json(part))
