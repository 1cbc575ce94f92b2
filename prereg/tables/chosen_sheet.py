"""Splits `FILE#SHEET`, the name of a workbook and of the sheet that is to be read."""

from __future__ import annotations

from pathlib import Path


def file_and_sheet(path: Path) -> tuple[Path, str | None]:
    """Return the file of a table, and the name of its sheet if one is chosen.

    A file whose own name contains '#' is still a file.

    Parameters
    ----------
    path : Path
        `ratings.xlsx`, or `ratings.xlsx#helpfulness`.
    """
    whole = str(path)
    for at in [place for place, sign in enumerate(whole) if sign == "#"]:
        if path.exists():
            break
        file = Path(whole[:at])
        if whole[at + 1 :].strip() and file.is_file():
            return file, whole[at + 1 :].strip()
    return path, None
