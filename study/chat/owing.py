"""The queue of what partner and coach owe: exactly one stored reply each, whatever is killed.

A row is made in the transaction of the message that it answers. A server claims it, asks without
any transaction, and stores the reply and `answered` together; only the holder of the claim can do
so. A claim lasts `CLAIM_SECONDS` and is renewed while its server lives, so what a dead server has
claimed is taken up by another, or at the restart. What is paid twice is at most what was in flight.

Rows are locked in one order everywhere: slot, visit, conversation, owed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.engine import Connection

from study.chat.giving_up import PARTNER_FAILURE, fail, give_up
from study.chat.owed_rows import (
    KINDS,
    OPEN,
    Kind,
    OwedTask,
    Place,
    SettledReply,
    conversation_of,
    held_by,
    is_active,
    is_held,
    lock_visit,
)
from study.chat.replies import keep_coaching, keep_message
from study.chat.screens import Hit, iso, note_hit
from study.chat.study import ChatStudy
from study.store.chat_tables import Owed
from study.store.database import Store
from study.store.inserting import insert_new

__all__ = [
    "CLAIM_SECONDS",
    "KINDS",
    "PARTNER_FAILURE",
    "Kind",
    "OwedTask",
    "Place",
    "SettledReply",
    "claim_owed",
    "fail",
    "give_up",
    "hold",
    "keep_claims",
    "owe",
    "put_off",
    "release_claims",
    "reset_claims",
    "resume",
    "settle",
]

# A claim that was not renewed for so long is that of a dead server.
CLAIM_SECONDS = 15.0
# After the end of every study, in seconds since 1970.
NEVER = 1e12


def owe(
    connection: Connection,
    study: ChatStudy,
    place: Place,
    conversation_id: str,
    kind: Kind,
    turn: int,
    now: float,
) -> bool:
    """Note that something is owed, in the transaction of what it answers.

    Parameters
    ----------
    connection : Connection
    study : ChatStudy
    place : Place
    conversation_id : str
    kind : {'partner', 'feedback', 'answer'}
    turn : int
    now : float
        Seconds since 1970.

    Returns
    -------
    bool
        False if it was owed already; then nothing changes.
    """
    values = {
        "plan_hash": study.root_hash,
        "mode": place.mode,
        "session_id": place.session_id,
        "conversation_id": conversation_id,
        "kind": kind,
        "turn": turn,
        "status": "owed",
        "owed_at": now,
    }
    return insert_new(connection, Owed, values)


def claim_owed(
    store: Store,
    study: ChatStudy,
    mode: str,
    run_id: str,
    limit: int,
    now: float,
    *,
    kinds: Sequence[Kind] = KINDS,
) -> list[OwedTask]:
    """Claim what is owed for longest; no two servers get the same.

    What a participant must first say something to, because a screen found something, waits.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    mode : str
    run_id : str
        Of the server that claims.
    limit : int
        How many at most.
    now : float
    kinds : sequence of str
    """
    patience = study.plan.partner.on_failure.give_up_seconds
    due = (
        Owed.plan_hash == study.root_hash,
        Owed.mode == mode,
        Owed.kind.in_(kinds),
        Owed.status.in_(OPEN),
        or_(
            and_(Owed.status == "owed", Owed.not_before <= now),
            and_(Owed.status == "claimed", Owed.claimed_until < now),
        ),
        Owed.owed_at >= now - patience,  # what is older is given up
        is_active(),
        ~is_held(),
    )
    with store.reading() as connection:  # mostly nothing is owed, and no lock is needed to see it
        if connection.scalar(select(Owed.owed_id).where(*due).limit(1)) is None:
            return []
    wanted = select(Owed.__table__).where(*due).order_by(Owed.owed_at, Owed.owed_id).limit(limit)

    def take(connection: Connection) -> list[OwedTask]:
        rows = connection.execute(wanted.with_for_update(skip_locked=True, of=Owed)).all()
        mine = {
            "status": "claimed",
            "run_id": run_id,
            "claimed_until": now + CLAIM_SECONDS,
            "attempts": Owed.attempts + 1,
        }
        ids = [row.owed_id for row in rows]
        connection.execute(update(Owed).where(Owed.owed_id.in_(ids)).values(mine))
        return [_task(row, run_id) for row in rows]

    return store.write(take)


def keep_claims(store: Store, tasks: Collection[OwedTask], now: float) -> None:
    """Renew the claims of tasks that a server still works on."""
    mine = update(Owed).where(
        Owed.status == "claimed",
        Owed.run_id.in_({task.run_id for task in tasks}),
        Owed.owed_id.in_([task.owed_id for task in tasks]),
    )
    store.write(lambda c: c.execute(mine.values(claimed_until=now + CLAIM_SECONDS)))


def release_claims(store: Store, run_id: str) -> None:
    """Give back every claim of a server that stops, so that another can answer at once."""
    mine = update(Owed).where(Owed.status == "claimed", Owed.run_id == run_id)
    store.write(lambda c: c.execute(mine.values(status="owed", run_id=None)))


def reset_claims(store: Store, study: ChatStudy, mode: str, *, alone: bool = True) -> None:
    """Free what servers of before had put off; where no other server runs, their claims, too."""
    left = update(Owed).where(
        Owed.plan_hash == study.root_hash,
        Owed.mode == mode,
        Owed.status.in_(OPEN if alone else ("owed",)),
    )
    store.write(lambda c: c.execute(left.values(status="owed", run_id=None, not_before=0.0)))


def put_off(store: Store, task: OwedTask, *, reason: str, note: str | None = None) -> bool:
    """Give a claim back, for a reason; it is not claimed again unless a server is restarted.

    A claim that was given up while its call was under way keeps the reason too.
    """
    because = {"reason": reason, "note": note}
    values = {"status": "owed", "run_id": None, "not_before": NEVER, **because}
    given_up = update(Owed).where(
        Owed.owed_id == task.owed_id,
        Owed.run_id == task.run_id,
        Owed.status.in_(("failed", "dropped")),
        Owed.reason.is_(None),
    )

    def put(connection: Connection) -> bool:
        if connection.execute(held_by(task).values(values)).rowcount:
            return True
        connection.execute(given_up.values(because))
        return False

    return store.write(put)


def resume(connection: Connection, conversation_id: str, now: float) -> None:
    """Let what waited for a participant's choice be answered, as if it were owed from now on."""
    waiting = update(Owed).where(Owed.conversation_id == conversation_id, Owed.status == "owed")
    connection.execute(waiting.values(owed_at=now, not_before=0.0))


