"""If this failed, raters would read other words than the table holds, or a text could act."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from prereg.images import Image
from prereg.plan.display import Display
from study.language import speak
from study.web.naming import naming
from study.web.texts import Texts

LOGO = Image(Path("logo.png"), "a" * 64, "png", 40, 20)
HOSTILE = """<script>alert(1)</script> <img src=x onerror=alert(1)>

[a](javascript:alert(1)) [b](https://x.org/"onclick="1) ![c](https://x.org/c.png) ![d](logo.png "t")

<https://x.org/e> # not a heading

# A heading

```html
<script>alert(2)</script>
```

| a | b |
|:--|--:|
| 1 | <i> |
"""


class Tags(HTMLParser):
    """Collects tags with their attributes, and the words."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def shown(text: str, *, page: bool = False, **display: object) -> Tags:
    app = Flask(__name__)
    speak(app, "en")
    texts = Texts(Display.model_validate(display), {"logo.png": LOGO})
    tags = Tags()
    with app.test_request_context("/"):
        tags.feed(str(texts.page(text) if page else texts.item(text)))
    return tags


@pytest.mark.parametrize("form", ["text", "fixed"])
def test_spaces_lines_and_signs_stay_as_they_are(form: str) -> None:
    text = "  a | b\n----+----\n\t1 |  2\n\n   <b>&amp;</b>  **x**"
    assert shown(text, format=form).words == text
    said = shown("User: one\n  two\n\nAI:\n\n    def f():\n\treturn 1\n", format=form).words
    assert re.sub(r"\n?(User|AI) ", r"\1:", said) == "User:one\n  twoAI:    def f():\n\treturn 1"


@pytest.mark.parametrize("page", [True, False])
def test_nothing_in_markdown_acts(page: bool) -> None:
    tags = shown(HOSTILE, page=page, format="markdown")
    names = {tag for tag, _ in tags.tags}
    assert not names & {"script", "iframe", "style", "i"}
    for tag, given in tags.tags:
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        assert tag != "img" or given["src"] == f"/image/{LOGO.address}"
        assert not (given.get("href") or "").startswith("javascript:")
    assert "<script>alert(2)</script>" in tags.words
    assert ("a" in names) == page, "links of an item lead nowhere"
    assert ("h1" in names) == page, "no item can have a heading of the page's rank"
    if not page:
        assert "https://x.org/e" in tags.words
        assert "(https://x.org/" in tags.words


def test_markdown_has_tables_code_and_images_with_a_size() -> None:
    tags = dict(shown(HOSTILE, format="markdown").tags)
    assert {"table", "pre", "img", "h3"} <= set(tags)
    assert tags["img"] == {
        "src": f"/image/{LOGO.address}",
        "alt": "d",
        "width": "40",
        "height": "20",
    }
    assert tags["td"]["class"] == "side-right"
    assert tags["pre"]["tabindex"] == "0", "a box that scrolls can be reached by the keyboard"


def test_a_reference_of_one_text_is_unknown_to_the_next() -> None:
    app = Flask(__name__)
    speak(app, "en")
    texts = Texts(Display(format="markdown"), {})
    with app.test_request_context("/"):
        texts.item("[a]: https://x.org/one\n\n[a]")
        assert "x.org" not in texts.item("[a] of the second")


def test_the_direction_of_a_turn_is_that_of_its_words() -> None:
    tags = shown("User: שלום\nUser: hello").tags
    assert [given.get("dir") for tag, given in tags if tag in {"p", "strong"}] == ["auto"] * 4
    assert not [given for tag, given in tags if tag == "span" and "dir" in given]


@pytest.mark.parametrize(
    ("display", "names"),
    [
        ({}, ["Conversation A", "Conversation B"]),
        ({"noun": "Response"}, ["Response A", "Response B"]),
        ({"noun": "Response", "labels": [1, 2]}, ["Response 1", "Response 2"]),
        ({"labels": ["X", "Y"]}, ["Conversation X", "Conversation Y"]),
        ({"labels": ["First draft", "Second draft"]}, ["First draft", "Second draft"]),
        ({"noun": "Draft", "labels": ["Draft 1", "Draft 2"]}, ["Draft 1", "Draft 2"]),
    ],
)
def test_the_plan_names_the_texts(display: dict[str, object], names: list[str]) -> None:
    named = naming(Display.model_validate(display))
    assert [name.whole for name in named("Conversation", 2)] == names
