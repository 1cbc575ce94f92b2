"""If this failed, two requests at once could leave what neither alone would: a place held twice.

First over HTTP, with requests that are complete at the same moment. Then at the store, where one
transaction is stopped before each of its statements in turn while another one runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import event, select, update

from study.folder import Study
from study.opening import open_study
from study.store.database import Store
from study.store.tables import ANSWERS, Judgment, Slot, Visit, Withdrawal
from study.visits import withdrawal
from study.visits.answers import Given, Outcome, answer
from study.visits.claims import Arrival, claim, keep, release, try_comprehension
from study.visits.places import Place
from tests.conftest import Serve
from tests.support.collecting import RIGHT, study_of_kind
from tests.support.served import (
    ARRIVALS,
    COMPREHENSION,
    KINDS,
    Site,
    Start,
    begin_trials,
    everything_adds_up,
    sessions_of,
    starting,
)
from tests.support.wire import Person, Reply, Request, at_once

TRIALS = 4  # three, and an attention check


@pytest.fixture(params=["sqlite", "postgresql"])
def start(
    request: pytest.FixtureRequest, tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Serve from SQLite by one process, and from PostgreSQL by two."""
    monkeypatch.setenv(ARRIVALS, "1000000")
    database = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    options = ("--workers", "2") if database else ()
    with starting(tmp_path, serve) as begin:
        yield lambda kind, **plan: begin(kind, *options, database=database, **plan)


def statuses(replies: list[Reply]) -> set[int]:
    return {reply.status for reply in replies}


def visits(site: Site) -> dict[str, Any]:
    """Return every visit by its rater."""
    with site.engine.connect() as connection:
        return {v.rater_id: v for v in connection.execute(select(Visit.__table__))}


def answers(site: Site) -> list[Any]:
    """Return every row of every answer."""
    with site.engine.connect() as connection:
        return [row for t in ANSWERS for row in connection.execute(select(t.__table__))]


# ---- Over HTTP ----------------------------------------------------------------------------------

# Every race is run on both databases; the kinds of task that differ only in their form, on one.
ON_EITHER = [
    ("sqlite", "rating"),
    ("postgresql", "rating"),
    ("sqlite", "best_worst"),
    ("postgresql", "pairwise"),
]


@pytest.mark.parametrize(("start", "kind"), ON_EITHER, indirect=["start"])
def test_one_answer_sent_thirty_times_at_once_is_kept_once(start: Start, kind: str) -> None:
    site = start(kind)
    person = site.person("clicker")
    begin_trials(person)
    choices: Any = {
        "pairwise": [{"choice": side} for side in ("left", "right")],
        "rating": [{"warmth": n, "depth": n} for n in (1, 2, 3)],
        "best_worst": [{"most": n, "least": n % 3 + 1, "why": str(n)} for n in (1, 2, 3)],
    }[kind]
    for position in range(1, TRIALS + 1):
        many = 30 if position == 1 else 10
        sent = [person.request(**choices[n % len(choices)]) for n in range(many)]
        assert statuses(at_once(site.url, sent)) == {303}
        kept = [row for row in answers(site) if row.position == position]
        assert len(kept) == (2 if kind == "rating" else 1)
        values = {getattr(row, "value", 0) for row in kept}
        assert len(values) == 1, "the two halves of one answer come from two requests"
        person.get("/trial")
    assert 'id="completion-code"' in person.page.text
    everything_adds_up(site)


def test_consent_sent_fifty_times_at_once_is_one_visit(start: Start) -> None:
    site = start("pairwise")
    for name, many in (("a", 50), ("b", 10), ("c", 10)):
        person = site.person(name)
        person.arrive()
        replies = at_once(site.url, [person.request() for _ in range(many)])
        assert {(r.status, r.get("location")) for r in replies} == {(303, "/instructions")}
        held = set()
        for reply in {reply.get("set-cookie"): reply for reply in replies}.values():
            person.take(reply)
            person.get("/trial")
            held.add(person.visit)
        assert held == sessions_of(site, [person])
    assert len(visits(site)) == 3
    everything_adds_up(site)


def test_two_raters_who_swap_cookies_answer_only_for_themselves(start: Start) -> None:
    site = start("pairwise")
    one, two = site.person("one"), site.person("two")
    begin_trials(one)
    begin_trials(two)
    before = site.rows()
    one.cookie, two.cookie = two.cookie, one.cookie
    replies = at_once(site.url, [p.request(choice="left") for p in (one, two) for _ in range(10)])
    assert statuses(replies) == {400}, "a form's token belongs to the cookie it was made for"
    one.fields["csrf_token"], two.fields["csrf_token"] = (
        two.fields["csrf_token"],
        one.fields["csrf_token"],
    )
    replies = at_once(site.url, [p.request(choice="left") for p in (one, two) for _ in range(10)])
    assert statuses(replies) == {409}
    assert site.rows() == before, "a form's visit is not the cookie's, so nothing is kept"


