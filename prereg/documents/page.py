"""A document as one page of HTML: it needs no network and no script, and prints on A4."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from prereg.images import Image
from prereg.markdown import dialect

if TYPE_CHECKING:
    from jinja2 import Environment
    from markdown_it.token import Token

_BLOCK = re.compile(r'(?P<kind>[a-z0-9]+) file="(?P<name>(?:[^"\\]|\\.)*)".*')
_TEXTS = {"md", "markdown"}
_SMALL = "font: 8pt sans-serif; color: #565e68;"
# Columns of a table whose cells are texts with lines of their own.
_LONG = {"text", "prompt", "shortened", "elevated", "casual"}


@dataclass(frozen=True)
class Page:
    """A page to be made.

    Attributes
    ----------
    title : str
    kicker : str
        What kind of document it is.
    status : str
        Locked or not, in one line.
    plan_hash : str
        Empty if the study is not locked.
    body : str
        Markdown; its first heading is left out, because the page has its own.
    language : str
        Of the study's own texts.
    direction : str
        In which they are written: ltr or rtl.
    images : mapping
        The images of the study, by the names in its texts.
    badge : str
        An SVG below the title; empty for none.
    brief : bool
        Whether it is short: set closely, without a list of its sections.
    warns : bool
        Whether its status is a warning, also where the study is locked.
    """

    title: str
    kicker: str
    status: str
    plan_hash: str
    body: str
    language: str = "en"
    direction: str = "ltr"
    images: Mapping[str, Image] = field(default_factory=dict)
    badge: str = ""
    brief: bool = False
    warns: bool = False

    @property
    def badge_address(self) -> str:
        """The badge as an address that needs no network."""
        coded = base64.b64encode(self.badge.encode("utf-8")).decode("ascii")
        return f"data:image/svg+xml;base64,{coded}" if self.badge else ""


def render(page: Page) -> str:
    """Return a page as HTML."""
    # the line above every printed page; a hash has only hexadecimal digits
    above = f"Plan hash {page.plan_hash}" if page.plan_hash else "Not locked"
    printed = f'@page {{ @top-left {{ content: "{above}"; {_SMALL} }} }}\n'
    css = house_css() + _file("document.css") + printed
    digest = base64.b64encode(hashlib.sha256(css.encode("utf-8")).digest()).decode("ascii")
    body, contents = _body(page)
    return (
        _environment()
        .get_template("document.html.j2")
        .render(
            page=page, css=css, css_hash=digest, body=body, contents=[] if page.brief else contents
        )
    )


@cache
def house_css() -> str:
    """Return what every page of Ratify to read and print begins with: its colours and letters."""
    return _file("house.css")


def _file(name: str) -> str:
    return (resources.files("prereg.documents") / "templates" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # slow to load

    return Environment(
        loader=PackageLoader("prereg.documents"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _body(page: Page) -> tuple[str, list[tuple[str, str]]]:
    """Return a document's HTML, and the address and words of each section."""
    parser = dialect()
    tokens = parser.parse(page.body)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    contents: list[tuple[str, str]] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[place + 1].content
            if token.tag == "h2":
                token.attrSet("id", f"s{len(contents) + 1}")
                contents.append((f"s{len(contents) + 1}", re.sub(r"\\(.)", r"\1", words)))
        if token.nesting == 1 and token.type != "tbody_open":
            token.attrSet("dir", "auto")
    return _rendered(tokens, page), contents


def _rendered(tokens: Sequence[Token], page: Page) -> str:
    """Return tokens as HTML, with the files of the study as pages and tables."""
    parser = dialect()
    parts: list[str] = []
    waiting: list[Token] = []

    def flush() -> None:
        parts.append(parser.renderer.render(waiting, parser.options, {}))
        waiting.clear()

    for token in tokens:
        if token.type == "fence":
            flush()
            parts.append(_fence(token, page))
        elif token.type == "table_open":
            flush()
            parts.append('<div class="scroll" role="region" tabindex="0" aria-label="Table">')
            waiting.append(token)
        elif token.type == "table_close":
            waiting.append(token)
            flush()
            parts.append("</div>")
        else:
            waiting.append(token)
    flush()
    return "".join(parts)


