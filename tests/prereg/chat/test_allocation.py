"""If these failed, conditions or scenarios would be given out unevenly, or not the same again."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from prereg.chat.allocation import allocated, place_ids
from prereg.chat.model import ChatPlan
from tests.support.chat_engine import chat_plan


@st.composite
def plans(draw: st.DrawFn) -> ChatPlan:
    """Return any plan with up to four conditions, weights, blocks, scenarios and rounds."""
    weights = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    scenarios = draw(st.integers(1, 7))
    rounds = draw(st.integers(1, scenarios))
    names = [f"arm{n}" for n in range(len(weights))]
    design = {
        "supporters": draw(st.integers(1, 120)),
        "conversations": rounds,
        "conditions": {name: [] for name in names},
        "allocation": {
            "weights": dict(zip(names, weights, strict=True)),
            "block": sum(weights) * draw(st.integers(1, 4)),
        },
        "scenarios": {"draw": rounds},
    }
    topics = [{"id": f"s{n}", "opening": "Hello.", "background": "b.md"} for n in range(scenarios)]
    seed = draw(st.integers(0, 2**40))
    return chat_plan(replaced={"seed": seed, "design": design, "scenarios": topics})


@given(plans())
def test_blocks_are_whole_and_arms_never_differ_by_more_than_half_a_block(plan: ChatPlan) -> None:
    design, block = plan.design, plan.design.allocation.block
    arms = [allocated(plan, place).condition for place in place_ids(plan)]
    times = block // sum(design.weights.values())
    for start in range(0, len(arms) - block + 1, block):
        wanted = {name: weight * times for name, weight in design.weights.items()}
        assert Counter(arms[start : start + block]) == wanted
    for upto in range(1, len(arms) + 1):
        counts = Counter(arms[:upto])
        by_weight = [counts[name] / weight for name, weight in design.weights.items()]
        assert len(by_weight) == 1 or max(by_weight) - min(by_weight) <= block / 2


@given(plans())
def test_each_scenario_comes_equally_often_in_each_round_of_each_condition(plan: ChatPlan) -> None:
    ids = [scenario.id for scenario in plan.scenarios]
    counts: Counter[tuple[str, int, str]] = Counter()
    for place in place_ids(plan):
        one = allocated(plan, place)
        assert len(set(one.scenarios)) == plan.design.conversations, "a scenario twice"
        counts.update((one.condition, n, name) for n, name in enumerate(one.scenarios))
        for number in range(plan.design.conversations):
            round_ = [counts[one.condition, number, name] for name in ids]
            assert max(round_) - min(round_) <= 1


@given(plans())
def test_a_place_does_not_depend_on_how_many_places_there_are(plan: ChatPlan) -> None:
    design = plan.design.model_copy(update={"supporters": plan.design.supporters + 50})
    longer = plan.model_copy(update={"design": design})
    for place in place_ids(plan):
        assert allocated(plan, place) == allocated(longer, place)


def test_orders_are_drawn_anew_and_follow_from_the_seed() -> None:
    plan = chat_plan(design={"supporters": 400})
    found = [allocated(plan, place) for place in place_ids(plan)]
    followers = Counter(pair for one in found for pair in pairwise(one.scenarios))
    assert len(followers) == 6, "every scenario is followed by every other one at some time"
    assert max(followers.values()) < 3 * min(followers.values())
    other = chat_plan(design={"supporters": 400}, seed=8)
    assert [allocated(other, place) for place in place_ids(other)] != found


def test_a_random_order_has_no_scenario_twice_either() -> None:
    plan = chat_plan(design={"scenarios": {"draw": 2, "order": "random"}})
    found = [allocated(plan, place).scenarios for place in place_ids(plan)]
    assert all(len(set(one)) == 2 for one in found)
    assert len(set(found)) == 6
