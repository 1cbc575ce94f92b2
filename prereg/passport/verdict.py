"""What a passport says of the gate, in one word and one colour that never flatter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prereg.passport.sources import Sources

PASSED, NOT_PASSED = "passed", "not passed"
# The gate's table names its verdict in its title.
_GATE, _TITLE = "gate", "The gate: passed"


@dataclass(frozen=True)
class State:
    """A word for the badge, its colour, and why it is this word.

    Attributes
    ----------
    word : str
    colour : str
    why : str
    """

    word: str
    colour: str
    why: str


# Simulated and exploratory results are never green, whatever the numbers are.
_GREEN, _RED, _GREY, _AMBER = "#1a7f37", "#b42318", "#57606a", "#9a6700"


def state_of(sources: Sources) -> State:
    """Return the state of a study's gate.

    Only live answers of people to a locked plan, under which every condition holds, are passed.
    """
    meta = sources.meta
    if sources.results.get("simulated") or meta["mode"] == "bot":
        return State("simulated", _AMBER, "The raters are simulated: nothing is said about people.")
    if meta.get("blind"):
        return State("blind run", _GREY, "The answers are shuffled: the numbers mean nothing.")
    if meta["mode"] != "live":
        return State("pilot", _AMBER, "These are pilot answers, and a gate needs live ones.")
    if sources.lock is None or meta.get("plan_hash") is None:
        return State("exploratory", _AMBER, "The plan was not locked.")
    if meta.get("early"):
        return State("exploratory", _AMBER, "Some answers are older than the lock.")
    if not sources.plan.gate:
        return State("no gate", _GREY, "The plan sets no thresholds.")
    found = gate_of(sources)
    if found["passed"] and found["conditions"]:
        return State(PASSED, _GREEN, "Every condition that was registered holds.")
    return State(NOT_PASSED, _RED, "Not every condition that was registered holds.")


def gate_of(sources: Sources) -> dict[str, Any]:
    """Return the gate's verdict and its conditions, as the results have them."""
    table = next((t for t in sources.results["tables"] if t.get("name") == _GATE), None)
    if table is None:
        return {"passed": False, "conditions": [], "note": "The results have no gate."}
    columns = table["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in table["rows"]]
    return {
        "passed": table["title"] == _TITLE and all(row["holds"] is True for row in rows),
        "conditions": [_condition(row) for row in rows],
        "note": str(table["caption"]).removeprefix("The plan's thresholds.").strip(),
    }


def _condition(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("analysis", "quantity", "field", "at_least", "found", "holds", "answered", "asked")
    return {name: row[name] for name in (*kept, "coverage_at_least") if row.get(name) is not None}
