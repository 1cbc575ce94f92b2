"""The clock of a conversation: pure functions of what is known, settled at each request.

The time that counts is the server's. It runs from the participant's first message until the plan's
seconds are over, and stands, as the plan says, while

- the page is hidden: it says so itself, or it is not heard of for `UNHEARD_SECONDS`; then it counts
  as hidden from its last heartbeat on. A page that never sent a heartbeat (without JavaScript) is
  believed to be seen;
- a reply is owed, which includes a reply that is there but not shown yet;
- the participant is idle: between two of their messages at most `idle_seconds` count;
- they have to choose, because a screen found something; this pause is no choice of the plan.

Nothing else ever adds time. A reload or another browser is one more request. A second window that
is hidden takes nothing from one that is seen, because a heartbeat says for how long its page has
been seen, and that is counted afterwards. A server that restarts finds everything in the store.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from prereg.chat.conversation import Conversation

# Pages send a heartbeat every 10 seconds; two may be lost.
UNHEARD_SECONDS = 25.0
# A float of seconds since 1970 is exact to less than this.
_DUST_MS = 1e-3

Word = Literal["before", "running", "hidden", "waiting", "idle", "over"]


@dataclass(frozen=True)
class Beat:
    """A page's heartbeat.

    Attributes
    ----------
    visible : bool
        Whether the page is seen now.
    seen_ms : int, optional
        For how long it has been seen without a break, by its own clock.
    """

    visible: bool
    seen_ms: int | None = None


@dataclass(frozen=True)
class Clock:
    """What is known of a conversation's time.

    Attributes
    ----------
    started : bool
        Whether the participant has sent a message.
    active_ms : int
        What has counted until `settled_at`.
    settled_at : float
        In seconds since 1970.
    spoken_ms : int
        What had counted when the participant last sent a message.
    waiting : bool
        Whether a reply has been owed since `settled_at`, or has not been shown.
    held : bool
        Whether the participant has had to choose since then, because a screen found something.
    hidden : bool
        Whether the last page heard of said that it was hidden.
    seen_at : float
        When a page that sends heartbeats was last heard of; 0 if none ever was.
    hidden_ms : int
        How long the pages were hidden, all in all.
    time_up_at : float or None
        When time was up.
    """

    started: bool = False
    active_ms: int = 0
    settled_at: float = 0.0
    spoken_ms: int = 0
    waiting: bool = False
    held: bool = False
    hidden: bool = False
    seen_at: float = 0.0
    hidden_ms: int = 0
    time_up_at: float | None = None


def settle(clock: Clock, now: float, plan: Conversation, beat: Beat | None = None) -> Clock:
    """Return the clock as it stands at a request.

    Parameters
    ----------
    clock : Clock
    now : float
        Seconds since 1970. If the server's clock was set back, nothing counts.
    plan : Conversation
        Of the plan.
    beat : Beat, optional
        None where the participant asked for the page or sent a message: that is a sign of life, but
        no heartbeat.
    """
    seen_since = _seen_since(clock, now, beat)
    if seen_since is None:  # it was hidden, and still is
        return clock
    after = replace(
        _counted(clock, seen_since, now, plan),
        hidden=beat is not None and not beat.visible,
        # the first heartbeat begins the rule that a silent page is hidden
        seen_at=now if beat is not None or clock.seen_at else 0.0,
    )
    if not clock.started or clock.time_up_at is not None:
        return after
    hidden_ms = _whole_ms(seen_since - clock.settled_at)
    return replace(after, hidden_ms=clock.hidden_ms + hidden_ms)


def _seen_since(clock: Clock, now: float, beat: Beat | None) -> float | None:
    """Return since when the page was seen until now, at most since the clock was settled.

    None if it was hidden when it was last heard of, and says that it still is: then another window
    may still say that it has been seen meanwhile.
    """
    stands = clock.waiting or clock.held
    if beat is not None and not beat.visible and clock.hidden:
        return now if stands else None
    if clock.seen_at and now - clock.seen_at > UNHEARD_SECONDS and not stands:
        return now
    if not clock.hidden:
        return clock.settled_at
    told = 0 if beat is None or beat.seen_ms is None else max(0, beat.seen_ms)
    return min(now, max(clock.settled_at, now - told / 1000))


def _counted(clock: Clock, seen_since: float, now: float, plan: Conversation) -> Clock:
    """Return the clock with what has counted since it was settled."""
    settled = replace(clock, settled_at=now)
    stands = clock.held or (clock.waiting and "waiting" in plan.pauses)
    if not clock.started or clock.time_up_at is not None or stands:
        return settled
    since = seen_since if "hidden" in plan.pauses else clock.settled_at
    passed, left = _whole_ms(now - since), total_ms(plan) - clock.active_ms
    ran = max(0, min(passed, left, _until_idle_ms(clock, plan)))
    if ran == passed:  # what is less than a millisecond counts next time
        settled = replace(settled, settled_at=min(now, since + ran / 1000))
    if ran == left:
        settled = replace(settled, time_up_at=since + ran / 1000)
    return replace(settled, active_ms=clock.active_ms + ran)


def _until_idle_ms(clock: Clock, plan: Conversation) -> int:
    """Return how much more can count before the next message."""
    if "idle" not in plan.pauses:
        return total_ms(plan)
    return round(plan.idle_seconds * 1000) - (clock.active_ms - clock.spoken_ms)


def _whole_ms(seconds: float) -> int:
    return max(0, int(seconds * 1000 + _DUST_MS))


def total_ms(plan: Conversation) -> int:
    """Return how many milliseconds a conversation lasts."""
    return round(plan.seconds * 1000)


def spoken(clock: Clock, now: float) -> Clock:
    """Return a settled clock after the participant's message; the first one starts it."""
    return replace(clock, started=True, settled_at=now, spoken_ms=clock.active_ms)


def remaining_ms(clock: Clock, plan: Conversation) -> int:
    """Return how much time is left."""
    return max(0, total_ms(plan) - clock.active_ms)


def grace_until(clock: Clock, plan: Conversation) -> float | None:
    """Return until when what is being typed may be sent; None as long as time is not up."""
    return None if clock.time_up_at is None else clock.time_up_at + plan.grace_seconds


def word(clock: Clock, plan: Conversation) -> Word:
    """Return what the clock does, in one word; time that is up is `over`, also within the grace."""
    if clock.time_up_at is not None:
        return "over"
    if not clock.started:
        return "before"
    if clock.hidden and "hidden" in plan.pauses:
        return "hidden"
    if clock.held or (clock.waiting and "waiting" in plan.pauses):
        return "waiting"
    return "idle" if _until_idle_ms(clock, plan) <= 0 else "running"
