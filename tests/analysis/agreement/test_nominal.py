"""If this fails, a coefficient of labels, a share of a label or a confusion matrix is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from analysis.agreement.alternative_annotator import alternative_annotator
from analysis.agreement.confusion import ANOTHER, confusions
from analysis.agreement.confusion_figures import plot_confusion
from analysis.agreement.constant import ALWAYS
from analysis.agreement.label_agreement import label_agreement
from analysis.agreement.label_classes import MEASURES, PERSON, label_shares
from analysis.agreement.nominal import among_people, label_counts, with_people
from analysis.agreement.nominal_crowd import label_crowd
from analysis.agreement.nominal_pairs import (
    MAJORITY,
    agreement_of_labels,
    label_pairs,
    majority,
    pair_kappa,
)
from analysis.agreement.panel import Panel, panel
from analysis.agreement.yardstick import ALL
from prereg.errors import RatifyError
from tests.support.paths import REFERENCE

KEPT = json.loads((REFERENCE / "nominal.json").read_text())
NAMES = {"sensitivity": "sensitivity", "specificity": "specificity", "prevalence": "prevalence"}
NAMES |= {"positive_predictive": "predictive", "negative_predictive": "negative"}


def codes(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def tidy(people, judges, classes=3, seed=1, items=60, missing=0.0):
    """Return a tidy table of codes: each name with its share of right labels."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, items, p=np.arange(classes, 0, -1) / (classes * (classes + 1) / 2))
    rows = []
    for kind, group in (("human", people), ("llm", judges)):
        for name, right in group.items():
            wrong = rng.random(items) > right
            given = np.where(wrong, (truth + rng.integers(1, classes, items)) % classes, truth)
            there = rng.random(items) >= (missing if kind == "human" else 0)
            rows += [(name, kind, f"i{n:03d}", "topic", given[n]) for n in np.flatnonzero(there)]
    names = ["rater_id", "rater_kind", "item_id", "dimension", "value"]
    return pd.DataFrame(rows, columns=names)


def three(**settings):
    people, judges = {"ann": 0.9, "ben": 0.85, "eva": 0.8}, {"bot": 0.85}
    ratings = tidy(people, judges, **settings)
    return panel(ratings, scale=(0, settings.get("classes", 3) - 1))


@pytest.mark.parametrize("case", KEPT["pairs"], ids=lambda case: case["name"])
def test_pairs_agree_with_r_and_irrcac(case):
    a, b, k = codes(case["a"]), codes(case["b"]), case["classes"]
    found = with_people(a, label_counts(b[:, None], k))
    assert found["ac1"].value == pytest.approx(case["ac1"], abs=1e-10)
    assert found["alpha_nominal"].value == pytest.approx(case["alpha_nominal"], abs=1e-10)
    assert pair_kappa(a, b).value == pytest.approx(case["kappa"], abs=1e-10)
    table = Panel(
        dimensions=("d",),
        items=tuple(map(str, range(len(a)))),
        humans=("b",),
        judges=("a",),
        people={"d": b[:, None]},
        judged={"d": a[:, None]},
        scale=(0.0, k - 1.0),
    )
    rows = label_shares(table, {"d": tuple(map(str, range(k)))})
    for row in rows:
        kept = case[NAMES[row.measure]][int(row.label)]
        wanted = np.nan if kept in (None, "NaN") else kept
        assert row.estimate == pytest.approx(wanted, abs=1e-10, nan_ok=True)


@pytest.mark.parametrize("case", KEPT["many"], ids=lambda case: case["name"])
def test_many_raters_with_missing_labels_agree_with_irrcac_and_krippendorff(case):
    values = np.column_stack([codes(one) for one in case["raters"]])
    found = among_people(label_counts(values, case["classes"]))
    for name in ("exact", "ac1", "alpha_nominal"):
        assert found[name].value == pytest.approx(case[name], abs=1e-10)
    theirs = krippendorff.alpha(values.T, level_of_measurement="nominal")
    assert found["alpha_nominal"].value == pytest.approx(theirs, abs=1e-12)
    if case["name"].startswith("Krippendorff"):
        assert round(found["alpha_nominal"].value, 3) == 0.743  # as published


