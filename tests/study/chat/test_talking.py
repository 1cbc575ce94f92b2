"""If these failed, a message would be lost or kept twice, or time given that the plan does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from study.chat import talking
from study.chat.owing import SettledReply, claim_owed, settle
from study.chat.places import ChatPlace, find_session
from study.chat.screens import Hit
from study.chat.study import ChatStudy
from study.chat.talking import Beat, NoConversationError, SendOutcome, Sent, Shown
from study.store.chat_tables import ChatVisit, Conversation, Message, Owed, SafetyEvent
from study.store.database import Store
from study.store.tables import Slot, Visit
from tests.support.chat_engine import MODE, NOW, chat_store, claimed, rows

SEEN, HIDDEN = Beat(visible=True), Beat(visible=False)


class Person:
    """A participant at their first conversation, with a clock of the test's own."""

    def __init__(self, store: Store, study: ChatStudy, rater_id: str = "r1") -> None:
        self.store, self.study, self.now = store, study, NOW
        self.session_id = claimed(store, study, rater_id).session_id

    @property
    def place(self) -> ChatPlace:
        place = find_session(self.store, self.study, MODE, self.session_id)
        assert place is not None
        return place

    def open(self) -> Shown:
        return talking.open_conversation(self.store, self.study, self.place, self.now)

    def wait(self, seconds: float, beat: Beat | None = SEEN) -> Shown:
        """Let time pass while the page polls."""
        shown, until = self.look(beat), self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + (1 if shown.owes_reply else 10))
            shown = self.look(beat)
        return shown

    def look(self, beat: Beat | None = None) -> Shown:
        return talking.look(self.store, self.study, self.place, self.now, beat)

    def send(
        self,
        turn: int,
        text: str = "I hear you.",
        screens: Callable[[str], Hit | None] = lambda text: None,
    ) -> SendOutcome:
        sent = Sent(turn, text, compose_ms=900, keys=11, pasted_characters=0, hidden_ms=None)
        return talking.send(self.store, self.study, self.place, sent, self.now, screens)

    def answer(self, text: str = "It is hard.") -> bool:
        """Let the partner answer what is owed; say whether anything was."""
        tasks = claim_owed(self.store, self.study, MODE, "run", 9, self.now)
        reply = SettledReply(text, "scripted")
        return [settle(self.store, self.study, task, reply, self.now) for task in tasks] == [True]

    def talked(self, turn: int) -> Shown:
        """Send a message and see its reply."""
        assert self.send(turn).kind == "kept"
        assert self.answer()
        return self.look(SEEN)


# straight to the first conversation
NO_SURVEY = {"surveys": {"before": None, "after_each": None}}


@pytest.fixture
def start(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Person]]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(**changes: object) -> Person:
            changed = {**NO_SURVEY, **changes}
            store, study = stack.enter_context(chat_store(database_url, tmp_path, **changed))
            person = Person(store, study)
            person.open()
            return person

        yield begin


Start = Callable[..., Person]


def test_a_conversation_is_opened_once_by_the_partner(start: Start) -> None:
    person = start()
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: person.open(), range(6)))
    assert len({shown.conversation_id for shown in seen}) == 1
    shown = seen[0]
    scenario = person.study.plan.scenario(person.place.scenarios[0])
    assert [(m.turn, m.speaker, m.text) for m in shown.messages] == [
        (0, "partner", scenario.opening)
    ]
    assert (shown.clock, shown.turn, shown.may_leave, shown.over) == ("before", 1, False, False)
    (opening,) = rows(person.store, Message)
    assert (opening.source, opening.shown_at) == ("opening", opening.sent_at)


