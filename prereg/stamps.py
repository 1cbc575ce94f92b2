"""What else proves when a version of a plan was there: a git commit, a registry, a timestamp.

A hash in a lock proves nothing about time by itself: whoever can write the lock can write its date.
A registry with dates of its own, a public repository or a timestamp authority can.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from prereg import files
from prereg.amendments.amendment import AMENDMENTS_FILE
from prereg.amendments.chain import lines_of
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, read_lock

Stamp = Mapping[str, str]
_COMMIT = re.compile("[0-9a-f]{7,64}")
_COMMIT_FIRST = f"commit {LOCK_FILE} (and {AMENDMENTS_FILE}, if there is one) first"
_EXTRA = "pip install 'ratify-eval[timestamp]'"
# A repository's own settings may name programs: to fetch what is absent, to check a signature, to
# show a file. The folder may be a stranger's, so none of them is run, and nothing is fetched.
_QUIET = (
    "--no-pager",
    "--no-replace-objects",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "safe.bareRepository=explicit"),
)
_NO_FETCH = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}


def registry_stamp(lock: Lock, url: str) -> dict[str, str]:
    """Return the stamp of a registration, by its address.

    Raises
    ------
    RatifyError
        When it is not an address of the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RatifyError(
            "is not an address of the web",
            file="--registry",
            value=url,
            allowed="the registration's address, such as https://osf.io/abcde",
        )
    return {"kind": "registry", "plan_hash": lock.plan_hash, "url": url}


def git_stamp(folder: Path, lock: Lock) -> dict[str, str]:
    """Return the stamp of the git commit that holds the lock as it is now.

    Raises
    ------
    RatifyError
        When the folder is not in a repository, or its newest commit does not hold the lock.
    """
    commit = _newest_commit(folder)
    at = _date_of(folder, commit)
    stamp = {"kind": "git", "plan_hash": lock.plan_hash, "commit": commit, "at": at}
    if _hash_in_commit(folder, commit) != lock.plan_hash:
        raise RatifyError(
            "the newest commit does not hold this version of the plan",
            file=folder / LOCK_FILE,
            value=commit,
            allowed=_COMMIT_FIRST,
        )
    return stamp


def _newest_commit(folder: Path) -> str:
    _git(folder, "rev-parse", "--git-dir")  # raises if there is no repository
    try:
        return _git(folder, "rev-parse", "--verify", "HEAD").strip()
    except RatifyError as error:
        raise RatifyError(
            "the git repository has no commit yet", file=folder, allowed=_COMMIT_FIRST
        ) from error


def timestamp_stamp(lock: Lock, path: Path) -> dict[str, str]:
    """Return the stamp of a timestamp authority's reply (RFC 3161) about the plan hash.

    Parameters
    ----------
    lock : Lock
    path : Path
        The reply, as `openssl ts -query -digest PLAN_HASH -sha256` asks for it.

    Raises
    ------
    RatifyError
        When it is not such a reply, was refused, or is about something else.
    """
    try:
        reply = path.read_bytes()
    except OSError as error:
        raise RatifyError(f"cannot be read: {error.strerror}", file=path) from error
    digest, at = _read_reply(reply, path)
    if digest != lock.plan_hash:
        raise RatifyError(
            "the timestamp is about something else than this version of the plan",
            file=path,
            value=digest,
            allowed=f"a reply to `openssl ts -query -digest {lock.plan_hash} -sha256 -cert`",
        )
    return {
        "kind": "timestamp",
        "plan_hash": lock.plan_hash,
        "at": at,
        "reply": base64.b64encode(reply).decode("ascii"),
    }


def add_stamp(folder: Path, stamp: Mapping[str, str]) -> Lock:
    """Add to the lock what else proves when its newest version was there.

    Parameters
    ----------
    folder : Path
    stamp : mapping
        With `kind` (git, registry, timestamp) and `plan_hash`.
    """
    lock = read_lock(folder)
    path = folder / LOCK_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    kept = [dict(one) for one in lock.stamps]
    if dict(stamp) not in kept:
        files.write_json(path, {**content, "stamps": [*kept, dict(stamp)]})
    return read_lock(folder)


