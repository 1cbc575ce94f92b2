"""If these failed, people would get another time than the plan's, or scripts would change data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.store.chat_tables import Coaching, Conversation, Message, SurveyAnswer
from study.store.tables import Visit
from study.web import visitor
from tests.support.chat_pages import ChatSite, Visitor, chat_site, only

NO_SURVEY = {"before": None, "after_each": None}
# What differs between two visits whatever the browser does: ids, and when the server was asked.
ITS_OWN = {
    "row_id",
    "message_id",
    "conversation_id",
    "session_id",
    "rater_id",
    "sequence_id",
    "withdrawal_key",
    "lease_until",
    "settled_at",
    "seen_at",
    "show_from",
    "script",
}


class Watching:
    """A browser with a script: it polls, and says whether its page is seen."""

    def __init__(self, site: ChatSite, one: Visitor) -> None:
        self.site, self.one, self.state = site, one, one.json("/talk/state?visible=1")

    def wait(self, seconds: float, *, visible: bool = True) -> None:
        """Let time pass as a page does that polls every ten seconds, every second if it waits."""
        until = self.site.now + seconds
        self.poll(visible)
        while self.site.now < until:
            step = 1 if self.state["owes"] else 10
            self.site.now = min(until, self.site.now + step)
            self.poll(visible)

    def poll(self, visible: bool = True) -> None:
        """Look for news."""
        self.state = self.one.json(f"/talk/state?visible={int(visible)}&have=0")

    def say(self, words: str) -> str:
        """Send a message as the script of the page does; return what became of it."""
        fields = {**self.one.form("/talk").fields, "turn": self.state["turn"], "text": words}
        told = self.one.json("/talk", {**fields, **_counts(words)})
        self.state = told["state"]
        return str(told["kind"])

    @property
    def active(self) -> int:
        """The milliseconds that have counted so far."""
        return 240_000 - int(self.state["remaining_ms"])


def _counts(words: str) -> dict[str, int]:
    return {"compose_ms": 900, "keys": len(words), "pasted_characters": 0, "hidden_ms": 0}


def test_hidden_idle_and_waiting_time_leave_the_active_time_exact(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False, surveys=NO_SURVEY) as site:
        page = Watching(site, site.visitor().begin())
        page.wait(30)
        assert page.active == 0, "before the first message nothing counts"
        assert page.say("Hello.") == "kept"
        page.wait(30)  # the partner takes 30 s
        site.reply("Hi.")
        page.poll()
        assert (page.active, page.state["clock"]) == (0, "running")
        page.wait(10)
        page.wait(90, visible=False)
        assert (page.active, page.state["clock"]) == (10_000, "hidden")
        page.poll()
        page.wait(120)  # idle after 60 s, of which 10 are over
        assert (page.active, page.state["clock"]) == (60_000, "idle")
        assert page.say("Still here.") == "kept"
        site.reply("Good.")
        page.poll()
        page.wait(25)
        assert page.active == 85_000
        [talk] = site.rows(Conversation)
        assert (talk.active_ms, talk.hidden_ms) == (85_000, 90_000)


def test_reloads_tabs_and_a_new_server_add_no_time(tmp_path: Path) -> None:
    with chat_site(tmp_path, answers=False, surveys=NO_SURVEY) as site:
        one = site.visitor().begin()
        one.say("Hello.")
        site.reply("Hi.")
        one.get("/talk")
        other = ChatSite(site.study, site.store, answers=False)
        for second in range(1, 51):
            site.now += 1
            other.now = site.now
            one.get("/talk")
            if second % 10 == 0:
                again = other.visitor().get(f"/?rater={one.name}").get("/talk")
                assert again.path == "/talk"
        assert [talk.active_ms for talk in site.rows(Conversation)] == [50_000]


def test_what_is_being_typed_when_time_is_up_may_be_sent_and_is_not_answered(
    tmp_path: Path,
) -> None:
    changes: dict[str, Any] = {
        "surveys": NO_SURVEY,
        "conversation": {"seconds": 30, "grace_seconds": 20},
    }
    for late, kept in ((49.9, "kept"), (50.1, "late")):
        with chat_site(tmp_path / kept, answers=False, **changes) as site:
            page = Watching(site, site.visitor().begin())
            page.say("Hello.")
            site.reply("Hi.")
            page.poll()
            page.wait(30)
            assert page.state["in_grace"]
            site.now += late - 30
            assert page.say("One more thing.") == kept
            assert page.state["over"]
            owed = [m.turn for m in site.rows(Message) if m.speaker == "partner"]
            assert owed == [0, 1]
            site.reply("Never.")
            assert [m.turn for m in site.rows(Message) if m.speaker == "partner"] == [0, 1]


@pytest.mark.parametrize("condition", ["control", "combined"])
def test_with_and_without_a_script_a_visit_ends_with_the_same_tables(
    tmp_path: Path, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "new_session_id", lambda: "one")  # scripts follow from it
    tables = [
        _tables(tmp_path / name, condition, scripted=scripted)
        for name, scripted in (("with", True), ("without", False))
    ]
    assert tables[0] == tables[1]


def _tables(folder: Path, condition: str, *, scripted: bool) -> dict[str, list[dict[str, Any]]]:
    """Return what a visit leaves in the store."""
    with chat_site(folder, design=only(condition)) as site:
        one = site.visitor().begin()
        while "completion-code" not in one.page.ids:
            if one.path == "/talk":
                _talk(site, one, scripted=scripted)
            elif one.path == "/film":
                site.now += 60
                if scripted:
                    form = one.form("/film")
                    one.post("/film/ended", form.fields)
                one.send("/film")
            else:
                one._step()
        return {
            table.__tablename__: [
                {name: value for name, value in row._mapping.items() if name not in ITS_OWN}
                for row in site.rows(table)
            ]
            for table in (Visit, Conversation, Message, SurveyAnswer, Coaching)
        }


def _talk(site: ChatSite, one: Visitor, *, scripted: bool) -> None:
    """Have a conversation: three messages, ten seconds each."""
    for words in ("Hello.", "That sounds hard.", "What happened then?"):
        site.now += 10
        if scripted:
            page = Watching(site, one)
            page.poll()
            assert page.say(words) == "kept"
            page.poll()
        else:
            one.send("/talk", text=words, **_counts(words))
        one.get("/talk")
    one.send("/talk/leave")
