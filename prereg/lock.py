"""The lock: SHA-256 over the plan, items, sequences, prompts and texts, so that a change shows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from prereg import files
from prereg.errors import RatifyError
from prereg.images import study_images
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.plan.transport import TRANSPORT
from prereg.plan_changes import plan_changes
from prereg.tables.items import read_items
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN

LOCK_FILE = "plan.lock.json"
SEQUENCES_FILE = "sequences.csv"


@dataclass(frozen=True)
class Lock:
    """A frozen study.

    Attributes
    ----------
    plan_hash : str
        SHA-256 over the hashes of the parts; every row of data carries it.
    parts : dict
        SHA-256 by part: plan, items, sequences, consent, instructions, prompts; also images, if
        the texts show some; and judges, if any judge is more than a baseline. Locks of release
        0.4.0 and earlier have judges in the plan.
    locked_at : str
        ISO 8601, UTC.
    tool : str
        Name and version of the program that wrote it.
    ids_required : bool
        Whether a live study takes only raters with an id unless its plan says otherwise; false in
        a lock of 0.4.0 and before, which let in everybody.
    transport : mapping
        How each LLM judge's server was to be reached, by judge; the hash does not cover it.
    locked : mapping
        What the parts plan and judges held; empty in a lock of 0.4.0 and before. It only lets an
        error name the keys that have changed: the hashes decide whether any has.
    """

    plan_hash: str
    parts: Mapping[str, str]
    locked_at: str
    tool: str
    ids_required: bool = False
    transport: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_judges(self) -> bool:
        """Whether judges are a part of their own.

        Then the hash does not cover how their servers are reached, and a condition of the gate also
        asks how much a judge has answered.
        """
        return "judges" in self.parts

    def to_json(self) -> dict[str, Any]:
        """Return the lock as `plan.lock.json` holds it."""
        content: dict[str, Any] = {
            "format": 2 if self.has_judges else 1,
            "plan_hash": self.plan_hash,
            "parts": dict(self.parts),
            "locked_at": self.locked_at,
            "tool": self.tool,
            "ids_required": self.ids_required,
        }
        if self.transport:
            content["transport"] = dict(self.transport)
        if self.locked:
            content["locked"] = dict(self.locked)
        return content


def utc_now() -> str:
    """Return this moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tool_version() -> str:
    """Return name and version of the installed distribution."""
    return f"ratify-eval {metadata.version('ratify-eval')}"


