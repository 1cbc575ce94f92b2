"""The lock: SHA-256 over the plan, items, sequences, prompts and texts, so that a change shows."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prereg import files
from prereg.amendments.amendment import Amendment, Version
from prereg.amendments.chain import read_amendments
from prereg.amendments.changes import needs_new_sequences
from prereg.code import analysis_code, tool_version
from prereg.errors import RatifyError
from prereg.parts import Promised, plan_parts, study_parts
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.plan_changes import plan_changes

LOCK_FILE = "plan.lock.json"
# Raised by hand when an earlier release could misread what this one writes.
FORMAT = 3


@dataclass(frozen=True)
class Lock:
    """A frozen study, with its amendments.

    Attributes
    ----------
    plan_hash : str
        Of the newest version; every row of data that is made now carries it. That of the lock is
        the SHA-256 over the hashes of the parts, that of an amendment covers everything it says.
    parts : dict
        SHA-256 by part of the newest version: plan, items, sequences, consent, instructions,
        prompts; also images, if the texts show some; frame, if the plan has a causal section; and
        judges, if any judge is more than a baseline. Locks of release 0.4.0 and earlier have judges
        in the plan.
    locked_at : str
        When the plan was locked, ISO 8601, UTC.
    tool : str
        Name and version of the program that wrote it.
    ids_required : bool
        Whether a live study takes only raters with an id unless its plan says otherwise; false in
        a lock of 0.4.0 and before, which let in everybody.
    transport : mapping
        How each LLM judge's server was to be reached, by judge; the hash does not cover it.
    locked : mapping
        What the parts plan, judges, consent, instructions and prompts of the newest version hold;
        locks of earlier releases have no texts, and those of 0.4.0 have nothing. A part that does
        not have the hash of its name is left out.
    code : str
        SHA-256 of the analysis code of the program that locked it; empty in earlier releases.
    stamps : tuple of mapping
        What else proves when a version was there: a git commit, a registry's URL, a timestamp.
    amendments : tuple of Amendment
    first : Version or None
        The version that was locked; None only while a lock is being written.
    """

    plan_hash: str
    parts: Mapping[str, str]
    locked_at: str
    tool: str
    ids_required: bool = False
    transport: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locked: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    stamps: tuple[Mapping[str, str], ...] = ()
    amendments: tuple[Amendment, ...] = ()
    first: Version | None = None

    @property
    def has_judges(self) -> bool:
        """Whether judges are a part of their own.

        Then the hash does not cover how their servers are reached, and a condition of the gate also
        asks how much a judge has answered.
        """
        return "judges" in self.parts

    @property
    def versions(self) -> tuple[Version, ...]:
        """The version that was locked, then one for each amendment."""
        first = self.first or Version(
            0, self.plan_hash, self.locked_at, self.parts, self.locked, rows=None
        )
        return (
            first,
            *(
                Version(
                    a.number,
                    a.plan_hash,
                    a.at,
                    a.parts,
                    a.locked,
                    rows=a.rows,
                    reason=a.reason,
                    known=a.known,
                    changes=a.changes,
                )
                for a in self.amendments
            ),
        )

    @property
    def hashes(self) -> tuple[str, ...]:
        """The plan hash of every version, oldest first; rows of data may carry any of them."""
        return tuple(version.plan_hash for version in self.versions)

    @property
    def void(self) -> tuple[str, ...]:
        """The plan hashes of versions whose sequences were replaced before anybody took part.

        Only trials of the pages were made under them.
        """
        anew = [
            a.number
            for a in self.amendments
            if needs_new_sequences(a.changes, apart=_asked_apart(a.locked))
        ]
        return self.hashes[: max(anew, default=0)]

    @property
    def root_hash(self) -> str:
        """The plan hash of the version that was locked, by which the store knows the study."""
        return self.hashes[0]

    def to_json(self) -> dict[str, Any]:
        """Return the lock as `plan.lock.json` holds it, without amendments."""
        first = self.versions[0]
        content: dict[str, Any] = {
            "format": FORMAT,
            "plan_hash": first.plan_hash,
            "parts": dict(first.parts),
            "locked_at": self.locked_at,
            "tool": self.tool,
            "code": self.code,
            "ids_required": self.ids_required,
        }
        if self.transport:
            content["transport"] = dict(self.transport)
        if first.rows is not None:
            content["rows"] = first.rows
        if first.locked:
            content["locked"] = dict(first.locked)
        if self.stamps:
            content["stamps"] = [dict(stamp) for stamp in self.stamps]
        return content


def utc_now() -> str:
    """Return this moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def verify_lock(folder: Path, plan: Plan) -> Lock:
    """Return the lock of a study folder, if nothing has changed since it was locked.

    The judges' prompts are not checked here, but when the judges are asked.

    Raises
    ------
    RatifyError
        When there is no lock, or anything in the folder differs from it.
    """
    lock = read_lock(folder)
    found = study_parts(folder, plan, lock=lock)
    parts = {**found, "prompts": lock.parts.get("prompts", "")}
    refuse_changed(folder, lock, parts, plan)
    return lock


