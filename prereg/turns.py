"""Lets one process at a time change what a study folder records: its amendments and its looks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from prereg.errors import RatifyError


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let only one process at a time into the block, by a lock on the folder itself.

    Raises
    ------
    RatifyError
        When the folder cannot be opened.
    """
    try:
        import fcntl
    except ImportError:  # no locks of this kind on this system: the chains show a lost line
        yield
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise RatifyError(f"cannot be opened: {error.strerror}", file=folder) from error
    try:
        with contextlib.suppress(OSError):  # some network disks have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # this also gives the lock back
