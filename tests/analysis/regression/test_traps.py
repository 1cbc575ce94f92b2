"""If these fail, a careless reader takes a coefficient for what it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.regression.fit import clustered_ols, robust_ols
from analysis.regression.traps import traps

RNG = np.random.default_rng(1)
PERSON = np.repeat(np.arange(40), 3)
DATA = pd.DataFrame(
    {
        "person_id": PERSON.astype(str),
        "row": np.arange(120).astype(str),
        "arm": np.array(["control", "coach"])[PERSON % 2],
        "post": np.tile([0.0, 1.0, 1.0], 40),
        "age": 20.0 + PERSON,
        "y": RNG.normal(size=40)[PERSON] + RNG.normal(size=120),
    }
)


def test_a_main_effect_beside_an_interaction_is_of_one_group():
    fit = clustered_ols(DATA, "y ~ C(arm, Treatment('control')) * post", cluster="person_id")
    arm = "C(arm, Treatment('control'))[T.coach]"
    both = traps(fit, DATA, ["post", arm, f"{arm}:post"])
    assert len(both) == 2
    assert both[0].startswith("post is the effect where C(arm, Treatment('control')) is control")
    assert f"{arm} is the effect where post is 0" in both[1]
    # what it says is what the coefficient is: the change in the control group alone
    control = DATA[DATA["arm"] == "control"]
    alone = clustered_ols(control, "y ~ post", cluster="person_id")
    assert fit.params["post"] == pytest.approx(alone.params["post"])


def test_without_an_interaction_nothing_is_said():
    fit = clustered_ols(DATA, "y ~ arm + post + age", cluster="person_id")
    assert traps(fit, DATA, ["post", "arm[T.control]", "post - age"]) == []
    crossed = clustered_ols(DATA, "y ~ arm * post", cluster="person_id")
    assert traps(crossed, DATA, ["arm[T.control]:post"]) == []


def test_hc3_with_several_rows_a_person_is_named():
    said = traps(robust_ols(DATA, "y ~ age"), DATA, ["age"])
    assert said == [
        "HC3 errors take rows as independent, but 120 rows are by 40 people (person_id): use "
        "errors: cluster with cluster: person_id."
    ]
    once = DATA.drop_duplicates("person_id")
    assert traps(robust_ols(once, "y ~ age"), once, ["age"]) == []


def test_a_cluster_that_is_the_row_is_named():
    said = traps(clustered_ols(DATA, "y ~ age", cluster="row"), DATA, ["age"])
    assert said == [
        "Every row has a row of its own: errors clustered by row take rows as independent."
    ]
    assert traps(clustered_ols(DATA, "y ~ age", cluster="person_id"), DATA, ["age"]) == []


def test_rows_that_share_items_are_not_called_independent():
    ids = [f"i{n}" for n in range(12)]
    left = RNG.integers(12, size=120)
    trials = DATA.assign(
        rater_id=DATA["row"],
        left_id=[ids[k] for k in left],
        right_id=[ids[(k + 1) % 12] for k in left],
    )
    fit = clustered_ols(trials, "y ~ age", cluster="rater_and_items")
    assert traps(fit, trials, ["age"]) == []
