"""If this failed, ratings on a few categories would get wrong odds ratios, or wrong errors."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.regression.fit import clustered_logit
from analysis.regression.ordinal import _Rows, clustered_ordinal
from analysis.regression.ordinal_checks import category_predictions, proportional_odds
from analysis.regression.ordinal_result import OrdinalRegression
from prereg.errors import RatifyError
from tests.support.paths import ROOT

R = json.loads((ROOT / "tests" / "reference" / "ordinal.json").read_text(encoding="utf-8"))
FORMULA = "rating ~ group + x"


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    held = R["columns"]
    return pd.DataFrame(
        {
            "rater": held["rater"].split(),
            "group": list(held["group"]),
            "x": [float(x) for x in held["x"].split()],
            "rating": [float(y) for y in held["rating"]],
        }
    )


@pytest.fixture(scope="module")
def fitted(data: pd.DataFrame) -> OrdinalRegression:
    return clustered_ordinal(data, FORMULA, cluster="rater", few_clusters=0)


def test_estimates_and_clustered_errors_are_those_of_clm_and_vcovcl(fitted):
    order = [*range(4, 7), *range(4)]
    assert fitted.estimates == pytest.approx(np.array(R["coef"])[order], abs=1e-9)
    errors = np.sqrt(np.diag(fitted.cov_params))
    assert errors == pytest.approx(np.array(R["se"])[order], rel=1e-8)
    assert fitted.log_likelihood == pytest.approx(R["logLik"], abs=1e-8)
    assert list(fitted.thresholds.index) == ["1|2", "2|3", "3|4", "4|5"]
    assert (fitted.n, fitted.n_clusters, sum(fitted.counts)) == (400, 50, 400)


def test_each_row_its_own_cluster_comes_near_the_model_based_error(data):
    found = clustered_ordinal(data.assign(own=np.arange(400)), FORMULA, cluster="own")
    errors = np.sqrt(np.diag(found.cov_params))
    assert errors == pytest.approx(np.array(R["model_se"])[[4, 5, 6, 0, 1, 2, 3]], rel=0.1)


def test_average_predictions_are_those_of_predict(data, fitted):
    found = category_predictions(fitted, data, {"group": ["a", "b"]})
    for group in "ab":
        mine = found[found["group"] == group]
        assert list(mine["category"]) == [1, 2, 3, 4, 5]
        assert list(mine["estimate"]) == pytest.approx(R[group], abs=1e-9)
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()
    # the gradient behind the errors, by moving each estimate a little
    gradient = []
    for at in range(7):
        moved = [
            replace(
                fitted, params=fitted.params + step[:3], thresholds=fitted.thresholds + step[3:]
            )
            for step in (np.eye(7)[at] * 1e-5, np.eye(7)[at] * -1e-5)
        ]
        ends = [category_predictions(one, data, {})["estimate"].to_numpy() for one in moved]
        gradient.append((ends[0] - ends[1]) / 2e-5)
    slope = np.array(gradient)
    variance = np.diag(slope.T @ fitted.cov_params.to_numpy() @ slope)
    plain = category_predictions(fitted, data, {})
    assert plain["se"].to_numpy() == pytest.approx(np.sqrt(variance), rel=1e-6)
    assert plain["estimate"].to_numpy() == pytest.approx(np.bincount(fitted.y) / 400, abs=0.01)


def test_separate_logits_and_their_equality_are_those_of_glm_and_estfun(fitted):
    tests, separate = proportional_odds(fitted)
    assert list(tests["statistic"]) == pytest.approx(R["F"], rel=1e-6)
    assert (tests["df"] == 3).all()
    assert (tests["df_error"] == 47).all()
    for name, held in (("estimate", R["separate"]), ("se", R["separate_se"])):
        assert list(separate[name]) == pytest.approx(np.ravel(held[1:]), rel=1e-6)
    # from 3 on, the test is not about how many categories there are
    assert tests["p"].iloc[0] < 0.05 < tests["p"].iloc[1]


def test_two_categories_would_be_the_logit(data):
    """Merged from five to three, the cumulative logit lies between the two separate logits."""
    three = data.assign(rating=np.digitize(data["rating"], [2, 4]))
    found = clustered_ordinal(three, FORMULA, cluster="rater")
    ends = [
        clustered_logit(
            three.assign(y=(three["rating"] >= cut).astype(float)), "y ~ group + x", cluster="rater"
        ).params["x"]
        for cut in (1, 2)
    ]
    assert min(ends) < found.params["x"] < max(ends)


def test_a_reversed_scale_a_new_unit_and_another_order_change_only_what_they_must(data, fitted):
    turned = clustered_ordinal(data.assign(rating=6 - data["rating"]), FORMULA, cluster="rater")
    assert turned.params.to_numpy() == pytest.approx(-fitted.params.to_numpy(), abs=1e-8)
    assert turned.thresholds.to_numpy() == pytest.approx(-fitted.thresholds.to_numpy()[::-1])
    unit = clustered_ordinal(
        data.assign(x=data["x"] * 1000 + 5e4, rating=data["rating"] ** 2)
        .sample(frac=1, random_state=1)
        .replace({"rater": {"r1": "zz"}}),
        FORMULA,
        cluster="rater",
        few_clusters=0,
    )
    assert unit.params["x"] * 1000 == pytest.approx(fitted.params["x"], abs=1e-8)
    effects = [one.contrast("group[T.b]") for one in (unit, fitted)]
    assert effects[0].se == pytest.approx(effects[1].se, rel=1e-7)
    assert unit.categories == (1, 4, 9, 16, 25)


def test_contrasts_and_distributions(data, fitted):
    b, c, apart = (
        fitted.contrast(text) for text in ("group[T.b]", "group[T.c]", "group[T.b] - group[T.c]")
    )
    assert apart.estimate == pytest.approx(b.estimate - c.estimate)
    t = clustered_ordinal(data, FORMULA, cluster="rater", distribution="t", few_clusters=0)
    assert t.contrast("x").se == fitted.contrast("x").se
    assert t.contrast("x").p_value > fitted.contrast("x").p_value
    assert "t with 49 df" in t.contrast("x").method
    with pytest.raises(RatifyError, match="not a contrast"):
        fitted.contrast("Intercept")


def test_few_clusters_are_bias_reduced(data):
    """Against (I - H)^(-1/2) written out, with a matrix of the whole data."""
    few = data[data["rater"].isin([f"r{i}" for i in range(12)])].reset_index(drop=True)
    found = clustered_ordinal(few, FORMULA, cluster="rater")
    q, groups = len(found.estimates), found.groups
    information = _Rows.at(found.estimates, found.y, found.X).information(groups)
    values, vectors = np.linalg.eigh(information.sum(axis=0))
    root = vectors @ np.diag(values**-0.5) @ vectors.T
    meat = np.zeros((q, q))
    for g in range(12):
        step = 1e-6
        score = np.array(
            [
                (
                    _log_chance(found, step * unit, groups == g)
                    - _log_chance(found, -step * unit, groups == g)
                )
                / (2 * step)
                for unit in np.eye(q)
            ]
        )
        own, turn = np.linalg.eigh(np.eye(q) - root @ information[g] @ root)
        adjusted = root @ (turn @ np.diag(own**-0.5) @ turn.T) @ root @ score
        meat += np.outer(adjusted, adjusted)
    assert found.reduced.to_numpy() == pytest.approx(meat, rel=1e-4, abs=1e-6)
    effect = found.contrast("x")
    assert effect.se == pytest.approx(np.sqrt(meat[2, 2]), rel=1e-4)
    # Satterthwaite's df, from the covariance of the clusters' parts written out
    parts = np.zeros((12, 12))
    half = [
        turn @ np.diag(own**-0.5) @ turn.T
        for own, turn in (np.linalg.eigh(np.eye(q) - root @ one @ root) for one in information)
    ]
    ask = root[:, 2]
    for g in range(12):
        for h in range(12):
            between = -root @ information[g] @ root @ root @ information[h] @ root
            between += (g == h) * root @ information[g] @ root
            parts[g, h] = (half[g] @ ask) @ between @ (half[h] @ ask)
    assert effect.df == pytest.approx(np.trace(parts) ** 2 / np.trace(parts @ parts), rel=1e-6)
    assert effect.clusters == effect.df + 1
    assert "bias-reduced" in effect.method
    assert "only 12 clusters" in found.warnings[0]
    plain = clustered_ordinal(few, FORMULA, cluster="rater", few_clusters=0).contrast("x")
    assert plain.se != effect.se
    assert plain.df == np.inf


def _log_chance(fit: OrdinalRegression, step: np.ndarray, which: np.ndarray) -> float:
    k = len(fit.params)
    at = fit.estimates + step
    cuts = np.concatenate([[-np.inf], at[k:], [np.inf]])
    linear = fit.X[which] @ at[:k]
    below, above = (expit(cuts[fit.y[which] + plus] - linear) for plus in (0, 1))
    return float(np.log(above - below).sum())


def test_few_treated_clusters_count_not_all_clusters(data):
    treated = data.assign(arm=data["rater"].isin(["r0", "r1", "r2", "r3"]) * 1.0)
    found = clustered_ordinal(treated, "rating ~ arm + x", cluster="rater")
    assert found.contrast("arm").clusters < 7
    assert found.contrast("x").clusters > 20


def _separated(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(rating=np.where(data["group"] == "b", 5.0, data["rating"]))


@pytest.mark.parametrize(
    ("spoil", "more", "said"),
    [
        (lambda d: d.assign(rating=d["rating"] > 2), {}, "too few categories"),
        (lambda d: d.assign(rating=d["rating"] > 2), {}, "model: logit"),
        (lambda d: d.assign(rating=3), {}, "got '3 in 400 rows' (allowed: 3 or more in use)"),
        (
            lambda d: d.assign(rating=3),
            {"categories": range(1, 6)},
            "only one is in use, got '3 in",
        ),
        (
            lambda d: d.assign(rating=(d.index == 0) + 4),
            {"categories": range(1, 6)},
            "'4 in 399 rows and 5 in 1 row' (allowed: 3 or more in use; with two, model: logit)",
        ),
        (lambda d: d.assign(rating=d["x"].rank()), {}, "too many categories"),
        (lambda d: d, {"categories": range(1, 8)}, "no row has this category"),
        (lambda d: d, {"categories": range(1, 8)}, "got 6.0"),
        (lambda d: d, {"categories": [1, 2, 3, 4]}, "is not a category, got 5.0"),
        (_separated, {}, r"have no finite estimate: group[T.b]"),
        (lambda d: d.assign(x=(d["group"] == "b") * 1.0), {}, "linear combinations of others"),
        (lambda d: d.assign(rater="one"), {}, "2 or more"),
        (lambda d: d.assign(x=np.nan), {}, "no row has all columns"),
        (lambda d: d, {"distribution": "f"}, "distribution"),
    ],
)
def test_what_is_refused_is_named(data: pd.DataFrame, spoil: Any, more: Any, said: str):
    with pytest.raises(RatifyError) as error:
        clustered_ordinal(spoil(data), FORMULA, cluster="rater", **more)
    assert said in str(error.value)


def test_rows_left_out_are_counted_and_a_formula_needs_a_term(data):
    holes = data.assign(x=data["x"].where(data.index > 4))
    found = clustered_ordinal(holes, FORMULA, cluster="rater")
    assert (found.n, found.n_dropped) == (395, 5)
    assert "5 rows left out" in " ".join(found.warnings)
    with pytest.raises(RatifyError, match="no term"):
        clustered_ordinal(data, "rating ~ 1", cluster="rater")


def test_proportional_odds_without_an_estimate_says_so(data):
    rare = data.assign(
        rating=np.where((data["rating"] == 5) & (data["group"] == "b"), 4, data["rating"])
    )
    tests, separate = proportional_odds(clustered_ordinal(rare, FORMULA, cluster="rater"))
    assert set(separate["above"]) == {2, 3, 4}
    assert "5 or more has no finite estimate" in tests["note"].iloc[0]
    assert (tests["df"] == 2).all()
