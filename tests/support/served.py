"""Serves a study of any kind and gives tests access to its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, select

from study.store.database import STORE_FILE
from study.store.tables import ANSWERS, Base, Slot, Visit
from tests.conftest import Serve
from tests.support.collecting import study_of_kind
from tests.support.plans import edited_plan
from tests.support.wire import Person, overheard

KINDS = {
    "pairwise": {"choice": "right"},
    "rating": {"warmth": "2", "depth": "0"},
    "best_worst": {"most": "1", "least": "3", "why": "It listens."},
}
ARRIVALS = "RATIFY_ARRIVALS_PER_MINUTE"
COMPREHENSION = {"question": "Whose?", "options": ["Mine", "Yours"], "answer": 2, "attempts": 3}
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Site:
    """A study that is being served, and its database."""

    folder: Path
    kind: str
    url: str
    engine: Engine
    said: list[str]

    def person(self, name: str) -> Person:
        """Return a new browser for a rater."""
        return Person(self.url, name)

    def rows(self, sessions: set[str] | None = None) -> Rows:
        """Return all rows of the database, or only those of these sessions."""
        with self.engine.connect() as connection:
            return {
                table.name: sorted(
                    (
                        tuple(row)
                        for row in connection.execute(select(table))
                        if wanted(row, sessions)
                    ),
                    key=repr,
                )
                for table in Base.metadata.sorted_tables
            }

    def count(self, table: type[Base]) -> int:
        """Return how many rows a table has."""
        return len(self.rows()[table.__tablename__])


def wanted(row: Any, sessions: set[str] | None) -> bool:
    return sessions is None or getattr(row, "session_id", None) in sessions


Start = Callable[..., Site]


@contextmanager
def starting(place: Path, serve: Serve) -> Iterator[Start]:
    """Yield a function that serves a study of a kind as a pilot; `plan` has more of its plan."""
    with ExitStack() as stack:

        def begin(kind: str, *options: str, database: str | None = None, **plan: Any) -> Site:
            folder = make_study(place / "study", kind, plan)
            server = serve(folder, "--mode", "pilot", *options, database=database)
            said = stack.enter_context(overheard(server.process))
            engine = create_engine(make_url(database or f"sqlite:///{folder / STORE_FILE}"))
            stack.callback(engine.dispose)
            return Site(folder, kind, server.url, engine, said)

        yield begin


def make_study(folder: Path, kind: str, more: dict[str, Any]) -> Path:
    """Make a study whose plan has `more` parts."""
    design = {"raters": 120, **more.pop("design", {})}
    study_of_kind(folder, kind, **design)
    with edited_plan(folder) as plan:
        plan |= more
    return folder


def begin_trials(person: Person) -> None:
    """Consent, and answer the comprehension question if there is one."""
    person.consent()
    if person.action == b"/comprehension":
        person.post(option=2)
    assert person.action == b"/trial", person.page


def sessions_of(site: Site, people: list[Person]) -> set[str]:
    names = {person.name for person in people}
    with site.engine.connect() as connection:
        found = connection.execute(select(Visit.session_id, Visit.rater_id))
        return {session for session, name in found if name in names}


def everything_adds_up(site: Site) -> None:
    """Check that every answer belongs to a visit that counts it, and every visit to a slot."""
    with site.engine.connect() as connection:
        visits = {v.session_id: v for v in connection.execute(select(Visit.__table__))}
        slots = [s.session_id for s in connection.execute(select(Slot.__table__)) if s.session_id]
        answers = [a for t in ANSWERS for a in connection.execute(select(t.__table__))]
    positions: dict[str, set[int]] = {session: set() for session in visits}
    for answer in answers:
        assert visits[answer.session_id].rater_id == answer.rater_id
        positions[answer.session_id].add(answer.position)
    for session, visit in visits.items():
        assert positions[session] == set(range(1, visit.answered + 1)), visit
    holders = {s for s, visit in visits.items() if visit.status in {"active", "finished"}}
    assert sorted(slots) == sorted(holders)
