"""Sorts the numbers of the results: about people, about a judge, about a judge's habits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prereg.analyses.agreement import ALL
from prereg.passport.sources import Sources
from prereg.plan.model import Plan

PEOPLE, HABITS, ANSWERED = "people", "habits", "requests"
_HUMANS = "humans: "
# Kinds of analysis whose numbers are about people alone.
_OF_PEOPLE = {"generalizability"}
_TECHNIQUES = 300


def numbers(sources: Sources) -> list[Mapping[str, Any]]:
    """Return every number of the results that has a name."""
    return [q for q in sources.results["quantities"] if q.get("analysis") and q.get("name")]


def of_people(sources: Sources) -> list[dict[str, Any]]:
    """Return how far people agree with each other, and how reliable they are together."""
    kinds = {analysis.id: analysis for analysis in sources.plan.analyses}
    found = []
    for q in numbers(sources):
        analysis = kinds.get(q["analysis"])
        ranked = analysis is not None and analysis.kind == "ranking" and not analysis.about(None)
        theirs = analysis is not None and analysis.kind in _OF_PEOPLE
        if q["name"].startswith(_HUMANS) or theirs or ranked or q["analysis"] == PEOPLE:
            found.append(reading(q, sources.plan))
    return found


def of_judge(sources: Sources, judge: str) -> list[dict[str, Any]]:
    """Return what the registered analyses and their supplements found about a judge."""
    kinds = {analysis.id: analysis for analysis in sources.plan.analyses}
    found = []
    for q in numbers(sources):
        if q["analysis"] in {HABITS, ANSWERED}:
            continue
        analysis = kinds.get(q["analysis"])
        alone = analysis is not None and analysis.about(sources.plan) == judge
        # a regression's other coefficients are neither registered nor about the judge
        if q["name"].startswith(f"{judge}: ") or (alone and q["status"] == "confirmatory"):
            found.append(reading(q, sources.plan))
    return found


def habits_of(sources: Sources, judge: str) -> list[dict[str, Any]]:
    """Return a judge's habits."""
    return [
        reading(q, sources.plan)
        for q in numbers(sources)
        if q["analysis"] == HABITS and q["name"].startswith(f"{judge}:")
    ]


def answered_of(sources: Sources, judge: str) -> list[dict[str, Any]]:
    """Return how much of what it was asked a judge answered."""
    return [
        reading(q, sources.plan)
        for q in numbers(sources)
        if q["analysis"] == ANSWERED and q["name"].startswith(f"{judge}: ")
    ]


def reading(q: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """Return a number as schema.org's PropertyValue."""
    found: dict[str, Any] = {
        "@type": "PropertyValue",
        "propertyID": f"{q['analysis']}/{q['name']}",
        "name": q.get("label") or q["name"],
        "value": q.get("estimate"),
        "minValue": q.get("low"),
        "maxValue": q.get("high"),
        "unitText": q.get("unit"),
        "measurementTechnique": str(q.get("method") or "")[:_TECHNIQUES],
        "dimension": _dimension(q["name"], plan),
        "level": q.get("level") if q.get("low") is not None else None,
        "n": q.get("n"),
        "unitOfN": q.get("unit_of_n"),
        "status": q.get("status"),
        "hypothesis": q.get("hypothesis") or None,
        "note": q.get("note") or None,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _dimension(name: str, plan: Plan) -> str | None:
    """Return the dimension that a number is about, if its name ends with one."""
    last = name.rpartition(" ")[2]
    return last if last in {ALL, *(rated.id for rated in plan.rated)} else None


def cells_of(sources: Sources, judge: str) -> list[dict[str, str]]:
    """Return the verdict on a judge by dimension, in a word each."""
    cells: Iterable[Mapping[str, Any]] = sources.results["verdict"].get("cells") or ()
    return [
        {"dimension": str(c["dimension"]), "verdict": str(c["word"]), "why": str(c.get("why", ""))}
        for c in cells
        if c.get("judge") == judge
    ]
