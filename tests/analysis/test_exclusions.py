"""If these fail, people leave the data unseen, or in another order than the plan promised."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.exclusions import apply_exclusions
from prereg.errors import RatifyError

INCOMPLETE = {"rule": "incomplete_session"}
ATTENTION = {"rule": "failed_attention", "max_failed": 0}
DUPLICATE = {"rule": "duplicate_sequence"}
FAST = {"rule": "too_fast", "min_median_ms": 1000}


def participants(**change) -> pd.DataFrame:
    """Return six visits: s2 unfinished, s1 and s3 and s4 on one sequence."""
    return pd.DataFrame(
        {
            "session_id": ["s1", "s2", "s3", "s4", "s5", "s6"],
            "rater_id": ["r1", "r2", "r3", "r4", "r5", "r6"],
            "sequence_id": ["q1", "q1", "q1", "q1", "q5", None],
            "finished_at": ["t", "", "t", "t", "t", "t"],
        }
    ).assign(**change)


def judgments() -> pd.DataFrame:
    """Return two trials and one attention check a visit: s4 fails the check, s5 is fast."""
    rows = []
    for session in ("s1", "s2", "s3", "s4", "s5", "s6"):
        spent = 200 if session == "s5" else 5000
        rows += [
            (session, "left", "", "false", str(spent)),
            (session, "right", "", "false", str(spent + 300)),
            (session, "right" if session == "s4" else "left", "left", "true", "9000"),
        ]
    names = ["session_id", "choice", "expected_choice", "is_attention_check", "response_ms"]
    return pd.DataFrame(rows, columns=names, dtype="str")


def run(rules, seed: int = 42, **change):
    return apply_exclusions(
        judgments(), participants(**change), rules, rng=np.random.default_rng(seed)
    )


def left(result) -> set[str]:
    return set(result.participants["session_id"])


def test_every_rule_takes_whom_it_names():
    assert left(run([INCOMPLETE])) == {"s1", "s3", "s4", "s5", "s6"}
    assert left(run([ATTENTION])) == {"s1", "s2", "s3", "s5", "s6"}
    assert left(run([{**ATTENTION, "max_failed": 1}])) == {"s1", "s2", "s3", "s4", "s5", "s6"}
    # Median of 200 and 500 is 350; the slow attention check does not count.
    assert left(run([FAST])) == {"s1", "s2", "s3", "s4", "s6"}
    assert left(run([{**FAST, "min_median_ms": 350}])) >= {"s5"}
    kept = left(run([DUPLICATE]))
    assert len(kept & {"s1", "s2", "s3", "s4"}) == 1
    assert kept >= {"s5", "s6"}  # alone on its sequence, and without one


def test_flow_adds_up_and_follows_the_order_given():
    result = run([INCOMPLETE, ATTENTION, DUPLICATE, FAST])
    flow = result.flow
    assert list(flow.columns) == ["rule", "unit", "before", "excluded", "after"]
    sessions = flow[flow["unit"] == "sessions"]
    assert sessions["rule"].tolist() == [
        "incomplete_session", "failed_attention", "duplicate_sequence", "too_fast"
    ]  # fmt: skip
    assert sessions["before"].tolist() == [6, 5, 4, 3]
    assert sessions["excluded"].tolist() == [1, 1, 1, 1]
    rows = flow[flow["unit"] == "judgments"]
    assert rows["before"].tolist() == [18, 15, 12, 9, 6]
    assert rows["rule"].tolist()[-1] == "attention_check_trials"
    assert rows["excluded"].tolist() == [3, 3, 3, 3, 2]
    assert len(result.judgments) == 4
    assert not result.judgments["is_attention_check"].eq("true").any()
    assert result.excluded["session_id"].tolist()[:2] == ["s2", "s4"]


def test_order_of_rules_changes_who_stays():
    # Duplicates first: four compete for q1, and the one kept may be the unfinished one.
    outcomes = {frozenset(left(run([DUPLICATE, INCOMPLETE], seed))) for seed in range(40)}
    assert frozenset({"s5", "s6"}) in outcomes
    for seed in range(40):
        assert len(left(run([INCOMPLETE, DUPLICATE], seed)) & {"s1", "s3", "s4"}) == 1


def test_duplicate_is_drawn_evenly_by_the_seed_whatever_the_order_of_rows():
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(200):
        result = apply_exclusions(judgments(), participants(), [DUPLICATE], rng=rng)
        drawn.append((left(result) & {"s1", "s2", "s3", "s4"}).pop())
    counts = pd.Series(drawn).value_counts()
    assert len(counts) == 4
    assert counts.between(28, 72).all()  # 50 each, sd 6.1
    turned = apply_exclusions(
        judgments(), participants().iloc[::-1], [DUPLICATE], rng=np.random.default_rng(42)
    )
    assert left(turned) == left(run([DUPLICATE]))


rules_of = st.lists(st.sampled_from([INCOMPLETE, ATTENTION, DUPLICATE, FAST]), max_size=6)


@settings(deadline=None, max_examples=30)
@given(rules_of, st.integers(0, 10))
def test_nothing_leaves_in_silence(rules, seed):
    result = run(rules, seed)
    for unit, start, end in (
        ("sessions", 6, len(result.participants)),
        ("judgments", 18, len(result.judgments)),
    ):
        part = result.flow[result.flow["unit"] == unit]
        assert (part["before"] - part["excluded"]).tolist() == part["after"].tolist()
        assert [start, *part["after"]] == [*part["before"], end]
    assert left(result) | set(result.excluded["session_id"]) == left(run([]))
    assert len(result.excluded) + len(result.participants) == 6
    assert set(result.judgments["session_id"]) == left(result)


def test_rules_may_be_objects_and_tables_are_not_changed():
    one, two = judgments(), participants()
    rule = SimpleNamespace(rule="too_fast", min_median_ms=1000, max_failed=None)
    result = apply_exclusions(one, two, [rule], rng=np.random.default_rng(0))
    assert left(result) == {"s1", "s2", "s3", "s4", "s6"}
    pd.testing.assert_frame_equal(one, judgments())
    pd.testing.assert_frame_equal(two, participants())


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([{"rule": "boring"}], ("'boring'", "incomplete_session, failed_attention")),
        ([{}], ("unknown exclusion rule", "too_fast")),
        ([{"rule": "too_fast"}], ("too_fast needs min_median_ms",)),
        ([{"rule": "failed_attention", "max_failed": -1}], ("needs max_failed", "-1")),
    ],
)
def test_bad_rules_are_named(rules, words):
    with pytest.raises(RatifyError) as caught:
        run(rules)
    for word in words:
        assert word in str(caught.value)


def test_bad_tables_are_named():
    rng = np.random.default_rng(0)
    with pytest.raises(RatifyError, match="row 3, column session_id: appears twice"):
        apply_exclusions(judgments(), participants(session_id="s1"), [], rng=rng)
    with pytest.raises(RatifyError, match=r"row 17, column session_id.*'s6'"):
        apply_exclusions(judgments(), participants().iloc[:5], [], rng=rng)
    with pytest.raises(RatifyError, match="no column 'expected_choice'"):
        apply_exclusions(
            judgments().drop(columns="expected_choice"), participants(), [ATTENTION], rng=rng
        )
    with pytest.raises(RatifyError, match=r"row 2, column is_attention_check.*'maybe'"):
        apply_exclusions(
            judgments().assign(is_attention_check="maybe"), participants(), [], rng=rng
        )
    with pytest.raises(RatifyError, match="no column 'finished_at'"):
        apply_exclusions(
            judgments(), participants().drop(columns="finished_at"), [INCOMPLETE], rng=rng
        )


def test_a_table_without_attention_checks():
    plain = judgments()[["session_id", "choice", "response_ms"]]
    result = apply_exclusions(plain, participants(), [FAST], rng=np.random.default_rng(0))
    assert result.flow["rule"].tolist() == ["too_fast", "too_fast"]
    with pytest.raises(RatifyError, match="no column 'is_attention_check'"):
        apply_exclusions(plain, participants(), [ATTENTION], rng=np.random.default_rng(0))
