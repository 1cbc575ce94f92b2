"""If these failed, a message would be lost, doubled or dangerous, or the page would mislead."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from study.store.chat_tables import Conversation, Message, SafetyEvent
from study.store.tables import Visit
from tests.support.chat_pages import ChatSite, chat_site

REFRESH = 'http-equiv="refresh"'


def typed(site: ChatSite) -> list[tuple[int, str]]:
    return [(m.turn, m.text) for m in site.rows(Message) if m.speaker == "supporter"]


def test_a_message_is_stored_and_led_back_to_the_page(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin()
        form = one.form("/talk")
        counts = {"compose_ms": 900, "keys": 7, "pasted_characters": 3, "hidden_ms": 10}
        answer = one.client.post("/talk", data={**form.fields, **counts, "text": " Oh dear. "})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/talk")
        kept = next(m for m in site.rows(Message) if m.speaker == "supporter")
        assert (kept.turn, kept.text) == (1, "Oh dear.")
        assert (kept.compose_ms, kept.keys, kept.pasted_characters, kept.hidden_ms) == (
            900,
            7,
            3,
            10,
        )


def test_the_page_loads_itself_again_only_while_a_reply_is_owed(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin()
        assert REFRESH not in one.text
        one.say("Hello")
        assert REFRESH in one.text
        assert one.form("/talk").waits
        site.reply("Good that you ask.")
        one.get("/talk")
        assert REFRESH not in one.text
        assert one.page.told == "Good that you ask."


def test_the_same_form_sent_again_is_one_message(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin()
        fields = {**one.form("/talk").fields, "text": "Hello"}
        for _ in range(3):
            one.post("/talk", fields)
            assert one.status == 200
        assert one.json("/talk", fields)["kind"] == "repeated"
        assert typed(site) == [(1, "Hello")]


def test_what_a_second_window_sends_too_late_stays_in_its_box(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin()
        fields = {**one.form("/talk").fields, "text": "Hello"}
        one.post("/talk", fields)
        other = {**fields, "text": "Something else, written at length"}
        one.post("/talk", other)
        assert one.status == 409
        assert "from another window" in one.text
        assert other["text"] in one.text
        assert REFRESH not in one.text, "loading the page again would lose it"
        assert one.json("/talk", other)["kind"] == "taken"
        assert typed(site) == [(1, "Hello")]


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [("   ", "empty", 422), ("x" * 1001, "too_long", 422), ("x" * 100_000, "too_long", 413)],
)
def test_what_cannot_be_sent_is_said_and_stays_in_the_box(
    tmp_path: Path, text: str, kind: str, status: int
) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin()
        fields = {**one.form("/talk").fields, "text": text}
        one.post("/talk", fields)
        assert one.status == status
        if status == 422:
            assert one.json("/talk", fields)["kind"] == kind
            assert text in one.text
            assert 'aria-invalid="true"' in one.text
        assert typed(site) == []


def test_who_writes_before_the_answer_is_there_loses_nothing(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin().say("Hello")
        one.say("And one more thing", turn="2")
        assert one.status == 409
        assert "And one more thing</textarea>" in one.text
        assert typed(site) == [(1, "Hello")]


def test_words_of_people_and_models_are_never_markup(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=y> ' \" & </li>"
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin().say(evil)
        site.reply(evil)
        one.get("/talk")
        assert "<script>alert" not in one.text
        assert "<img" not in one.text
        assert [said.text for said in one.page.messages[1:]] == [evil, evil]
        answer = one.client.get("/talk/state", headers={"Accept": "application/json"})
        assert answer.mimetype == "application/json"
        assert [m["text"] for m in answer.get_json()["messages"][1:]] == [evil, evil]


def test_the_script_gets_only_what_it_does_not_have(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin().say("Hello")
        told = one.json("/talk/state?visible=1&seen_ms=10&have=2")
        assert (told["owes"], told["messages"], told["from"], told["clock"]) == (
            True,
            [],
            2,
            "waiting",
        )
        site.reply("Yes?")
        told = one.json("/talk/state?visible=1&have=2")
        assert [(m["speaker"], m["turn"], m["text"]) for m in told["messages"]] == [
            ("partner", 1, "Yes?")
        ]
        assert (told["owes"], told["turn"]) == (False, 2)
        assert len(one.json("/talk/state")["messages"]) == 3


def test_the_clock_stands_while_the_page_is_hidden(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin().say("Hello")
        site.now += 10
        one.json("/talk/state?visible=0&seen_ms=10000")
        site.now += 90
        told = one.json("/talk/state?visible=1&seen_ms=0")
        assert (told["clock"], told["remaining_ms"]) == ("running", 230_000)
        (talk,) = site.rows(Conversation)
        assert talk.hidden_ms == 90_000


def test_the_page_says_why_the_clock_stands_and_that_time_is_up(tmp_path: Path) -> None:
    conversation = {"seconds": 100, "idle_seconds": 60, "grace_seconds": 20}
    with chat_site(tmp_path, conversation=conversation) as site:
        one = site.visitor().begin()
        assert "begins with your first message" in one.text
        one.say("Hello")
        site.now += 70
        one.get("/talk")
        assert "0:40" in one.text
        assert "You have not written for a while" in one.text
        one.say("Still here")
        site.now += 45
        one.get("/talk")
        assert "You may still send what you are typing" in one.text
        one.say("My last words")
        assert one.page.form("/talk") is None
        assert "The time for this conversation is over" in one.text
        assert typed(site)[-1] == (3, "My last words")
        one.send("/talk/leave")
        assert one.path == "/survey"


def test_who_comes_too_late_is_told(tmp_path: Path) -> None:
    with chat_site(tmp_path, conversation={"seconds": 20, "grace_seconds": 5}) as site:
        one = site.visitor().begin().say("Hello")
        form = {**one.form("/talk").fields, "text": "Too late", "turn": "2"}
        site.now += 60
        one.post("/talk", form)
        assert one.status == 410
        assert "was over before your message arrived" in one.text
        told = one.json("/talk", form)
        assert (told["kind"], told["state"]["over"]) == ("over", True)
        assert typed(site) == [(1, "Hello")]


def test_a_form_of_the_round_before_ends_nothing(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin()
        message = {**one.form("/talk").fields, "text": "Written for the first round"}
        old = one.say("Hello").form("/talk/leave")
        one.send("/talk/leave").to("/talk")
        one.post("/talk", message)
        assert typed(site) == [(1, "Hello")]
        one.say("Hello to you, too").post(old.action, old.fields)
        assert one.path == "/talk"
        assert [talk.status for talk in site.rows(Conversation)] == ["over", "open"]


def test_a_script_whose_visit_goes_on_elsewhere_is_led_there(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin().say("Hello").send("/talk/leave")
        assert one.json("/talk/state?visible=1") == {"go": "/survey"}
        assert site.visitor("nobody").json("/talk/state") == {"go": "/"}


def test_help_is_offered_and_who_goes_on_is_answered(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin().say("I want to kill myself")
        assert one.path == "/safety"
        assert "0800 000 000" in one.text
        assert one.get("/talk").path == "/safety", "there is no way around it"
        one.send("/safety", choice="went_on")
        assert one.path == "/talk"
        assert one.page.messages[-1].speaker == "partner"
        assert [event.choice for event in site.rows(SafetyEvent)] == ["went_on"]


def test_who_stops_is_paid_in_full(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin()
        fields = {**one.form("/talk").fields, "text": "I want to kill myself"}
        told = one.json("/talk", fields)
        assert (told["kind"], told["state"]) == ("flagged", {"go": "/safety"})
        one.get("/safety").send("/safety", choice="stopped")
        assert one.path == "/done"
        assert {"stopped", "completion-code"} <= one.page.ids
        assert "C-STOP" in one.text
        assert site.rows(Visit)[0].status == "stopped"


def test_nobody_stops_with_pay_whom_nothing_has_upset(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        one = site.visitor().begin()
        fields = one.form("/talk").fields
        one.get("/safety")
        assert one.page.form("/safety") is None
        one.post("/safety", {**fields, "choice": "stopped"})
        assert one.path == "/talk"


def test_a_partner_that_failed_is_no_fault_of_theirs(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False) as site:
        one = site.visitor().begin().say("Hello")

        def fail(connection: object) -> None:
            failed = update(Conversation).values(status="failed", ended_because="partner_failure")
            connection.execute(failed.values(owes_reply=False))  # type: ignore[attr-defined]
            ended = update(Visit).values(status="partner_failure")
            connection.execute(ended)  # type: ignore[attr-defined]

        site.store.write(fail)
        assert one.json("/talk/state?visible=1") == {"go": "/done"}
        one.get("/talk")
        assert {"partner-failed", "completion-code"} <= one.page.ids
        assert "C-SORRY" in one.text


def test_the_policy_gains_two_sources_and_nothing_else(tmp_path: Path) -> None:
    with chat_site(tmp_path) as site:
        answer = site.visitor().begin().client.get("/talk")
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert policy == [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' data:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "connect-src 'self'",
            "media-src 'self'",
        ]
        assert answer.headers["Cache-Control"] == "no-store"
