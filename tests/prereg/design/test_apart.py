"""If this failed, a rater would have two scales, or an item be rated more often on one of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prereg.design.sequences import Trial, generate_sequences, more_sequences, sequence_rows
from prereg.parts import sequence_columns
from prereg.plan.model import Plan
from tests.prereg.design.test_design import pool
from tests.prereg.plan.test_collection import parsed, worked

POINTS = {"min": 1, "max": 3, "labels": {1: "no", 3: "yes"}}


def plan(scales: int, sequences: int, trials: int, seed: int = 1, *, apart: bool = True) -> Plan:
    content = worked("empathy_attachment")
    del content["causal"]
    names = [f"scale_{number}" for number in range(scales)]
    content |= {"analyses": [], "gate": [], "hypotheses": [], "judges": [], "seed": seed}
    content["scales"] = [{"id": name, "question": f"{name}?", **POINTS} for name in names]
    content["design"] |= {"raters": sequences, "raters_per_sequence": 1, "trials": trials}
    content["design"]["apart"] = apart
    content["attention_checks"][0] |= {"after": 1, "expected": dict.fromkeys(names, 2)}
    return parsed(content)


def shown(trials: list[Trial]) -> Counter[tuple[str, str]]:
    """Return how often each item is shown on each scale."""
    return Counter((t.dimension, t.item_ids[0]) for t in trials if not t.is_attention_check)


def check_apart(found: list[Trial], of: Plan) -> None:
    names = [scale.id for scale in of.scales]
    by_sequence: dict[str, list[Trial]] = {}
    for trial in found:
        by_sequence.setdefault(trial.sequence_id, []).append(trial)
    assert len(by_sequence) == of.design.sequences
    asked = [{trial.dimension for trial in hand} for hand in by_sequence.values()]
    assert asked == [{names[number % len(names)]} for number in range(len(asked))]
    hands = list(by_sequence.values())
    for end in range(len(names), len(hands) + 1, len(names)):
        counts = shown([trial for hand in hands[:end] for trial in hand])
        items = {item for _, item in counts}
        for item in items:
            assert len({counts[name, item] for name in names}) == 1, "also if recruitment stops"
    for hand in hands:
        assert [trial.position for trial in hand] == list(range(1, of.design.trials + 2))
        assert sum(trial.is_attention_check for trial in hand) == 1


@given(
    scales=st.integers(2, 4),
    rounds=st.integers(1, 6),
    trials=st.integers(1, 6),
    scenarios=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_each_sequence_has_one_scale_and_each_item_is_rated_equally_often_on_each(
    scales: int, rounds: int, trials: int, scenarios: int, seed: int
) -> None:
    of = plan(scales, scales * rounds, trials, seed)
    found = generate_sequences(of, pool(scenarios, 7))
    check_apart(found, of)
    assert generate_sequences(of, pool(scenarios, 7)) == found
    counts = shown(found)
    for scenario in range(scenarios):
        often = [counts["scale_0", f"{scenario}-{item}"] for item in range(7)]
        assert max(often) - min(often) <= 1


def test_scales_asked_together_have_the_sequences_that_they_had() -> None:
    together = generate_sequences(plan(2, 8, 4, apart=False), pool(2, 8))
    assert {trial.dimension for trial in together} == {""}
    assert all(
        "dimension" not in row for row in sequence_rows(plan(2, 8, 4, apart=False), together)
    )
    apart = plan(2, 8, 4)
    rows = sequence_rows(apart, generate_sequences(apart, pool(2, 8)))
    assert list(rows[0]) == list(sequence_columns(apart))
    assert rows[0]["dimension"] == "scale_0"


@pytest.mark.parametrize("scales", [2, 3])
def test_further_sequences_go_on_in_turn(scales: int) -> None:
    items = pool(2, 8)
    before = generate_sequences(plan(scales, 2 * scales, 4), items)
    after = plan(scales, 5 * scales, 4)
    more = more_sequences(after, items, before)
    assert len({trial.sequence_id for trial in more}) == 3 * scales
    check_apart([*before, *more], after)
    assert more_sequences(plan(scales, 2 * scales, 4), items, before) == []