def withdrawing(person: Person) -> Request:
    """Return the form that withdraws, and leave the person at their trial."""
    trial = (person.action, person.fields, person.page)
    link = person.page.text.split('href="/withdraw/')[1].split('"')[0]
    person.get(f"/withdraw/{link}")
    request = person.request()
    person.action, person.fields, person.page = trial
    return request


@pytest.mark.parametrize(("start", "kind"), ON_EITHER, indirect=["start"])
def test_whoever_withdraws_while_answering_leaves_nothing(start: Start, kind: str) -> None:
    site = start(kind)
    for number in range(4):
        person = site.person(f"leaver-{number}")
        begin_trials(person)
        for _ in range(number % TRIALS):
            person.post(**KINDS[kind])
        leave, reply = withdrawing(person), person.request(**KINDS[kind])
        mixed = [leave if n % 4 == number % 4 else reply for n in range(16)]
        replies = at_once(site.url, mixed)
        assert statuses(replies) <= {303, 404}
        assert person.exchange(reply).get("location") == "/", "the old cookie opens nothing"
        assert site.count(Withdrawal) == number + 1, "one person withdrew, once"
        assert visits(site) == {}
        assert answers(site) == []
        everything_adds_up(site)


def test_an_answer_and_an_eviction_at_once_leave_one_holder(start: Start) -> None:
    """Leases of 0.6 s: raters answer at the very moment when newcomers may take their places.

    The first newcomer of a round comes alone, so that a place is lost however the race ends.
    """
    design = {"raters": 6, "trials": 3, "lease_minutes": 0.01}
    site = start("pairwise", design=design)
    holders = [site.person(f"early-{n}") for n in range(6)]
    for holder in holders:
        begin_trials(holder)
    for number in range(3):
        time.sleep(0.7)
        newcomers = [site.person(f"late-{number}-{n}") for n in range(6)]
        for newcomer in newcomers:
            newcomer.arrive()
            assert newcomer.action == b"/consent", newcomer.page
        before = visits(site)
        assert newcomers[0].exchange(newcomers[0].request()).get("location") == "/instructions"
        answering = [holder.request(choice="left") for holder in holders]
        coming = [newcomer.request() for newcomer in newcomers[1:]]
        assert statuses(at_once(site.url, [*answering, *coming])) <= {200, 303}
        everything_adds_up(site)
        after = visits(site)
        assert one_holder_each(holders, newcomers, before, after) >= 1, "nobody lost a place"
        holders = [
            p
            for p in (*holders, *newcomers)
            if p.name in after and after[p.name].status == "active"
        ]
        for person in holders:
            person.arrive()
            person.get("/trial")
        if len(holders) < 6:  # somebody has finished
            break


def one_holder_each(
    holders: list[Person], newcomers: list[Person], before: dict[str, Any], after: dict[str, Any]
) -> int:
    """Either an answer was kept, or the place went to a newcomer; return how many went."""
    evicted = [p.name for p in holders if after[p.name].status == "timed_out"]
    for name in evicted:
        assert after[name].answered == before[name].answered, "an answer for a lost place"
    kept = [p.name for p in holders if p.name not in evicted]
    for name in kept:
        assert after[name].answered == before[name].answered + 1
    assert sum(p.name in after for p in newcomers) == len(evicted)
    held = [(v.sequence_id, v.slot) for v in after.values() if v.status in {"active", "finished"}]
    assert len(held) == len(set(held)) == len(holders)
    return len(evicted)


def test_guesses_at_once_are_one_attempt(start: Start) -> None:
    site = start("rating", comprehension={**COMPREHENSION, "attempts": 2})
    for number in range(3):
        person = site.person(f"guesser-{number}")
        person.consent()
        assert person.action == b"/comprehension"
        at_once(site.url, [person.request(option=1) for _ in range(20)])
        visit = visits(site)[person.name]
        assert (visit.comprehension_attempts, visit.status) == (1, "active")
        person.get("/comprehension")
        at_once(site.url, [person.request(option=n % 2 + 1) for n in range(20)])
        visit = visits(site)[person.name]
        assert visit.comprehension_attempts == 2
        assert (visit.status, visit.comprehended) in {("active", True), ("screened_out", False)}
        everything_adds_up(site)


# ---- At the store, statement by statement -------------------------------------------------------

SILENT = 0.0
PATIENCE = 0.12
Act = Callable[[], Any]


@dataclass
class Scene:
    """One place, its holder whose lease has run out, and what may happen to them."""

    store: Store
    study: Study
    mode: str
    holder: Place

    def acts(self) -> dict[str, Act]:
        """Return everything that changes a visit or a place."""
        store, study, mode, holder = self.store, self.study, self.mode, self.holder
        given = Given(1, RIGHT["pairwise"])
        return {
            "a newcomer": lambda: claim(store, study, mode, Arrival("newcomer")),
            "another newcomer": lambda: claim(store, study, mode, Arrival("another")),
            "the same rater": lambda: claim(store, study, mode, Arrival("holder")),
            "a showing": lambda: keep(store, study, replace(holder, lease_until=SILENT)),
            "an answer": lambda: answer(store, study, mode, holder.session_id, given),
            "a withdrawal": lambda: withdrawal.withdraw(store, study, mode, holder.withdrawal_key),
            "a return": lambda: release(store, study, mode, "holder", "returned"),
            "a wrong guess": lambda: try_comprehension(store, study, holder, 1),
        }