def hold(store: Store, task: OwedTask, turn: int, speaker: str, hit: Hit, now: float) -> None:
    """Note a hit in what is to be answered, and give the claim back until the participant chooses.

    Parameters
    ----------
    store : Store
    task : OwedTask
    turn : int
    speaker : {'supporter', 'question'}
    hit : Hit
    now : float
    """

    def note(connection: Connection) -> None:
        lock_visit(connection, task.session_id)
        free = held_by(task).values(status="owed", run_id=None)
        if connection.execute(free).rowcount:
            note_hit(connection, task.session_id, task.conversation_id, turn, speaker, hit, now)

    store.write(note)


def settle(store: Store, study: ChatStudy, task: OwedTask, reply: SettledReply, now: float) -> bool:
    """Store a reply, once, in one transaction with `answered`.

    Parameters
    ----------
    store : Store
    study : ChatStudy
    task : OwedTask
    reply : SettledReply
    now : float

    Returns
    -------
    bool
        False if nothing was stored: the claim is no longer this server's, or nobody waits for the
        reply any more, because the conversation or the visit has ended.
    """

    def keep(connection: Connection) -> bool:
        active = lock_visit(connection, task.session_id) == "active"
        talk = conversation_of(connection, task.conversation_id)
        waits = active and talk is not None
        if talk is not None and task.kind == "partner":
            waits = waits and talk.status == "open"
        done = {
            "status": "answered" if waits else "dropped",
            "settled_at": iso(now),
            "reason": None,
            "note": reply.note,
        }
        if connection.execute(held_by(task).values(done)).rowcount != 1 or not waits:
            return False
        if task.kind == "partner":
            keep_message(connection, study, task, talk, reply, now)
        else:
            keep_coaching(connection, task, talk, reply, now)
        if reply.hit is not None:
            speaker = "partner" if task.kind == "partner" else "coach"
            whose = (task.session_id, task.conversation_id, task.turn)
            note_hit(connection, *whose, speaker, reply.hit, now)
        return True

    return store.write(keep)


def _task(row: Any, run_id: str) -> OwedTask:
    return OwedTask(
        owed_id=row.owed_id,
        session_id=row.session_id,
        conversation_id=row.conversation_id,
        kind=row.kind,
        turn=row.turn,
        owed_at=row.owed_at,
        attempts=row.attempts + 1,
        run_id=run_id,
    )
