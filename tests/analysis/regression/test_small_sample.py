"""If these fail, a coefficient that few clusters decide has an interval that is too narrow."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis.regression.effective_clusters import by_effective_clusters
from analysis.regression.fit import clustered_logit, clustered_ols
from tests.support.paths import REFERENCE


def data() -> pd.DataFrame:
    """Return 15 clusters of 12 rows, 3 of them treated; every number by a rule, none by chance."""
    n = np.arange(180)
    cluster = n * 7 % 15
    treated = (cluster < 3).astype(float)
    x = np.round(np.sin(n * 1.7) * 2, 3)
    noise = np.cos(cluster * 2.1) + 1.5 * np.sin(n * n * 0.37)
    y = np.round(0.5 * treated + 0.3 * x + noise, 3)
    yes = (y > 0.2).astype(float)
    return pd.DataFrame({"cluster": cluster, "treated": treated, "x": x, "y": y, "yes": yes})


FITS = {
    "ols": (clustered_ols, "y ~ treated + x", 1e-7),
    # the symmetric root of clubSandwich is taken before the rows are weighted, ours after
    "logit": (clustered_logit, "yes ~ treated + x", 2e-3),
}


@pytest.mark.parametrize("model", list(FITS))
def test_errors_and_df_are_those_of_clubsandwich(model):
    fit, formula, close = FITS[model]
    reference = json.loads((REFERENCE / "cr2.json").read_text("utf-8"))
    got = fit(data(), formula, cluster="cluster", distribution="satterthwaite")
    frame = got.to_frame().set_index("term")
    for term, weights in zip(got.params.index, np.eye(3), strict=True):
        one = got.combination(weights)
        found = [one.estimate, one.se, one.df, one.p_value]
        assert found == pytest.approx(reference[model][term], rel=close)
        assert frame.loc[term, ["se", "p"]].tolist() == pytest.approx([one.se, one.p_value])


@pytest.mark.parametrize("model", list(FITS))
def test_the_effective_number_of_clusters_decides(model):
    fit, formula, _ = FITS[model]
    plain = fit(data(), formula, cluster="cluster")
    treated, x = np.eye(3)[1:]
    few = by_effective_clusters(plain, treated, below=10)
    assert few.few
    assert 3 < few.effective < 5  # 3 treated clusters, not 15
    assert few.found.se > plain.bse["treated"]
    assert f"{few.effective:.1f} of 15 clusters decide this number" in few.note
    assert "CR2" in few.method
    many = by_effective_clusters(plain, x, below=10)
    assert not many.few
    assert (many.found.se, many.found.p_value) == pytest.approx(
        (plain.bse["x"], plain.pvalues["x"])
    )
    assert many.method == f"{plain.method}; Wald z test"
    assert many.note == ""


def test_few_treated_clusters_keep_the_size():
    rng = np.random.default_rng(11)
    rejected = {"z": 0, "small": 0}
    studies, n = 150, 40
    of = np.repeat(np.arange(n), 6)
    for _ in range(studies):
        treated = (rng.permutation(n) < 5).astype(float)[of]
        y = rng.normal(size=n)[of] + rng.normal(size=len(of))
        plain = clustered_ols(
            pd.DataFrame({"y": y, "treated": treated, "c": of}), "y ~ treated", cluster="c"
        )
        rejected["z"] += plain.pvalues["treated"] <= 0.05
        small = by_effective_clusters(plain, np.array([0.0, 1.0]))
        rejected["small"] += small.found.p_value <= 0.05
    assert rejected["z"] / studies > 0.07
    assert rejected["small"] / studies < 0.1
