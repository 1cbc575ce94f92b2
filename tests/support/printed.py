"""A report printed by Chromium, looked at page by page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from playwright.sync_api import Page

# A page whose last line is above this share of its height is nearly blank.
NEARLY_BLANK = 0.2


@dataclass(frozen=True)
class PrintedPage:
    """One page: its text without spaces, and where its ink begins and ends, as shares."""

    text: str
    left: float
    right: float
    bottom: float


def printed(page: Page, path: Path, into: Path) -> list[PrintedPage]:
    """Print a page to PDF and return what is on each sheet."""
    page.goto(path.as_uri())
    page.pdf(path=str(into), prefer_css_page_size=True, print_background=True)
    document = pypdfium2.PdfDocument(into)
    try:
        return [_seen(document[number]) for number in range(len(document))]
    finally:
        document.close()


def faults(sheets: list[PrintedPage]) -> list[str]:
    """Return what is wrong with the sheets: nearly blank ones, and ink at the paper's edge."""
    found = []
    for number, sheet in enumerate(sheets, start=1):
        last = number == len(sheets)
        if sheet.bottom < NEARLY_BLANK and not last:
            found.append(f"page {number} is nearly blank")
        if sheet.left < 0.03 or sheet.right > 0.97:
            found.append(f"page {number} reaches the paper's edge")
    return found


def squeezed(text: str) -> str:
    """Return text as it is compared: without spaces, because lines break anywhere."""
    return "".join(text.split()).replace("\u00ad", "").replace("\ufffe", "")


def _seen(sheet: Any) -> PrintedPage:
    grey = sheet.render(scale=0.6, grayscale=True).to_numpy()
    ink = np.asarray(grey).reshape(grey.shape[0], grey.shape[1], -1)[:, :, 0] < 200
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    read = sheet.get_textpage()
    text = squeezed(read.get_text_range())
    read.close()
    if not rows.size:
        return PrintedPage(text, 0.5, 0.5, 0.0)
    return PrintedPage(
        text,
        float(columns[0]) / ink.shape[1],
        float(columns[-1]) / ink.shape[1],
        float(rows[-1]) / ink.shape[0],
    )