def check_stamp(folder: Path, lock: Lock, stamp: Stamp) -> tuple[bool | None, str]:
    """Check one stamp of a lock.

    Returns
    -------
    bool or None
        Whether it proves what it says; None if that cannot be checked here.
    str
        The stamp and the finding, in words.
    """
    kind, about = stamp.get("kind", ""), stamp.get("plan_hash", "")
    which = "the newest version" if about == lock.plan_hash else f"version {about[:12]}"
    if about not in lock.hashes:
        return False, f"a {kind} stamp is about {about[:12]}, which is no version of this plan"
    if kind == "registry":
        return None, f"{which} is registered at {stamp.get('url')}: compare the hash there"
    if kind == "git":
        return _check_commit(folder, stamp, which)
    if kind == "timestamp":
        return _check_reply(stamp, which)
    return None, f"{which} has a stamp of an unknown kind, {kind!r}"


def _check_commit(folder: Path, stamp: Stamp, which: str) -> tuple[bool | None, str]:
    commit = stamp.get("commit", "")
    if _COMMIT.fullmatch(commit) is None:  # git would take some words as options
        return False, f"{which} has a git stamp that names no commit"
    said = f"{which} is in git commit {commit[:12]}"
    try:
        found, at = _hash_in_commit(folder, commit), _date_of(folder, commit)
    except RatifyError:
        return None, f"{said}, which is not here"
    if at != stamp.get("at"):
        return False, f"{said}, which is of {at}; the stamp says {stamp.get('at')}"
    return found == stamp["plan_hash"], f"{said} of {at}"


def _check_reply(stamp: Stamp, which: str) -> tuple[bool | None, str]:
    said = f"{which} has a timestamp of {stamp.get('at')}"
    try:
        digest, at = _read_reply(base64.b64decode(stamp.get("reply", "")), Path(LOCK_FILE))
    except RatifyError as error:
        return (None if _EXTRA in str(error) else False), f"{said}: {error}"
    if digest != stamp["plan_hash"] or at != stamp.get("at"):
        return False, f"{said}, but the authority's reply is about {digest[:12]} at {at}"
    return None, f"{said}; that the authority signed it, `openssl ts -verify` checks"


def _read_reply(reply: bytes, path: Path) -> tuple[str, str]:
    """Return the SHA-256 that a timestamp is about, and its time."""
    try:
        from rfc3161_client import decode_timestamp_response
    except ImportError as error:
        raise RatifyError(
            "reading a timestamp needs another package", file=path, allowed=_EXTRA
        ) from error
    try:
        response = decode_timestamp_response(reply)
        # granted, or granted with modifications
        info = response.tst_info if response.status in {0, 1} else None
    except ValueError:
        info = None
    if info is None:
        raise RatifyError(
            "is not a timestamp that an authority granted", file=path, allowed="its reply (.tsr)"
        )
    return info.message_imprint.message.hex(), info.gen_time.isoformat()


def _hash_in_commit(folder: Path, commit: str) -> str | None:
    """Return the hash of the newest version that a commit holds; None if it holds no lock."""
    try:
        lines = _git(folder, "cat-file", "blob", f"{commit}:./{AMENDMENTS_FILE}")
        newest = lines_of(lines)[-1]
    except (RatifyError, IndexError):
        try:
            newest = _git(folder, "cat-file", "blob", f"{commit}:./{LOCK_FILE}")
        except RatifyError:
            _git(folder, "cat-file", "-e", f"{commit}^{{commit}}")  # raises if there is none
            return None
    try:
        return str(json.loads(newest)["plan_hash"])
    except (ValueError, KeyError, TypeError):
        return None


def _date_of(folder: Path, commit: str) -> str:
    return _git(folder, "show", "--no-patch", "--format=%cI", commit).strip()


def _git(folder: Path, *arguments: str) -> str:
    try:
        ran = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *_QUIET, *arguments],  # noqa: S607
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            env={**os.environ, **_NO_FETCH},
        )
    except FileNotFoundError as error:
        raise RatifyError("git is not installed", file=folder) from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or "git refused"
        if "not a git repository" in said:
            said = "is not in a git repository"
        raise RatifyError(said, file=folder, allowed="a folder in a git repository") from error
    return ran.stdout
