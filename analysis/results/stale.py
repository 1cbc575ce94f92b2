"""Refuses results that are older than the tables or the plan they were made from, or edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.results.files import results_folder
from prereg import files
from prereg.errors import RatifyError
from prereg.exploratory import EXPLORATORY_FILE
from prereg.lock import LOCK_FILE, verify_lock
from prereg.looks import LOOKS_FILE, read_looks
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.model import Plan

AGAIN = "run `ratify analyze` again"


def plan_content(plan: Plan) -> str:
    """Return the hash of a plan by itself, locked or not."""
    return files.sha256(files.canonical_json(plan.to_json()))


def exploratory_content(folder: Path) -> str | None:
    """Return the hash of a folder's file of exploratory analyses; None if there is none."""
    try:
        text = (folder / EXPLORATORY_FILE).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return files.sha256(text.encode("utf-8"))


def refuse_stale(folder: Path, *, blind: bool = False) -> None:
    """Raise `RatifyError` if a study's results are older than its tables or its plan.

    Parameters
    ----------
    folder : Path
        A study folder. Tables, plan or results that are not there say nothing.
    blind : bool
        Whether the results of the blind run are meant.
    """
    path = folder / results_folder(blind=blind) / "results.json"
    meta = _meta(path)
    inputs = meta.get("inputs")
    for name, sha in inputs.items() if isinstance(inputs, dict) else ():
        table = folder / "data" / str(name)
        if table.is_file() and files.sha256(table.read_bytes()) != sha:
            raise RatifyError(
                f"these results are older than {table.parent.name}/{name}", file=path, allowed=AGAIN
            )
    if meta.get("exploratory_content", exploratory_content(folder)) != exploratory_content(folder):
        raise RatifyError(
            f"these results are older than {EXPLORATORY_FILE}", file=path, allowed=AGAIN
        )
    if "plan_hash" not in meta or not (folder / PLAN_FILE).exists():
        return
    _refuse_edited(folder, path, meta)
    plan = load_plan(folder)
    if meta["plan_hash"] is None:
        if meta.get("plan_content", plan_content(plan)) != plan_content(plan):
            raise RatifyError("these results are older than the plan", file=path, allowed=AGAIN)
    elif (folder / LOCK_FILE).exists():
        locked = verify_lock(folder, plan).plan_hash
        if locked != meta["plan_hash"]:
            raise RatifyError(
                "these results belong to another plan",
                file=path,
                column="meta.plan_hash",
                value=meta["plan_hash"],
                allowed=f"{locked}: {AGAIN}",
            )


def _refuse_edited(folder: Path, path: Path, meta: dict[str, Any]) -> None:
    """Refuse results of people's live answers of which the log of looks has another hash."""
    looks = read_looks(folder) if meta.get("looks") else ()
    content = path.read_bytes()
    here = {files.sha256(content), files.sha256(content.replace(b"\r\n", b"\n"))}
    if looks and not here & {look.results for look in looks}:
        raise RatifyError(
            f"has been edited: {LOOKS_FILE} has no such results", file=path, allowed=AGAIN
        )


def _meta(path: Path) -> dict[str, Any]:
    """Return what the results say of themselves; nothing if they cannot be read."""
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))["meta"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return meta if isinstance(meta, dict) else {}