labels = st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=3, max_size=25)


@settings(max_examples=40, deadline=None)
@given(labels)
def test_coefficients_depend_neither_on_names_nor_on_order(rows):
    values = np.array(rows, dtype=float)
    first = among_people(label_counts(values, 3))
    with_one = with_people(values[:, 0], label_counts(values[:, 1:], 3))
    for order in permutations(range(3)):
        named = np.array(order, dtype=float)[values.astype(int)]
        turned = among_people(label_counts(named[::-1][:, ::-1], 3))
        beside = with_people(named[:, 0], label_counts(named[:, [2, 1]], 3))
        for name in first:
            assert turned[name].value == pytest.approx(first[name].value, nan_ok=True)
            assert beside[name].value == pytest.approx(with_one[name].value, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(labels)
def test_a_pair_is_the_same_from_both_sides_and_for_both_functions(rows):
    a, b, _ = np.array(rows, dtype=float).T
    one = with_people(a, label_counts(b[:, None], 3))
    other = with_people(b, label_counts(a[:, None], 3))
    pooled = among_people(label_counts(np.column_stack([a, b]), 3))
    for name in one:
        assert one[name].value == pytest.approx(other[name].value, nan_ok=True)
        assert one[name].value == pytest.approx(pooled[name].value, nan_ok=True)


def test_each_item_left_out_is_the_coefficient_of_the_others():
    table = three(missing=0.3)
    people, judge = table.people["topic"], table.judge("bot", "topic")
    counts = label_counts(people, 3)
    whole = {"people": among_people(counts), "judge": with_people(judge, counts)}
    for item in (0, 7, 31):
        rest = np.arange(len(people)) != item
        without = among_people(counts[rest]), with_people(judge[rest], counts[rest])
        for (who, samples), left in zip(whole.items(), without, strict=True):
            for name, sample in samples.items():
                assert sample.left_out[item] == pytest.approx(left[name].value), (who, name)


def test_complete_labels_have_fleiss_kappa_up_to_krippendorffs_correction():
    values = three().people["topic"]
    counts = label_counts(values, 3)
    fleiss = fleiss_kappa(counts)
    n = values.size
    assert 1 - among_people(counts)["alpha_nominal"].value == pytest.approx(
        (1 - fleiss) * (n - 1) / n
    )


def test_one_judge_with_several_people_is_the_mean_over_people_where_all_labelled_all():
    table = three()
    judge, people = table.judge("bot", "topic"), table.people["topic"]
    pooled = with_people(judge, label_counts(people, 3))["exact"].value
    single = [(judge == people[:, at]).mean() for at in range(3)]
    assert pooled == pytest.approx(np.mean(single))


def test_without_two_labels_or_a_shared_item_nothing_is_defined():
    alone = among_people(label_counts(np.array([[0.0, np.nan], [np.nan, 1.0]]), 2))
    assert all(np.isnan(sample.value) for sample in alone.values())
    same = among_people(label_counts(np.zeros((6, 2)), 2))
    assert same["exact"].value == same["ac1"].value == 1
    assert np.isnan(same["alpha_nominal"].value)
    assert np.isnan(among_people(label_counts(np.zeros((6, 2)), 1))["ac1"].value)


def test_the_table_of_pairs_has_sklearns_kappa_and_a_tie_has_no_majority():
    ratings = tidy({"ann": 0.9, "ben": 0.85, "eva": 0.8}, {"bot": 0.85})
    table = panel(ratings, scale=(0, 2))
    rows = label_pairs(table, {"topic": ("x", "y", "z")}, agreement_of_labels(ratings, table))
    assert [(row.annotator_a, row.annotator_b) for row in rows] == [
        ("ann", "ben"),
        ("ann", "eva"),
        ("ben", "eva"),
        ("bot", "ann"),
        ("bot", "ben"),
        ("bot", "eva"),
        ("bot", MAJORITY),
    ]
    people = table.people["topic"]
    assert rows[1].kappa == pytest.approx(cohen_kappa_score(people[:, 0], people[:, 2]))
    assert rows[1].kappa_low < rows[1].kappa < rows[1].kappa_high
    most = majority(label_counts(people, 3))
    tied = [len(set(row)) == 3 for row in people.tolist()]
    assert np.isnan(most).tolist() == tied
    assert rows[-1].n == len(people) - sum(tied)
    assert majority(label_counts(np.array([[0.0, 1.0], [np.nan, 2.0]]), 3))[1] == 2


def test_shares_of_a_label_stand_beside_those_of_a_single_person():
    table = three(missing=0.2)
    people, judge = table.people["topic"], table.judge("bot", "topic")
    rows = {
        (row.label, row.measure): row
        for row in label_shares(table, {"topic": ("x", "y", "z")})
        if row.reference == PERSON
    }
    hits = cases = mine = others = 0
    for item, own in zip(people, judge, strict=True):
        given = item[~np.isnan(item)]
        for place, label in enumerate(given):
            if label != 1:
                continue
            cases += 1
            hits += own == 1
            rest = np.delete(given, place)
            others += len(rest)
            mine += (rest == 1).sum()
    found = rows["y", "sensitivity"]
    assert (found.estimate, found.cases) == (pytest.approx(hits / cases), cases)
    assert found.person == pytest.approx(mine / others)
    assert found.difference == pytest.approx(found.estimate - found.person)
    assert found.difference_low < found.difference < found.difference_high
    assert found.person == rows["y", "positive_predictive"].person
    assert sum(rows[label, "prevalence"].estimate for label in "xyz") == pytest.approx(1)
    given = people[(~np.isnan(people)).any(axis=1)]
    share = np.nansum(given == 2) / (~np.isnan(given)).sum()
    assert rows["z", "prevalence"].person == pytest.approx(share)
    assert {row.measure for row in rows.values()} == set(MEASURES)


def test_confusion_matrices_count_each_person_and_each_pair_both_ways():
    table = three()
    found = {(one.annotator, one.reference): one for one in confusions(table, {"topic": "xyz"})}
    people, judge = table.people["topic"], table.judge("bot", "topic")
    plain = np.zeros((3, 3))
    for item, own in zip(people, judge, strict=True):
        for label in item:
            plain[int(label), int(own)] += 1
    assert (found["bot", PERSON].counts == plain).all()
    both = found[ANOTHER, PERSON]
    assert (both.counts == both.counts.T).all()
    assert both.counts.sum() == 60 * 3 * 2
    assert found["bot", PERSON].kappa == pytest.approx(
        cohen_kappa_score(people.ravel(), np.repeat(judge, 3))
    )
    assert np.nansum(both.shares, axis=1) == pytest.approx(1)
    frame = both.to_frame()
    assert frame["count"].sum() == 360
    assert list(frame.columns[3:5]) == ["reference_label", "annotator_label"]


def test_exchanged_labels_are_found_and_equal_ones_are_not():
    table = three()
    turned = {"topic": (table.judged["topic"] + 1) % 3}
    (_, plain, _), (_, found, _) = (
        confusions(one, {"topic": ("x", "y", "z")})
        for one in (table, replace(table, judged=turned))
    )
    assert plain.exchanged() == (pytest.approx(plain.kappa), {})
    kappa, names = found.exchanged()
    assert kappa == pytest.approx(plain.kappa)
    assert names == {"y": "x", "z": "y", "x": "z"}


def test_every_cell_of_the_figure_has_its_count_and_share_and_equal_labels_a_frame():
    table = three()
    shown = [
        one for one in confusions(table, {"topic": ("x", "y", "z")}) if one.reference == PERSON
    ]
    axes = plot_confusion(shown)
    texts = [text.get_text() for text in axes.texts]
    for one in shown:
        for count, share in zip(one.counts.ravel(), one.shares.ravel(), strict=True):
            assert f"{count:.0f}\n{100 * share:.0f}%" in texts
    frames = [patch for patch in axes.patches if (patch.get_gid() or "").startswith("same")]
    assert len(frames) == 3 * len(shown)


def test_the_alternative_annotator_test_by_accuracy_is_the_one_written_out():
    table = three(items=80)
    people, judge = table.people["topic"], table.judge("bot", "topic")
    found = alternative_annotator(table, epsilon=0.1, metric="accuracy", alphas={"topic": 0.6})
    for at, row in enumerate(found.humans):
        others = np.delete(people, at, axis=1)
        mine = (judge[:, None] == others).mean(axis=1)
        theirs = (people[:, [at]] == others).mean(axis=1)
        assert row.judge_wins == pytest.approx((mine >= theirs).mean())
        assert row.human_wins == pytest.approx((theirs >= mine).mean())
    assert found.verdicts[0].human_alpha == 0.6


def test_a_judge_that_always_says_the_frequent_label_is_tested_beside():
    rng = np.random.default_rng(2)
    rows = []
    for name, kind in (("a", "human"), ("b", "human"), ("c", "human"), ("bot", "llm")):
        given = rng.random(100) < 0.1
        rows += [(name, kind, f"i{n}", "ok", float(value)) for n, value in enumerate(given)]
    ratings = pd.DataFrame(
        rows, columns=["rater_id", "rater_kind", "item_id", "dimension", "value"]
    )
    found = label_agreement(
        ratings,
        {"ok": ("yes", "no")},
        humans=["a", "b", "c"],
        judges=["bot"],
        dimensions=["ok"],
        epsilon=0.2,
    )
    assert found.frequent["ok"][0] == "yes"
    assert found.always is not None
    assert found.always.verdicts[0].judge == ALWAYS
    assert found.always_passes("ok")
    rows = found.crowd.people
    assert (rows[0].dimension, rows[1].dimension) == (ALL, "ok")
    assert abs(rows[1].own["alpha_nominal"].value) < 0.2
    assert found.alternative is not None
    assert found.alternative.verdicts[0].human_alpha == rows[1].own["alpha_nominal"].value


def test_a_metric_with_distances_and_a_single_label_are_refused():
    ratings = tidy({"ann": 0.9, "ben": 0.8}, {"bot": 0.9})
    given = {"humans": ["ann", "ben"], "judges": ["bot"], "dimensions": ["topic"], "epsilon": 0.2}
    with pytest.raises(RatifyError, match=r"metric.*accuracy"):
        label_agreement(ratings, {"topic": ("x", "y", "z")}, metric="rmse", **given)
    with pytest.raises(RatifyError, match="topic has one label only"):
        label_agreement(ratings.assign(value=0), {"topic": ("x",)}, **given)


def test_a_judge_like_the_people_differs_from_them_by_nothing_on_average():
    """The pooled difference has no bias: its mean over many small studies is near zero."""
    rng = np.random.default_rng(4)
    apart = []
    for seed in rng.integers(0, 2**31, 80):
        ratings = tidy(
            {"a": 0.85, "b": 0.85, "c": 0.85}, {"bot": 0.85}, 2, int(seed), 40, missing=0.3
        )
        found = label_crowd(panel(ratings, scale=(0, 1)), {"topic": ("x", "y")})
        apart.append(found.of("bot", "topic").differences["alpha_nominal"].value)
    assert abs(np.mean(apart)) < 4 * np.std(apart) / np.sqrt(len(apart))
