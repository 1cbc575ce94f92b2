"""If these failed, a film would not play or could be skipped, or the coach could be."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from study.store.chat_tables import ChatVisit, Coaching
from study.web.chat.lengths import length_of
from tests.support.chat import CLIP
from tests.support.chat_pages import ChatSite, Visitor, chat_site, only

BYTES = CLIP.read_bytes()


def at_the_film(site: ChatSite) -> Visitor:
    return site.visitor().begin().to("/film")


def fetched(one: Visitor, address: str, **headers: str) -> Any:
    """Return a file as it was sent, whole, so that it is closed."""
    return one.client.get(address, headers=headers, buffered=True)


def clip_of(site: ChatSite) -> str:
    return f"/film/{site.study.films[0].address}.webm"


def test_a_film_is_sent_whole_in_pieces_and_once(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("video")) as site:
        one = at_the_film(site)
        address = clip_of(site)
        assert address in one.text
        whole = fetched(one, address)
        assert (whole.status_code, whole.data, whole.mimetype) == (200, BYTES, "video/webm")
        assert "immutable" in whole.headers["Cache-Control"]
        part = fetched(one, address, Range="bytes=10-19")
        assert (part.status_code, part.data) == (206, BYTES[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(BYTES)}"
        again = fetched(one, address, **{"If-None-Match": whole.headers["ETag"]})
        assert again.status_code == 304
        address = one.text.partition('kind="captions" src="')[2].partition('"')[0]
        captions = fetched(one, address)
        assert captions.mimetype == "text/vtt"
        assert captions.text.startswith("WEBVTT")


@pytest.mark.parametrize("name", ["clip.webm", "..%2fplan.yaml", "../chat.sqlite3", "0" * 24])
def test_no_other_file_is_sent(tmp_path: Path, name: str) -> None:
    with chat_site(tmp_path, design=only("video")) as site:
        assert site.visitor().client.get(f"/film/{name}").status_code == 404


def test_a_film_that_changed_is_not_sent(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("video")) as site:
        one = site.visitor()
        assert fetched(one, clip_of(site)).status_code == 200
        site.study.films[0].clip.write_bytes(BYTES + b"more")
        assert fetched(one, clip_of(site)).status_code == 404


def test_a_film_is_seen_to_its_end(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("video")) as site:
        one = at_the_film(site)
        assert 'id="when-ended" hidden' in one.text
        fields = one.form("/film").fields
        told = one.json("/film/ended", fields)
        assert told == {"go": "/film"}
        one.get("/film").send("/film")
        assert one.path == "/talk"
        assert site.rows(ChatVisit)[0].video_ended_at


def test_without_a_script_a_film_takes_its_time(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("video")) as site:
        one = at_the_film(site)
        site.now += 1.1
        one.send("/film")
        assert (one.path, one.status) == ("/film", 422)
        assert "cannot be over yet" in one.text
        site.now += 0.2
        one.send("/film")
        assert one.path == "/talk"
        assert site.rows(ChatVisit)[0].video_ended_at is None, "nobody says that it was seen"


def test_a_film_that_may_be_left(tmp_path: Path) -> None:
    feedback = {"video": {"watch": "free"}}
    with chat_site(tmp_path, design=only("video"), feedback=feedback) as site:
        assert at_the_film(site).send("/film").path == "/talk"


def test_the_length_of_a_film_is_read_or_unknown(tmp_path: Path) -> None:
    def mp4(version: int, form: str, *head: int) -> Path:
        header = bytes([version, 0, 0, 0]) + struct.pack(form, *head)
        movie = struct.pack(">I4s", 8 + len(header), b"mvhd") + header
        path = tmp_path / f"{version}.mp4"
        first = struct.pack(">I4s4s", 12, b"ftyp", b"isom")
        path.write_bytes(first + struct.pack(">I4s", 8 + len(movie), b"moov") + movie)
        return path

    assert length_of(CLIP) == pytest.approx(1.2)
    assert length_of(mp4(0, ">IIII", 0, 0, 600, 900)) == 1.5
    assert length_of(mp4(1, ">QQIQ", 0, 0, 1000, 90_500)) == 90.5
    (tmp_path / "bare.webm").write_bytes(BYTES[:40])
    assert length_of(tmp_path / "bare.webm") is None
    (tmp_path / "odd.mp4").write_bytes(b"\0\0\0\0ftyp")
    assert length_of(tmp_path / "odd.mp4") is None
    assert length_of(tmp_path / "none.mp4") is None


def test_the_coach_must_be_asked_as_often_as_the_plan_says(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("coach")) as site:
        one = site.visitor().begin().to("/coach")
        assert {"feedback", "at-least"} <= one.page.ids
        assert " of 5" in one.text
        fields = one.form("/coach/ask").fields
        one.post("/coach", fields)
        assert one.path == "/coach", "nobody goes on without a question"
        one.send("/coach/ask", text="  ")
        assert (one.status, "fault" in one.page.ids) == (422, True)
        one.send("/coach/ask", text="What should I say?")
        one.post("/coach/ask", {**fields, "text": "What should I say?"})
        assert [row.kind for row in site.rows(Coaching)] == ["feedback", "question", "answer"]
        assert one.send("/coach").path == "/talk"


def test_who_waits_for_the_coach_is_told_and_the_page_loads_itself(tmp_path: Path) -> None:
    with chat_site(tmp_path, design=only("coach"), answers=False) as site:
        one = site.visitor().begin().say("Hello")
        site.reply("Hi.")
        one.get("/talk").send("/talk/leave").fill()
        assert one.path == "/coach"
        assert 'http-equiv="refresh"' in one.text
        assert one.page.form("/coach") is None
        assert one.json("/coach/state") == {"owes": True}
        site.reply("You <b>listened</b>.")
        assert one.json("/coach/state") == {"owes": False}
        one.get("/coach")
        assert "You &lt;b&gt;listened&lt;/b&gt;." in one.text


def test_a_question_from_a_second_window_stays_in_its_form_until_it_can_be_asked(
    tmp_path: Path,
) -> None:
    with chat_site(tmp_path, design=only("coach"), answers=False) as site:
        one = site.visitor().begin().say("Hello")
        site.reply("Hi.")
        one.get("/talk").send("/talk/leave").fill()
        site.reply("You listened.")
        fields = one.get("/coach").form("/coach/ask").fields
        one.post("/coach/ask", {**fields, "text": "First?"})
        for _ in range(2):
            one.post("/coach/ask", {**fields, "text": "Other words?"})
            assert one.status == 409
            assert "Other words?" in one.text
            assert 'http-equiv="refresh"' not in one.text, "loading the page again would lose it"
            fields = one.form("/coach/ask").fields
        site.reply("First answer.")
        one.send("/coach/ask", text="Other words?")
        asked = [row.text for row in site.rows(Coaching) if row.kind == "question"]
        assert asked == ["First?", "Other words?"]
