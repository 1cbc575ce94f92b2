"""If these failed, a lab would suspect honest raters, or not see one who does not read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sqlalchemy import event, insert, update

from prereg.lock import utc_now
from study.export.raters import SORTS, RaterRow, at_least, longest_run, raters
from study.folder import Study
from study.items import Item
from study.opening import open_study
from study.store.database import Store
from study.store.tables import Visit
from study.tasks.registry import task_of
from tests.support.collecting import open_places, study_of_kind
from tests.support.plans import edited_plan

TRIALS = 12
Say = Callable[[int], dict[str, Any]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(f"sqlite:///{tmp_path / 's.sqlite3'}")) as opened:
        yield opened


def a_study(folder: Path, kind: str, **parts: Any) -> Study:
    study_of_kind(folder, kind, raters=6, trials=6)
    with edited_plan(folder) as plan:
        plan |= parts
    return open_study(folder)


def collect(store: Store, study: Study, people: dict[str, dict[str, Any]]) -> dict[str, RaterRow]:
    """Put visits with these answers into the store, and return what is said of each rater.

    Each is a dict: `say` (an answer by its number, from 0), `ms`, `hidden`, `fails`.
    """
    open_places(store, study, "pilot")
    task, place = task_of(study.plan), next(iter(study.sequences))
    visits, answers = [], []
    for name, person in people.items():
        common = {"plan_hash": study.plan_hash, "mode": "pilot", "session_id": name}
        common |= {"rater_id": name}
        more = {"status": person.get("status", "returned"), "withdrawal_key": name}
        more |= {"lease_until": time.time() + person.get("lease", 99)}
        visits.append(common | more | {"sequence_id": place, "consented_at": utc_now()})
        for number in range(TRIALS + 1):
            check = number == TRIALS
            row = common | {
                "rater_kind": "human",
                "scenario": "job",
                "position": number + 1,
                "is_attention_check": check,
                "passed_check": not person.get("fails", False) if check else None,
                "answered_at": utc_now(),
                "response_ms": person.get("ms", 9000) + number,
                "hidden_ms": person.get("hidden", 0),
            }
            items = [Item(f"{number}{c}", "job", "") for c in "abc"]
            shown = items[: task.kind.shown(study.plan)]
            answers += task.rows(row, shown, person["say"](number if not check else 0))
    store.write(lambda c: c.execute(insert(Visit), visits))
    store.write(lambda c: c.execute(insert(task.table), answers))
    return {row.rater_id: row for row in raters(store, study, "pilot")}


def sides(text: str) -> Say:
    return lambda number: {"choice": {"l": "left", "r": "right"}[text[number % len(text)]]}


def test_pairs_sides_runs_times_and_checks(tmp_path: Path, store: Store) -> None:
    study = a_study(tmp_path / "study", "pairwise")
    people: dict[str, dict[str, Any]] = {
        f"fair-{n}": {"say": sides("lrrlrllrrl"[n:])} for n in range(6)
    }
    people |= {
        "lefty": {"say": sides("l")},
        "righty": {"say": sides("r")},
        "quick": {"say": sides("lrr"), "ms": 800},
        "away": {"say": sides("rll"), "hidden": 60_000},
        "failed": {"say": sides("rlr"), "fails": True},
        "gone": {"say": sides("lrl"), "status": "active", "lease": -1},
    }
    found = collect(store, study, people)
    assert [name for name, row in found.items() if row.flags] == sorted(
        ["lefty", "righty", "quick", "away", "failed"], key=lambda n: (-len(found[n].flags), n)
    )
    assert list(found)[:2] == ["lefty", "righty"], "the most striking come first"
    lefty, righty = found["lefty"], found["righty"]
    assert (lefty.side, lefty.side_of, lefty.run) == (12, 12, 12)
    assert lefty.flags == (
        "chose the left 12 of 12 times",
        "gave the same answer 12 times in a row",
    )
    assert righty.flags[0] == "chose the right 12 of 12 times"
    assert found["quick"].flags == ("three times as fast as most raters (9 s)",)
    assert "another window" in found["away"].flags[0]
    assert found["failed"].flags == ("failed 1 of 1 attention checks",)
    assert (found["failed"].failed, found["failed"].checked) == (1, 1)
    assert found["gone"].status == "silent"
    assert found["fair-0"].median_ms == 9005.5, "the check does not count"


def test_ratings_that_are_all_alike(tmp_path: Path, store: Store) -> None:
    study = a_study(tmp_path / "study", "rating")
    found = collect(
        store,
        study,
        {
            "flat": {"say": lambda _: {"warmth": 3, "depth": 3}},
            "twofold": {"say": lambda _: {"warmth": 4, "depth": 1}},
            "honest": {"say": lambda n: {"warmth": 1 + n % 5, "depth": n % 3}},
        },
    )
    assert found["flat"].flags == ("gave the same point in 24 of 24 ratings",)
    assert found["twofold"].flags == ("rated 12 texts in a row exactly alike",)
    assert (found["honest"].flags, found["honest"].side_of, found["honest"].run) == ((), 0, 1)


def test_best_and_worst_always_at_one_place(tmp_path: Path, store: Store) -> None:
    study = a_study(tmp_path / "study", "best_worst")
    found = collect(
        store,
        study,
        {
            "third": {"say": lambda n: {"most": 3, "least": 1 + n % 2}},
            "honest": {"say": lambda n: {"most": 1 + n % 3, "least": 1 + (n + 1) % 3}},
        },
    )
    assert found["third"].flags == ("picked place 3 as most 12 of 12 times",)
    assert (found["third"].place, found["third"].side, found["honest"].flags) == (3, 12, ())


def test_the_plans_own_limits_are_used(tmp_path: Path, store: Store) -> None:
    rules = [
        {"rule": "failed_attention", "max_failed": 0},
        {"rule": "too_fast", "min_median_ms": 5000},
    ]
    study = a_study(tmp_path / "study", "pairwise", exclusions=rules)
    found = collect(
        store, study, {"a": {"say": sides("lr"), "ms": 4000}, "b": {"say": sides("rl")}}
    )
    assert found["a"].flags == ("faster than the plan allows (a median of 5 s)",)
    assert found["b"].flags == ()


def test_a_thousand_raters_are_two_statements(tmp_path: Path, store: Store) -> None:
    study = a_study(tmp_path / "study", "pairwise")
    collect(store, study, {f"r{n}": {"say": sides("lr")} for n in range(200)})
    sent: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    assert len(raters(store, study, "pilot")) == 200
    assert len([one for one in sent if one.startswith("SELECT")]) == 2


def test_a_rater_without_answers_can_be_sorted_anywhere(tmp_path: Path, store: Store) -> None:
    study = a_study(tmp_path / "study", "pairwise")
    collect(store, study, {"some": {"say": sides("lr")}})
    none = RaterRow("none", "active", 0, 4)
    rows = [none, *raters(store, study, "pilot")]
    for name, order in SORTS.items():
        assert len(sorted(rows, key=order)) == 2, name
    assert raters(store, study, "live") == []
    store.write(lambda c: c.execute(update(Visit).values(sequence_id="elsewhere")))
    assert raters(store, study, "pilot")[0].trials == 0


@given(st.lists(st.sampled_from("lr")))
def test_runs_are_counted_as_by_hand(said: list[str]) -> None:
    text = "".join(said)
    longest = max((n for n in range(len(text) + 1) for c in "lr" if c * n in text), default=0)
    assert longest_run(said) == longest


@given(st.integers(1, 40), st.data(), st.sampled_from([0.5, 1 / 3]))
def test_the_probability_is_scipys(of: int, data: st.DataObject, share: float) -> None:
    count = data.draw(st.integers(0, of))
    expected = binomtest(count, of, share, alternative="greater").pvalue
    assert at_least(count, of, share) == pytest.approx(expected, rel=1e-9)