def test_a_message_and_its_reply_are_stored_and_shown(start: Start) -> None:
    person = start()
    person.wait(30)  # reading costs no time
    outcome = person.send(1, " I hear\r\nyou. ")
    assert (outcome.kind, outcome.shown.owes_reply) == ("kept", True)
    assert person.send(2).kind == "waiting"
    shown = person.wait(12)
    assert (shown.clock, shown.waiting_seconds) == ("waiting", 12)
    assert person.answer()
    shown = person.look(SEEN)
    assert [(m.turn, m.speaker, m.text) for m in shown.messages[1:]] == [
        (1, "supporter", "I hear\nyou."),
        (1, "partner", "It is hard."),
    ]
    assert (shown.owes_reply, shown.clock, shown.remaining_ms) == (False, "running", 240_000)
    person.wait(7)
    assert person.send(2).kind == "kept"
    sent = {(row.turn, row.speaker): row for row in rows(person.store, Message)}
    assert (sent[1, "supporter"].clock_ms, sent[2, "supporter"].clock_ms) == (0, 7_000)
    assert (sent[1, "supporter"].keys, sent[1, "supporter"].hidden_ms) == (11, None)
    assert sent[1, "partner"].shown_at is not None
    assert person.place.first_message_at == sent[1, "supporter"].sent_at


def test_a_reply_is_shown_only_after_the_typing_delay(start: Start) -> None:
    typing = {"characters_per_second": 2, "at_least": 3, "at_most": 20}
    person = start(conversation={"typing": typing})
    person.send(1)
    assert person.answer()  # eleven characters: five and a half seconds
    shown = person.wait(5)
    assert (shown.owes_reply, len(shown.messages)) == (True, 2)
    assert person.send(2).kind == "waiting"
    person.now += 0.5
    assert person.send(2).kind == "waiting", "it is there, but nobody has seen it"
    person.now += 1
    assert person.send(2).kind == "kept", "the page after the refusal has shown it"


def test_fifty_posts_at_once_are_one_message_and_one_owed_reply(start: Start) -> None:
    person = start()
    with ThreadPoolExecutor(16) as pool:
        kinds = list(pool.map(lambda _: person.send(1).kind, range(50)))
    assert sorted(kinds) == ["kept"] + ["repeated"] * 49
    assert len([row for row in rows(person.store, Message) if row.speaker == "supporter"]) == 1
    assert [(one.kind, one.turn) for one in rows(person.store, Owed)] == [("partner", 1)]
    assert person.answer()
    assert person.send(1).kind == "repeated"
    assert person.send(7).kind in ("waiting", "taken")


def test_other_words_from_another_window_are_not_taken_for_the_same_message(start: Start) -> None:
    person = start()
    with ThreadPoolExecutor(8) as pool:
        kinds = list(pool.map(lambda n: person.send(1, f"text {n}").kind, range(16)))
    assert sorted(kinds) == ["kept"] + ["taken"] * 15, "their writers must hear of it"
    assert len([row for row in rows(person.store, Message) if row.speaker == "supporter"]) == 1


def test_what_cannot_be_sent_changes_nothing(start: Start) -> None:
    person = start(conversation={"messages": {"max": 2, "characters": 10}})
    assert person.send(1, " \n\x00 ").kind == "empty"
    assert person.send(1, "\u200b\ufeff \u3164").kind == "empty", "nothing of it can be seen"
    assert person.send(1, "x" * 11).kind == "too_long"
    assert person.send(1, "x" * 10 + "\r\n").kind == "kept"
    assert person.answer()
    assert person.look(SEEN).over is False
    assert person.send(2, "\U0001f642").kind == "kept"
    assert person.answer()
    shown = person.look(SEEN)
    assert (shown.over, shown.ended_because) == (True, "messages"), "its last reply is shown first"
    assert person.send(3, "more").kind == "over"
    assert rows(person.store, Conversation)[0].turn == 2


def test_calls_that_are_used_up_end_a_conversation_and_no_visit(start: Start) -> None:
    server = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "key_variable": None}
    person = start(
        servers={"main": server},
        partner={"kind": "llm", "server": "main"},
        budget={"per_participant": {"calls": 4}},
    )
    for turn in (1, 2):
        assert person.look(SEEN).over is False
        assert person.send(turn).kind == "kept"
        assert person.answer()
    shown = person.look(SEEN)
    assert (shown.over, shown.ended_because) == (True, "messages")
    assert person.place.status == "active"


