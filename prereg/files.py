"""Writes every file beside its target and then renames it, so that none is ever half-written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError

# Only the owner may read and write.
PRIVATE = 0o600
# tempfile makes files that only their owner can read; ours follow the user's umask instead. Reading
# the umask means setting it, so this is done once, before there are threads.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


def write_bytes(path: Path, content: bytes, *, private: bool = False) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : Path
    content : bytes
    private : bool
        Whether only the owner may read the file.

    Raises
    ------
    RatifyError
        When the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            beside.chmod(PRIVATE if private else 0o666 & ~_UMASK)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise RatifyError(f"cannot write this file: {error.strerror}", file=path) from error


def write_text(path: Path, content: str, *, private: bool = False) -> None:
    """Write text as UTF-8; see `write_bytes`."""
    write_bytes(path, content.encode("utf-8"), private=private)


def made_once(path: Path, content: str) -> str:
    """Return the text of a file that only its owner may read; make it if there is none.

    If several processes make it at once, all get the text of the first.

    Raises
    ------
    RatifyError
        When the file cannot be made or read, or is empty.
    """
    try:
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(content + "\n")
        for _ in range(50):
            kept = path.read_text(encoding="utf-8").strip()
            if kept:
                return kept
            time.sleep(0.02)  # another process has made the file, but not written to it yet
    except OSError as error:
        raise RatifyError(f"cannot be made or read: {error.strerror}", file=path) from error
    raise RatifyError("is empty", file=path, allowed="remove it, and Ratify makes a new one")


def make_private(path: Path) -> None:
    """Let only the owner read a file; one that is absent or somebody else's stays as it is."""
    with contextlib.suppress(OSError):
        if path.stat().st_mode & 0o077:
            path.chmod(PRIVATE)


def write_json(path: Path, content: Any) -> None:
    """Write an object as indented JSON with a final newline; see `write_bytes`."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def replaced_folder(path: Path, *, ours: Collection[str] | None) -> Iterator[Path]:
    """Yield an empty folder that replaces `path` only if the block ends without an error.

    Parameters
    ----------
    path : Path
        The folder to replace; it need not exist.
    ours : collection of str or None
        Names that may be replaced. A folder that holds anything else is refused. None if the
        caller has already checked.

    Raises
    ------
    RatifyError
        When `path` is a file, holds something that is not ours, or cannot be written.
    """
    if path.exists() and not path.is_dir():
        raise RatifyError("is a file, but a folder should be written here", file=path)
    given, path = path, path.resolve()  # "." has no name, and a link stays a link
    foreign = sorted(p.name for p in path.iterdir()) if ours is not None and path.exists() else []
    for name in foreign:
        if name not in (ours or ()):
            raise RatifyError(
                f"holds '{name}', which would be lost", file=given, allowed="a new or empty folder"
            )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise RatifyError(f"cannot write here: {error.strerror}", file=given) from error
    try:
        yield beside
        beside.chmod(0o777 & ~_UMASK)
        if path.exists() and not any(path.iterdir()):
            # somebody may be standing in an empty folder that they have just made
            for child in sorted(beside.iterdir()):
                child.rename(path / child.name)
        elif path.exists():
            old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
            path.rename(old / path.name)
            beside.rename(path)
            shutil.rmtree(old)
        else:
            beside.rename(path)
    except RatifyError as error:
        error.move(beside, given)  # nobody ever sees the folder beside
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(content: Any) -> bytes:
    """Return a JSON value as canonical bytes: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8")
