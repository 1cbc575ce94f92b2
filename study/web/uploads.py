"""Read a file that a researcher sends to the dashboard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from werkzeug.datastructures import FileStorage
from werkzeug.utils import secure_filename

from prereg.errors import RatifyError

# A recruitment platform's export is larger than any answer: about 300 bytes per rater.
UPLOAD_BYTES = 5_000_000
T = TypeVar("T")


def from_upload(sent: FileStorage, read: Callable[[Path], T]) -> T:
    """Read an uploaded file in a private folder; error messages use the file's own name.

    Raises
    ------
    RatifyError
        As `read` does.
    """
    name = secure_filename(sent.filename or "")[-100:] or "export.csv"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        sent.save(path)
        try:
            return read(path)
        except RatifyError as error:
            raise RatifyError(
                error.problem,
                file=name,
                row=error.row,
                column=error.column,
                value=error.value,
                allowed=error.allowed,
            ) from error
