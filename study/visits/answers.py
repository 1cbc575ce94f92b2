"""Keep raters' answers: each is on disk before it is acknowledged, and is kept only once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from sqlalchemy import Insert, Table, bindparam, exists, insert, select, update
from sqlalchemy.engine import Connection

from prereg.design.sequences import Trial
from prereg.lock import utc_now
from study.folder import Study
from study.store.database import Store
from study.store.prepared import Prepared
from study.store.tables import Base, Slot, Visit
from study.tasks.base import Answers
from study.tasks.registry import task_of
from study.visits.clock import elapsed, stopwatch
from study.visits.places import Place, read_place
from study.visits.replacing import replace_if_failed

# A browser may send any number; more than a day is not believable.
LONGEST_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Given:
    """An answer as the browser sent it; the times are the browser's own and may be missing."""

    position: int
    answers: Answers
    response_ms: int | None = None
    hidden_ms: int | None = None
    shown_at: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What happened to an answer.

    Attributes
    ----------
    place : Place
        Where the rater is afterwards.
    kept : bool
        Whether this answer was stored now.
    wait_seconds : float
        How much longer the trial must be read; 0 unless the answer came too early.
    dropped : bool
        Whether the trial had another answer before, which counts.
    """

    place: Place
    kept: bool
    wait_seconds: float = field(default=0.0)
    dropped: bool = field(default=False)


_ADVANCE = Prepared(
    update(cast(Table, Visit.__table__))
    .where(
        Visit.session_id == bindparam("of_session"),
        Visit.status == "active",
        Visit.answered == bindparam("so_far"),
        exists().where(Slot.session_id == Visit.session_id),
    )
    .values(
        answered=bindparam("now_answered"),
        status=bindparam("now_status"),
        finished_at=bindparam("now_finished"),
        lease_until=bindparam("until"),
    )
)


def answer(store: Store, newest: Study, mode: str, session_id: str, given: Given) -> Outcome | None:
    """Keep an answer durably, and return where the rater is afterwards.

    An answer changes nothing if it is not to the next trial (a form sent twice, an old window), if
    the visit no longer holds its slot, or if the comprehension question or the practice comes
    first.

    Returns
    -------
    Outcome or None
        None if the store does not know the session.
    """

    def keep(connection: Connection) -> Outcome | None:
        place = read_place(connection, session_id)
        if place is None or not place.belongs_to(newest, mode):
            return None
        study = newest.at(place.version).asking(place.sequence_id)
        ready = place.ready(study.plan)
        if place.status != "active" or not ready or given.position != place.position:
            return Outcome(place, kept=False, dropped=_differs(connection, study, place, given))
        # the store has it only for trials that release 0.4.0 or an earlier one has shown
        place = replace(place, shown_at=given.shown_at or place.shown_at)
        now = utc_now()
        wait = _still_to_read(study, place, now)
        if wait > 0:
            return Outcome(place, kept=False, wait_seconds=wait)
        sequence = study.sequences[place.sequence_id]
        finished = place.position == len(sequence)
        advanced = _ADVANCE.change(
            connection,
            {
                "of_session": session_id,
                "so_far": place.position - 1,
                "now_answered": place.position,
                "now_status": "finished" if finished else "active",
                "now_finished": now if finished else None,
                "until": time.time() + study.plan.design.lease_seconds(place.position),
            },
        )
        if not advanced:  # another request was first, or the slot has gone to somebody else
            then = read_place(connection, session_id) or place
            return Outcome(then, kept=False, dropped=_differs(connection, study, then, given))
        _insert(connection, study, place, sequence[place.position - 1], given, now)
        if finished:
            replace_if_failed(connection, study, place)
        status = "finished" if finished else "active"
        then = replace(place, position=place.position + 1, status=status, shown_at=None)
        return Outcome(then, kept=True)

    return store.write(keep)


@cache
def _into(table: type[Base]) -> Insert:
    """Return the statement that inserts into the table itself; through its class takes longer."""
    return insert(cast(Table, table.__table__))


def _insert(
    connection: Connection, study: Study, place: Place, trial: Trial, given: Given, now: str
) -> None:
    task = task_of(study.plan)
    items = [study.shown[item_id] for item_id in trial.item_ids]
    # the browser's clock starts again when a page is reloaded; the server's does not
    response_ms = _believable(given.response_ms)
    if place.shown_at is not None:
        response_ms = elapsed(place.session_id, place.position, place.shown_at, now)
        stopwatch.stop(place.session_id, place.position)
    common: dict[str, Any] = {
        "plan_hash": place.plan_hash,
        "version_hash": None if place.version == place.plan_hash else place.version,
        "mode": place.mode,
        "session_id": place.session_id,
        "rater_id": place.rater_id,
        "rater_kind": "human",
        "scenario": items[0].scenario,
        "position": place.position,
        "is_attention_check": trial.is_attention_check,
        "passed_check": passed_check(study, trial, given.answers),
        "shown_at": place.shown_at,
        "answered_at": now,
        "response_ms": response_ms,
        "hidden_ms": _believable(given.hidden_ms),
    }
    rows = task.rows(common, items, given.answers)
    connection.execute(_into(task.table), rows if len(rows) > 1 else rows[0])


def _differs(connection: Connection, study: Study, place: Place, given: Given) -> bool:
    """Say whether a trial that was answered before is now answered otherwise."""
    sequence = study.sequences.get(place.sequence_id, ())
    if not 1 <= given.position < place.position or given.position > len(sequence):
        return False
    task = task_of(study.plan)
    items = [study.shown[item_id] for item_id in sequence[given.position - 1].item_ids]
    table = task.table.__table__
    # only what was said: an answer has an id of its own each time
    columns = {c.name for c in table.columns if not c.unique and not c.primary_key}
    said = [
        {name: cell for name, cell in row.items() if name in columns}
        for row in task.rows({}, items, given.answers)
    ]
    wanted = [table.c[name] for name in said[0]]
    kept = connection.execute(
        select(*wanted).where(
            table.c.session_id == place.session_id, table.c.position == given.position
        )
    )
    # none is left if the answer is to a practice trial, or was withdrawn meanwhile
    found = sorted((tuple(row) for row in kept), key=repr)
    return bool(found) and found != sorted((tuple(row.values()) for row in said), key=repr)


def passed_check(study: Study, trial: Trial, answers: Answers) -> bool | None:
    """Say whether an attention check was answered as the plan expects; None for other trials."""
    if not trial.is_attention_check:
        return None
    number = int(trial.item_ids[0].removeprefix("check_").partition(".")[0])
    expected = study.plan.attention_checks[number - 1].expected
    return all(answers.get(name) == value for name, value in expected.items())


def _still_to_read(study: Study, place: Place, now: str) -> float:
    """Return how many seconds longer a trial must be read."""
    least = study.plan.design.min_reading_seconds
    if least is None:
        return 0.0
    if place.shown_at is None:  # the trial was never shown, so nothing has been read
        return least
    read = elapsed(place.session_id, place.position, place.shown_at, now)
    # a clock that was set back must not keep anybody waiting
    return 0.0 if read is None else max(0.0, least - read / 1000)


def _believable(duration: int | None) -> int | None:
    if duration is None or not 0 <= duration <= LONGEST_MS:
        return None
    return duration
