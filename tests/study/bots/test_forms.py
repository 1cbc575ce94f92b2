"""If this failed, simulated supporters would misread the pages of a chat."""

from __future__ import annotations

import httpx
import pytest

from prereg.errors import RatifyError
from study.bots.forms import ChatPage, Said

PAGE = """<title>Talk</title><body><meta name="x">
<ol><li class="said partner" data-id="m0"><span class="who">Robin</span>
<p class="words">Hello &amp; <b>you</b></p></li>
<li class="said supporter"><span class="who">You</span><p class="words">one<br>two</p></li></ol>
<form method="post" action="/s/talk?x=1" id="send"><input type="hidden" name="turn" value="2">
<textarea name="text" readonly></textarea><button name="go" value="1">Send</button></form>
<input type="hidden" name="stray" value="no">
<form action="/s/talk/leave" id="onward" hidden><input type="hidden" name="a" value="b"></form>
<details hidden><form action="/s/away"></form></details>
<noscript><form action="/s/film"></form></noscript>
<form action="/s/survey"><input type="radio" name="q-a" value="1"><input type="radio" name="q-a"
value="2"><input name="q-b"></form><a class="button primary" href="/on">On</a>"""


def _read(text: str, status: int = 200) -> ChatPage:
    request = httpx.Request("GET", "http://here/s/talk")
    return ChatPage.of(httpx.Response(status, text=text, request=request))


def test_forms_messages_and_links_are_read() -> None:
    page = _read(PAGE)
    assert (page.path, page.title, page.onward) == ("/s/talk", "Talk", "/on")
    assert page.messages == [Said("partner", "Hello & you"), Said("supporter", "onetwo")]
    assert page.told == "Hello & you"
    talk, survey = page.form("/talk", "send"), page.form("/survey")
    assert talk is not None
    assert survey is not None
    assert (talk.fields, talk.texts, talk.waits) == ({"turn": "2"}, ["text"], True)
    assert talk.buttons == [("go", "1")]
    assert (survey.groups, survey.texts, survey.waits) == ({"q-a": ["1", "2"]}, ["q-b"], False)
    assert page.form("/talk", "other") is None


def test_what_is_hidden_cannot_be_used_and_what_is_for_browsers_without_scripts_can() -> None:
    page = _read(PAGE)
    assert page.form("/talk/leave") is None
    assert page.form("/away") is None
    assert "onward" not in page.ids
    assert page.form("/film") is not None


def test_a_page_that_says_it_failed_is_an_error() -> None:
    with pytest.raises(RatifyError, match="answered 500"):
        _read("", 500)