def plan_hash(parts: Mapping[str, str]) -> str:
    """Return one hash over the hashes of all parts."""
    return files.sha256(files.canonical_json(dict(parts)))


def write_lock(
    folder: Path,
    parts: Mapping[str, str],
    plan: Promised,
    *,
    transport: Mapping[str, Mapping[str, Any]] | None = None,
    held: Mapping[str, Any] | None = None,
    rows: int | None = None,
) -> Lock:
    """Freeze a study.

    Parameters
    ----------
    folder : Path
        The study folder.
    parts : mapping
        From `hash_parts`.
    plan : Plan
    transport : mapping, optional
        How each LLM judge's server is to be reached; see `prereg.transport_log`.
    held : mapping, optional
        What the parts consent, instructions and prompts hold, so that an amendment can show them.
    rows : int, optional
        Rows of the sequences table.

    Returns
    -------
    Lock
        The lock that is already there, if no part has changed. If an earlier release wrote it,
        it now holds the texts too.

    Raises
    ------
    RatifyError
        When the folder is locked and a part has changed since.
    """
    if (folder / LOCK_FILE).exists():
        lock = read_lock(folder)
        refuse_changed(folder, lock, parts, plan)
        locked = {**plan_parts(plan, lock), **(held or {})}
        return complete_lock(folder, lock, locked, rows)
    locked = {**plan_parts(plan, None), **(held or {})}
    lock = Lock(
        plan_hash(parts),
        dict(parts),
        utc_now(),
        tool_version(),
        ids_required=True,
        transport=dict(transport or {}),
        code=analysis_code(),
    )
    lock = replace(lock, first=replace(lock.versions[0], locked=locked, rows=rows))
    files.write_json(folder / LOCK_FILE, lock.to_json())
    return read_lock(folder)


def complete_lock(folder: Path, lock: Lock, locked: Mapping[str, Any], rows: int | None) -> Lock:
    """Let a lock hold what it hashes, if an earlier release wrote it and it was never amended.

    Parameters
    ----------
    folder : Path
    lock : Lock
    locked : mapping
        What the parts hold now; what does not have the hash of its part is left out.
    rows : int or None
        Rows of the sequences table, if they are those that were locked.
    """
    first = lock.versions[0]
    lacking = {
        name: part
        for name, part in locked.items()
        if name not in first.locked and _hash(part) == first.parts.get(name)
    }
    if lock.amendments or not (lacking or (first.rows is None and rows is not None)):
        return lock
    path = folder / LOCK_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    content["locked"] = {**first.locked, **lacking}
    content["rows"] = rows
    files.write_json(path, content)
    return read_lock(folder)


