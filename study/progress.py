"""How the collection stands: counts for the dashboard, straight from the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select

from study.folder import Study
from study.store import MODES, Judgment, Slot, Store, Visit


@dataclass(frozen=True)
class ModeProgress:
    """One kind of data (live, pilot, bot).

    Attributes
    ----------
    consented, active, finished, answers : int
        People who agreed, who are still under way, who answered every trial; people's answers.
    sequences, taken : int
        Sequences opened in this mode, and how many have a rater.
    doubled : int
        Sequences that more than one person finished; anything but 0 is an alarm.
    median_minutes : float or None
        From consent to the last answer, of those who finished.
    """

    mode: str
    consented: int
    active: int
    finished: int
    answers: int
    sequences: int
    taken: int
    doubled: int
    median_minutes: float | None


def progress(store: Store, study: Study) -> list[ModeProgress]:
    """Return the counts of every mode in which anything has happened or may happen."""
    counted = [_of_mode(store, study, mode) for mode in MODES]
    return [c for c in counted if c.sequences or c.consented]


def _of_mode(store: Store, study: Study, mode: str) -> ModeProgress:
    here = (Visit.plan_hash == study.plan_hash, Visit.mode == mode)
    finished = (*here, Visit.status == "finished")
    per_sequence = (
        select(func.count().label("people"))
        .where(*finished)
        .group_by(Visit.sequence_id)
        .having(func.count() > 1)
        .subquery()
    )
    slots = (Slot.plan_hash == study.plan_hash, Slot.mode == mode)
    people = (
        Judgment.plan_hash == study.plan_hash,
        Judgment.mode == mode,
        Judgment.rater_kind == "human",
    )
    with store.reading() as session:

        def count(*conditions: object) -> int:
            return session.scalar(select(func.count()).where(*conditions)) or 0  # type: ignore[arg-type]

        spans = session.execute(select(Visit.consented_at, Visit.finished_at).where(*finished))
        minutes = [_minutes(start, end) for start, end in spans if end is not None]
        return ModeProgress(
            mode=mode,
            consented=count(*here),
            active=count(*here, Visit.status == "active"),
            finished=count(*finished),
            answers=count(*people),
            sequences=count(*slots),
            taken=count(*slots, Slot.session_id.is_not(None)),
            doubled=session.scalar(select(func.count()).select_from(per_sequence)) or 0,
            median_minutes=median(minutes) if minutes else None,
        )


def _minutes(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60
