"""Work that Dask's workers do in tests; each call leaves a mark in a file."""

from __future__ import annotations

import os
import time
from pathlib import Path

from prereg.errors import RatifyError


def slow_square(chunk: tuple[int, str]) -> tuple[int, int]:
    """Return the square of a number and the process that computed it."""
    number, marks = chunk
    with Path(marks).open("a") as file:
        file.write(f"{number}\n")
    time.sleep(0.15)
    return number * number, os.getpid()


def refuse(row: int) -> None:
    """Raise the error of a wrong input."""
    raise RatifyError("cannot be", file="file.csv", row=row, column="text", allowed="another")