def test_pauses_leave_the_active_time_exact_in_the_store(start: Start) -> None:
    person = start()
    person.talked(1)
    person.wait(12)
    person.wait(90, HIDDEN)
    shown = person.look(SEEN)
    assert (shown.clock, shown.remaining_ms) == ("running", 228_000)
    person.wait(8)
    person.send(2)
    person.wait(30)
    assert person.answer()
    shown = person.wait(70)
    assert (shown.clock, shown.remaining_ms) == ("idle", 160_000)
    assert person.look().remaining_ms == 160_000, "a reload adds nothing and takes nothing"
    person.send(3)
    assert person.answer()
    shown = person.wait(5)
    assert (shown.clock, shown.remaining_ms) == ("running", 155_000)
    (talk,) = rows(person.store, Conversation)
    assert (talk.active_ms, talk.hidden_ms) == (85_000, 90_000)


def test_when_time_is_up_one_message_is_sent_within_the_grace_and_not_answered(
    start: Start,
) -> None:
    person = start(conversation={"seconds": 30})
    person.talked(1)
    shown = person.wait(40)
    assert (shown.clock, shown.in_grace, shown.over) == ("over", True, False)
    outcome = person.send(2, "one more thing")
    assert (outcome.kind, outcome.shown.over, outcome.shown.owes_reply) == ("kept", True, False)
    assert outcome.shown.ended_because == "time"
    assert person.send(3).kind == "over"
    owed = [one.turn for one in rows(person.store, Owed) if one.kind == "partner"]
    assert owed == [1], "nobody pays for it"
    talking.leave_conversation(person.store, person.study, person.place, person.now)
    assert person.place.step == 1


def test_after_the_grace_nothing_is_sent(start: Start) -> None:
    person = start(conversation={"seconds": 30})
    person.talked(1)
    person.wait(29)
    person.now += 22  # typing on, and time was up 21 seconds ago
    outcome = person.send(2)
    assert (outcome.kind, outcome.shown.over) == ("late", True)
    (talk,) = rows(person.store, Conversation)
    assert (talk.ended_because, talk.turn, talk.active_ms) == ("time", 1, 30_000)
    assert talk.ended_at.endswith("08:00:50.000Z"), "when the grace was over"


def test_without_javascript_time_is_up_as_well(start: Start) -> None:
    person = start(conversation={"seconds": 50})
    person.send(1)
    assert person.answer()
    assert person.look().clock == "running"
    person.now += 100
    shown = person.look()
    assert (shown.over, shown.ended_because) == (True, "time")


@pytest.mark.parametrize("begun", [True, False])
def test_polls_that_change_nothing_write_nothing(start: Start, begun: bool) -> None:
    person = start()
    if begun:
        person.send(1)
    person.look(SEEN)
    before = rows(person.store, Conversation)
    writes = person.store.write
    person.store.write = lambda job: pytest.fail("a poll has written")  # type: ignore[method-assign]
    person.wait(20)
    person.store.write = writes  # type: ignore[method-assign]
    assert rows(person.store, Conversation) == before


def hit(text: str) -> Hit | None:
    return Hit("lexicon", "self_harm") if "hopeless" in text else None


def test_a_hit_is_kept_and_not_answered_before_the_participant_goes_on(start: Start) -> None:
    person = start()
    person.talked(1)
    outcome = person.send(2, "it is hopeless", hit)
    assert outcome.kind == "flagged"
    pending = outcome.shown.flagged
    assert pending is not None
    assert (pending.turn, pending.speaker, pending.category) == (2, "supporter", "self_harm")
    assert not outcome.shown.owes_reply
    assert not outcome.shown.may_leave
    assert person.send(3).kind == "flagged"
    assert not person.answer(), "nothing is owed yet"
    person.wait(45)
    assert talking.pending(person.store, person.place) == pending
    for _ in range(2):  # pressed twice
        talking.choose(person.store, person.study, person.place, pending, "went_on", person.now)
    shown = person.look(SEEN)
    assert (shown.flagged, shown.owes_reply) == (None, True)
    assert shown.remaining_ms == 240_000, "nobody loses time while help is offered"
    assert person.answer()
    assert person.wait(3).remaining_ms == 237_000
    assert rows(person.store, ChatVisit)[0].safety_flags == 1
    flagged = [row.flag for row in rows(person.store, Message) if row.turn == 2]
    assert flagged == ["lexicon", ""]


