"""Pieces of Markdown: texts of the plan as words of a document, tables, lists, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Signs that Markdown would read as its own in the middle of a line.
_SIGNS = re.compile(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")
# a no-break space stays: it holds two words together
_SPACE = re.compile(r"[^\S\u00a0]+")

CORRECTIONS = {
    "none": "without a correction for the number of tests",
    "bonferroni": "corrected after Bonferroni",
    "holm": "corrected after Holm",
    "benjamini_hochberg": "corrected after Benjamini and Hochberg (false discovery rate)",
    "benjamini_yekutieli": "corrected after Benjamini and Yekutieli (false discovery rate)",
}


def inline(text: object) -> str:
    """Return a text as words within a line: one line, and no sign of it means anything else."""
    return _SIGNS.sub(r"\\\1", _SPACE.sub(" ", str(text)).strip())


def code(text: object) -> str:
    """Return a name, a formula or a value as it is written, between backticks."""
    words = _SPACE.sub(" ", str(text)).strip()
    if not words:
        return "(empty)"
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if "`" in (words[0], words[-1]) else ""
    return f"{ticks}{pad}{words}{pad}{ticks}"


def quoted(text: str) -> str:
    """Return a text as a block quotation that keeps its lines."""
    lines = str(text).strip().split("\n")
    found = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        stays = "\\" if line.strip() and following.strip() else ""
        found.append(f"> {_line(line)}{stays}".rstrip(" "))
    return "\n".join(found)


def _line(text: str) -> str:
    """Return one line of a quotation; what would begin a list or a heading is only a sign."""
    words = re.sub(r"^([#+=-])", r"\\\1", inline(text))
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", words)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; cells are Markdown already."""
    lines = [_row(header), _row(["---"] * len(header))]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(cell: str) -> str:
    """Return a cell on one line; a bar within code would otherwise end it."""
    return re.sub(r"(?<!\\)\|", r"\\|", _SPACE.sub(" ", cell).strip())


def bullets(points: Iterable[str]) -> str:
    """Return a list with a bullet before each point."""
    return "\n".join(f"- {point}" for point in points)


def numbered(points: Iterable[str]) -> str:
    """Return a numbered list."""
    return "\n".join(f"{place}. {point}" for place, point in enumerate(points, start=1))


def points(labels: Mapping[int, str], low: int, high: int) -> str:
    """Return the points of a scale, each label on a line of its own, whatever its script."""
    named = bullets(f"{point} = {inline(labels[point])}" for point in sorted(labels))
    bare = [str(point) for point in range(low, high + 1) if point not in labels]
    rest = f" Without words: {', '.join(bare)}." if bare else ""
    return f"Whole points from {low} to {high}.{rest}\n\n{named}"


def listed(names: Iterable[object], last: str = "and", *, as_code: bool = True) -> str:
    """Return names as an enumeration: one, two and three."""
    words = [code(name) if as_code else inline(name) for name in names]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def number(value: Any) -> str:
    """Return a number without needless decimals; large whole ones with their separators."""
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    return f"{int(value):,}"


def percent(share: float) -> str:
    """Return a share as a percentage: 0.95 is 95%."""
    return f"{round(100 * share, 6):g}%"


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(*parts: str) -> str:
    """Return the parts that are not empty as one paragraph."""
    return " ".join(part for part in parts if part)
