"""If this failed, a report on a judge's habits would say something else than its answers do."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, chi2
from statsmodels.api import GLM, families
from statsmodels.stats.multitest import multipletests

from analysis.audit.habits import audit_habits, own_items_of, polarity_of
from analysis.habits.answers import answers_to, questions
from analysis.habits.beyond_people import beyond_people
from analysis.habits.figures import drawn, plot_habits
from analysis.habits.findings import habits_results
from analysis.habits.measure import ALONE, CLEAR, FOUND, Measure, judged, weighted_holm
from analysis.habits.order import repeatability, wording
from analysis.habits.sentences import overview, steadiness, untested, verdicts, with_interval
from analysis.habits.tables import HabitTables, read_habit_tables
from analysis.habits.traits import sizes_of
from analysis.habits.votes import votes_of
from analysis.inference.paired import (
    clustered_share,
    coin_interval,
    coin_p,
    exchange_p,
    mean_difference,
    paired_difference,
)
from analysis.inference.proportions import wilson_interval
from analysis.report.page import write_report
from analysis.results.files import write_results
from analysis.results.words import introduced
from prereg.errors import RatifyError
from prereg.plan.file import load_plan
from tests.analysis.habits.test_habits_judges import GPT, Law, judge_tables, world
from tests.conftest import make_study

OWN = {GPT: ("author", ("it",))}


@pytest.fixture(scope="module")
def tables():
    """A judge with a known habit, and what was asked of it."""
    w = world(seed=3)
    law = Law(first=0.9, shift={("leetspeak", "warmth"): -2.0})
    found = judge_tables(w, law, np.random.default_rng(8))
    worded = found.probes[found.probes["probe"] == "repeat"].assign(
        probe="wording", variant="terse"
    )
    return replace(
        found,
        judgments=found.judgments.assign(mode="bot"),
        probes=pd.concat([found.probes, worded], ignore_index=True),
        requests=requests(),
        perturbed=pd.DataFrame(
            [
                (i, name, f"{name} {i} " + "words " * 90)
                for i in w.items["item_id"][:5]
                for name in ("leetspeak", "casual")
            ],
            columns=["item_id", "perturbation", "text"],
        ),
        mode="bot",
    )


def requests():
    return pd.DataFrame(
        {
            "request_id": [f"r{n}" for n in range(20)],
            "rater_id": GPT,
            "rater_kind": "llm",
            "purpose": ["trial"] * 15 + ["probe"] * 5,
            "status": ["answered"] * 17 + ["unanswered"] * 3,
            "reason": [""] * 17 + ["timeout", "refused", "refused"],
            "model": ["gpt-1"] * 12 + ["gpt-2"] * 5 + [""] * 3,
            "fingerprint": "",
            "input_tokens": [100.0] * 19 + [math.nan],
            "output_tokens": 2.0,
            "cost": math.nan,
            "latency_ms": [float(n) for n in range(1, 21)],
            "attempts": 1.0,
            "p_left": math.nan,
        }
    )


def written(tables, folder):
    """Write the tables as an export has them."""
    folder.mkdir()
    for name in ("items", "judgments", "ratings", "probes", "perturbed", "requests"):
        frame = getattr(tables, name)
        if name == "ratings":
            frame = frame.assign(scale_min=1, scale_max=7, plan_hash="")
        if not frame.empty:
            frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_intervals_and_exact_tests_agree_with_independent_ones():
    for k, n in ((0, 7), (3, 7), (40, 60), (60, 60)):
        score = binomtest(k, n).proportion_ci(method="wilson")
        assert wilson_interval(k, n) == pytest.approx((score.low, score.high))
        share = clustered_share(np.array([1.0] * k + [0.0] * (n - k)))
        assert (share.low, share.high) == pytest.approx(wilson_interval(k, n))
        exact = binomtest(k, n).proportion_ci(method="exact")
        assert coin_interval(k, n) == pytest.approx((exact.low, exact.high))
        assert coin_p(k, n) == pytest.approx(binomtest(k, n).pvalue)
    p, weights = np.array([0.01, 0.2, 0.012, 0.04]), np.ones(4)
    assert weighted_holm(p, weights) == pytest.approx(multipletests(p, method="holm")[1])


@pytest.mark.parametrize(("b", "c", "n"), [(8, 2, 40), (0, 0, 25), (3, 0, 12), (20, 15, 50)])
def test_tangos_interval_is_where_the_score_test_by_brute_force_ends(b, c, n):
    """The likelihood is maximised numerically with the difference held fixed."""

    def z(delta):
        def negative(q):  # q: share of units that count for the second only
            cells = np.array([q + delta, q, 1 - 2 * q - delta])
            counts = np.array([b, c, n - b - c])
            return -np.sum(counts[counts > 0] * np.log(np.maximum(cells[counts > 0], 1e-300)))

        q = minimize_scalar(
            negative,
            bounds=(max(0.0, -delta), (1 - delta) / 2),
            method="bounded",
            options={"xatol": 1e-12},
        ).x
        return (b - c - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))

    found = paired_difference(b, c, n)
    assert found.estimate == (b - c) / n
    assert z(found.low) == pytest.approx(1.95996, abs=2e-3)
    assert z(found.high) == pytest.approx(-1.95996, abs=2e-3)
    assert (found.low > 0 or found.high < 0) == (
        b + c > 0 and (b - c) ** 2 / (b + c) > chi2.ppf(0.95, 1)
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(0, 3)), max_size=7))
def test_the_exchange_test_counts_all_ways_to_choose_the_odd_asking(units):
    agreed = np.array([a for a, _, _ in units], dtype=bool)
    repeats = np.array([k for _, k, _ in units], dtype=int)
    others = np.minimum([m for _, _, m in units], repeats).astype(int)
    ways = [
        [1] * (m + a) + [0] * (k + 1 - m - a)
        for a, k, m in zip(agreed, repeats, others, strict=True)
    ]
    law = [sum(way) for way in itertools.product(*ways)]
    low, high = (
        np.mean([s <= agreed.sum() for s in law]),
        np.mean([s >= agreed.sum() for s in law]),
    )
    assert exchange_p(agreed, others, repeats) == pytest.approx(min(1, 2 * min(low, high)))


@given(st.lists(st.sampled_from([-2, -1, -0.5, 0, 0, 1, 1 / 3, 2]), min_size=1, max_size=8))
def test_the_sign_flip_test_counts_all_signs(differences):
    values = np.array(differences, dtype=float)
    flips = itertools.product([-1, 1], repeat=len(values))
    sums = np.array([np.dot(signs, values) for signs in flips])
    expected = np.mean(np.abs(sums) >= abs(values.sum()) - 1e-9)
    mean, low, high, p_value = mean_difference(values)
    assert p_value == pytest.approx(expected)
    assert mean == values.mean()
    assert math.isnan(low) == (np.ptp(values) == 0)
    assert not low > mean > high


def test_scores_without_a_rater_are_those_of_a_fit_without_the_rater():
    w = world()
    few = w.votes.assign(rater_id=[f"p{n % 3}" for n in range(len(w.votes))])
    for everybody, rater in ((w.votes, "p0"), (w.votes, "p41"), (few, "p1")):
        votes, ids = votes_of(everybody), w.items["item_id"].tolist()
        rest = everybody[everybody["rater_id"] != rater]
        design = np.zeros((len(rest), len(ids)))
        rows = np.arange(len(rest))
        design[rows, [ids.index(i) for i in rest["left_id"]]] = 1
        design[rows, [ids.index(i) for i in rest["right_id"]]] = -1
        won = np.where(rest["choice"] == "left", 1.0, -1.0)
        score = np.linalg.solve(design.T @ design + np.eye(len(ids)), design.T @ won)
        mine = (everybody["rater_id"] == rater).to_numpy()
        expected = [
            score[ids.index(a)] - score[ids.index(b)]
            for a, b in w.votes.loc[mine, ["left_id", "right_id"]].to_numpy()
        ]
        assert votes.expected[mine] == pytest.approx(expected)


def test_what_goes_beyond_people_is_the_ratio_of_two_logits(tables):
    w = world(seed=3)
    votes = w.known
    answer = answers_to(votes.pairs, questions(tables.judgments, tables.probes, GPT))
    place = {name: n for n, name in enumerate(w.items["item_id"])}
    left, right = (votes.pairs.get_level_values(n).map(place) for n in (1, 2))
    trait = w.doublings[left] - w.doublings[right]
    terms = np.column_stack([np.ones(len(trait)), votes.expected, trait])
    judge, person = (
        GLM(y, terms, family=families.Binomial()).fit().params for y in (answer, votes.chose_left)
    )
    found = beyond_people(votes, answer, trait)
    ratio = judge[2] - judge[1] / person[1] * person[2]
    assert found.estimate == pytest.approx(found.stretch * ratio, rel=1e-5)
    assert 1 <= found.stretch < 1.81
    assert found.low < found.estimate < found.high
    assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)


def numbers(tables, **options):
    options = {"own_items": OWN} | options
    found = habits_results(tables, **options)
    return {(m.judge, m.what): m for m in found.measures}


def same(a, b):
    for field in ("estimate", "low", "high", "p_value", "p_holm"):
        assert getattr(a, field) == pytest.approx(getattr(b, field), abs=1e-7, nan_ok=True), a.what
    assert (a.n, a.reading) == (b.n, b.reading)


def test_the_order_of_rows_and_the_names_of_items_say_nothing(tables):
    before = numbers(tables)
    rng = np.random.default_rng(1)

    def changed(frame):
        frame = frame.iloc[rng.permutation(len(frame))].copy()
        for column in {"item_id", "left_id", "right_id"} & set(frame.columns):
            frame[column] = [
                f"z{name}" if name else "" for name in frame[column].map(lambda x: x[::-1])
            ]
        return frame

    parts = {
        name: changed(getattr(tables, name)) for name in ("items", "judgments", "ratings", "probes")
    }
    after = numbers(replace(tables, **parts))
    assert set(after) == set(before)
    for key, m in before.items():
        same(m, after[key])


def test_exchanging_all_sides_turns_what_stands_first_and_nothing_else(tables):
    before = numbers(tables)

    def turned(frame):
        swap = {"left": "right", "right": "left", "": ""}
        return frame.assign(
            left_id=frame["right_id"], right_id=frame["left_id"], choice=frame["choice"].map(swap)
        )

    after = numbers(
        replace(tables, judgments=turned(tables.judgments), probes=turned(tables.probes))
    )
    for (judge, what), m in before.items():
        other = after[judge, what]
        if what in {"first", "letter"}:
            assert other.estimate == pytest.approx(1 - m.estimate)
            assert (other.low, other.high) == pytest.approx((1 - m.high, 1 - m.low))
            assert other.p_value == pytest.approx(m.p_value)
        elif what == "first_odds":
            assert other.estimate == pytest.approx(1 / m.estimate)
        else:
            same(m, other)


def test_a_family_of_tests_is_corrected_by_habit():
    def measure(habit, what, p, estimate=1.0, direction="both"):
        return Measure(
            judge="j",
            habit=habit,
            what=what,
            label="",
            estimate=estimate,
            low=estimate - 0.5,
            high=estimate + 0.5,
            honest=0.0,
            p_value=p,
            n=9,
            unit_of_n="",
            method="",
            unit="",
            accuses=True,
            direction=direction,
        )

    rewrites = [measure("rewrite", f"cell {n}", 0.03) for n in range(42)]
    found = judged([measure("first", "first", 0.02), *rewrites])
    # half of the .05 is the order's own, whatever the number of rewrites
    assert found[0].reading == FOUND
    assert found[0].p_holm == pytest.approx(0.04)
    assert {m.reading for m in found[1:]} == {ALONE}
    assert [m.reading for m in judged([measure("halo", "halo", 0.001, -1.0, "higher")])] == [CLEAR]
    assert judged([measure("first", "first", math.nan)])[0].reading == "not tested"


def test_nothing_to_go_by_is_said_and_not_invented():
    """Warnings are errors here."""
    one = pd.DataFrame(
        {
            "rater_id": [GPT, "p1"],
            "rater_kind": ["llm", "human"],
            "scenario": "s",
            "left_id": "a",
            "right_id": "b",
            "choice": "left",
        }
    )
    texts = pd.DataFrame({"item_id": ["a", "b"], "text": ["short", "a longer one"]})
    ratings = pd.DataFrame(
        {
            "rater_id": GPT,
            "rater_kind": "llm",
            "item_id": ["a", "b"],
            "dimension": "warmth",
            "value": 3.0,
        }
    )
    probe = pd.DataFrame(
        {
            "rater_id": GPT,
            "rater_kind": "llm",
            "unit": "item a",
            "variant": ["", "casual"],
            "probe": ["original", "perturbation"],
            "scenario": "s",
            "left_id": "",
            "right_id": "",
            "choice": "",
            "item_id": "a",
            "dimension": "warmth",
            "value": [3.0, 2.0],
        }
    )
    pair = probe.iloc[:1].assign(left_id="a", right_id="b", choice="left", item_id="", value=np.nan)
    for given_tables in (
        HabitTables(judgments=one),
        HabitTables(judgments=one, items=texts, ratings=ratings),
        HabitTables(probes=probe),
        HabitTables(probes=pair),
        HabitTables(judgments=one.iloc[:1]),
        HabitTables(requests=requests().iloc[:1]),
        HabitTables(ratings=ratings),
    ):
        found = habits_results(given_tables)
        json.dumps([q.to_json() for q in found.quantities], allow_nan=False)
        assert not [m for m in found.measures if m.reading == FOUND]
        for q in found.quantities:
            assert q.estimate is not None or q.note, q.name
    assert habits_results(HabitTables()).measures == ()


def test_people_who_always_agree_or_a_single_one_are_no_measure(tables):
    w = world(seed=3)
    answer = answers_to(w.known.pairs, questions(tables.judgments, tables.probes, GPT))
    trait = np.ones(len(answer))
    assert beyond_people(w.known, answer, trait).note == "No pair differs in this trait."
    alone = votes_of(w.votes.assign(rater_id="p1"))
    assert "by one person" in beyond_people(alone, answer, trait).note
    left = votes_of(w.votes.assign(choice="left"))
    varied = np.arange(len(answer)) % 3.0
    assert "always chose the same side" in beyond_people(left, answer, varied).note
    few = votes_of(w.votes[w.votes["scenario"] == "0"].head(12))
    assert "too few" in beyond_people(few, answer[:12], varied[:12]).note
    noise = votes_of(
        w.votes.assign(choice=np.random.default_rng(1).choice(["left", "right"], len(w.votes)))
    )
    assert "closely enough" in beyond_people(noise, answer, varied).note


def test_length_is_counted_in_words_and_in_letters_where_there_are_no_blanks():
    assert sizes_of(pd.Series(["one two, three", ""])).tolist() == [3, 1]
    assert sizes_of(pd.Series(["今日はとても疲れていて何もしたくありません", "はい"])).tolist() == [
        21,
        2,
    ]


def test_wordings_stand_beside_plain_repetition(tables):
    rows = []
    for unit in range(10):
        for probe, variant, choice in (
            ("original", "", "left"),
            ("repeat", "1", "left"),
            ("repeat", "2", "left"),
            ("wording", "terse", "left" if unit < 4 else "right"),
            ("wording", "long", "left"),
        ):
            rows.append((GPT, "llm", f"pair {unit}", probe, variant, "a", "b", choice, ""))
    probes = pd.DataFrame(
        rows,
        columns=[
            "rater_id",
            "rater_kind",
            "unit",
            "probe",
            "variant",
            "left_id",
            "right_id",
            "choice",
            "item_id",
        ],
    )
    found = wording(probes, judge=GPT)
    assert found["wording terse"].estimate == 0.4
    assert found["wording long"].estimate == 1.0
    # each of 6 pairs had one odd answer of three askings, and it was always this wording's
    beyond = found["wording terse beyond repeats"]
    assert beyond.estimate == pytest.approx(-0.6)
    assert beyond.p_value == pytest.approx(2 * (1 / 3) ** 6)
    assert not beyond.accuses
    # original, terse, long: one pair of three agrees where terse differs
    assert found["wordings"].estimate == pytest.approx((4 + 6 / 3) / 10)
    worst = f"{with_interval(found['wording terse'])} in other words (the lowest of 2 wordings)"
    assert steadiness(found.measures, GPT) == f"{GPT} gives the same answer: {worst}."
    # of two wordings the figure shows the one with the smallest p value
    assert beyond in drawn(found.measures)["Same answer in other words, minus when repeated"]


def test_an_audit_of_habits_is_written_and_reported(tables, tmp_path):
    folder = written(tables, tmp_path / "tables")
    results = audit_habits(folder, seed=4)
    assert results.simulated
    assert results.kind == "audit"
    tables_by_name = {t.name: t.frame for t in results.tables}
    assert set(tables_by_name) == {"habits", "rewrites", "perturbed_texts", "requests"}
    moved = tables_by_name["rewrites"]
    assert ("leetspeak", "warmth") in set(zip(moved["rewrite"], moved["dimension"], strict=True))
    assert results.headline[0].startswith("gpt: 3 of 5 tested habits found: it favours the first")
    assert "leetspeak warmth" in results.headline[0]
    assert any("answers came from 2 models: gpt-1, gpt-2" in s for s in results.headline)
    again = audit_habits(folder, seed=4)
    assert again.to_json() == results.to_json()
    assert [f.svg for f in again.figures] == [f.svg for f in results.figures]
    assert "Simulated raters" in results.figures[0].svg
    out = tmp_path / "out"
    out.mkdir()
    write_results(results, out)
    page = write_report(out).read_text("utf-8")
    assert "What rewrites do to the scores" in page
    shown = next(t for t in results.tables if t.name == "perturbed_texts").frame
    assert len(shown) == 4
    assert shown["rewritten"].map(len).max() == 280
    # numbers do not depend on the seed, only which texts are shown
    other = audit_habits(folder, seed=5)
    assert [q.to_json() for q in other.quantities] == [q.to_json() for q in results.quantities]


def test_baselines_stand_beside_the_judge_with_what_they_answered(tables):
    mine = tables.judgments[tables.judgments["rater_id"] == GPT]
    other = mine[mine["purpose"] == "trial"].assign(rater_id="length", rater_kind="baseline")
    found = habits_results(
        replace(tables, judgments=pd.concat([tables.judgments, other], ignore_index=True))
    )
    names = {m.what for m in found.measures if m.judge == "length"}
    # some pairs of people's trials were shown both ways round
    chose = {"first", "first_odds", "consistency", "letter"}
    assert names == chose | {"length", "longer", "longer by people"}
    assert [s.partition(":")[0] for s in found.sentences] == [GPT, introduced("length")]


def test_requests_are_counted_by_purpose_with_reasons(tables):
    frame = next(t for t in habits_results(tables).tables if t.name == "requests").frame
    assert frame["purpose"].tolist() == ["trial", "probe", "all"]
    assert frame["asked"].tolist() == [15, 5, 20]
    assert frame["answered"].tolist() == [15, 2, 17]
    assert frame[["refused", "timeout"]].to_numpy().tolist() == [[0, 0], [2, 1], [2, 1]]
    assert "server_error" not in frame
    assert frame["input_tokens"].tolist() == [1500, 400, 1900]
    assert frame["cost"].isna().all()
    assert frame.loc[2, "latency_p95"] == pytest.approx(np.percentile(np.arange(1, 18), 95))
    assert frame.loc[2, "models"] == "gpt-1, gpt-2"


def test_a_plan_says_which_items_are_a_judges_own_and_what_speaks_for_an_item(tmp_path):
    folder = make_study(tmp_path / "study")
    plan = yaml.safe_load((folder / "plan.yaml").read_text())
    plan["judges"].append(
        {
            "id": "gpt",
            "kind": "llm",
            "model": "m",
            "habits": {"own": {"column": "author", "values": ["m"]}},
        }
    )
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    read = load_plan(folder)
    assert own_items_of(read) == {"gpt": ("author", ("m",))}
    signs = polarity_of(read)
    assert signs is not None
    assert {n for n, sign in signs.items() if sign < 0} == set(read.measures.subtracts)
    assert own_items_of(None) == {}
    assert polarity_of(None) is None


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("probes", "probe", "twice", "column probe: is not known here, got 'twice'"),
        ("probes", "unit", "", "column unit: is empty"),
        ("probes", "item_id", "i01", "is a probe of a pair and of an item, or of neither"),
        ("probes", "choice", "A", "column choice: is not a choice, got 'A'"),
        ("judgments", "rater_kind", "robot", "column rater_kind: is not known here"),
        ("judgments", "purpose", "fun", "column purpose: is not known here"),
        ("perturbed", "text", "", "column text: is empty"),
        ("requests", "reason", "tired", "column reason: is not known here"),
        ("requests", "reason", "timeout", "does not match status 'answered'"),
        ("requests", "cost", "-1", "column cost: is negative"),
        ("requests", "latency_ms", "soon", "column latency_ms: is not a number"),
        ("items", "item_id", "1.2E+19", "was rounded by a program"),
    ],
)
def test_a_wrong_cell_is_named(tables, tmp_path, table, column, value, message):
    folder = written(tables, tmp_path / "tables")
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, column] = value
    frame.to_csv(path, index=False)
    with pytest.raises(RatifyError, match=message) as error:
        read_habit_tables(folder)
    assert f"{table}.csv, row 2" in str(error.value)


def test_what_a_folder_must_hold(tables, tmp_path):
    with pytest.raises(RatifyError, match="there are neither probes nor judgments here"):
        audit_habits(tmp_path)
    people = tables.judgments[tables.judgments["rater_kind"] == "human"]
    folder = written(HabitTables(judgments=people), tmp_path / "people")
    with pytest.raises(RatifyError, match="has no answer by a judge"):
        audit_habits(folder)
    # a study folder keeps its tables in data/; an empty table is none
    (tmp_path / "study").mkdir()
    data = written(replace(tables, requests=pd.DataFrame()), tmp_path / "study" / "data")
    (data / "requests.csv").write_text("rater_id,rater_kind,purpose,status\n")
    read = read_habit_tables(tmp_path / "study")
    assert read.requests.empty
    assert read.mode == "bot"
    with pytest.raises(RatifyError, match="no live answers by people here"):
        read_habit_tables(tmp_path / "study", mode="live")
    mixed = tables.judgments.copy()
    mixed.loc[0, "mode"] = "live"
    mixed.to_csv(data / "judgments.csv", index=False)
    read = read_habit_tables(tmp_path / "study")
    assert (read.mode, read.notes) == (
        "live",
        ("People's live answers count; those of mode bot are left out.",),
    )


@pytest.mark.parametrize(
    ("unit", "value", "low", "high", "text"),
    [
        ("odds ratio", 2.0, 0.5, 12.0, "×2.00 [0.50, 12.0]"),
        ("odds ratio per doubling of length", 2.0, 0.5, 120.0, "×2.00 [0.50, 120]"),
        ("odds ratio", 73_909.6, 1_762.9, 3.1e6, "more than 1,000 times"),
        ("odds ratio", 1.6e207, 12.0, math.inf, "more than 1,000 times [12.0, > 1,000]"),
        ("odds ratio", 35.0, 2.1, 4e9, "×35.0 [2.10, > 1,000]"),
        ("odds ratio", 1e-9, 1e-12, 0.02, "less than 1/1,000 times [< 1/1,000, 0.020]"),
        ("odds ratio", 0.02, 0.003, 0.15, "×0.020 [0.0030, 0.15]"),
        ("odds ratio", 3.0, 1.5, math.nan, "×3.00 [1.50, ∞]"),
        ("points of the scale", -1.0, -1.0, -1.0, "−1.00 [no interval: never varies]"),
        ("difference of proportions", -0.051, -0.2, 0.1, "−5 pp [−20, +10]"),
        ("proportion", 0.58, 0.55, 0.61, "58.0% [55.0%, 61.0%]"),
        ("points of the scale", 0.3, 0.1, 0.5, "+0.30 [+0.10, +0.50]"),
    ],
)
def test_an_interval_is_written_as_its_unit_has_it(unit, value, low, high, text):
    m = Measure(
        judge="j",
        habit="own",
        what="own",
        label="",
        estimate=value,
        low=low,
        high=high,
        n=9,
        unit_of_n="",
        method="",
        unit=unit,
    )
    assert with_interval(m) == text


def accusing(habit, estimate=math.nan, **changes):
    """Return a tested number about a habit."""
    fields = {
        "judge": "j",
        "habit": habit,
        "what": habit,
        "label": "",
        "estimate": estimate,
        "n": 9,
        "unit_of_n": "",
        "method": "",
        "unit": "odds ratio per doubling of length" if habit == "length" else "proportion",
        "honest": 1.0 if habit == "length" else 0.5,
        "p_value": 0.001,
        "accuses": True,
        "reading": FOUND,
    }
    return Measure(**{**fields, **changes})


def test_a_factor_without_a_finite_estimate_is_said_with_its_direction():
    share = accusing("length", 0.99, what="longer", unit="proportion", accuses=False, reading="")
    for endless, words, longer in (
        (1, "more than 1,000", "longer"),
        (-1, "less than 1", "shorter"),
    ):
        m = accusing("length", endless=endless)
        said = verdicts([m, share], "j")
        assert with_interval(m).startswith(words)
        assert f"it favours the {longer} text more than people do ({words}" in said
        assert "times the odds for twice the length; 99" in said
        assert plot_habits([m, share]).lines
    unknown = accusing("length")
    assert with_interval(unknown) == "no finite estimate"
    assert "(99" in verdicts([unknown, share], "j")


def test_factors_of_any_size_are_drawn():
    for estimate, low, high in ((1e-300, 0.0, 1e-200), (1e207, 1e3, 1e300), (2.0, 0.0, math.inf)):
        axes = plot_habits([accusing("length", estimate, low=low, high=high)])
        for line in axes.lines:
            assert np.isfinite(np.asarray(line.get_xdata(), dtype=float)).all()


def test_one_tested_habit_is_not_counted():
    letter = accusing("letter", 0.7)
    assert verdicts([letter], "j").startswith("j: the one tested habit was found: it answers A")
    clear = replace(letter, reading=CLEAR)
    assert verdicts([clear], "j") == (
        "j: only one habit could be tested, answering one letter too often; it was not found."
    )
    two = [clear, replace(clear, habit="first", what="first")]
    assert verdicts(two, "j").startswith("j: none of 2 tested habits was found")
    (said,) = overview([letter, replace(letter, judge="k")], ["j", "k"])
    assert "j (the one tested)" in said


def test_what_could_not_be_tested_is_part_of_the_sentence():
    m = accusing("letter", p_value=math.nan, reading="not tested", note="People gave no ratings.")
    assert untested([m], "j") == (
        "Not tested for j: answering one letter too often (people gave no ratings)."
    )


def test_a_judge_that_was_not_asked_again_has_no_noise(tables):
    found = repeatability(tables.probes.iloc[:0], judge=GPT)
    assert math.isnan(found["noise"].estimate)
    assert math.isnan(found["noise"].low)


def test_sides_are_said_to_be_balanced_as_the_plan_has_them(tables):
    found = habits_results(tables)
    said = " ".join([*found.methods, *(q.method for q in found.quantities)])
    assert "coin" not in said
    assert "on the left as often as on the right, within one" in said


def test_shares_of_one_sentence_have_the_same_decimals():
    again = accusing("steady", 0.9, what="repeat", low=0.88, high=0.92)
    turned = replace(again, what="consistency", estimate=0.6, low=0.4, high=0.8)
    said = steadiness([again, turned], "j")
    assert "90% [88%, 92%] when asked" in said
    assert "60% [40%, 80%] with the sides" in said


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(0.001, 2))
def test_numbers_in_sentences_are_short(estimate, half):
    m = Measure(
        judge="j",
        habit="halo",
        what="halo",
        label="",
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        n=9,
        unit_of_n="",
        method="",
        unit="proportion",
    )
    assert len(with_interval(m)) < 32
    assert len(with_interval(replace(m, unit="correlation"))) < 32
