"""The versions of a locked plan, as results name them: amendments, and who answered under which."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.evidence.status import versions_of
from analysis.evidence.trials import trials_of
from analysis.results.quantities import ResultTable

TABLE = "plan_versions"
# What was known when a version was locked.
KNOWN_WORDS = {
    "no_data": "no data had been collected",
    "not_looked": "data had been collected, and no results had been produced",
    "seen": "results had been seen",
}
_ABSENT = "absent"
_LONGEST = 80


def amendments_of(lock: Any) -> list[dict[str, Any]]:
    """Return the amendments of a locked plan for `results.json`, oldest first.

    Each has `number`, `at`, `reason`, `known` in words, and `changes`: part, key, before and after.
    """
    return [
        {
            "number": int(one.number),
            "at": str(one.at),
            "reason": str(one.reason),
            "known": known_words(one.known),
            "changes": [_change(change) for change in one.changes],
        }
        for one in getattr(lock, "amendments", ())
    ]


def known_words(known: Any) -> str:
    """Return in words what was known when a version was locked."""
    state = known if isinstance(known, str) else str(getattr(known, "state", known))
    return KNOWN_WORDS.get(state, state)


def versions_table(evidence: Evidence) -> list[ResultTable]:
    """Return the table of the versions of the plan; none if nothing was amended."""
    versions = versions_of(evidence.lock)
    if len(versions) < 2:
        return []
    amendments = [None, *getattr(evidence.lock, "amendments", ())]
    answers, people = _under(evidence, "answers"), _under(evidence, "people")
    rows = [
        {
            "version": number,
            "locked_at": version.at,
            "reason": "" if amendment is None else amendment.reason,
            "known_then": "" if amendment is None else known_words(amendment.known),
            "changes": 0 if amendment is None else len(amendment.changes),
            "plan_hash": version.plan_hash[:12],
            "answers": answers.get(version.plan_hash, 0),
            "people": people.get(version.plan_hash, 0),
        }
        for number, (version, amendment) in enumerate(
            zip(versions, amendments, strict=True), start=1
        )
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


def _change(change: Any) -> dict[str, str]:
    part, key, before, after = (
        (change[name] if isinstance(change, Mapping) else getattr(change, name))
        for name in ("part", "key", "before", "after")
    )
    return {"part": str(part), "key": str(key), "before": _short(before), "after": _short(after)}


def _short(value: Any) -> str:
    """Return a value as a reader sees it: texts as they are, all else as JSON, both cut."""
    if value is None:
        return _ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
