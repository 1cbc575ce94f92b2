"""If this failed, a stranger could open the dashboard, or its researcher could not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from study.store.database import Store
from study.store.tables import Login, Setting
from study.web import accounts

PASSWORD = "a long and plain phrase"


@pytest.fixture(autouse=True)
def no_password_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(accounts.PASSWORD_VARIABLE, raising=False)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def any_store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'any.sqlite3'}")
    yield opened
    opened.close()


def test_without_a_password_nobody_is_let_in(store: Store) -> None:
    assert not accounts.has_password(store)
    for guess in ("", "None", PASSWORD):
        assert not accounts.check_password(store, guess)
    assert not accounts.is_signed_in(store, "token")
    with pytest.raises(RatifyError, match="no password"):
        accounts.sign_in(store)
    accounts.sign_out(store, "token")


def test_a_stored_password_lets_in_and_is_kept_as_a_hash(store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    assert accounts.has_password(store)
    assert accounts.check_password(store, PASSWORD)
    for wrong in ("", PASSWORD.upper(), PASSWORD + " ", PASSWORD[:-1], "é" * 20, "x" * 5000):
        assert not accounts.check_password(store, wrong)
    with store.reading() as connection:
        kept = connection.scalars(select(Setting.value)).all()
    assert len(kept) == 1
    assert kept[0].startswith("scrypt:")
    assert PASSWORD not in kept[0]


def test_a_token_is_good_until_it_is_signed_out(store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    one, other = accounts.sign_in(store), accounts.sign_in(store)
    assert one != other
    assert len(one) >= 32
    with store.reading() as connection:
        kept = connection.scalars(select(Login.token_hash)).all()
    assert len(kept) == 2
    assert not {one, other} & set(kept)
    assert not accounts.is_signed_in(store, kept[0]), "what the store holds opens nothing"
    for nothing in (None, "", one[:-1], one.swapcase()):
        assert not accounts.is_signed_in(store, nothing)
    accounts.sign_out(store, one)
    assert not accounts.is_signed_in(store, one)
    assert accounts.is_signed_in(store, other)


def test_a_token_runs_out_and_its_row_is_cleaned(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.set_password(store, PASSWORD)
    token = accounts.sign_in(store)
    start = accounts.time.time()
    monkeypatch.setattr(accounts.time, "time", lambda: start + 12 * 3600 - 60)
    assert accounts.is_signed_in(store, token)
    monkeypatch.setattr(accounts.time, "time", lambda: start + 12 * 3600 + 60)
    assert not accounts.is_signed_in(store, token)
    accounts.sign_in(store)
    with store.reading() as connection:
        assert len(connection.scalars(select(Login.token_hash)).all()) == 1


def test_another_password_signs_everybody_out(store: Store) -> None:
    accounts.set_password(store, PASSWORD)
    token = accounts.sign_in(store)
    accounts.set_password(store, "quite another one")
    assert not accounts.is_signed_in(store, token)
    assert not accounts.check_password(store, PASSWORD)
    assert accounts.check_password(store, "quite another one")
    accounts.set_password(store, PASSWORD)
    assert not accounts.is_signed_in(store, token)


def test_the_environment_decides_and_is_never_stored(
    any_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.set_password(any_store, PASSWORD)
    before = accounts.sign_in(any_store)
    monkeypatch.setenv(accounts.PASSWORD_VARIABLE, "from the environment")
    assert accounts.has_password(any_store)
    assert not accounts.check_password(any_store, PASSWORD)
    assert accounts.check_password(any_store, "from the environment")
    assert not accounts.is_signed_in(any_store, before), "it was another password"
    token = accounts.sign_in(any_store)
    monkeypatch.setenv(accounts.PASSWORD_VARIABLE, "another environment")
    assert not accounts.is_signed_in(any_store, token)
    with pytest.raises(RatifyError, match=accounts.PASSWORD_VARIABLE):
        accounts.set_password(any_store, "a third password")
    assert not accounts.set_first_password(any_store, "a third password")
    with any_store.reading() as connection:
        kept = connection.scalars(select(Setting.value)).all()
    assert not any("environment" in value for value in kept)


@pytest.mark.parametrize("password", ["", "123456789", "x" * 1001])
def test_a_password_that_is_none_is_refused(
    any_store: Store, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with pytest.raises(RatifyError, match="10 to 1000 characters"):
        accounts.set_password(any_store, password)
    with pytest.raises(RatifyError, match="10 to 1000 characters"):
        accounts.set_first_password(any_store, password)
    assert not accounts.has_password(any_store)
    if password:
        monkeypatch.setenv(accounts.PASSWORD_VARIABLE, password)
        with pytest.raises(RatifyError, match=accounts.PASSWORD_VARIABLE):
            accounts.has_password(any_store)


def test_of_two_first_passwords_one_counts(store: Store) -> None:
    given = [f"password number {n}" for n in range(4)]
    barrier, first = threading.Barrier(4), []

    def choose(password: str) -> None:
        barrier.wait()
        if accounts.set_first_password(store, password):
            first.append(password)

    threads = [threading.Thread(target=choose, args=(password,)) for password in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(first) == 1
    assert [p for p in given if accounts.check_password(store, p)] == first
    assert not accounts.set_first_password(store, "one that comes late")