def test_help_costs_no_time_where_waiting_does(start: Start) -> None:
    person = start(conversation={"pauses": ["hidden"]})
    pending = person.send(1, "hopeless", hit).shown.flagged
    assert pending is not None
    person.wait(45)
    talking.choose(person.store, person.study, person.place, pending, "went_on", person.now)
    assert person.wait(4).remaining_ms == 236_000


def test_whoever_stops_ends_the_visit_and_frees_the_place(start: Start) -> None:
    person = start()
    pending = person.send(1, "hopeless", hit).shown.flagged
    assert pending is not None
    after = talking.choose(person.store, person.study, person.place, pending, "stopped", person.now)
    assert (after.status, after.ended_because) == ("stopped", "safety")
    shown = person.look()
    assert (shown.over, shown.ended_because, shown.flagged) == (True, "safety", None)
    assert person.send(2).kind == "over"
    assert all(slot.session_id is None for slot in rows(person.store, Slot))
    again = talking.choose(person.store, person.study, person.place, pending, "went_on", person.now)
    assert again.status == "stopped"
    assert [one.choice for one in rows(person.store, SafetyEvent)] == ["stopped"]


def test_a_hit_in_the_last_message_is_answered_by_nobody(start: Start) -> None:
    person = start(conversation={"seconds": 30})
    person.talked(1)
    person.wait(31)
    outcome = person.send(2, "hopeless", hit)
    assert outcome.kind == "flagged"
    assert outcome.shown.flagged is not None
    assert person.wait(60).over is False, "nothing ends while help is offered"
    talking.choose(
        person.store, person.study, person.place, outcome.shown.flagged, "went_on", person.now
    )
    assert person.send(3).kind == "over", "one message fits into the grace"
    assert person.look().over
    assert not person.answer()


def test_a_partners_reply_with_a_hit_is_shown_after_the_choice(start: Start) -> None:
    person = start()
    person.send(1)
    (task,) = claim_owed(person.store, person.study, MODE, "run", 9, person.now)
    found = Hit("moderation", "violence")
    reply = SettledReply("dangerous", "llm", flag="moderation", hit=found)
    assert settle(person.store, person.study, task, reply, person.now)
    shown = person.wait(5)
    assert [m.turn for m in shown.messages] == [0, 1]
    assert shown.flagged is not None
    assert shown.flagged.speaker == "partner"
    talking.choose(person.store, person.study, person.place, shown.flagged, "went_on", person.now)
    assert person.look(SEEN).messages[-1].text == "dangerous"


def test_leaving_goes_on_once_and_only_where_the_plan_allows_it(start: Start) -> None:
    person = start(conversation={"messages": {"min": 2}})
    person.talked(1)
    stays = talking.leave_conversation(person.store, person.study, person.place, person.now)
    assert stays.step == 0
    person.send(2)
    place = person.place
    with ThreadPoolExecutor(6) as pool:
        found = list(
            pool.map(
                lambda _: (
                    talking.leave_conversation(person.store, person.study, place, person.now).step
                ),
                range(8),
            )
        )
    assert set(found) == {1}
    (talk,) = rows(person.store, Conversation)
    assert (talk.status, talk.ended_because) == ("over", "participant")
    assert [one.status for one in rows(person.store, Owed) if one.kind == "partner"] == [
        "answered",
        "dropped",
    ]


def test_who_is_elsewhere_has_no_conversation(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    with chat_store(url, tmp_path) as (store, study):
        person = Person(store, study)  # at the survey before
        with pytest.raises(NoConversationError):
            person.open()
        with pytest.raises(NoConversationError):
            person.send(1)
        assert rows(store, Visit)[0].answered == 0
