"""If this failed, one program that holds a lock would stop a study, or deleted words stay."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from study.bots import Page
from study.store.database import Store
from study.store.faults import StoreBusyError
from study.store.tables import Setting
from study.visits import withdrawal
from tests.conftest import Serve, make_study
from tests.support.collecting import open_places, study_of_kind, take_part

WORDS = "known-by-this-name"


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Hold the write lock of a database."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        connection.execute(text("BEGIN IMMEDIATE" if sqlite else "BEGIN"))
        if not sqlite:
            for table in ("settings", "visits", "judgments"):
                connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield
        connection.execute(text("ROLLBACK"))
    engine.dispose()


@contextlib.contextmanager
def read(path: Path) -> Iterator[None]:
    """Read a store for a long time."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM visits").fetchone()
        yield


def eventually(is_so: Callable[[], bool], seconds: float = 30.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()


def test_nobody_waits_long_for_a_lock(database_url: str) -> None:
    Store(database_url).close()
    store = Store(database_url, patience=4.5)

    def put(number: int) -> float:
        start = time.monotonic()
        row = {"name": f"s{number}", "value": ""}
        with pytest.raises(SQLAlchemyError) as caught:
            store.write(lambda connection: connection.execute(insert(Setting), row))
        assert isinstance(caught.value, (StoreBusyError, OperationalError))
        return time.monotonic() - start

    with ThreadPoolExecutor(8) as pool:
        with locked(database_url):
            waited = list(pool.map(put, range(16)))
        assert sorted(waited)[6] < 3, "some ask for the lock, and the others are soon told"
        assert max(waited) < 12
    store.write(lambda connection: connection.execute(insert(Setting), {"name": "x", "value": ""}))
    store.close()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_served_study_survives_a_held_lock(
    tmp_path: Path, serve: Serve, database: str, request: pytest.FixtureRequest
) -> None:
    folder = make_study(tmp_path / "study", raters=20, trials=2)
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    server = serve(folder, "--mode", "pilot", database=url)
    clients = [
        httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) for _ in range(8)
    ]
    trials = []
    for number, client in enumerate(clients):
        page = Page()
        page.feed(client.get(f"/?rater=r{number}").text)
        client.post(page.action, data=page.fields)
        trials.append(Page())
        trials[-1].feed(client.get("/trial").text)

    def send(number: int) -> tuple[httpx.Response, float]:
        start = time.monotonic()
        form = {**trials[number].fields, "choice": "right"}
        answer = clients[number].post("/trial", data=form, timeout=60)
        return answer, time.monotonic() - start

    with locked(url or f"sqlite:///{folder / 'study.sqlite3'}"), ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(send, number) for number in range(8)]
        time.sleep(0.5)  # all threads of the server wait for the lock now
        assert httpx.get(f"{server.url}/health", timeout=60).status_code == 200
        assert not all(one.done() for one in sent), "it waited as long as they did"
        answers = [one.result() for one in sent]
    for number, (answer, waited) in enumerate(answers):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert waited < 9.0
        again = Page()
        again.feed(answer.text)
        assert again.fields["choice"] == "right", "the answer is in the page"
        kept = clients[number].post(again.action, data=again.fields)
        assert (kept.status_code, "Pair 2 of 2" in kept.text) == (200, True)
        clients[number].close()


def holds(path: Path, words: str) -> bool:
    files = path.parent.glob(f"{path.name}*")
    return any(words.encode() in file.read_bytes() for file in files)


def test_a_withdrawal_beside_a_reader_stops_nobody_and_ends_clean(tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    path = tmp_path / "s.sqlite3"
    store = Store(f"sqlite:///{path}", patience=20.0)
    open_places(store, study, "pilot")
    key = take_part(store, study, "pilot", WORDS).withdrawal_key
    with read(path):
        start = time.monotonic()
        assert withdrawal.withdraw(store, study, "pilot", key)
        take_part(store, study, "pilot", "another")
        assert time.monotonic() - start < 15.0, "they waited for the reader"
        time.sleep(0.5)
        assert holds(path, WORDS), "somebody still reads what was deleted"
    assert eventually(lambda: not holds(path, WORDS))
    assert eventually(lambda: store.has_erased(0))
    store.close()


@pytest.mark.parametrize("hold", [read, lambda path: locked(f"sqlite:///{path}")])
def test_what_a_restart_interrupted_is_erased_after_it(
    tmp_path: Path, hold: Callable[[Path], contextlib.AbstractContextManager[None]]
) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    path = tmp_path / "s.sqlite3"
    store = Store(f"sqlite:///{path}", patience=1.0)
    open_places(store, study, "pilot")
    key = take_part(store, study, "pilot", WORDS).withdrawal_key
    with read(path):
        assert withdrawal.withdraw(store, study, "pilot", key)
        store.close()
        store = Store(f"sqlite:///{path}", patience=1.0)
        with hold(path):
            store.keep_erasing()
            time.sleep(0.3)
            assert holds(path, WORDS)
    assert eventually(lambda: not holds(path, WORDS))
    assert store.has_erased(30.0)
    store.close()
    assert not any(thread.name == "erasing" for thread in threading.enumerate())
