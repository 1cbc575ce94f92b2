"""If this failed, raters would see pairs that are unbalanced, repeated, or not the locked ones."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from prereg.design.dealing import balance_places, balance_sides, draw_pairs, draw_sets
from prereg.design.sequences import Trial, check_ids, generate_sequences
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import Table
from tests.prereg.plan.test_plan import WORKED


def plan(raters: int, trials: int, seed: int = 1) -> Plan:
    text = WORKED.replace("  raters: 150", f"  raters: {raters}")
    text = text.replace("  trials: 10\n", f"  trials: {trials}\n")
    return parse_plan(text.replace("seed: 20261121", f"seed: {seed}"), file="plan.yaml")


def pool(scenarios: int, each: int) -> Table:
    rows = [
        {"item_id": f"{s}-{i}", "scenario": f"s{s}", "text": "x", "elo": str(1000 + 7 * i)}
        for s in range(scenarios)
        for i in range(each)
    ]
    return Table(Path("items.csv"), ("item_id", "scenario", "text", "elo"), rows)


def sides(trials: list[Trial]) -> tuple[Counter[str], Counter[str]]:
    return Counter(t.item_ids[0] for t in trials), Counter(t.item_ids[1] for t in trials)


def test_the_published_design_is_exactly_balanced() -> None:
    trials = generate_sequences(plan(150, 10), pool(5, 30))
    left, right = sides(trials)
    assert len(trials) == 1500
    assert set(left.values()) == set(right.values()) == {10}
    assert max(Counter(frozenset(t.item_ids) for t in trials).values()) == 1
    for sequence in {t.sequence_id for t in trials}:
        mine = [t for t in trials if t.sequence_id == sequence]
        assert [t.position for t in mine] == list(range(1, 11))
        assert max(Counter(i for t in mine for i in t.item_ids).values()) == 1
        assert set(Counter(t.item_ids[0].split("-")[0] for t in mine).values()) == {2}


@given(
    scenarios=st.integers(1, 3),
    each=st.integers(4, 12),
    raters=st.integers(1, 25),
    trials=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
def test_every_design_is_balanced(
    scenarios: int, each: int, raters: int, trials: int, seed: int
) -> None:
    found = generate_sequences(plan(raters, trials, seed), pool(scenarios, each))
    left, right = sides(found)
    assert len(found) == raters * trials
    ids = set(left) | set(right)
    assert all(abs(left[i] - right[i]) <= 1 for i in ids)
    for scenario in range(scenarios):
        shown = [left[f"{scenario}-{i}"] + right[f"{scenario}-{i}"] for i in range(each)]
        # an odd scenario leaves one item out of each round, so two rounds may differ by two
        assert max(shown) - min(shown) <= (1 if each % 2 == 0 else 2)
    for trial in found:
        left_id, right_id = trial.item_ids
        assert left_id.split("-")[0] == right_id.split("-")[0]
        assert left_id != right_id
    met = Counter((t.sequence_id, frozenset(t.item_ids)) for t in found)
    assert max(met.values()) == 1


def test_the_seed_decides_and_nothing_else() -> None:
    assert generate_sequences(plan(9, 4), pool(2, 6)) == generate_sequences(plan(9, 4), pool(2, 6))
    assert generate_sequences(plan(9, 4, 2), pool(2, 6)) != generate_sequences(
        plan(9, 4, 1), pool(2, 6)
    )


@given(size=st.integers(2, 15), count=st.integers(1, 120), seed=st.integers(0, 99))
def test_no_pair_repeats_before_all_were_used(size: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    items = [str(i) for i in range(size)]
    pairs = draw_pairs(items, count, rng)
    met = Counter(frozenset(pair) for pair in pairs)
    every = size * (size - 1) // 2
    assert len(pairs) == count
    assert max(met.values()) - (min(met.values()) if len(met) == every else 0) <= 1
    turned = balance_sides(pairs, rng)
    assert [frozenset(p) for p in turned] == [frozenset(p) for p in pairs]


def test_which_item_stands_left_is_random() -> None:
    first = [generate_sequences(plan(1, 1, seed), pool(1, 4))[0] for seed in range(200)]
    smaller_left = sum(t.item_ids[0] < t.item_ids[1] for t in first)
    assert 70 < smaller_left < 130


def test_too_few_items_for_different_pairs_is_said() -> None:
    with pytest.raises(RatifyError, match=r"items\.csv.*'s0' has 3 items, too few for 4"):
        generate_sequences(plan(2, 4), pool(1, 3))


def test_a_stratified_sample_takes_from_every_bin() -> None:
    text = WORKED.replace("sample: null", "sample: {by: elo, bins: 10, per_bin: 3}")
    sampled = generate_sequences(parse_plan(text, file="plan.yaml"), pool(5, 77))
    used = {i for t in sampled for i in t.item_ids}
    assert len(used) == 150
    tenths = Counter(int(i.split("-")[1]) * 10 // 77 for i in used)
    assert set(tenths) == set(range(10))
    with pytest.raises(RatifyError, match=r"2 items in bin 1 of 10 by elo.*at least 3"):
        generate_sequences(parse_plan(text, file="plan.yaml"), pool(5, 20))
    other = text.replace("by: elo", "by: mood")
    with pytest.raises(RatifyError, match="no column 'mood'"):
        generate_sequences(parse_plan(other, file="plan.yaml"), pool(5, 77))


CHECKS = """
attention_checks:
  - {after: 0, texts: [one, two], expected: {choice: left}}
  - {after: 3, texts: [three, four], expected: {choice: right}}
  - {after: 4, texts: [five, six], expected: {choice: right}}
