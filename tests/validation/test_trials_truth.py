"""If this failed, intervals about choices would be held against a wrong truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.agreement.choices import choice_agreement
from analysis.habits.order import position
from analysis.regression.fit import clustered_logit
from analysis.regression.judge_gap import selection_by_gap
from tests.validation.trials import FORMULA, LAW, _habit_of
from tests.validation.trials_truth import BINS, JUDGE, Design, study, truth

STUDIES = 40
# few trials of many items, so that studies differ little from the truth
WIDE = Design(raters=300, trials=2, scenarios=5, items=120)


@pytest.fixture(scope="module")
def found() -> dict[str, np.ndarray]:
    """Return the numbers of forty wide studies, by name."""
    law = replace(LAW, first=0.5)
    rows: dict[str, list[float]] = {}
    for stream in np.random.SeedSequence(1).spawn(STUDIES):
        one = study(np.random.default_rng(stream), law, WIDE)
        agreed = choice_agreement(one.people, one.judge)
        trials = one.trials
        rates = selection_by_gap(trials, bins=BINS)
        fit = clustered_logit(trials.dropna(subset=["select_higher"]), FORMULA, cluster="rater_id")
        order, long = position(one.questions, judge=JUDGE), _habit_of(one, "length")
        numbers = {
            "agreement": agreed.estimate,
            "kappa": agreed.kappa,
            "slope": fit.params["gap"],
            **{f"by_gap {n}": rate for n, rate in enumerate(rates["rate"])},
            "consistency": order["consistency"].estimate,
            "first": order["first"].estimate,
            "longer": long["longer"].estimate,
            "longer_by_people": long["longer by people"].estimate,
        }
        for name, value in numbers.items():
            rows.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in rows.items()}


def test_the_truth_is_the_mean_over_studies(found: dict[str, np.ndarray]) -> None:
    true = truth(replace(LAW, first=0.5))
    for name, values in found.items():
        field, _, n = name.partition(" ")
        at = getattr(true, field)
        at = at[int(n)] if n else at
        error = values.std(ddof=1) / np.sqrt(STUDIES)
        assert abs(values.mean() - at) < 3.5 * error, (name, values.mean(), at, error)
        assert error < 0.02, name


def test_a_judge_that_knows_nothing_agrees_by_chance() -> None:
    true = truth(replace(LAW, rho=0.0))
    assert true.agreement == pytest.approx(0.5, abs=1e-3)
    assert true.kappa == pytest.approx(0, abs=2e-3)
    assert true.slope == pytest.approx(0, abs=1e-3)
    assert true.by_gap == pytest.approx(np.full(len(BINS), 0.5), abs=0.005)


def test_an_item_comes_back_in_many_trials_of_many_raters() -> None:
    one = study(np.random.default_rng(0))
    shown = one.people["left_id"].value_counts().add(one.people["right_id"].value_counts())
    assert len(one.people) == 1500
    assert shown.min() == shown.max() == 20
    assert one.people.groupby("rater_id").size().eq(10).all()
    assert one.people["left_id"].str[:2].eq(one.people["right_id"].str[:2]).all()
    assert (one.people["left_id"] != one.people["right_id"]).all()
