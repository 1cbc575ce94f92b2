"""Count in the store how far a chat is, at one moment: arms and rounds, replies, flags."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import aliased

from prereg.chat.allocation import allocated
from prereg.chat.model import ChatPlan
from prereg.chat.steps import steps_of
from prereg.chat.surveys import BEFORE, END
from prereg.tables.chat_contract import HAD
from prereg.tables.contract import MODES
from study.chat.spending import Costs, cost
from study.chat.study import ChatStudy
from study.export.chat.tables import left_behind
from study.export.progress import astray, doubled
from study.export.raters import SILENT
from study.store.chat_tables import Conversation, Message, Owed, SafetyEvent
from study.store.database import Store
from study.store.tables import Slot, Visit, Withdrawal

# How many of the latest replies their times are taken from.
LATEST = 1_000
DONE = "done"


@dataclass(frozen=True)
class Arm:
    """One condition.

    Attributes
    ----------
    condition : str
    weight, places : int
        Of the plan, and how many places it has.
    at : mapping
        How many are at each stage now, by the stage's name; see `stages`.
    ended : int
        How many visits ended early.
    """

    condition: str
    weight: int
    places: int
    at: Mapping[str, int]
    ended: int

    @property
    def taken(self) -> int:
        """How many places somebody holds."""
        return sum(self.at.values())


@dataclass(frozen=True)
class Replies:
    """How long replies of the partner take.

    Attributes
    ----------
    count : int
        How many replies this is about, the latest ones.
    middle, p95 : float or None
        Seconds from a message to the reply's being there: the median, and what 95 of 100 take at
        most.
    owed : int
        Replies of partner and coach that are owed now.
    longest : float
        For how many seconds the oldest of them has been owed.
    """

    count: int
    middle: float | None
    p95: float | None
    owed: int
    longest: float


@dataclass(frozen=True)
class ChatProgress:
    """How far one kind of data (live, pilot, bot) is.

    Attributes
    ----------
    mode : str
    arms : tuple of Arm
        In the plan's order.
    visits : mapping
        Number of visits by status; 'silent' visits are counted apart from 'active' ones.
    places, withdrawn : int
        Places in all; people who withdrew, whom no other number counts.
    doubled : tuple of str
        Places that two visits hold or have finished; any such place is an error.
    astray : int
        Visits under way or finished that do not hold their place; any such visit is an error.
    conversations : int
        Conversations that were had.
    messages : tuple of int
        Of the participant, in each of these.
    role_breaks : int
    replies : Replies
    costs : Costs
    flags : int
        How often a screen found something.
    """

    mode: str
    arms: tuple[Arm, ...]
    visits: Mapping[str, int]
    places: int
    withdrawn: int
    doubled: tuple[str, ...]
    astray: int
    conversations: int
    messages: tuple[int, ...]
    role_breaks: int
    replies: Replies
    costs: Costs
    flags: int

    @property
    def consented(self) -> int:
        """How many have agreed to take part and have not withdrawn since."""
        return sum(self.visits.values())

    @property
    def free(self) -> int:
        """How many places a newcomer can get."""
        return self.places - self.visits["active"] - self.visits["finished"]

    @property
    def apart(self) -> float:
        """By how many participants the fullest and the emptiest arm differ, by their weights."""
        filled = [arm.taken / arm.weight for arm in self.arms]
        return max(filled) - min(filled)

    @property
    def median_messages(self) -> float | None:
        """The median number of messages of a conversation."""
        return median(self.messages) if self.messages else None


def stages(plan: ChatPlan) -> tuple[str, ...]:
    """Return where a participant may be, in order: before, each round, the end, and done."""
    rounds = (str(number) for number in range(1, plan.design.conversations + 1))
    before = (BEFORE,) if plan.surveys.before else ()
    end = (END,) if plan.surveys.end else ()
    return (*before, *rounds, *end, DONE)


def stage_of(plan: ChatPlan, condition: str, done: int) -> str:
    """Return the stage of whoever has done so many steps."""
    steps = steps_of(plan, condition)
    if done >= len(steps):
        return DONE
    return str(steps[done].round) if steps[done].round else steps[done].survey


def chat_progress(store: Store, study: ChatStudy) -> tuple[list[ChatProgress], Mapping[str, int]]:
    """Count everything.

    Returns
    -------
    list of ChatProgress
        The modes that have places, visits or withdrawals.
    mapping
        Number of rows of other plans by table; no other count includes them.
    """
    found = []
    for mode in MODES:
        costs = cost(store, study, mode)
        with store.snapshot() as connection:
            found.append(_of_mode(connection, study, mode, costs))
    with store.snapshot() as connection:
        others = left_behind(connection, study)
    return [one for one in found if one.places or one.consented or one.withdrawn], others


def _of_mode(connection: Connection, study: ChatStudy, mode: str, costs: Costs) -> ChatProgress:
    now = time.time()
    here = and_(Visit.plan_hash == study.root_hash, Visit.mode == mode)
    gone = and_(Withdrawal.plan_hash == study.root_hash, Withdrawal.mode == mode)
    talks = and_(Conversation.plan_hash == study.root_hash, Conversation.mode == mode)
    visits = connection.execute(
        select(Visit.condition, Visit.status, Visit.answered, Visit.lease_until).where(here)
    ).all()
    slots = connection.scalars(
        select(Slot.sequence_id).where(Slot.plan_hash == study.root_hash, Slot.mode == mode)
    ).all()
    had = connection.execute(
        select(Conversation.turn).where(talks, Conversation.ended_because.in_(HAD))
    )
    messages = tuple(sorted(turn for (turn,) in had))
    breaks = select(func.coalesce(func.sum(Conversation.role_breaks), 0)).where(talks)
    flags = (
        select(func.count())
        .select_from(SafetyEvent)
        .join(Conversation, Conversation.conversation_id == SafetyEvent.conversation_id)
    )
    return ChatProgress(
        mode=mode,
        arms=_arms(study.plan, visits, slots, now),
        visits=Counter(_state(visit, now) for visit in visits),
        places=len(slots),
        withdrawn=connection.scalar(select(func.count()).where(gone)) or 0,
        doubled=doubled(connection, here),
        astray=astray(connection, here),
        conversations=len(messages),
        messages=messages,
        role_breaks=int(connection.scalar(breaks) or 0),
        replies=_replies(connection, study, mode, now),
        costs=costs,
        flags=connection.scalar(flags.where(talks)) or 0,
    )


def _state(visit: Any, now: float) -> str:
    return SILENT if visit.status == "active" and visit.lease_until < now else str(visit.status)


def _arms(
    plan: ChatPlan, visits: Sequence[Any], slots: Sequence[str], now: float
) -> tuple[Arm, ...]:
    """Return every condition; whoever is silent counts at no stage, as their place is free."""
    places = Counter(allocated(plan, place).condition for place in slots)
    at: dict[str, Counter[str]] = {name: Counter() for name in plan.design.conditions}
    ended: Counter[str] = Counter()
    for visit in visits:
        if visit.condition not in at:
            continue  # of an earlier version of the plan
        state = _state(visit, now)
        if state == "finished":
            at[visit.condition][DONE] += 1
        elif state == "active":
            at[visit.condition][stage_of(plan, visit.condition, visit.answered)] += 1
        else:
            ended[visit.condition] += state != SILENT
    return tuple(
        Arm(name, weight, places[name], at[name], ended[name])
        for name, weight in plan.design.weights.items()
    )


def _replies(connection: Connection, study: ChatStudy, mode: str, now: float) -> Replies:
    asked = aliased(Message)
    latest = (
        select(asked.sent_at, Message.sent_at)
        .join(Conversation, Conversation.conversation_id == Message.conversation_id)
        .join(
            asked,
            and_(
                asked.conversation_id == Message.conversation_id,
                asked.turn == Message.turn,
                asked.speaker == "supporter",
            ),
        )
        .where(
            Conversation.plan_hash == study.root_hash,
            Conversation.mode == mode,
            Message.speaker == "partner",
        )
        .order_by(Message.row_id.desc())
        .limit(LATEST)
    )
    spans = sorted(
        (datetime.fromisoformat(there) - datetime.fromisoformat(sent)).total_seconds()
        for sent, there in connection.execute(latest)
        if there >= sent  # else the clock was set meanwhile
    )
    owed = select(func.count(), func.min(Owed.owed_at)).where(
        Owed.plan_hash == study.root_hash, Owed.mode == mode, Owed.status.in_(("owed", "claimed"))
    )
    count, since = connection.execute(owed).one()
    return Replies(
        count=len(spans),
        middle=median(spans) if spans else None,
        p95=spans[math.ceil(0.95 * len(spans)) - 1] if spans else None,
        owed=count,
        longest=max(0.0, now - since) if since is not None else 0.0,
    )
