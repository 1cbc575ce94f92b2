"""If this failed, the demo of an effect would name a truth that is not that of its own raters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.demo import turn_pairs
from ratify.demo import CAUSAL, planted_truth
from study.opening import open_study
from study.scaffold import new_study
from study.simulation.quality import planted_scores


def test_the_truth_is_that_of_the_plans_raters_and_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_study(tmp_path / "demo", worked=CAUSAL, demo=True)
    study = open_study(tmp_path / "demo")
    asked: dict[str, Any] = {}

    def effect(_: object, **given: Any) -> float:
        asked.update(given)
        return 0.1234

    monkeypatch.setattr(turn_pairs, "effect_by_raters", effect)
    said = planted_truth(study)
    causal = study.plan.causal
    assert causal is not None
    assert asked["raters"] == causal.labels.raters
    spreads = planted_scores(study)
    assert asked["sizes"][0] / asked["sizes"][1] == pytest.approx(
        np.std(list(spreads["empathy"].values())) / np.std(list(spreads["attachment"].values()))
    )
    assert f"{turn_pairs.EFFECT:g} points is planted" in said
    assert f"{causal.labels.raters} simulated raters" in said
    assert "about 0.12" in said
