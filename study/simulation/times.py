"""Give simulated answers the times that reading would have taken: bots answer within milliseconds.

A visit begins when its rater came, and ends after the time that reading its texts takes, so the
times of a long visit lie after the simulation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
from sqlalchemy import Table, bindparam, select, update

from prereg.streams import Stream, stream
from study.folder import Study
from study.simulation.serving import MODE
from study.store.database import Store
from study.store.tables import Visit
from study.tasks.registry import task_of

# Words a second (240 a minute, as adults read), and seconds to decide.
WORDS_A_SECOND, DECISION = 4.0, 3.0
# Standard deviations of the logarithm of a time: between raters, and between trials of a rater.
BETWEEN, WITHIN = 0.25, 0.35
# The part of that time that a careless rater takes.
CARELESS = 0.1
# Seconds for consent and instructions, and for the end survey.
BEFORE, AFTER = 60.0, 60.0


def give_times(store: Store, study: Study, careless: Collection[str]) -> None:
    """Replace the times of all simulated answers, in one transaction.

    Parameters
    ----------
    store : Store
    study : Study
    careless : collection of str
        The ids of raters who do not read.
    """
    table = task_of(study.plan).table
    ours = (table.plan_hash == study.root_hash, table.mode == MODE, table.rater_kind == "human")
    words = {name: len(item.text.split()) for name, item in study.shown.items()}
    with store.reading() as connection:
        visits = list(
            connection.execute(
                select(Visit.session_id, Visit.rater_id, Visit.sequence_id, Visit.consented_at)
                .where(Visit.plan_hash == study.root_hash, Visit.mode == MODE)
                .order_by(Visit.rater_id)
            )
        )
        answered: dict[str, set[int]] = {}
        for session, position in connection.execute(
            select(table.session_id, table.position).where(*ours)
        ):
            answered.setdefault(session, set()).add(position)
    answers, ends = [], []
    for visit in visits:
        positions = sorted(answered.get(visit.session_id, ()))
        if not positions:
            continue
        rng = stream(study.plan.seed, Stream.SIMULATION, "times", visit.rater_id)
        sequence = study.sequences[visit.sequence_id]
        lengths = [sum(words[name] for name in sequence[at - 1].item_ids) for at in positions]
        took = reading_seconds(lengths, rng)
        if visit.rater_id in careless:
            took = took * CARELESS
        at = datetime.fromisoformat(visit.consented_at) + timedelta(seconds=BEFORE)
        for position, seconds in zip(positions, took, strict=True):
            shown, at = at, at + timedelta(milliseconds=round(1000 * seconds))
            answers.append(
                {
                    "of_session": visit.session_id,
                    "at": position,
                    "was_shown": _text(shown),
                    "was_answered": _text(at),
                    "took": round(1000 * seconds),
                }
            )
        later = at + timedelta(seconds=AFTER)
        ends.append({"of_session": visit.session_id, "end": _text(at), "later": _text(later)})
    if answers:
        store.write(lambda connection: _replace(connection, table, answers, ends))


def reading_seconds(words: Iterable[int], rng: np.random.Generator) -> Any:
    """Return how long one simulated rater takes for trials of so many words, in seconds."""
    lengths = np.asarray(list(words), dtype=float)
    speed = np.exp(rng.normal(0.0, BETWEEN))
    return (
        speed
        * (lengths / WORDS_A_SECOND + DECISION)
        * np.exp(rng.normal(0.0, WITHIN, size=len(lengths)))
    )


def _replace(connection: Any, table: Any, answers: list[Any], ends: list[Any]) -> None:
    rows, visits = cast(Table, table.__table__), cast(Table, Visit.__table__)
    connection.execute(
        update(rows)
        .where(rows.c.session_id == bindparam("of_session"), rows.c.position == bindparam("at"))
        .values(
            shown_at=bindparam("was_shown"),
            answered_at=bindparam("was_answered"),
            response_ms=bindparam("took"),
            hidden_ms=0,
        ),
        answers,
    )
    for column, end in ((visits.c.finished_at, "end"), (visits.c.surveyed_at, "later")):
        connection.execute(
            update(visits)
            .where(visits.c.session_id == bindparam("of_session"), column.is_not(None))
            .values({column.name: bindparam(end)}),
            [{"of_session": one["of_session"], end: one[end]} for one in ends],
        )


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
