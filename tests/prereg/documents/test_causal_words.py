"""If these failed, a preregistration would not say a choice of the causal section."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from prereg.documents.causal import in_words
from prereg.plan.causal import Causal

BASE: dict[str, Any] = {
    "frame": "frame.parquet",
    "treatment": {"scale": "empathy", "score": "s"},
    "outcome": {"scale": "attachment", "score": "y"},
}
# Another value of every key, by its dotted path.
OTHER: dict[str, Any] = {
    "frame": "other.csv",
    "user": "author",
    "treatment.scale": "warmth",
    "treatment.score": "s2",
    "treatment.judge": "model_a",
    "treatment.treated": 6,
    "treatment.control": 2,
    "outcome.scale": "trust",
    "outcome.score": "y2",
    "outcome.judge": "model_b",
    "confounders.text": "before",
    "confounders.encoder": {"sentence_transformers": "all-mpnet-base-v2"},
    "confounders.components": 40,
    "confounders.columns": ["model"],
    "confounders.user_buckets": 8,
    "confounders.time_bins": 0,
    "confounders.unmeasured": ["mood"],
    "labels.raters": 5,
    "labels.aggregate": "median",
    "labels.stratified": 900,
    "labels.random": 80,
    "labels.allocation": "proportional",
    "labels.shares": {"control": 0.2, "middle": 0.3, "treated": 0.5},
    "labels.floor": 7,
    "labels.pilot": "pilot.csv",
    "sequential": True,
    "gate.human_alpha": 0.6,
    "gate.epsilon": 0.15,
    "gate.non_inferiority": 0.07,
    "gate.bias_margin": 0.33,
    "gate.sensitivity": 0.55,
    "gate.predictive_value": 0.65,
    "gate.halo": 0.12,
    "gate.margin": 0.3,
    "gate.items": 150,
    "gate.treated": 30,
    "gate.level": 0.8,
    "matching.methods": ["optimal"],
    "matching.caliper": 0.45,
    "estimators.nuisances": "forest",
    "estimators.folds": 10,
    "estimators.trim": 0.02,
    "placebo": "coin",
    "negative_control": "length",
}


def words(key: str = "", value: Any = None) -> str:
    given = copy.deepcopy(BASE)
    *parts, last = key.split(".")
    inner = given
    for part in parts:
        inner = inner.setdefault(part, {})
    if last:
        inner[last] = value
    return "\n".join(in_words(Causal.model_validate(given)))


def paths(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        inner = isinstance(kind, type) and issubclass(kind, BaseModel) and name != "shares"
        yield from paths(kind, f"{before}{name}.") if inner else [f"{before}{name}"]


def test_every_key_is_tried_here() -> None:
    assert set(paths(Causal)) == set(OTHER)


@pytest.mark.parametrize("key", OTHER)
def test_every_key_changes_the_words(key: str) -> None:
    assert words(key, OTHER[key]) != words()


def test_the_server_and_the_model_of_an_encoder_are_said() -> None:
    said = words("confounders.encoder", {"server": "http://host:1/v1", "model": "m-1"})
    assert "`m-1`" in said
    assert "`http://host:1/v1`" in said
