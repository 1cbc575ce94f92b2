"""If these fail, people leave the data unseen, or in another order than the plan promised."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.evidence.exclusions import apply_exclusions, everybody
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
        "incomplete_session",
        "failed_attention",
        "duplicate_sequence",
        "too_fast",
    ]
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
    # Duplicates first: the one kept of q1 may be s4, who then fails the check.
    outcomes = {frozenset(left(run([DUPLICATE, ATTENTION], seed))) for seed in range(15)}
    assert frozenset({"s5", "s6"}) in outcomes
    for seed in range(15):
        assert len(left(run([ATTENTION, DUPLICATE], seed)) & {"s1", "s2", "s3"}) == 1


@pytest.mark.parametrize(
    ("change", "rivals"),
    [
        ({"finished_at": "t"}, {"s1", "s2", "s3", "s4"}),  # as published: all of them finished
        ({}, {"s1", "s3", "s4"}),
        ({"finished_at": ""}, {"s1", "s2", "s3", "s4"}),
    ],
)
def test_duplicate_is_drawn_evenly_by_the_seed_whatever_the_order_of_rows(change, rivals):
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(48):
        result = apply_exclusions(judgments(), participants(**change), [DUPLICATE], rng=rng)
        drawn.append((left(result) & {"s1", "s2", "s3", "s4"}).pop())
    counts = pd.Series(drawn).value_counts()
    assert set(counts.index) == rivals
    even = 48 / len(rivals)
    assert counts.between(even - 11, even + 11).all()  # sd 3.0 or 3.3
    turned = apply_exclusions(
        judgments(), participants().iloc[::-1], [DUPLICATE], rng=np.random.default_rng(42)
    )
    assert left(turned) == left(run([DUPLICATE]))


rules_of = st.lists(st.sampled_from([INCOMPLETE, ATTENTION, DUPLICATE, FAST]), max_size=6)


@settings(deadline=None, max_examples=15)
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
    with pytest.raises(RatifyError, match="neither a column 'passed_check' nor 'expected_choice'"):
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


# --- attention checks ------------------------------------------------------------------------


def marked(**change) -> pd.DataFrame:
    """Return judgments as they are collected here: `passed_check` instead of `expected_choice`."""
    table = judgments()
    check = table["is_attention_check"] == "true"
    passed = (table["choice"] == table["expected_choice"]).map({True: "true", False: "false"})
    table["passed_check"] = passed.where(check, "")
    return table.drop(columns="expected_choice").assign(**change)


def staying(table, rules=(ATTENTION,)):
    return left(apply_exclusions(table, participants(), rules, rng=np.random.default_rng(0)))


EVERYBODY = {"s1", "s2", "s3", "s4", "s5", "s6"}


@pytest.mark.parametrize(
    ("yes", "no", "nothing", "dtype"),
    [
        ("true", "false", "", "str"),
        ("True", "False", None, "object"),
        (True, False, None, "object"),
        (True, False, None, "boolean"),
        (1, 0, None, "Int64"),
    ],
)
def test_a_check_that_was_not_passed_is_failed(yes, no, nothing, dtype):
    table = marked()
    words = [{"true": yes, "false": no, "": nothing}[word] for word in table["passed_check"]]
    words = pd.Series(words, dtype=dtype)
    assert staying(table.assign(passed_check=words)) == EVERYBODY - {"s4"}
    assert staying(table.assign(passed_check=words), [{**ATTENTION, "max_failed": 1}]) == EVERYBODY


def test_a_check_that_was_never_answered_is_not_failed():
    table = marked()
    check = table["is_attention_check"] == "true"
    assert staying(table[~check]) == EVERYBODY  # a visit that left before its check has no row
    silent = table.assign(
        choice=table["choice"].mask(check, ""), passed_check=table["passed_check"].mask(check, "")
    )
    assert staying(silent) == EVERYBODY
    foreign = judgments()
    assert staying(foreign.assign(choice=foreign["choice"].mask(check, ""))) == EVERYBODY


def test_passed_check_counts_where_there_is_an_expected_choice_too():
    both = marked().assign(expected_choice="right")
    assert staying(both) == EVERYBODY - {"s4"}


def test_a_check_without_a_verdict_is_named():
    table = marked()
    with pytest.raises(RatifyError, match=r"row 4, column passed_check: is empty"):
        staying(table.assign(passed_check=""))
    with pytest.raises(RatifyError, match=r"row 2, column passed_check.*'perhaps'"):
        staying(table.assign(passed_check="perhaps"))
    with pytest.raises(RatifyError, match=r"row 4, column expected_choice.*'both'"):
        staying(judgments().assign(expected_choice="both"))


def test_no_verdict_is_needed_where_nothing_was_checked():
    bare = marked().drop(columns="passed_check")
    assert staying(bare[bare["is_attention_check"] == "false"]) == EVERYBODY
    assert staying(bare, [INCOMPLETE]) == EVERYBODY - {"s2"}


# --- slots of a sequence ---------------------------------------------------------------------


def test_each_slot_of_a_sequence_has_its_own_rater():
    slots = ["1", "2", "2", "3", "1", ""]
    kept = left(run([DUPLICATE], slot=slots))
    assert kept == EVERYBODY - {"s2"}  # s3 finished, s2 of the same slot did not
    assert left(run([INCOMPLETE, DUPLICATE], slot=slots)) == kept
    assert len(left(run([DUPLICATE], slot=["", "1", None, "1", "1", "1"]))) == 3


def test_a_visit_without_an_answer_displaces_none():
    change = {"finished_at": "", "sequence_id": "q"}
    some = judgments()[lambda t: t["session_id"].isin(["s3"])]
    for seed in range(20):
        result = apply_exclusions(
            some, participants(**change), [DUPLICATE], rng=np.random.default_rng(seed)
        )
        assert left(result) == {"s3"}


def test_a_table_that_does_not_say_who_finished():
    plain = participants().drop(columns="finished_at")
    drawn = {
        frozenset(
            left(apply_exclusions(judgments(), plain, [DUPLICATE], rng=np.random.default_rng(seed)))
        )
        for seed in range(40)
    }
    assert drawn == {frozenset({one, "s5", "s6"}) for one in ("s1", "s2", "s3", "s4")}


@pytest.mark.parametrize("slot", ["0", "1.5", "-1", "first"])
def test_a_slot_that_is_none_is_named(slot):
    with pytest.raises(RatifyError, match="row 4, column slot") as caught:
        run([DUPLICATE], slot=["1", "2", slot, "1", "1", "1"])
    assert caught.value.value == slot


visits_of = st.lists(
    st.tuples(
        st.sampled_from(["q1", "q2", ""]),
        st.sampled_from(["1", "2", ""]),
        st.booleans(),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=25)
@given(visits_of, st.integers(0, 5), st.randoms(use_true_random=False))
def test_one_visit_a_slot_and_the_best_of_them(visits, seed, shuffler):
    """One visit stays a slot, none is displaced by a lesser one, and order is nothing."""
    people = pd.DataFrame(
        [(f"s{n:02}", q, slot, "t" * done) for n, (q, slot, done, _) in enumerate(visits)],
        columns=["session_id", "sequence_id", "slot", "finished_at"],
    )
    answers = pd.DataFrame(
        [(f"s{n:02}", "left") for n, visit in enumerate(visits) for _ in range(visit[3])],
        columns=["session_id", "choice"],
        dtype=str,
    )

    def kept(rules, table=people):
        return apply_exclusions(answers, table, rules, rng=np.random.default_rng(seed))

    result = kept([DUPLICATE])
    worth = {f"s{n:02}": (done, count > 0) for n, (_, _, done, count) in enumerate(visits)}
    place = {f"s{n:02}": (q, slot or "1") for n, (q, slot, _, _) in enumerate(visits)}
    stayed = left(result)
    assert {one for one in place if not place[one][0]} <= stayed
    for where in {spot for spot in place.values() if spot[0]}:
        rivals = [one for one in place if place[one] == where]
        (chosen,) = stayed & set(rivals)
        assert worth[chosen] == max(worth[one] for one in rivals)
    order = list(range(len(people)))
    shuffler.shuffle(order)
    assert left(kept([DUPLICATE], people.iloc[order])) == stayed
    assert len(result.excluded) + len(result.participants) == len(people)
    # whichever of the two rules comes first, as many stay, each finished and alone in its slot
    one_way, other_way = kept([INCOMPLETE, DUPLICATE]), kept([DUPLICATE, INCOMPLETE])
    assert sorted(map(place.get, left(one_way))) == sorted(map(place.get, left(other_way)))


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.lists(st.sampled_from(["true", "false", None]), max_size=4), min_size=1, max_size=6
    ),
    st.integers(0, 3),
)
def test_as_many_failed_as_are_counted(checks, most):
    """A visit leaves where more checks were failed than allowed; unanswered ones do not count."""
    people = pd.DataFrame({"session_id": [f"s{n}" for n in range(len(checks))]})
    rows = [(f"s{n}", "false", "left", "") for n in range(len(checks))]
    rows += [
        (f"s{n}", "true", "left" if mark else "", mark or "")
        for n, marks in enumerate(checks)
        for mark in marks
    ]
    names = ["session_id", "is_attention_check", "choice", "passed_check"]
    table = pd.DataFrame(rows, columns=names, dtype=str)
    rule = {"rule": "failed_attention", "max_failed": most}
    result = apply_exclusions(table, people, [rule], rng=np.random.default_rng(0))
    assert left(result) == {
        f"s{n}" for n, marks in enumerate(checks) if marks.count("false") <= most
    }
    assert len(result.judgments) == len(left(result))


# --- ratings and best-worst answers ----------------------------------------------------------


def ratings() -> pd.DataFrame:
    """Return two items of three scales and one check of three scales a visit, as `judgments`.

    s4 fails its one check, on all three of its rows; s5 is fast on items, slow on the check.
    """
    rows = []
    for session in ("s1", "s2", "s3", "s4", "s5", "s6"):
        spent = 200 if session == "s5" else 5000
        for position, item, check in (("1", "a", "false"), ("2", "b", "false"), ("3", "x", "true")):
            passed = "" if check == "false" else "false" if session == "s4" else "true"
            for scale in ("warmth", "advice", "self"):
                time = 9000 if check == "true" else spent + 300 * (position == "2")
                rows.append((session, item, scale, "3", position, check, passed, str(time)))
    names = ["session_id", "item_id", "dimension", "value", "position", "is_attention_check"]
    return pd.DataFrame(rows, columns=[*names, "passed_check", "response_ms"], dtype="str")


def best_worst() -> pd.DataFrame:
    """Return the same visits in trials of three options, of which two are picked."""
    table = ratings().drop(columns=["value", "dimension"])
    table["trial_id"] = table["session_id"] + "-" + table["position"]
    table["option"] = ["1", "2", "3"] * (len(table) // 3)
    table["picked"] = table["option"].map({"1": "most", "2": "", "3": "least"})
    return table


tables = pytest.mark.parametrize(
    ("table", "unit", "each"), [(ratings(), "ratings", 3), (best_worst(), "answers", 1)]
)


@tables
def test_the_rules_read_every_table_of_answers(table, unit, each):
    result = apply_exclusions(
        table, participants(), [INCOMPLETE, ATTENTION, FAST], rng=np.random.default_rng(0)
    )
    assert left(result) == {"s1", "s3", "s6"}
    rows = result.flow[result.flow["unit"] == unit]
    assert rows["before"].tolist() == [18 * each, 15 * each, 12 * each, 9 * each]
    assert rows["after"].tolist() == [15 * each, 12 * each, 9 * each, 6 * each]
    assert set(result.flow["unit"]) == {"sessions", unit}
    assert len(result.answers) == 18  # whole trials, every row of them
    assert not result.answers["is_attention_check"].eq("true").any()


@tables
def test_a_check_over_several_rows_counts_once(table, unit, each):
    assert staying(table, [{**ATTENTION, "max_failed": 1}]) == EVERYBODY
    assert staying(table, [ATTENTION]) == EVERYBODY - {"s4"}
    with pytest.raises(RatifyError, match="attention checks have no column 'passed_check'"):
        staying(table.drop(columns="passed_check"), [ATTENTION])
    with pytest.raises(RatifyError, match="row 8, column passed_check: is empty"):
        staying(table.assign(passed_check=""), [ATTENTION])


def test_a_visit_is_as_fast_as_its_trials_not_its_rows():
    """Two quick items of one scale and one slow item of five: the median trial is quick."""
    scales = [("a", "1", 1), ("b", "2", 1), ("c", "3", 5)]
    table = pd.DataFrame(
        [
            ("s1", item, position, f"d{n}", "4", 200 if n_scales == 1 else 5000)
            for item, position, n_scales in scales
            for n in range(n_scales)
        ],
        columns=["session_id", "item_id", "position", "dimension", "value", "response_ms"],
    )
    one = participants().iloc[:1]
    for way in (table, table.drop(columns="position"), table.drop(columns="item_id")):
        result = apply_exclusions(way, one, [FAST], rng=np.random.default_rng(0))
        assert result.participants.empty
    with pytest.raises(RatifyError, match=r"one trial of these ratings.*position or item_id"):
        bare = table.drop(columns=["position", "item_id"])
        apply_exclusions(bare, one, [FAST], rng=np.random.default_rng(0))


def test_judgments_and_answers_are_one_table():
    result = run([INCOMPLETE])
    assert result.judgments is result.answers


# --- everybody -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "unit", "each", "said"),
    [
        (judgments(), "judgments", 1, "choice"),
        (ratings(), "ratings", 3, "value"),
        (best_worst(), "answers", 1, "picked"),
    ],
)
def test_everybody_is_all_who_answered_anything(table, unit, each, said):
    check = table["is_attention_check"] == "true"
    none = table["session_id"] == "s6"
    silent = table["session_id"] == "s5"
    only_checked = (table["session_id"] == "s3") & ~check
    shown = table[~none & ~only_checked]
    shown = shown.assign(**{said: shown[said].mask(silent, "")})
    result = everybody(shown, participants())
    assert left(result) == {"s1", "s2", "s4"}  # unfinished, failed or duplicate: nobody asks
    assert result.flow["rule"].tolist() == ["no_answer", "no_answer", "attention_check_trials"]
    assert result.flow["unit"].tolist() == ["sessions", unit, unit]
    assert result.flow["before"].tolist() == [6, 13 * each, 9 * each]
    assert result.flow["after"].tolist() == [3, 9 * each, 6 * each]
    assert set(result.answers["session_id"]) == left(result)
    assert set(result.excluded["rule"]) == {"no_answer"}
    with pytest.raises(RatifyError, match=r"no column"):
        everybody(table.drop(columns="session_id"), participants())
