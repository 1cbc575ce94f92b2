"""The Markdown of a study's texts, and what may not be in it: raw HTML, images of other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True)
class Found:
    """An image or a piece of raw HTML.

    Attributes
    ----------
    line : int
        Its line in the text, from 1.
    source : str
        The image's path as a file's name, or the HTML.
    alt : str
        What the image shows, in words; empty for HTML.
    """

    line: int
    source: str
    alt: str = ""


@cache
def dialect(*, html: bool = False, breaks: bool = False) -> MarkdownIt:
    """Return a parser of CommonMark with tables and strikethrough.

    Parameters
    ----------
    html : bool
        Whether raw HTML is recognised; only to find it. Pages show it as it is written.
    breaks : bool
        Whether the end of a line in a paragraph is kept.
    """
    from markdown_it import MarkdownIt  # slow to load, and many studies have plain items

    settings = {"html": html, "breaks": breaks}
    return MarkdownIt("commonmark", settings).enable(["table", "strikethrough"])


def images(text: str) -> list[Found]:
    """Return the images of a Markdown text."""
    if "![" not in text:
        return []
    return [
        Found(line, unquote(str(token.attrs.get("src", ""))), token.content.strip())
        for token, line in _inner(text, dialect(), "image")
    ]


def raw_html(text: str) -> list[Found]:
    """Return the pieces of raw HTML in a Markdown text."""
    if "<" not in text:
        return []
    return [
        Found(line, token.content.strip())
        for token, line in _inner(text, dialect(html=True), "html_block", "html_inline")
    ]


def _inner(text: str, parser: MarkdownIt, *kinds: str) -> Iterator[tuple[Token, int]]:
    """Yield the tokens of some kinds, each with its line."""
    lines = text.split("\n")
    begin, end = 0, len(lines)
    for block in parser.parse(text):
        if block.map:
            begin, end = block.map
        if block.type in kinds:
            yield block, begin + 1
        for token in block.children or []:
            if token.type not in kinds:
                continue
            written = token.content if token.type != "image" else f"![{token.content}"
            line = _line_of(written, lines, begin, end)
            yield token, line
            begin = line - 1  # the next one is not before this one


def _line_of(written: str, lines: list[str], begin: int, end: int) -> int:
    """Return the first line from `begin` that holds the first line of what is written."""
    first = written.split("\n", 1)[0]
    return next((n + 1 for n in range(begin, end) if first in lines[n]), begin + 1)
