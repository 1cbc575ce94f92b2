"""The versions of a locked plan, as results name them: amendments, and who answered under which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.trials import trials_of
from analysis.results.quantities import ResultTable
from prereg.amendments.amendment import Change
from prereg.lock import Lock

TABLE = "plan_versions"
ABSENT = "absent"
# How much of a value is shown, and how much before the first difference of two texts.
_LONGEST, _AROUND = 80, 20
_LONGEST_VALUE = 400  # an analysis that was added has to be readable


def amendments_of(lock: Lock | None) -> list[dict[str, Any]]:
    """Return the amendments of a locked plan for `results.json`, oldest first.

    Each has `number`, `at`, `reason`, `known` in words, and `changes`: part, key, before and after.
    """
    return [
        {
            "number": one.number,
            "at": one.at,
            "reason": one.reason,
            "known": one.known.sentence,
            "changes": [_change(change) for change in one.changes],
        }
        for one in (() if lock is None else lock.amendments)
    ]


def versions_table(evidence: Evidence) -> list[ResultTable]:
    """Return the table of the versions of the plan; none if nothing was amended."""
    versions = () if evidence.lock is None else evidence.lock.versions
    if len(versions) < 2:
        return []
    answers, people = _under(evidence, "answers"), _under(evidence, "people")
    rows = [
        {
            "version": version.number + 1,
            "since": version.at,
            "reason": version.reason,
            "known_then": "" if version.known is None else version.known.sentence,
            "changes": len(version.changes),
            "plan_hash": version.plan_hash[:12],
            "answers": answers.get(version.plan_hash, 0),
            "people": people.get(version.plan_hash, 0),
        }
        for version in versions
    ]
    return [
        ResultTable(
            name=TABLE,
            title="Versions of the plan",
            caption="One row per version, oldest first; its answers, and the people who gave them, "
            "after the exclusions. A person keeps the version under which they "
            "began.",
            frame=pd.DataFrame(rows),
            status=evidence.status,
        )
    ]


def _under(evidence: Evidence, what: str) -> Mapping[str, int]:
    """Return how many answers, or people, there are under each version's hash."""
    rows = evidence.answers
    if "plan_hash" not in rows:
        return {}
    if what == "people":
        found = rows.groupby("plan_hash")["rater_id"].nunique()
    else:
        found = trials_of(rows).assign(of=rows["plan_hash"]).drop_duplicates().groupby("of").size()
    return {str(name): int(count) for name, count in found.items()}


def _change(change: Change) -> dict[str, str]:
    """Return a change with its values as a reader sees them; long texts begin where they differ."""
    before, after = change.before, change.after
    start = 0
    if (
        isinstance(before, str)
        and isinstance(after, str)
        and max(map(len, (before, after))) > _LONGEST
    ):
        start = max(0, _alike(before, after) - _AROUND)
    return {
        "part": change.part,
        "key": change.key,
        "before": _short(before, start),
        "after": _short(after, start),
    }


def _alike(one: str, other: str) -> int:
    """Return with how many letters two texts begin alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _short(value: Any, start: int = 0) -> str:
    """Return a value on one line: texts as they are, all else as JSON, both cut."""
    if value is None:
        return ABSENT
    text = value[start:] if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = ("…" if start else "") + " ".join(text.split())
    longest = _LONGEST if isinstance(value, str) else _LONGEST_VALUE
    return text if len(text) <= longest else f"{text[:longest]}…"
