"""If these fail, a report's methods show other errors than those that were published."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.agreement.choices import choice_agreement
from analysis.registered import published_errors
from analysis.regression.fit import clustered_logit
from analysis.regression.judge_gap import selection_by_gap
from analysis.results.numbers import interval, number
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap

RNG = np.random.default_rng(4)
N = 300
LEFT = RNG.integers(12, size=N)
TRIALS = pd.DataFrame(
    {
        "rater_id": np.repeat(np.arange(60), 5).astype(str),
        "left_id": [f"i{k}" for k in LEFT],
        "right_id": [f"i{k}" for k in (LEFT + RNG.integers(1, 12, size=N)) % 12],
        "gap": RNG.integers(1, 9, size=N).astype(float),
    }
)
TRIALS["select_higher"] = (RNG.random(N) < expit(0.2 * TRIALS["gap"])).astype(float)
TRIALS["choice"] = np.where(RNG.random(N) < 0.5, "left", "right")
JUDGE = TRIALS.assign(choice=np.where(RNG.random(N) < 0.6, "left", "right"))


def test_a_logit_s_published_error_is_by_rater_alone():
    analysis = Logit(
        id="higher", kind="logit", judge="j", formula="select_higher ~ gap", term="gap"
    )
    assert analysis.cluster == "rater_and_items"
    said = published_errors.of_logit(analysis, TRIALS)
    fit = clustered_logit(TRIALS, analysis.formula, cluster="rater_id")
    assert f"standard error of gap would be {number(fit.bse['gap'], 4)}" in said
    assert interval(*fit.conf_int().loc["gap"]) in said
    by_rater = analysis.model_copy(update={"cluster": "rater_id"})
    assert published_errors.of_logit(by_rater, TRIALS) == ""


def test_an_agreement_s_published_error_is_by_rater_alone():
    analysis = ChoiceAgreement(id="same", kind="choice_agreement", judges=["j"])
    said = published_errors.of_agreement(analysis, TRIALS, JUDGE)
    found = choice_agreement(TRIALS, JUDGE, cluster="rater_id")
    assert interval(found.low, found.high) in said
    assert found.low != pytest.approx(choice_agreement(TRIALS, JUDGE).low)


def test_published_rates_are_wilsons():
    analysis = SelectionByGap(
        id="rates", kind="selection_by_gap", judge="j", bins=[(1, 4), (5, None)]
    )
    said = published_errors.of_rates(analysis, TRIALS)
    wilson = selection_by_gap(TRIALS, bins=analysis.limits, cluster="none")
    for row in wilson.to_dict("records"):
        assert f"{row['bin']} {interval(row['low'], row['high'])}" in said
    assert published_errors.of_rates(analysis.model_copy(update={"cluster": "none"}), TRIALS) == ""


def test_everybody_again_keeps_items_in_the_clusters():
    analysis = ChoiceAgreement(id="same", kind="choice_agreement", judges=["j"])
    assert analysis.clustered_by("sequence_id").cluster == "sequence_and_items"
    published = analysis.model_copy(update={"cluster": "rater_id"})
    assert published.clustered_by("sequence_id").cluster == "sequence_id"
