"""The log of changes to how models are reached, which the lock's hash does not cover."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prereg import files
from prereg.chat.model import ChatPlan
from prereg.errors import RatifyError
from prereg.lock import Lock, utc_now
from prereg.plan.model import Plan

LOG_FILE = "plan.transport.json"


@dataclass(frozen=True)
class Change:
    """One key of one judge or server that has another value than when the plan was locked.

    Attributes
    ----------
    at : str
        When Ratify noticed it, ISO 8601 in UTC; empty if it is not logged yet.
    judge, key : str
        The judge's id; in a chat also `server NAME` or `the budget`.
    old, new : object
        As JSON holds them.
    """

    at: str
    judge: str
    key: str
    old: Any
    new: Any

    @property
    def sentence(self) -> str:
        """The change in words."""
        old, new = (json.dumps(value, ensure_ascii=False) for value in (self.old, self.new))
        since = f" since {self.at[:16].replace('T', ' ')} UTC" if self.at else ", not yet used"
        whose = self.judge if " " in self.judge else f"judge {self.judge}"
        return f"{whose}: {self.key} is {new} instead of {old}{since}"


def changes_since_lock(folder: Path, plan: Plan | ChatPlan, lock: Lock | None) -> list[Change]:
    """Return the logged changes, then those that the plan holds now and that no run has used yet.

    A lock of release 0.4.0 or earlier also covers these keys in its hash, so it has no changes.

    Raises
    ------
    RatifyError
        When the log cannot be read.
    """
    if lock is None or not lock.has_judges:
        return []
    logged = _read(folder / LOG_FILE)
    known = {name: dict(values) for name, values in lock.transport.items()}
    for change in logged:
        known.setdefault(change.judge, {})[change.key] = change.new
    found = [
        Change("", name, key, known[name].get(key), value)
        for name, values in transport_of(plan).items()
        for key, value in values.items()
        if name in known and known[name].get(key) != value
    ]
    return logged + found


def log_changes(folder: Path, plan: Plan | ChatPlan, lock: Lock | None) -> list[Change]:
    """Append what has changed since the last entry to the log; return every change since the lock.

    Raises
    ------
    RatifyError
        When the log cannot be read or written.
    """
    found = changes_since_lock(folder, plan, lock)
    if all(change.at for change in found):
        return found
    now = utc_now()
    dated = [Change(c.at or now, c.judge, c.key, c.old, c.new) for c in found]
    files.write_json(folder / LOG_FILE, [asdict(change) for change in dated])
    return dated


def transport_of(plan: Plan | ChatPlan) -> dict[str, Mapping[str, Any]]:
    """Return how the server of each LLM judge is reached, by its id; of a chat, its own servers'.

    What the conversations of a chat may cost is here, too.
    """
    found: dict[str, Mapping[str, Any]] = {judge.id: judge.transport() for judge in plan.llms}
    if isinstance(plan, ChatPlan) and plan.servers:
        found |= {f"server {name}": server.transport() for name, server in plan.servers.items()}
        found["the budget"] = plan.budget.model_dump(mode="json", include={"money"})
    return found


def _read(path: Path) -> list[Change]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [Change(**{**entry, "at": str(entry["at"])}) for entry in content]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RatifyError(
            "is not a log that Ratify wrote", file=path, allowed="the file as it was"
        ) from error
