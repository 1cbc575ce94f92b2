"""If this failed, answers would go into a file that nobody has, or an empty store be believed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert, select

from prereg.errors import RatifyError
from study.bots import Page
from study.store.database import BEGUN_FILE, Store, open_store
from study.store.faults import StoreGoneError
from study.store.sqlite_file import served_by_one
from study.store.tables import Setting
from tests.conftest import Serve, make_study
from tests.support.collecting import open_places, study_of_kind, take_part

Ratify = Callable[..., subprocess.CompletedProcess[str]]


def put(store: Store, name: str) -> None:
    store.write(lambda connection: connection.execute(insert(Setting), {"name": name, "value": ""}))


def names(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(Setting.name)))


def unlinked(path: Path) -> None:
    path.unlink()


def renamed(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def without_its_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


@pytest.mark.parametrize("lose", [unlinked, renamed, replaced, without_its_log])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(
    tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    path = tmp_path / "s.sqlite3"
    with contextlib.closing(Store(f"sqlite:///{path}")) as store:
        put(store, "before")
        lose(path)
        with pytest.raises(StoreGoneError, match="deleted or replaced"):
            put(store, "after")
        if lose is not without_its_log:
            with pytest.raises(StoreGoneError):
                names(store)


def test_only_the_owner_can_read_a_store(tmp_path: Path) -> None:
    for name, before in (("new", None), ("old", 0o644)):
        path = tmp_path / f"{name}.sqlite3"
        if before is not None:
            Store(f"sqlite:///{path}").close()
            path.chmod(before)
        with contextlib.closing(Store(f"sqlite:///{path}")) as store:
            put(store, "a")
            found = {file.name: file.stat().st_mode & 0o077 for file in tmp_path.glob(f"{name}*")}
            assert found == {path.name: 0, f"{path.name}-wal": 0, f"{path.name}-shm": 0}


def test_a_store_that_was_lost_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "study.sqlite3"
    with contextlib.closing(open_store(tmp_path, None)) as store:
        put(store, "a")
    content = path.read_bytes()
    for lost in (unlinked, lambda path: path.write_bytes(b"")):
        lost(path)
        with pytest.raises(RatifyError, match=r"study.sqlite3: the store .* missing or empty.*put"):
            open_store(tmp_path, None)
        assert not path.exists() or path.stat().st_size == 0
    path.write_bytes(content)
    with contextlib.closing(open_store(tmp_path, None)) as store:
        assert names(store) == ["a"]
    path.unlink()
    (tmp_path / BEGUN_FILE).unlink()
    with contextlib.closing(open_store(tmp_path, None)) as store:
        assert names(store) == [], "whoever removes the mark begins anew"


def test_a_database_that_was_emptied_is_not_begun_anew(tmp_path: Path, postgres_url: str) -> None:
    with pytest.raises(RatifyError, match="there is no store here"):
        Store(postgres_url, new=False)
    Store(postgres_url).close()
    Store(postgres_url, new=False).close()


@pytest.mark.parametrize("command", [("export",), ("withdraw", "r1"), ("release", "left.csv")])
def test_a_command_that_needs_answers_makes_no_store(
    study_folder: Path, ratify: Ratify, command: tuple[str, ...]
) -> None:
    name, *more = command
    done = ratify(name, study_folder, *more)
    assert done.returncode == 2
    assert "there is no store here" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (study_folder / "study.sqlite3").exists()


def test_a_good_export_is_not_replaced_by_an_empty_one(tmp_path: Path, ratify: Ratify) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    with contextlib.closing(open_store(study.folder, None)) as store:
        open_places(store, study, "pilot")
        take_part(store, study, "pilot", "r1")
    assert ratify("export", study.folder).returncode == 0
    good = (study.folder / "data" / "judgments.csv").read_bytes()
    for file in study.folder.glob("study.sqlite3*"):
        file.unlink()
    Store(f"sqlite:///{study.folder / 'study.sqlite3'}").close()
    done = ratify("export", study.folder)
    assert done.returncode == 2
    assert "the store has none of this study" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (study.folder / "data" / "judgments.csv").read_bytes() == good


def spoiled(path: Path, how: str) -> None:
    """Damage a store of a few pages: everything, its middle, or its end."""
    content = bytearray(path.read_bytes())
    if how == "no database":
        content[:] = b"rater_id,choice\n" * 400
    elif how == "pages":
        content[4096:] = os.urandom(len(content) - 4096)
    else:
        del content[len(content) // 2 :]
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["no database", "pages", "cut off"])
def test_a_damaged_store_ends_every_command_in_one_line(
    tmp_path: Path, ratify: Ratify, how: str
) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    with contextlib.closing(open_store(study.folder, None)) as store:
        open_places(store, study, "pilot")
        take_part(store, study, "pilot", "r1")
    spoiled(study.folder / "study.sqlite3", how)
    commands: list[tuple[object, ...]] = [("export", study.folder)]
    if how == "pages":
        commands += [
            ("withdraw", study.folder, "r1", "--mode", "pilot"),
            ("serve", study.folder, "--mode", "pilot", "--port", 0),
        ]
    for command in commands:
        done = ratify(*command)
        assert done.returncode == 2, command
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "study.sqlite3: is damaged" in done.stderr
        assert "backup" in done.stderr


def test_one_server_has_an_sqlite_store(tmp_path: Path, serve: Serve, ratify: Ratify) -> None:
    folder = make_study(tmp_path / "study", raters=2)
    server = serve(folder, "--mode", "pilot")
    done = ratify("serve", folder, "--mode", "pilot", "--port", 0)
    assert done.returncode == 2
    assert f"already served by process {server.process.pid}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert ratify("export", folder).returncode == 0, "other commands run beside a server"
    server.process.kill()
    server.process.wait()
    with served_by_one(folder / "study.sqlite3"):
        pass  # a server that was killed holds nothing


def test_a_served_store_that_is_deleted_takes_no_answer(tmp_path: Path, serve: Serve) -> None:
    folder = make_study(tmp_path / "study", raters=2)
    server = serve(folder, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        page = Page()
        page.feed(client.get("/?rater=r1").text)
        client.post(page.action, data=page.fields)
        trial = Page()
        trial.feed(client.get("/trial").text)
        for file in folder.glob("study.sqlite3*"):
            file.rename(folder / f"moved-{file.name}")
        sent = client.post(trial.action, data={**trial.fields, "choice": "left"})
        assert sent.status_code == 503
        assert sent.headers["Retry-After"]
        assert client.get("/health").status_code == 503
        for file in folder.glob("moved-*"):
            file.rename(folder / file.name.removeprefix("moved-"))
        again = Page()
        again.feed(sent.text)
        sent = client.post(again.action, data=again.fields)
        assert (sent.status_code, "Pair 2 of" in sent.text) == (200, True)
        assert client.get("/health").status_code == 200
    with contextlib.closing(sqlite3.connect(folder / "study.sqlite3")) as store:
        assert store.execute("SELECT choice FROM judgments").fetchall() == [("left",)]