def _fence(token: Token, page: Page) -> str:
    """Return a block: a text as raters see it, a table of items, or as it is written."""
    found = _BLOCK.fullmatch(token.info.strip())
    if found is None:
        return f'<pre dir="auto">{html.escape(token.content)}</pre>\n'
    if "role=lock" in token.info:
        return (
            '<p class="note">What the lock wrote; the Markdown and the preregr files of this '
            "document hold it in full.</p>\n"
        )
    text = token.content
    if "encoding=base64" in token.info:
        try:
            text = base64.b64decode(text).decode("utf-8-sig")
        except ValueError:
            return _binary(found, page)
    if found["kind"] in _TEXTS:
        return _as_page(text, page)
    if found["kind"] == "csv":
        shown = _as_table(text)
        if shown is not None:
            return shown
    return f'<pre dir="auto">{html.escape(text)}</pre>\n'


def _binary(found: re.Match[str], page: Page) -> str:
    name = re.sub(r"\\(.)", r"\1", found["name"])
    if name in page.images:
        return f'<p class="image">{_image(name, page, name)}</p>\n'
    return (
        '<p class="note">This file is not text. The Markdown and the preregr files of this '
        "document hold it in full.</p>\n"
    )


def _image(name: str, page: Page, words: str) -> str:
    image = page.images[name]
    coded = base64.b64encode(image.path.read_bytes()).decode("ascii")
    return (
        f'<img src="data:image/{image.kind};base64,{coded}" alt="{html.escape(words)}" '
        f'width="{image.width}" height="{image.height}">'
    )


def _as_page(text: str, page: Page) -> str:
    """Return a consent text or instructions as raters see them, headings a few levels lower."""
    parser = dialect()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 4)}"
        for inner in token.children or []:
            _inline_image(inner, page)
    shown = parser.renderer.render(tokens, parser.options, {})
    language = html.escape(page.language)
    return f'<div class="shown" lang="{language}" dir="{page.direction}">{shown}</div>\n'


def _inline_image(token: Token, page: Page) -> None:
    from urllib.parse import unquote

    name = unquote(str(token.attrs.get("src", ""))) if token.type == "image" else ""
    if name in page.images:
        image = page.images[name]
        coded = base64.b64encode(image.path.read_bytes()).decode("ascii")
        token.attrs["src"] = f"data:image/{image.kind};base64,{coded}"
    for inner in token.children or []:
        _inline_image(inner, page)


def _as_table(text: str) -> str | None:
    """Return a CSV as a table; the sequences as one line each; None if it is none."""
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except csv.Error:
        return None
    if not rows or any(None in row or None in row.values() for row in rows):
        return None
    columns = list(rows[0])
    if {"sequence_id", "position", "is_attention_check"} <= set(columns):
        return _sequences(rows, columns)
    long = [name for name in columns if name in _LONG]
    short = [name for name in columns if name not in _LONG]
    return "".join(_item(row, short, long) for row in rows)


def _item(row: Mapping[str, str], short: list[str], long: list[str]) -> str:
    """Return an item: its short columns in one line, its texts below."""
    head = " · ".join(
        f"<b>{html.escape(row[name])}</b>"
        if name == "item_id"
        else f"{html.escape(name)}: {html.escape(row[name])}"
        for name in short
        if row[name]
    )
    texts = "".join(
        f'<p class="cell" dir="auto"><small>{html.escape(name)}</small>{html.escape(row[name])}</p>'
        for name in long
        if row[name]
    )
    return f'<div class="item"><p class="head" dir="auto">{head}</p>{texts}</div>\n'


def _sequences(rows: Sequence[Mapping[str, Any]], columns: list[str]) -> str:
    shown = [c for c in columns if c not in {"sequence_id", "position", "is_attention_check"}]
    lines: dict[str, list[str]] = {}
    for row in rows:
        check = " (check)" if row["is_attention_check"] == "true" else ""
        trial = " – ".join(html.escape(row[name]) for name in shown)
        lines.setdefault(row["sequence_id"], []).append(
            f'<span class="trial">{html.escape(row["position"])}: {trial}{check}</span>'
        )
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{" ".join(trials)}</td></tr>\n'
        for name, trials in lines.items()
    )
    return (
        '<div class="scroll" role="region" tabindex="0" aria-label="Sequences"><table '
        f'class="sequences"><thead><tr><th scope="col">sequence</th><th scope="col">trials, in '
        f"order: {', '.join(map(html.escape, shown))}</th></tr></thead>\n<tbody>{body}</tbody>"
        "</table></div>\n"
    )