ACTS = (
    "a newcomer",
    "another newcomer",
    "the same rater",
    "a showing",
    "an answer",
    "a withdrawal",
    "a return",
    "a wrong guess",
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = study_of_kind(tmp_path / "study", "pairwise").folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["comprehension"] = {**COMPREHENSION, "attempts": 1}
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return open_study(path.parent)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


def scene(store: Store, study: Study, number: int, *, asked: bool) -> Scene:
    """Give the one place of a mode of its own to a rater who then stays silent for too long.

    Parameters
    ----------
    asked : bool
        Whether they are still before the question that comes first.
    """
    mode = f"m{number}"
    store.open_slots(study.plan_hash, mode, list(study.sequences)[:1])
    holder = claim(store, study, mode, Arrival("holder"))
    assert holder is not None
    silent = update(Visit).where(Visit.session_id == holder.session_id)
    values = {"lease_until": SILENT, "comprehended": not asked}
    store.write(lambda connection: connection.execute(silent.values(values)))
    return Scene(store, study, mode, holder)


@dataclass(eq=False)
class Stop:
    """Stops one thread before its n-th statement or commit, until told to go on."""

    before: int
    thread: int = 0
    seen: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *_: Any) -> None:
        if threading.get_ident() == self.thread and not self.reached.is_set():
            self.seen += 1
            if self.seen == self.before:
                self.reached.set()
                self.go_on.wait(10)


@contextmanager
def stopping(store: Store, stop: Stop) -> Iterator[None]:
    for moment in ("before_cursor_execute", "commit"):
        event.listen(store.engine, moment, stop)
    try:
        yield
    finally:
        for moment in ("before_cursor_execute", "commit"):
            event.remove(store.engine, moment, stop)


def interleaved(store: Store, first: Act, second: Act, before: int) -> list[Any] | None:
    """Stop the first before a statement, run the second, let both end; None: no such statement.

    Returns
    -------
    list
        What the two returned; an exception is raised.
    """
    stop = Stop(before)
    results: dict[int, Any] = {}

    def run(number: int, act: Act) -> None:
        if number == 0:
            stop.thread = threading.get_ident()
        try:
            results[number] = act()
        except Exception as error:
            results[number] = error
        if number == 0:
            stop.reached.set()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate((first, second))]
    with stopping(store, stop):
        threads[0].start()
        stop.reached.wait(10)
        stopped = threads[0].is_alive() and stop.seen == before
        if stopped:
            threads[1].start()
            threads[1].join(PATIENCE)
        stop.go_on.set()
        for thread in threads[: 2 if stopped else 1]:
            thread.join(20)
            assert not thread.is_alive(), "it hangs"
    for result in results.values():
        if isinstance(result, Exception):
            raise result
    return [results[0], results[1]] if stopped else None


@pytest.mark.slow
@pytest.mark.parametrize("first", ACTS)
def test_whatever_two_do_at_once_the_place_has_one_holder(
    store: Store, study: Study, first: str
) -> None:
    """On SQLite the second waits for the first, wherever that is stopped: one stop will do."""
    number = answered = 0
    for place, second in enumerate(ACTS):
        for before in [2 + place % 2] if store.is_sqlite else range(1, 30):
            number += 1
            at = scene(store, study, number, asked="a wrong guess" in {first, second})
            acts = at.acts()
            try:
                results = interleaved(store, acts[first], acts[second], before)
            except Exception as error:
                error.add_note(f"{first}, stopped before statement {before}, then {second}")
                raise
            if results is None:
                break
            told = f"{first}, stopped before statement {before}, then {second}: {results}"
            answered += holds_together(at, dict(zip((first, second), results, strict=True)), told)
    assert answered or first != "an answer", "no answer was ever kept: this tested nothing"


def holds_together(at: Scene, results: dict[str, Any], told: str) -> int:
    """One place, at most one holder; every answer has its visit; who withdrew left nothing."""
    with at.store.reading() as connection:
        slots = connection.execute(select(Slot.__table__).where(Slot.mode == at.mode)).all()
        seen = connection.execute(select(Visit.__table__).where(Visit.mode == at.mode)).all()
        kept = connection.execute(select(Judgment.__table__).where(Judgment.mode == at.mode)).all()
    held = [v.session_id for v in seen if v.status in {"active", "finished"}]
    assert [s.session_id for s in slots] == (held or [None]), told
    answered = {v.session_id: v.answered for v in seen}
    assert {row.session_id for row in kept} <= set(answered), told
    assert sum(answered.values()) == len(kept), told
    outcome = results.get("an answer")
    if isinstance(outcome, Outcome) and outcome.kept and "a withdrawal" not in results:
        assert len(kept) == 1, told
    if results.get("a withdrawal"):
        assert at.holder.session_id not in answered, told
        assert kept == [], told
    for name in ("a newcomer", "another newcomer"):
        if results.get(name) is not None:
            assert results[name].session_id in answered, told
    return len(kept)
