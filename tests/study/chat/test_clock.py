"""If these failed, participants would have more or less time to talk than the plan says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.chat.conversation import Conversation
from study.chat.clock import Beat, Clock, grace_until, remaining_ms, settle, spoken, word
from tests.support.chat_engine import NOW

PLAN = Conversation(seconds=240, idle_seconds=60, grace_seconds=20)
SEEN, HIDDEN = Beat(visible=True), Beat(visible=False)


def begun(now: float = NOW, *, beats: bool = True) -> Clock:
    """Return a clock that has just started, on a page with or without JavaScript."""
    clock = settle(Clock(settled_at=now), now, PLAN, SEEN if beats else None)
    return spoken(clock, now)


def watched(clock: Clock, start: float, end: float, step: float = 10) -> Clock:
    """Let a page that is seen send its heartbeats."""
    now = start
    while now < end:
        now = min(now + step, end)
        clock = settle(clock, now, PLAN, SEEN)
    return clock


def test_hidden_waiting_and_idle_time_leave_the_active_time_exact() -> None:
    clock = watched(begun(), NOW, NOW + 12)
    clock = settle(clock, NOW + 12, PLAN, HIDDEN)  # hidden for 90 s, and polling on
    for seconds in range(22, 102, 10):
        clock = settle(clock, NOW + seconds, PLAN, HIDDEN)
        assert word(clock, PLAN) == "hidden"
    clock = settle(clock, NOW + 102, PLAN, SEEN)
    assert (clock.active_ms, clock.hidden_ms) == (12_000, 90_000)
    clock = watched(clock, NOW + 102, NOW + 110)
    clock = replace(spoken(settle(clock, NOW + 110, PLAN), NOW + 110), waiting=True)
    clock = watched(clock, NOW + 110, NOW + 140, step=1)  # the partner takes 30 s
    assert (clock.active_ms, word(clock, PLAN)) == (20_000, "waiting")
    clock = replace(settle(clock, NOW + 140, PLAN, SEEN), waiting=False)
    clock = watched(clock, NOW + 140, NOW + 199.5)
    assert word(clock, PLAN) == "running"
    clock = watched(clock, NOW + 199.5, NOW + 210)  # 70 s without a message
    assert (clock.active_ms, word(clock, PLAN)) == (80_000, "idle")
    clock = spoken(settle(clock, NOW + 210, PLAN), NOW + 210)
    clock = watched(clock, NOW + 210, NOW + 215)
    assert (clock.active_ms, word(clock, PLAN)) == (85_000, "running")
    assert remaining_ms(clock, PLAN) == 155_000
    assert clock.hidden_ms == 90_000


def test_a_page_that_is_not_heard_of_is_hidden_from_its_last_heartbeat_on() -> None:
    clock = watched(begun(), NOW, NOW + 20)
    back = settle(clock, NOW + 120, PLAN, SEEN)
    assert (back.active_ms, back.hidden_ms) == (20_000, 100_000)
    loaded = settle(clock, NOW + 120, PLAN)
    assert loaded.active_ms == 20_000, "the window was closed, and is opened again"
    lost_two = settle(clock, NOW + 45, PLAN, SEEN)
    assert lost_two.active_ms == 45_000


def test_without_heartbeats_the_page_is_believed_to_be_seen() -> None:
    clock = settle(begun(beats=False), NOW + 50, PLAN)
    assert (clock.active_ms, clock.hidden_ms) == (50_000, 0)
    clock = settle(clock, NOW + 300, PLAN)
    assert (clock.active_ms, word(clock, PLAN)) == (60_000, "idle")


def test_a_hidden_window_takes_nothing_from_one_that_is_seen() -> None:
    clock = begun()
    for second in range(1, 41):
        now = NOW + second
        clock = settle(clock, now, PLAN, HIDDEN)  # the hidden window, every second
        if second % 10 == 0:
            clock = settle(clock, now, PLAN, Beat(visible=True, seen_ms=second * 1000))
    assert clock.active_ms == 40_000
    assert clock.hidden_ms == 0


def test_a_page_cannot_have_been_seen_before_the_clock_was_settled() -> None:
    clock = settle(begun(), NOW + 5, PLAN, HIDDEN)
    clock = settle(clock, NOW + 20, PLAN, Beat(visible=True, seen_ms=10**9))
    assert clock.active_ms == 20_000
    back = settle(settle(clock, NOW + 21, PLAN, HIDDEN), NOW + 30, PLAN, Beat(True, -5))
    assert back.active_ms == 21_000


@pytest.mark.parametrize("beats", [True, False])
def test_reloads_and_other_windows_never_add_time(beats: bool) -> None:
    plain, busy = begun(beats=beats), begun(beats=beats)
    for second in range(1, 51):
        busy = settle(busy, NOW + second, PLAN)  # reloaded every second
        if second % 10 == 0:
            plain = settle(plain, NOW + second, PLAN, SEEN if beats else None)
            busy = settle(busy, NOW + second, PLAN, SEEN if beats else None)
    assert busy.active_ms == plain.active_ms == 50_000


def test_time_is_up_at_its_very_moment_however_late_the_next_request_is() -> None:
    plan = Conversation(seconds=30, idle_seconds=60, grace_seconds=20)
    clock = settle(spoken(Clock(settled_at=NOW), NOW), NOW + 47, plan)
    assert (clock.time_up_at, word(clock, plan)) == (NOW + 30, "over")
    assert grace_until(clock, plan) == NOW + 50
    later = settle(clock, NOW + 90, plan)
    assert (later.time_up_at, later.active_ms) == (NOW + 30, 30_000)


def test_a_hidden_window_that_shows_the_reply_ends_the_wait_there() -> None:
    clock = replace(begun(), waiting=True)
    clock = settle(clock, NOW + 3, PLAN, HIDDEN)
    clock = replace(settle(clock, NOW + 33, PLAN, HIDDEN), waiting=False)
    clock = settle(clock, NOW + 34, PLAN, Beat(visible=True, seen_ms=34_000))
    assert clock.active_ms == 1_000


def test_a_clock_of_the_server_that_is_set_counts_nothing_backwards() -> None:
    clock = settle(begun(beats=False), NOW + 10, PLAN)
    back = settle(clock, NOW - 3600, PLAN)
    assert back.active_ms == 10_000
    assert settle(back, NOW - 3595, PLAN).active_ms == 15_000


def test_pauses_that_the_plan_does_not_name_count() -> None:
    plan = Conversation(seconds=240, idle_seconds=60, pauses=())
    clock = settle(begun(), NOW + 5, plan, HIDDEN)
    clock = replace(settle(clock, NOW + 100, plan, SEEN), waiting=True)
    clock = settle(clock, NOW + 120, plan, SEEN)
    assert (clock.active_ms, clock.hidden_ms) == (120_000, 95_000)
    held = settle(replace(clock, held=True), NOW + 130, plan, SEEN)
    assert held.active_ms == 120_000, "nobody loses time while help is offered"


events = st.lists(
    st.tuples(
        st.floats(0, 40, allow_nan=False),
        st.sampled_from(["seen", "hidden", "look", "send", "wait", "shown", "hold", "chosen"]),
        st.one_of(st.none(), st.integers(-10, 100_000)),
    ),
    max_size=40,
)


@given(events)
def test_what_counts_is_never_more_than_what_passed(happened: list[tuple[float, str, int]]) -> None:
    clock, now, standing = begun(), NOW, 0.0
    for pause, what, seen_ms in happened:
        before = clock
        now += pause
        standing += pause if clock.waiting or clock.held else 0
        beats = {"seen": Beat(True, seen_ms), "hidden": HIDDEN}
        clock = settle(clock, now, PLAN, beats.get(what))
        assert clock.active_ms >= before.active_ms, "time never runs backwards"
        assert clock.active_ms - clock.spoken_ms <= 60_000
        if what == "send" and clock.time_up_at is None:
            clock = spoken(clock, now)
        changes = {"wait": ("waiting", True), "shown": ("waiting", False)}
        changes |= {"hold": ("held", True), "chosen": ("held", False)}
        if what in changes:
            clock = replace(clock, **dict([changes[what]]))  # type: ignore[arg-type]
        passed = (now - NOW - standing) * 1000 - clock.hidden_ms * (standing == 0)
        assert clock.active_ms <= min(passed, 240_000) + 0.1
        if clock.time_up_at is not None:
            assert clock.active_ms == 240_000
            assert NOW + 240 <= clock.time_up_at <= now
