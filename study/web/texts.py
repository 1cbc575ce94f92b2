"""A study's texts as HTML: items with their spaces and lines, or as Markdown; consent as Markdown.

Nothing in a text becomes HTML of its own: Markdown is read with HTML switched off, everything else
is escaped. An image is one of the study's images, or only its words. A link in an item shows its
address and leads nowhere, so that no rater leaves the study and no other host learns about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flask_babel import gettext as _
from markdown_it.renderer import RendererHTML
from markupsafe import Markup, escape

from prereg.markdown import dialect
from study.web.turns import Turn, turns

if TYPE_CHECKING:
    from markdown_it.token import Token

    from prereg.images import Image
    from prereg.plan.display import Display

# More than the texts of most studies: each is made into HTML once, when it is first shown.
REMEMBERED = 4096


class Texts:
    """A study's texts as HTML.

    Parameters
    ----------
    display : Display
        How the plan shows items.
    images : mapping
        The study's images, by their names in the texts.
    """

    def __init__(self, display: Display, images: Mapping[str, Image]) -> None:
        self._display = display
        self._env = {"images": images}
        # by instance: two studies in one process may show the same text differently
        self.item = lru_cache(REMEMBERED)(self._item)
        self.page = lru_cache(16)(self._page)

    def _item(self, text: str) -> Markup:
        """Return the turns of an item or a prompt."""
        said = turns(text, self._display.speakers)
        first = next((turn.speaker for turn in said if turn.speaker), "")
        return Markup("\n").join(self._turn(turn, second=turn.speaker != first) for turn in said)

    def _turn(self, turn: Turn, *, second: bool) -> Markup:
        markdown = self._display.format == "markdown"
        # blocks of Markdown may not be in a paragraph
        tag, inner = ("div", "div") if markdown else ("p", "span")
        words = self._rendered(_ITEMS, turn.text, breaks=True) if markdown else turn.text
        # the direction of a turn is that of its words, not that of the speaker's name
        name = Markup('<strong class="speaker" dir="auto">{}</strong> ').format(turn.speaker)
        return Markup(
            '<{tag} class="turn {side}" dir="auto">{name}'
            '<{inner} class="words {format}">{words}</{inner}></{tag}>'
        ).format(
            tag=tag,
            side="second" if second else "first",
            name=name if turn.speaker else "",
            inner=inner,
            format=self._display.format,
            words=words,
        )

    def _page(self, text: str) -> Markup:
        """Return a consent text or instructions, which have headings and links."""
        return self._rendered(_PAGES, text)

    def _rendered(self, renderer: RendererHTML, text: str, *, breaks: bool = False) -> Markup:
        parser, env = dialect(breaks=breaks), {**self._env}  # parsing adds the text's references
        rendered = renderer.render(parser.parse(text, env), parser.options, env)
        return Markup(rendered)  # noqa: S704 - HTML in the text is switched off


Tokens = Sequence["Token"]


class _Pages(RendererHTML):
    """Markdown with the study's own images; wide tables and code scroll in boxes of their own."""

    def image(self, tokens: Tokens, idx: int, options: Any, env: Any) -> str:
        """Return an image with its size, so that the page does not move when it arrives."""
        token = tokens[idx]
        alt = escape(self.renderInlineAsText(token.children, options, env).strip())
        found = env["images"].get(unquote(str(token.attrs.get("src", ""))))
        if found is None:  # only in a study that 0.4.0 locked
            return f"<span>{alt}</span>"
        size = f'width="{found.width}" height="{found.height}"'
        return f'<img src="/image/{found.address}" alt="{alt}" {size}>'

    def table_open(self, *_rest: Any) -> str:
        """Begin a table."""
        name = escape(_("Table"))
        return f'<div class="scroll" tabindex="0" role="group" aria-label="{name}"><table>'

    def table_close(self, *_rest: Any) -> str:
        """End a table."""
        return "</table></div>"

    def th_open(self, tokens: Tokens, at: int, *_rest: Any) -> str:
        """Begin a cell; its side is a class, because the policy of the pages allows no styles."""
        side = str(tokens[at].attrs.get("style", "")).partition("text-align:")[2]
        return f'<{tokens[at].tag} class="side-{side}">' if side else f"<{tokens[at].tag}>"

    td_open = th_open

    def fence(self, tokens: Tokens, idx: int, options: Any, env: Any) -> str:
        """Return a block of code, which runs from left to right in every language."""
        name, code = escape(_("Code")), escape(tokens[idx].content)
        box = f'<pre class="scroll" dir="ltr" tabindex="0" role="group" aria-label="{name}">'
        return f"{box}<code>{code}</code></pre>\n"

    def code_block(self, tokens: Tokens, idx: int, options: Any, env: Any) -> str:
        """Return a block of code that is only indented."""
        return self.fence(tokens, idx, options, env)

    def link_open(self, tokens: Tokens, at: int, options: Any, env: Any) -> str:
        """Begin a link that does not say where the rater comes from."""
        tokens[at].attrSet("rel", "noreferrer noopener")
        return str(self.renderToken(tokens, at, options, env))


class _Items(_Pages):
    """Markdown in an item: links lead nowhere, and headings are below those of the page."""

    def link_open(self, *_rest: Any) -> str:
        """Begin the words of a link."""
        return '<span class="link">'

    def link_close(self, tokens: Tokens, at: int, *_rest: Any) -> str:
        """End the words of a link; its address follows, unless it is the words."""
        opened = next(t for t in reversed(tokens[:at]) if t.type == "link_open")
        address = str(opened.attrs.get("href", ""))
        words = "".join(t.content for t in tokens[tokens.index(opened) + 1 : at])
        same = opened.markup == "autolink" or words == unquote(address)
        return "</span>" if same else f'</span> <span class="address">({escape(address)})</span>'

    def heading_open(self, tokens: Tokens, at: int, *_rest: Any) -> str:
        """Begin a heading; all are of one level, so that no text can break the page's order."""
        return f'<h3 class="from-{tokens[at].tag}">'

    def heading_close(self, *_rest: Any) -> str:
        """End a heading."""
        return "</h3>\n"


_PAGES = _Pages()
_ITEMS = _Items()