def read_lock(folder: Path) -> Lock:
    """Read the lock of a study folder, and its amendments.

    Raises
    ------
    RatifyError
        When there is none, it cannot be read, a newer Ratify wrote it, its hash does not follow
        from its parts, or an amendment does not follow from the version before it.
    """
    path = folder / LOCK_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        _refuse_newer(content, path)
        parts = {str(k): str(v) for k, v in content["parts"].items()}
        # what somebody edited is not believed; the hashes are
        held = {k: p for k, p in content.get("locked", {}).items() if _hash(p) == parts.get(k)}
        at = str(content["locked_at"])
        datetime.fromisoformat(at)
        rows = content.get("rows")
        first = Version(
            0, str(content["plan_hash"]), at, parts, held, rows=None if rows is None else int(rows)
        )
        lock = Lock(
            first.plan_hash,
            first.parts,
            first.at,
            str(content["tool"]),
            content.get("ids_required") is True,
            {str(k): dict(v) for k, v in content.get("transport", {}).items()},
            code=str(content.get("code", "")),
            stamps=tuple(
                {str(k): str(v) for k, v in one.items()} for one in content.get("stamps", [])
            ),
        )
    except FileNotFoundError as error:
        raise RatifyError(
            "the plan is not locked", file=folder / PLAN_FILE, allowed="run `ratify lock` first"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RatifyError(
            "is not a lock that `ratify lock` wrote", file=path, allowed="the file as it was"
        ) from error
    if plan_hash(first.parts) != first.plan_hash:
        raise RatifyError(
            "has been edited: its plan_hash does not follow from its parts",
            file=path,
            column="plan_hash",
            value=first.plan_hash,
            allowed="the file as it was",
        )
    return _with_amendments(folder, lock, first)


def _refuse_newer(content: Mapping[str, Any], path: Path) -> None:
    written = content.get("format", 1)
    if isinstance(written, int) and written > FORMAT:
        raise RatifyError(
            f"was written by a newer Ratify ({content.get('tool', 'unknown')})",
            file=path,
            column="format",
            value=written,
            allowed=f"at most {FORMAT}; install that release",
        )


def _with_amendments(folder: Path, lock: Lock, first: Version) -> Lock:
    """Return a lock whose newest version is that of its last amendment."""
    amendments = read_amendments(folder, plan_hash=first.plan_hash, of_lock=of_lock(lock))
    lock = replace(lock, first=first, locked=first.locked, amendments=amendments)
    if not amendments:
        return lock
    newest = amendments[-1]
    added = {name: how for one in amendments for name, how in one.transport.items()}
    return replace(
        lock,
        plan_hash=newest.plan_hash,
        parts=newest.parts,
        locked=newest.locked,
        transport={**added, **lock.transport},
    )


def of_lock(lock: Lock) -> dict[str, str]:
    """Return what an amendment says of the lock: what the plan's hash does not cover."""
    return {"locked_at": lock.locked_at, "tool": lock.tool, "code": lock.code}


def refuse_changed(
    folder: Path, lock: Lock, parts: Mapping[str, str], plan: Promised, *, may_amend: bool = True
) -> None:
    """Raise `RatifyError` naming the parts that differ from the lock, and the plan's keys.

    With `may_amend`, it names `ratify amend`, which a chat does not have.
    """
    changed = changed_parts(lock, parts)
    if changed:
        now = plan_parts(plan, lock)
        said = [name + _keys_changed(lock, name, now.get(name)) for name in changed]
        since = f"locked at {lock.locked_at}"
        if lock.amendments:
            since = f"amended at {lock.amendments[-1].at}"
        amend = f"`ratify amend {shlex.quote(str(folder))} --reason ...`"
        record = f"or record the change with {amend}; " if may_amend else ""
        raise RatifyError(
            f"changed since the plan was {since}: {', '.join(said)}",
            file=folder / LOCK_FILE,
            allowed=f"the study exactly as it was locked; {record}or a new study folder",
        )


def changed_parts(lock: Lock, parts: Mapping[str, str]) -> list[str]:
    """Return the names of the parts that differ from the newest version of a lock."""
    names = sorted(set(lock.parts) | set(parts))
    return [name for name in names if lock.parts.get(name) != parts.get(name)]


def _keys_changed(lock: Lock, part: str, now: Any) -> str:
    """Return the changed keys of a part in brackets, if the lock says what the part held."""
    before = lock.locked.get(part)
    if part not in {"plan", "judges"} or before is None or now is None:
        return ""
    changes = plan_changes(before, now)
    return f" ({changes})" if changes else ""


def _asked_apart(locked: Mapping[str, Any]) -> bool:
    """Say whether a version's plan asks for one scale in each sequence."""
    return bool(locked.get("plan", {}).get("design", {}).get("apart"))


def _hash(part: Any) -> str:
    return files.sha256(files.canonical_json(part))