def sequence_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns of the sequences table."""
    return ("sequence_id", "position", *kind_of(plan).columns(plan), "is_attention_check")


def hash_parts(
    plan: Plan,
    *,
    items: Sequence[Mapping[str, str]],
    sequences: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str],
    prompts: Mapping[str, str],
    images: Mapping[str, str] | None = None,
    lock: Lock | None = None,
) -> dict[str, str]:
    """Return the SHA-256 of every part of a study over its canonical JSON.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table, all columns, as text.
    sequences : sequence of mapping
        Rows of the sequences table.
    texts : mapping
        The other texts that raters are shown, by name (consent, instructions).
    prompts : mapping
        What each judge works with, by judge id: a prompt, or a baseline's lexicon.
    images : mapping, optional
        SHA-256 of the images that the texts show, by name.
    lock : Lock, optional
        The lock that the parts are compared with; it says whether judges are a part of their own.
    """
    columns = sequence_columns(plan)
    rows = [{c: str(row[c]) for c in columns} for row in sequences]
    parts: dict[str, Any] = {
        **_plan_parts(plan, lock),
        "items": [dict(row) for row in items],
        "sequences": rows,
        "prompts": dict(prompts),
        **texts,
        **({"images": dict(images)} if images else {}),
    }
    return {name: files.sha256(files.canonical_json(part)) for name, part in parts.items()}


def _plan_parts(plan: Plan, lock: Lock | None) -> dict[str, Any]:
    """Return what is hashed of the plan: judges by themselves, without the keys of transport."""
    whole = plan.to_json()
    if not (plan.has_models if lock is None else lock.has_judges):
        return {"plan": whole}
    judges = [
        {key: value for key, value in judge.items() if key not in TRANSPORT}
        for judge in whole.pop("judges")
    ]
    return {"plan": whole, "judges": judges}


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


def study_parts(folder: Path, plan: Plan, *, lock: Lock | None = None) -> dict[str, str]:
    """Return the hashes of every part of a study folder except the judges' prompts.

    Parameters
    ----------
    folder : Path
    plan : Plan
    lock : Lock, optional
        The lock that the parts are compared with; it says whether images are among them.

    Raises
    ------
    RatifyError
        When a file of the study is missing or wrong.
    """
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    sequences = read_table(folder / SEQUENCES_FILE, OWN)
    sequences.require(*sequence_columns(plan))
    texts = read_texts(folder, plan)
    shown = (
        study_images(folder, plan, texts, items) if lock is None or "images" in lock.parts else {}
    )
    parts = hash_parts(
        plan,
        items=items.written,
        sequences=sequences.written,
        texts=texts,
        prompts={},
        images={name: image.sha256 for name, image in shown.items()},
        lock=lock,
    )
    del parts["prompts"]
    return parts


def read_texts(folder: Path, plan: Plan) -> dict[str, str]:
    """Return the texts other than items that raters are shown, by name.

    Raises
    ------
    RatifyError
        When a text is missing, empty or not UTF-8.
    """
    return {
        "consent": _read_text(folder / plan.materials.consent),
        "instructions": _read_text(folder / plan.materials.instructions),
    }


def _read_text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RatifyError("no such file", file=path, allowed="the text the plan names") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RatifyError("cannot be read as text in UTF-8", file=path) from error
    if not text.strip():
        raise RatifyError("is empty", file=path, allowed="the text raters are shown")
    titles = len(re.findall(r"^# +\S", text, re.MULTILINE))
    if titles != 1:
        # raters who use a screen reader find their way by the page's one title
        raise RatifyError(
            f"has {titles} titles", file=path, allowed="one line that begins with '# '"
        )
    return text


def plan_hash(parts: Mapping[str, str]) -> str:
    """Return one hash over the hashes of all parts."""
    return files.sha256(files.canonical_json(dict(parts)))


def write_lock(
    folder: Path,
    parts: Mapping[str, str],
    plan: Plan,
    *,
    transport: Mapping[str, Mapping[str, Any]] | None = None,
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

    Returns
    -------
    Lock
        The lock that is already there, if no part has changed.

    Raises
    ------
    RatifyError
        When the folder is locked and a part has changed since.
    """
    if (folder / LOCK_FILE).exists():
        lock = read_lock(folder)
        refuse_changed(folder, lock, parts, plan)
        return lock
    lock = Lock(
        plan_hash(parts),
        dict(parts),
        utc_now(),
        tool_version(),
        ids_required=True,
        transport=dict(transport or {}),
        locked=_plan_parts(plan, None),
    )
    files.write_json(folder / LOCK_FILE, lock.to_json())
    return lock


def read_lock(folder: Path) -> Lock:
    """Read the lock of a study folder.

    Raises
    ------
    RatifyError
        When there is none, it cannot be read, or its hash does not follow from its parts.
    """
    path = folder / LOCK_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        lock = Lock(
            str(content["plan_hash"]),
            {str(k): str(v) for k, v in content["parts"].items()},
            str(content["locked_at"]),
            str(content["tool"]),
            content.get("ids_required") is True,
            {str(k): dict(v) for k, v in content.get("transport", {}).items()},
            dict(content.get("locked", {})),
        )
    except FileNotFoundError as error:
        raise RatifyError(
            "the plan is not locked", file=folder / PLAN_FILE, allowed="run `ratify lock` first"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RatifyError(
            "is not a lock that `ratify lock` wrote", file=path, allowed="the file as it was"
        ) from error
    if plan_hash(lock.parts) != lock.plan_hash:
        raise RatifyError(
            "has been edited: its plan_hash does not follow from its parts",
            file=path,
            column="plan_hash",
            value=lock.plan_hash,
            allowed="the file as it was",
        )
    return lock


def refuse_changed(folder: Path, lock: Lock, parts: Mapping[str, str], plan: Plan) -> None:
    """Raise `RatifyError` naming the parts that differ from the lock, and the plan's keys."""
    names = sorted(set(lock.parts) | set(parts))
    changed = [name for name in names if lock.parts.get(name) != parts.get(name)]
    if changed:
        now = _plan_parts(plan, lock)
        said = [name + _keys_changed(lock, name, now.get(name)) for name in changed]
        raise RatifyError(
            f"changed since the plan was locked at {lock.locked_at}: {', '.join(said)}",
            file=folder / LOCK_FILE,
            allowed="the study exactly as it was locked, or a new study folder",
        )


def _keys_changed(lock: Lock, part: str, now: Any) -> str:
    """Return the changed keys of a part in brackets, if the lock says what the part held."""
    before = lock.locked.get(part)
    if before is None or now is None:
        return ""
    if files.sha256(files.canonical_json(before)) != lock.parts.get(part):
        return ""  # somebody edited it
    changes = plan_changes(before, now)
    return f" ({changes})" if changes else ""
