"""If these failed, an analysis changed after results were seen could be called confirmatory."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from analysis.evidence.status import changed_key, dropped_thresholds, late_thresholds, status_of
from prereg.plan.model import Threshold

PLAN: dict[str, Any] = {
    "hypotheses": [{"id": "H1", "text": "One."}, {"id": "H2", "text": "Two."}],
    "exclusions": [{"rule": "incomplete_session"}],
    "design": {"raters": 20, "trials": 4, "lease_minutes": 60},
    "analyses": [
        {"id": "a", "kind": "x", "judge": "j", "hypothesis": "H1", "family": {"name": "f"}},
        {"id": "b", "kind": "x", "judges": ["k"], "family": {"name": "f"}},
        {"id": "c", "kind": "equivalence", "of": {"analysis": "b", "quantity": "q"}},
        {"id": "d", "kind": "ranking", "of": "people"},
        {"id": "e", "kind": "x", "judge": "p"},
    ],
    "gate": [{"analysis": "a", "quantity": "q", "field": "low", "at_least": 0.5}],
}
JUDGES = [
    {"id": "j", "kind": "llm", "model": "m1"},
    {"id": "k", "kind": "llm", "model": "m1"},
    {"id": "p", "kind": "panel", "of": ["j", "k"]},
]
Change = Callable[[dict[str, Any], list[dict[str, Any]]], None]


def lock(*changes: tuple[str, Change]) -> Any:
    """Return a lock whose amendments make these changes, each with what was known then."""
    plan, judges = deepcopy(PLAN), deepcopy(JUDGES)
    versions = [version(0, None, plan, judges)]
    for number, (known, change) in enumerate(changes, start=1):
        change(plan, judges)
        versions.append(version(number, known, plan, judges))
    return SimpleNamespace(versions=tuple(versions), locked=versions[-1].locked)


def version(number: int, known: str | None, plan: Any, judges: Any) -> Any:
    return SimpleNamespace(
        plan_hash=str(number),
        at=f"2100-01-0{number + 1}T10:00:00.000Z",
        known=None if known is None else SimpleNamespace(state=known),
        locked={
            "plan": deepcopy(plan),
            "judges": deepcopy(judges),
            "prompts": deepcopy(plan.get("prompts", {})),
        },
    )


def exploratory(found: Any, *, whole: str = "confirmatory") -> set[str]:
    evidence: Any = SimpleNamespace(status=whole, plan=None)
    ids = [one["id"] for one in found.locked["plan"]["analyses"]]
    standing = {
        name: status_of(SimpleNamespace(id=name), found, evidence)  # type: ignore[arg-type]
        for name in ids
    }
    assert all(bool(one.why) == (one.status == "exploratory") for one in standing.values())
    return {name for name, one in standing.items() if one.status == "exploratory"}


def analysis(name: str, **values: Any) -> Change:
    def change(plan: dict[str, Any], _: Any) -> None:
        next(one for one in plan["analyses"] if one["id"] == name).update(values)

    return change


def part(key: str, value: Any) -> Change:
    return lambda plan, _: plan.update({key: value})


def judge(at: int, model: str) -> Change:
    return lambda _, judges: judges[at].update({"model": model})


def prompt(of: str, words: str) -> Change:
    return lambda plan, _: plan.setdefault("prompts", {}).update({of: words})


def design(**values: Any) -> Change:
    return lambda plan, _: plan["design"].update(values)


def added(plan: dict[str, Any], _: Any) -> None:
    plan["analyses"].append({"id": "new", "kind": "x"})


def dropped(plan: dict[str, Any], _: Any) -> None:
    plan["analyses"] = [one for one in plan["analyses"] if one["id"] != "b"]


EVERY = {"a", "b", "c", "d", "e"}
CHANGES: list[tuple[Change, set[str]]] = [
    (analysis("a", level=0.9), {"a", "b"}),  # b's p values are corrected with a's
    (analysis("b", level=0.9), {"a", "b", "c"}),  # c asks about a number of b
    (analysis("d", of="j"), {"d"}),
    (added, {"new"}),
    (dropped, {"a", "c"}),  # one test fewer to correct for
    (part("exclusions", []), EVERY),
    (part("measures", {"adds": ["w"]}), EVERY),
    (part("large", {"choices": 0.2}), EVERY),
    (design(raters=40), EVERY),
    (design(lease_minutes=90), set()),
    (part("hypotheses", [{"id": "H1", "text": "None."}, {"id": "H2", "text": "Two."}]), {"a"}),
    (part("hypotheses", [{"id": "H1", "text": "One."}]), set()),
    (judge(0, "m2"), {"a", "e"}),  # e is about a panel of j and k
    (judge(1, "m2"), {"b", "c", "e"}),
    (part("title", "Another"), set()),
    (part("recruitment", {"reward": "2"}), set()),
    (part("recruitment", {"replace": "failed_attention"}), EVERY),
    (part("comprehension", {"question": "Whose?"}), EVERY),
    (part("practice", 3), EVERY),
    (prompt("j", "p2"), {"a", "e"}),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_what_changed_after_results_were_seen_is_exploratory(
    change: Change, expected: set[str]
) -> None:
    assert exploratory(lock(("seen", change))) == expected


@pytest.mark.parametrize("known", ["no_data", "not_looked"])
def test_what_changed_before_is_confirmatory(known: str) -> None:
    assert exploratory(lock((known, analysis("a", level=0.9)), (known, added))) == set()


def test_a_change_before_and_one_after_are_told_apart() -> None:
    found = lock(
        ("not_looked", analysis("d", of="j")), ("seen", added), ("seen", analysis("e", level=0.9))
    )
    assert exploratory(found) == {"new", "e"}
    evidence: Any = SimpleNamespace(status="confirmatory", plan=None)
    why = status_of(SimpleNamespace(id="e"), found, evidence).why  # type: ignore[arg-type]
    assert why == "the analysis changed at 2100-01-04 10:00 UTC, after results had been seen"
    why = status_of(SimpleNamespace(id="new"), found, evidence).why  # type: ignore[arg-type]
    assert why == "the analysis was added at 2100-01-03 10:00 UTC, after results had been seen"


def test_a_change_that_was_taken_back_is_none() -> None:
    found = lock(("seen", analysis("a", level=0.9)), ("seen", analysis("a", level=0.95)))
    assert exploratory(found) == {"a", "b"}  # the plan did not name a level at first
    plan = deepcopy(PLAN)
    found = lock(("seen", part("exclusions", [])), ("seen", part("exclusions", plan["exclusions"])))
    assert exploratory(found) == set()


def test_where_the_whole_study_is_exploratory_so_is_every_analysis() -> None:
    evidence: Any = SimpleNamespace(status="exploratory", plan=None)
    for one in (lock(), None):
        standing = status_of(SimpleNamespace(id="a"), one, evidence)  # type: ignore[arg-type]
        assert (standing.status, standing.why) == ("exploratory", "")


def test_an_analysis_that_the_plan_does_not_have_is_exploratory() -> None:
    evidence: Any = SimpleNamespace(status="confirmatory", plan=None)
    standing = status_of(SimpleNamespace(id="mine"), lock(), evidence)  # type: ignore[arg-type]
    assert standing.status == "exploratory"
    assert "exploratory.yaml" in standing.why


def test_a_lock_that_does_not_say_what_the_plan_held_leaves_nothing_confirmatory() -> None:
    found = lock(("seen", added))
    found.versions[0].locked.clear()
    evidence: Any = SimpleNamespace(status="confirmatory", plan=None)
    standing = status_of(SimpleNamespace(id="d"), found, evidence)  # type: ignore[arg-type]
    assert standing.status == "exploratory"


@pytest.mark.parametrize(
    ("at_least", "known", "late"),
    [(0.5, "seen", False), (0.4, "seen", True), (0.4, "no_data", False)],
)
def test_a_threshold_that_was_lowered_after_results_were_seen_cannot_be_used(
    at_least: float, known: str, late: bool
) -> None:
    threshold = Threshold(analysis="a", quantity="q", at_least=at_least)
    now = threshold.model_dump(mode="json", exclude_none=True)
    found = late_thresholds(lock((known, part("gate", [now]))), SimpleNamespace(gate=(threshold,)))  # type: ignore[arg-type]
    assert (list(found) == [0]) is late


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("seen", part("gate", []))], ["2100-01-02"]),
        ([("seen", part("gate", [{**PLAN["gate"][0], "at_least": 0.1}]))], []),
        ([("not_looked", part("gate", []))], []),
        ([("seen", part("gate", [])), ("seen", part("gate", PLAN["gate"]))], []),
    ],
)
def test_a_threshold_that_was_taken_out_after_results_were_seen_is_named(
    changes: list[tuple[str, Change]], said: list[str]
) -> None:
    found = dropped_thresholds(lock(*changes))
    assert found == [
        f"the threshold on a / q was taken out at {day} 10:00 UTC, after results had been seen"
        for day in said
    ]


@pytest.mark.parametrize(("known", "late"), [("seen", True), ("not_looked", False)])
def test_a_sensitivity_analysis_asked_for_after_a_look_is_told_apart(
    known: str, late: bool
) -> None:
    found = lock((known, part("sensitivity", {"on": "everybody"})))
    assert exploratory(found) == set()  # the analyses themselves are as they were
    assert bool(changed_key(found, "sensitivity")) is late
