"""If these fail, a finding from few clusters is called certain that is not, or the other way."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

from analysis.regression.effects import effects_table
from analysis.regression.fit import clustered_logit, clustered_ols, robust_ols
from analysis.regression.wild_bootstrap import _restricted_logit, wild_cluster_bootstrap
from prereg.errors import RatifyError
from tests.validation.check import tries
from tests.validation.rows import checks, name_of, seed_of

CLUSTERS = 8


def few(clusters: int = CLUSTERS, rows: int = 6, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(clusters), rows)
    frame = pd.DataFrame({"cluster": of.astype(str), "treated": (of % 2).astype(float)})
    frame["x"] = rng.normal(size=len(of))
    frame["y"] = rng.normal(size=clusters)[of] + 0.9 * frame["treated"] + rng.normal(size=len(of))
    frame["yes"] = (rng.random(len(of)) < expit(frame["y"])).astype(float)
    return frame


DATA = few()
CODES = DATA["cluster"].astype(int).to_numpy()
MEMBERS = [np.flatnonzero(np.equal(CODES, g)) for g in range(CLUSTERS)]
X = np.column_stack([np.ones(len(DATA)), DATA["treated"], DATA["x"]])
OLS = clustered_ols(DATA, "y ~ treated + x", cluster="cluster")
LOGIT = clustered_logit(DATA, "yes ~ treated + x", cluster="cluster")
SIGNS = np.array(list(itertools.product((1.0, -1.0), repeat=CLUSTERS)))


def sandwich_t(y: np.ndarray, null: float) -> float:
    """Return the clustered t statistic of `treated` by plain matrix algebra."""
    bread = np.linalg.inv(X.T @ X)
    beta = bread @ X.T @ y
    left = y - X @ beta
    meat = sum(np.outer(s, s) for s in (X[of].T @ left[of] for of in MEMBERS))
    return float((beta[1] - null) / np.sqrt((bread @ meat @ bread)[1, 1]))


def brute_force(null: float) -> float:
    """Return the p value of trying every sign, refitting each time."""
    without = X[:, [0, 2]]
    y = DATA["y"].to_numpy() - null * X[:, 1]
    fitted = without @ np.linalg.lstsq(without, y, rcond=None)[0]
    own = abs(sandwich_t(DATA["y"].to_numpy(), null))
    drawn = [
        abs(sandwich_t(fitted + null * X[:, 1] + signs[CODES] * (y - fitted), null))
        for signs in SIGNS
    ]
    return float(np.mean(np.array(drawn) >= own * (1 - 1e-9)))


@pytest.mark.parametrize("null", [0.0, 0.4])
def test_every_sign_tried_is_every_sign_refitted(null):
    got = wild_cluster_bootstrap(
        OLS, "treated", rng=np.random.default_rng(1), null=null, weights="rademacher"
    )
    assert got.p_value == brute_force(null)
    assert (got.enumerated, got.resamples, got.clusters) == (True, 256, 8)
    assert "all 256 draws" in got.method


def test_the_interval_holds_what_is_not_rejected():
    got = wild_cluster_bootstrap(OLS, "treated", rng=np.random.default_rng(1), level=0.9)
    for end, outwards in ((got.low, -1), (got.high, 1)):
        assert brute_force(end - outwards * 1e-3) > 0.1
        assert brute_force(end + outwards * 1e-3) <= 0.1
    assert got.low < got.estimate < got.high
    assert got.estimate == pytest.approx(OLS.params["treated"])


def score_p_value(null: float, at: np.ndarray) -> float:
    """Return the p value of the logit's score bootstrap at a restricted fit, cluster by cluster."""
    chance = expit(X @ at)
    y, spread = DATA["yes"].to_numpy(), chance * (1 - chance)
    scores = np.array([X[of].T @ (y - chance)[of] for of in MEMBERS])
    weighed = X * spread[:, None]
    information = np.array([X[of].T @ weighed[of] for of in MEMBERS])
    bread = np.linalg.inv(information.sum(axis=0))

    def statistic(signs: np.ndarray) -> float:
        turned = signs[:, None] * scores
        step = bread @ turned.sum(axis=0)
        left = turned - information @ step
        return float(step[1] / np.sqrt((bread @ left.T @ left @ bread)[1, 1]))

    own = abs(statistic(np.ones(CLUSTERS)))
    return float(np.mean([abs(statistic(signs)) >= own * (1 - 1e-9) for signs in SIGNS]))


@pytest.mark.parametrize("null", [0.0, -0.7])
def test_the_logit_turns_scores_at_the_restricted_fit(null):
    # the restricted fit by statsmodels: the null's part of the odds is an offset
    held = sm.GLM(
        DATA["yes"], X[:, [0, 2]], family=sm.families.Binomial(), offset=null * X[:, 1]
    ).fit(tol=1e-12)
    at = np.array([held.params.iloc[0], null, held.params.iloc[1]])
    ours = _restricted_logit(
        X, DATA["yes"].to_numpy(), LOGIT.params.to_numpy(), np.array([0.0, 1.0, 0.0]), null
    )
    assert ours == pytest.approx(at, abs=1e-7)
    got = wild_cluster_bootstrap(LOGIT, "treated", rng=np.random.default_rng(1), null=null)
    assert got.p_value == score_p_value(null, at)
    assert "score wild" in got.method
    assert got.low < LOGIT.params["treated"] < got.high
    assert got.unit == "log-odds"


