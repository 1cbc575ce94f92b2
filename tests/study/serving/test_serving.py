"""If this failed, a study could be served where nobody looks, or exported from the wrong store."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from prereg.errors import RatifyError
from study.folder import SERVING_FILE
from study.opening import lock_study
from study.serving.server import marked_as_served
from study.store.database import ELSEWHERE_FILE, Store, open_store
from tests.conftest import Serve, make_study

Ratify = Callable[..., subprocess.CompletedProcess[str]]


def test_live_data_are_served_on_the_port_that_was_named_or_not_at_all(
    tmp_path: Path, ratify: Ratify
) -> None:
    folder = make_study(tmp_path / "study", raters=2)
    lock_study(folder)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        done = ratify("serve", folder, "--port", port)
        assert done.returncode == 2
        assert f"port {port} is taken" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_sqlite_is_for_one_process(study_folder: Path, ratify: Ratify) -> None:
    done = ratify("serve", study_folder, "--mode", "pilot", "--workers", "4")
    assert done.returncode == 2
    assert "several workers need PostgreSQL" in done.stderr


def test_a_study_collected_elsewhere_is_not_exported_empty(
    study_folder: Path, serve: Serve, postgres_url: str, ratify: Ratify
) -> None:
    server = serve(study_folder, "--mode", "pilot", "--workers", "2", database=postgres_url)
    assert httpx.get(f"{server.url}/health", timeout=60).json()["status"] == "ok"
    server.process.terminate()
    for command in ("export", "judge"):
        done = ratify(command, study_folder)
        assert done.returncode == 2
        assert "set RATIFY_DATABASE_URL" in done.stderr
    assert not (study_folder / "study.sqlite3").exists()
    assert "password" not in (study_folder / ELSEWHERE_FILE).read_text()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x@y/z", "'mysql'.*sqlite:///FILE or postgresql"),
        ("nonsense", "is not a database URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(RatifyError, match=f"RATIFY_DATABASE_URL.*{says}"):
        Store(url)
    with pytest.raises(RatifyError):
        open_store(tmp_path, url)


def test_a_study_collected_in_its_folder_is_not_begun_anew_elsewhere(
    study_folder: Path, postgres_url: str, ratify: Ratify, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(study_folder, None).close()
    Store(postgres_url).close()
    monkeypatch.setenv("RATIFY_DATABASE_URL", postgres_url)
    for command in (("password", "--password", "long enough"), ("export",)):
        done = ratify(command[0], study_folder, *command[1:])
        assert done.returncode == 2
        assert "is collected in its study.sqlite3" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (study_folder / ELSEWHERE_FILE).exists()
    own = f"sqlite:///{study_folder / 'study.sqlite3'}"
    open_store(study_folder, own).close()


def test_the_mark_of_a_server_stays_when_an_earlier_one_stops(tmp_path: Path) -> None:
    mark = tmp_path / SERVING_FILE
    with marked_as_served(tmp_path):
        mark.write_text("1\n")  # with PostgreSQL, a second server may serve the same study
    assert mark.exists()
    with marked_as_served(tmp_path):
        assert mark.read_text() != "1\n"
    assert not mark.exists()
