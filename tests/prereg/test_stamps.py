"""If this failed, a lock could claim a date that its commit or its timestamp does not prove."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, read_lock
from prereg.stamps import add_stamp, check_stamp, git_stamp, registry_stamp, timestamp_stamp
from study.opening import lock_study
from tests.conftest import make_study

AUTHORITY = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = A timestamp authority of the tests
[ext]
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = made
[made]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
"""


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_study(tmp_path_factory.mktemp("stamped") / "study", raters=4)
    lock_study(folder)
    return folder


@pytest.fixture
def folder(locked: Path, tmp_path: Path) -> Path:
    """A copy of a locked study in a folder of its own."""
    shutil.copytree(locked, tmp_path / "study")
    return tmp_path / "study"


def run(*words: str | Path, cwd: Path) -> None:
    subprocess.run([str(word) for word in words], cwd=cwd, check=True, capture_output=True)


def commit(folder: Path) -> None:
    """Commit a whole study."""
    run("git", "init", "-q", cwd=folder)
    run("git", "add", ".", cwd=folder)
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    run("git", *who, "commit", "-q", "-m", "Lock.", cwd=folder)


def reply_about(digest: str, place: Path) -> Path:
    """Return an authority's reply about a digest; the authority is made for it."""
    (place / "tsa.cnf").write_text(AUTHORITY.format(folder=place))
    (place / "serial").write_text("01\n")
    key = ("-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem")
    run("openssl", "req", "-x509", "-config", "tsa.cnf", "-extensions", "ext", *key, cwd=place)
    query = ("-query", "-digest", digest, "-sha256", "-cert", "-out", "plan.tsq")
    run("openssl", "ts", *query, cwd=place)
    answer = ("-reply", "-config", "tsa.cnf", "-queryfile", "plan.tsq", "-out", "plan.tsr")
    run("openssl", "ts", *answer, cwd=place)
    return place / "plan.tsr"


def test_a_registry_is_named_and_cannot_be_checked_here(folder: Path) -> None:
    lock = read_lock(folder)
    stamp = registry_stamp(lock, "https://osf.io/abcde")
    lock = add_stamp(folder, stamp)
    assert lock.stamps == (stamp,)
    assert add_stamp(folder, stamp).stamps == (stamp,)
    assert check_stamp(folder, lock, stamp)[0] is None
    with pytest.raises(RatifyError, match="not an address of the web"):
        registry_stamp(lock, "osf.io/abcde")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_must_hold_the_lock(folder: Path) -> None:
    lock = read_lock(folder)
    with pytest.raises(RatifyError, match="is not in a git repository"):
        git_stamp(folder, lock)
    run("git", "init", "-q", cwd=folder)
    without = r"the git repository has no commit yet \(allowed: commit plan.lock.json"
    with pytest.raises(RatifyError, match=without):
        git_stamp(folder, lock)
    commit(folder)
    stamp = git_stamp(folder, lock)
    lock = add_stamp(folder, stamp)
    assert check_stamp(folder, lock, stamp)[0] is True
    assert check_stamp(folder, lock, {**stamp, "commit": "0" * 40})[0] is None
    assert check_stamp(folder, lock, {**stamp, "commit": "--output=x"})[0] is False
    other = {**stamp, "plan_hash": "0" * 64}
    assert check_stamp(folder, lock, other)[0] is False
    path = folder / LOCK_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "plan_hash": "0" * 64}))
    run("git", "add", ".", cwd=folder)
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    run("git", *who, "commit", "-q", "-m", "Forged.", cwd=folder)
    with pytest.raises(RatifyError, match="does not hold this version"):
        git_stamp(folder, lock)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_timestamp_is_about_the_plan_hash(folder: Path, tmp_path: Path) -> None:
    lock = read_lock(folder)
    stamp = timestamp_stamp(lock, reply_about(lock.plan_hash, tmp_path))
    lock = add_stamp(folder, stamp)
    found, said = check_stamp(folder, lock, stamp)
    assert found is None  # who signed it, only the authority's certificate tells
    assert stamp["at"] in said
    assert check_stamp(folder, lock, {**stamp, "at": "2020-01-01T00:00:00+00:00"})[0] is False
    assert check_stamp(folder, lock, {**stamp, "reply": "bm8="})[0] is False
    with pytest.raises(RatifyError, match="about something else"):
        timestamp_stamp(lock, reply_about("ab" * 32, tmp_path))
    with pytest.raises(RatifyError, match="not a timestamp"):
        timestamp_stamp(lock, folder / "plan.yaml")


def test_a_lock_names_the_code_that_would_analyse_it(folder: Path) -> None:
    lock: Lock = read_lock(folder)
    assert len(lock.code) == 64


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_strangers_repository_runs_no_program(folder: Path, tmp_path: Path) -> None:
    commit(folder)
    ran = tmp_path / "ran"
    program = tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
    program.chmod(0o755)
    lock = read_lock(folder)
    stamp = {"kind": "git", "plan_hash": lock.plan_hash, "commit": "12" * 20, "at": ""}
    for key, value in {
        "core.repositoryformatversion": "1",
        "extensions.partialClone": "origin",  # what is absent is fetched, by a program of its own
        "remote.origin.promisor": "true",
        "remote.origin.url": "ssh://nobody@nowhere.invalid/x",
        "core.sshCommand": str(program),
        "core.fsmonitor": str(program),
        "gpg.program": str(program),
        "log.showSignature": "true",
    }.items():
        run("git", "config", key, value, cwd=folder)
    assert check_stamp(folder, lock, stamp)[0] is None
    assert not ran.exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_date_of_a_commit_is_the_commits(folder: Path) -> None:
    commit(folder)
    lock = read_lock(folder)
    stamp = {**git_stamp(folder, lock), "at": "2020-01-01T00:00:00+00:00"}
    found, said = check_stamp(folder, lock, stamp)
    assert found is False
    assert "the stamp says 2020-01-01" in said
