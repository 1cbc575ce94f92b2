"""Reads what a passport is made of: the plan, the lock, and the results of `ratify analyze`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prereg import files
from prereg.errors import RatifyError
from prereg.lock import LOCK_FILE, Lock, read_lock
from prereg.plan.file import load_plan
from prereg.plan.model import Plan

RESULTS = Path("results") / "results.json"
REPORT = Path("results") / "report.html"
_WRITTEN = "what `ratify analyze` wrote"
_PARTS = {"meta": dict, "quantities": list, "tables": list, "verdict": dict, "flow": list}


@dataclass(frozen=True)
class Sources:
    """What a passport is made of.

    Attributes
    ----------
    folder : Path
    plan : Plan
    lock : Lock or None
    results : mapping
        `results.json`.
    results_hash : str
        Its SHA-256.
    report_hash : str
        That of the report; empty if there is none.
    """

    folder: Path
    plan: Plan
    lock: Lock | None
    results: Mapping[str, Any]
    results_hash: str
    report_hash: str

    @property
    def meta(self) -> Mapping[str, Any]:
        """Where the results come from."""
        meta: Mapping[str, Any] = self.results["meta"]
        return meta


def read_sources(folder: Path) -> Sources:
    """Read the plan, the lock and the results of a study folder.

    Raises
    ------
    RatifyError
        When there are no results, or they are not those of a study.
    """
    plan = load_plan(folder)
    lock = read_lock(folder) if (folder / LOCK_FILE).exists() else None
    path = folder / RESULTS
    try:
        content = path.read_bytes()
        results = json.loads(content)
    except FileNotFoundError as error:
        raise RatifyError("no results yet", file=path, allowed="run `ratify analyze`") from error
    except (OSError, ValueError) as error:
        raise RatifyError(f"is not {_WRITTEN}", file=path) from error
    whole = isinstance(results, dict) and all(
        isinstance(results.get(name), kind) for name, kind in _PARTS.items()
    )
    if whole:
        meta = results["meta"]
        whole = "mode" in meta and isinstance(meta.get("inputs") or {}, dict)
        whole = whole and all(isinstance(q, dict) for q in results["quantities"])
    if not whole:
        raise RatifyError(f"is not {_WRITTEN}", file=path, allowed="the results of a study")
    report = folder / REPORT
    return Sources(
        folder,
        plan,
        lock,
        results,
        files.sha256(content),
        files.sha256(report.read_bytes()) if report.exists() else "",
    )