def test_the_search_for_an_end_of_a_logit_may_go_where_there_is_no_information(capfd):
    # on this data set the search for an end comes to a value where every probability is 0 or 1
    name = "wild_cluster_bootstrap: p value: 8 clusters treated as wholes, logit"
    [check] = [one for one in checks() if name_of(one).endswith(name)]
    [(results, _)] = tries(check, seed_of(check), [466])
    assert results == 1
    assert capfd.readouterr().err == ""


def test_draws_by_chance_come_close_to_all_draws():
    data = few(14)
    fit = clustered_ols(data, "y ~ treated + x", cluster="cluster")
    every = wild_cluster_bootstrap(fit, "treated", rng=np.random.default_rng(1), resamples=16384)
    some = wild_cluster_bootstrap(fit, "treated", rng=np.random.default_rng(1), resamples=9999)
    webb = wild_cluster_bootstrap(fit, "treated", rng=np.random.default_rng(1), weights="webb")
    assert (every.enumerated, some.enumerated) == (True, False)
    assert some.p_value == pytest.approx(every.p_value, abs=4 * 0.5 / np.sqrt(9999))
    assert webb.p_value == pytest.approx(every.p_value, abs=0.1)
    assert (some.low, some.high) == pytest.approx((every.low, every.high), abs=0.05)


def test_the_same_seed_gives_the_same_and_sides_swap():
    fit = clustered_ols(few(), "y ~ treated + x", cluster="cluster")
    one, two = (
        wild_cluster_bootstrap(fit, text, rng=np.random.default_rng(5), weights="webb")
        for text in ("treated - x", "x - treated")
    )
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    assert one.p_value == two.p_value
    shuffled = clustered_ols(
        few().sample(frac=1, random_state=1), "y ~ treated + x", cluster="cluster"
    )
    again = wild_cluster_bootstrap(shuffled, "treated", rng=np.random.default_rng(1))
    first = wild_cluster_bootstrap(fit, "treated", rng=np.random.default_rng(1))
    assert again.p_value == first.p_value
    assert again.high == pytest.approx(first.high, rel=1e-4)


def test_too_few_clusters_reject_nothing():
    fit = clustered_ols(few(4), "y ~ treated + x", cluster="cluster")
    got = wild_cluster_bootstrap(fit, "treated", rng=np.random.default_rng(1), weights="rademacher")
    assert np.isnan([got.low, got.high]).all()
    assert got.p_value >= 2 / 16
    assert "no end" in got.note


def test_what_cannot_be_bootstrapped():
    alone = robust_ols(DATA, "y ~ treated + x")
    with pytest.raises(RatifyError, match="needs clusters"):
        wild_cluster_bootstrap(alone, "treated", rng=np.random.default_rng(1))
    with pytest.raises(RatifyError, match="too few resamples"):
        wild_cluster_bootstrap(OLS, "treated", rng=np.random.default_rng(1), resamples=50)
    with pytest.raises(RatifyError, match="not a contrast"):
        wild_cluster_bootstrap(OLS, "nobody", rng=np.random.default_rng(1))
    with pytest.raises(RatifyError, match="unknown weights"):
        wild_cluster_bootstrap(OLS, "treated", rng=np.random.default_rng(1), weights="mammen")


def test_effects_take_it_below_the_plans_number_of_clusters():
    wild = wild_cluster_bootstrap(OLS, "treated", rng=np.random.default_rng(1))
    below = effects_table({"y": OLS}, {"t": "treated"}, rng=np.random.default_rng(1)).iloc[0]
    assert (below["low_raw"], below["high_raw"], below["p"]) == (wild.low, wild.high, wild.p_value)
    assert below["method"] == wild.method
    # the interval is the bootstrap's, so it is not too narrow; the error is still the sandwich's
    assert below["note"].startswith("Only 8 clusters: the standard error is the sandwich's")
    assert "too narrow" not in below["note"]
    again = {"wild": False, "rng": np.random.default_rng(1)}
    above = effects_table({"y": OLS}, {"t": "treated"}, **again, few_clusters=0).iloc[0]
    assert above["p"] == pytest.approx(OLS.pvalues["treated"])
    assert above["method"] == "OLS, errors clustered by cluster; Wald z test"
    reduced = effects_table({"y": OLS}, {"t": "treated"}, **again).iloc[0]
    own = OLS.small_sample.estimates(np.array([0.0, 1.0, 0.0]))[0]
    assert (reduced["se_raw"], reduced["p"]) == (own.se, own.p_value)
    assert f"{own.df + 1:.1f} of 8 clusters decide this number" in reduced["note"]
    # with 8 clusters in all, of which few decide, 8 is not few enough for the bootstrap
    enough = effects_table({"y": OLS}, {"t": "treated"}, rng=again["rng"], few_clusters=8).iloc[0]
    assert enough["p"] == own.p_value
