"""If these failed, raters or a colleague would be given a link that does not lead to the study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratify.invitations import link_of, links, opened_at, public_host
from ratify.serve import serve_and_say
from study.chat.study import ChatStudy
from study.folder import Study
from study.serving.command import Serving
from tests.support.chat import small_chat
from tests.support.collecting import study_of_kind
from tests.support.plans import edited_plan

PROLIFIC = "/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.delenv("RATIFY_HOSTS", raising=False)
    return study_of_kind(tmp_path / "study", "pairwise")


def said(study: Study, mode: str, host: str) -> str:
    return "\n".join(links(study, Serving(mode=mode, host=host, port=8000), f"http://{host}:8000"))


def test_live_raters_get_the_public_address(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "https://YOUR-HOST/?rater=THEIR-ID" in said(study, "live", "127.0.0.1")
    assert "https://lab.example.org/?rater=THEIR-ID" in said(study, "live", "lab.example.org")
    monkeypatch.setenv("RATIFY_HOSTS", "study.example.org, other.example.org")
    assert "https://study.example.org/?rater=" in said(study, "live", "127.0.0.1")
    assert public_host("::1") == "study.example.org"


def test_prolific_gets_its_placeholders(tmp_path: Path, study: Study) -> None:
    from study.opening import open_study

    with edited_plan(tmp_path / "study") as plan:
        plan["recruitment"]["platform"] = "prolific"
    found = said(open_study(tmp_path / "study"), "live", "study.example.org")
    assert f"https://study.example.org{PROLIFIC}" in found


def test_those_who_take_part_in_a_chat_are_no_raters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RATIFY_HOSTS", raising=False)
    chat = small_chat(tmp_path)

    def served(study: ChatStudy, serving: Serving, *, ready: Callable[..., None], **_: Any) -> None:
        ready("http://127.0.0.1:8000", None)

    monkeypatch.setattr("study.serving.command.serve_study", served)
    serve_and_say(chat, Serving(mode="live", host="127.0.0.1", port=8000), url=None)
    printed = capsys.readouterr().out
    assert "participants' pages  http://127.0.0.1:8000/?" in printed
    assert "for participants " in printed
    assert "raters" not in printed
    assert "rater pages" not in printed


def test_a_pilot_link_says_who_can_open_it(study: Study) -> None:
    assert "http://127.0.0.1:8000/?rater=COLLEAGUE-1" in said(study, "pilot", "127.0.0.1")
    assert "--host 0.0.0.0" in said(study, "pilot", "localhost")
    anywhere = said(study, "pilot", "0.0.0.0")
    assert "0.0.0.0" not in anywhere
    assert ":8000/?rater=COLLEAGUE-1" in anywhere
    assert said(study, "bot", "127.0.0.1") == ""


def test_an_address_that_no_browser_opens_is_not_given() -> None:
    assert opened_at("http://0.0.0.0:8000") == "http://127.0.0.1:8000"
    assert opened_at("http://:8000") == "http://127.0.0.1:8000"
    assert opened_at("http://[::]:8000") == "http://[::1]:8000"
    for address in ("http://[::1]:8000", "http://lab.example.org:80", "http://127.0.0.1:8000"):
        assert opened_at(address) == address


def test_a_pilot_link_is_like_the_raters_link(tmp_path: Path, study: Study) -> None:
    from study.opening import open_study

    with edited_plan(tmp_path / "study") as plan:
        plan["recruitment"]["platform"] = "prolific"
    opened = open_study(tmp_path / "study")
    names = "PROLIFIC_PID=COLLEAGUE-1&STUDY_ID=pilot&SESSION_ID=COLLEAGUE-1"
    assert f"http://127.0.0.1:8000/?{names}" in said(opened, "pilot", "127.0.0.1")
    assert "%" not in link_of(opened, trying=True)


def test_signed_links_are_printed_signed(tmp_path: Path, study: Study) -> None:
    from study.opening import open_study
    from study.visits.links import signature, signing_key

    with edited_plan(tmp_path / "study") as plan:
        plan["recruitment"]["links"] = "signed"
    opened = open_study(tmp_path / "study")
    signed = signature(signing_key(opened.folder), "COLLEAGUE-1")
    pilot = said(opened, "pilot", "127.0.0.1")
    assert f"?rater=COLLEAGUE-1&sig={signed} " in pilot
    assert "--host http://127.0.0.1:8000`" in pilot
    assert f"sig={signature(signing_key(opened.folder), 'YOUR-ID')}" in link_of(opened, trying=True)
    assert signed not in link_of(opened)
    assert "0.0.0.0" not in said(opened, "pilot", "0.0.0.0")
    live = said(opened, "live", "study.example.org")
    assert "ratify links" in live
    assert "--host https://study.example.org`" in live
    assert "THEIR-ID" not in live
