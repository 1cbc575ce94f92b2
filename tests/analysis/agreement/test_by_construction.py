"""If this failed, a coefficient that is 0 by construction would have an interval of made-up items.

References that are one and the same column would then get different intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.agreement.by_construction import NO_INTERVAL
from analysis.audit.audit import audit
from analysis.audit.label_audit import audit_labels
from analysis.results.quantities import Results

ITEMS = 40


def of_ratings(folder: Path, judges: int, *columns: Sequence[object]) -> Results:
    """Return the audit of ratings of `warm`; the judges come last."""
    paths = write(folder, columns)
    return audit(
        paths[:-judges], paths[-judges:], id_column="item_id", scale=(1, 5), dimensions=["warm"]
    )


def write(folder: Path, columns: Sequence[Sequence[object]]) -> list[str]:
    paths = []
    for n, values in enumerate(columns):
        ids = [f"i{at:02}" for at in range(len(values))]
        path = folder / f"a{n}.csv"
        pd.DataFrame({"item_id": ids, "warm": list(values)}).to_csv(path, index=False)
        paths.append(str(path))
    return paths


def people(seed: int = 1) -> list[list[int]]:
    """Return three people's ratings, which agree well."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(1, 6, ITEMS)
    return [
        np.clip(truth + (rng.random(ITEMS) < 0.3) * rng.choice([-1, 1], ITEMS), 1, 5).tolist()
        for _ in range(3)
    ]


def frame(found: Results, name: str) -> pd.DataFrame:
    return next(one.frame for one in found.tables if one.name == name)


def notes(found: Results, *what: str) -> list[str]:
    """Return the notes of the numbers on `warm` that are zero, which must have no interval."""
    shown = [one for one in found.quantities if one.name.split(":")[1] in what]
    shown = [one for one in shown if one.estimate is not None and abs(one.estimate) < 1e-9]
    for one in shown:
        assert one.low is None or math.isnan(one.low), one
        assert one.high is None or math.isnan(one.high), one
    return [one.note for one in shown]


def test_a_constant_judge_has_a_kappa_of_zero_without_an_interval(tmp_path: Path) -> None:
    found = of_ratings(tmp_path, 1, [2] * ITEMS, [2] * ITEMS, [1] * ITEMS)
    assert set(notes(found, "kappa_single", "kappa_median")) == {NO_INTERVAL}
    row = frame(found, "summary").set_index("annotator").loc["a2"].iloc[-1]
    assert row[["single", "median"]].tolist() == [0, 0]
    assert row.filter(regex="_(low|high)$").isna().all()
    pairs = frame(found, "coefficients").query("annotator_a == 'a2'")
    names = ["kappa", "kappa_linear", "kappa_quadratic", "icc2_1", "icc2_k"]
    ends = [f"{name}_{end}" for name in names for end in ("low", "high")]
    assert pairs[ends].isna().all(axis=None)
    assert pairs["exact_high"].notna().all()  # other coefficients keep theirs
    crowd = frame(found, "crowd").query("annotator == 'a2'")
    assert crowd[["with_mean_low", "with_mean_high"]].isna().all(axis=None)


def test_people_of_one_answer_give_every_judge_a_kappa_without_an_interval(tmp_path: Path) -> None:
    found = of_ratings(tmp_path, 1, [2] * ITEMS, [2] * ITEMS, people()[0])
    assert set(notes(found, "kappa_single", "kappa_median")) == {NO_INTERVAL}
    assert "0.00 [" not in " ".join(found.headline)


def test_a_constant_judges_distance_has_only_the_uncertainty_of_people(tmp_path: Path) -> None:
    found = of_ratings(tmp_path, 1, *people(), [3] * ITEMS)
    rows = frame(found, "summary")
    row = rows[(rows["annotator"] == "a3") & (rows["dimension"] == "warm")].iloc[0]
    assert row["single"] == 0
    assert math.isnan(row["single_low"])
    assert row["difference"] == pytest.approx(-row["humans"])
    assert row["difference_low"] == pytest.approx(-row["humans_high"])
    assert row["difference_high"] == pytest.approx(-row["humans_low"])
    assert row["reading"] == "falls short"


def test_a_judge_that_varies_keeps_its_interval_beside_a_person_who_does_not(
    tmp_path: Path,
) -> None:
    first, second, third = people()
    found = of_ratings(tmp_path, 1, first, second, [3] * ITEMS, third)
    coefficients = frame(found, "coefficients").query("annotator_a == 'a3'")
    ends = coefficients.set_index("annotator_b")["kappa_quadratic_low"]
    assert ends.isna().to_dict() == {"a0": False, "a1": False, "a2": True, "median(humans)": False}
    row = frame(found, "summary").set_index("annotator").loc["a3"].iloc[-1]
    assert row["single_low"] < row["single"] < row["single_high"]


def test_labels_that_never_vary_have_a_kappa_without_an_interval(tmp_path: Path) -> None:
    varied = ["pass" if n % 7 else "fail" for n in range(ITEMS)]
    paths = write(tmp_path, [["pass"] * ITEMS, ["pass"] * ITEMS, varied])
    found = audit_labels(
        paths[:2], paths[2:], id_column="item_id", values=["pass,fail"], dimensions=["warm"]
    )
    assert set(notes(found, "kappa_single", "kappa_majority")) == {NO_INTERVAL}
    pairs = frame(found, "pairs").query("annotator_a == 'a2'")
    assert pairs[["kappa_low", "kappa_high"]].isna().all(axis=None)
    assert pairs["exact_low"].notna().all()