"""


def test_attention_checks_stand_where_the_plan_puts_them_and_change_nothing_else() -> None:
    bare = plan(6, 4)
    text = WORKED.replace("  raters: 150", "  raters: 6").replace("  trials: 10\n", "  trials: 4\n")
    text = text.replace("seed: 20261121", "seed: 1").replace(
        "\nexclusions:", CHECKS + "\nexclusions:"
    )
    checked = parse_plan(text, file="plan.yaml")
    trials = generate_sequences(checked, pool(2, 6))
    without = generate_sequences(bare, pool(2, 6))
    assert [t.item_ids for t in trials if not t.is_attention_check] == [t.item_ids for t in without]
    for name in {t.sequence_id for t in trials}:
        mine = [t for t in trials if t.sequence_id == name]
        assert [t.position for t in mine] == list(range(1, 8))
        # before the first, after the third of four real trials, and at the end
        assert [t.position for t in mine if t.is_attention_check] == [1, 5, 7]
        assert [t.item_ids for t in mine if t.is_attention_check] == check_ids(checked)


def worked(name: str, **design: int) -> Plan:
    text = (resources.files("prereg") / "worked" / name / "plan.yaml").read_text()
    content = yaml.safe_load(text)
    content["design"] |= design
    return parse_plan(yaml.safe_dump(content), file="plan.yaml")


@given(raters=st.integers(1, 20), each=st.integers(4, 9), trials=st.integers(5, 8))
def test_every_item_is_rated_equally_often_and_once_by_a_rater(
    raters: int, each: int, trials: int
) -> None:
    trials_of = generate_sequences(
        worked("empathy_rating", raters=raters, trials=trials), pool(3, each)
    )
    real = [t for t in trials_of if not t.is_attention_check]
    assert len(real) == raters * trials
    for scenario in range(3):
        shown = Counter(t.item_ids[0] for t in real)
        counts = [shown[f"{scenario}-{i}"] for i in range(each)]
        assert max(counts) - min(counts) <= 1
    assert max(Counter((t.sequence_id, t.item_ids) for t in real).values()) == 1


@given(size=st.integers(3, 9), options=st.integers(3, 5), count=st.integers(1, 60))
def test_sets_are_balanced_in_items_and_in_places(size: int, options: int, count: int) -> None:
    assume(options <= size)
    rng = np.random.default_rng(size * 100 + count)
    items = [str(i) for i in range(size)]
    sets = draw_sets(items, options, count, rng)
    assert all(len(set(chosen)) == options for chosen in sets)
    met = Counter(i for chosen in sets for i in chosen)
    assert max(met[i] for i in items) - min(met[i] for i in items) <= 1
    ordered = balance_places(sets, rng)
    assert [set(chosen) for chosen in ordered] == [set(chosen) for chosen in sets]
    for place in range(options):
        stood = Counter(chosen[place] for chosen in ordered)
        # a fair share is 1/options of an item's showings
        assert all(abs(stood[i] - met[i] / options) <= 2 for i in items)


def test_a_study_that_stops_early_is_balanced_too() -> None:
    trials = generate_sequences(plan(150, 10), pool(5, 30))
    for stopped in (30, 60, 90):
        first = [t for t in trials if int(t.sequence_id[1:]) <= stopped]
        shown = Counter(i for t in first for i in t.item_ids)
        assert len(shown) == 150
        assert max(shown.values()) - min(shown.values()) <= 2


def test_several_raters_a_sequence_means_fewer_sequences() -> None:
    trials = generate_sequences(
        worked("empathy_rating", raters=12, raters_per_sequence=3), pool(5, 30)
    )
    assert {t.sequence_id for t in trials} == {"S001", "S002", "S003", "S004"}
