"""If these failed, a blind run would show what people answered, or would not be like a real run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from analysis.evidence.blind import (
    shuffled_answers,
    shuffled_people,
    shuffled_survey,
    shuffled_table,
)
from analysis.ranking import bradley_terry
from analysis.ranking.best_worst import comparisons_from_best_worst
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Change
from prereg.errors import RatifyError

SEEDS = range(40)
ITEMS = 20
CHANGE = {
    "id": "c",
    "kind": "change",
    "table": "diary",
    "value": "mood",
    "control": "a",
    "treatments": ["b"],
    "baseline_rounds": [1],
    "post_rounds": [2],
}


def plan(seed: int, **more: Any) -> Any:
    return SimpleNamespace(seed=seed, **({"survey": (), "analyses": ()} | more))


def choices(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return choices that follow the items' quality, and scores that correlate with it at .8."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=ITEMS)
    score = 0.8 * quality + 0.6 * rng.normal(size=ITEMS)
    pairs = np.array([rng.choice(ITEMS, 2, replace=False) for _ in range(400)])
    gap = 3 * (quality[pairs[:, 0]] - quality[pairs[:, 1]])
    left = rng.random(len(pairs)) < 1 / (1 + np.exp(-gap - 0.3))
    frame = pd.DataFrame(
        {
            "left_id": [f"i{n}" for n in pairs[:, 0]],
            "right_id": [f"i{n}" for n in pairs[:, 1]],
            "choice": np.where(left, "left", "right"),
            "rater_id": [f"r{n % 40}" for n in range(len(pairs))],
            "session_id": [f"r{n % 40}" for n in range(len(pairs))],
            "scenario": "s",
            "response_ms": rng.integers(1000, 9000, len(pairs)),
        }
    )
    return frame, score


def correlation(frame: pd.DataFrame, score: np.ndarray) -> Any:
    ranked = bradley_terry(frame, ridge=0.02).frame
    return spearmanr(ranked["score"], score[[int(name[1:]) for name in ranked["item_id"]]])


def test_what_choices_say_of_items_is_gone_and_a_test_is_significant_at_its_level() -> None:
    real = [correlation(*choices(seed)).statistic for seed in SEEDS[:8]]
    assert np.mean(real) > 0.6
    found = []
    for seed in SEEDS:
        frame, score = choices(seed)
        found.append(correlation(shuffled_answers(frame, plan(seed)), score))
    assert abs(np.mean([one.statistic for one in found])) < 3 / np.sqrt(ITEMS * len(SEEDS))
    assert sum(one.pvalue < 0.05 for one in found) <= 6  # 2 are expected; 7 have a chance of .3%


def test_choices_stay_as_often_left_and_everything_else_stays_where_it_was() -> None:
    frame, _ = choices(1)
    mixed = shuffled_answers(frame, plan(5))
    assert mixed["choice"].value_counts().equals(frame["choice"].value_counts())
    assert mixed.dtypes.equals(frame.dtypes)
    kept = ["left_id", "right_id", "rater_id", "session_id", "scenario"]
    assert mixed[kept].equals(frame[kept])
    assert not mixed["choice"].equals(frame["choice"])
    assert sorted(mixed["response_ms"]) == sorted(frame["response_ms"])
    slow = frame["response_ms"] > 5000
    assert not (mixed["response_ms"] > 5000).equals(slow)
    assert shuffled_answers(frame, plan(5)).equals(mixed)
    assert not shuffled_answers(frame, plan(6)).equals(mixed)


def test_only_the_counts_of_the_answers_matter() -> None:
    frame, _ = choices(2)
    other = frame.assign(choice=sorted(frame["choice"]))
    alike = [
        shuffled_answers(one, plan(seed))["choice"].to_numpy()
        == shuffled_answers(other, plan(seed))["choice"].to_numpy()
        for one, seed in [(frame, 1), (frame, 2), (frame, 3)]
    ]
    share = (frame["choice"] == "left").mean()
    assert abs(np.mean(alike) - (share**2 + (1 - share) ** 2)) < 0.06


def test_ratings_are_shuffled_within_a_dimension() -> None:
    rng = np.random.default_rng(3)
    item = np.tile(np.arange(30), 40)
    frame = pd.DataFrame(
        {
            "item_id": item.astype(str),
            "rater_id": np.repeat(np.arange(40), 30).astype(str),
            "dimension": np.where(np.arange(1200) % 2, "warm", "clear"),
            "value": item / 10 + rng.normal(size=1200) + 50 * (np.arange(1200) % 2),
        }
    )
    mixed = shuffled_answers(frame, plan(1))
    for name, mine in frame.groupby("dimension"):
        theirs = mixed[mixed["dimension"] == name]
        assert sorted(theirs["value"]) == sorted(mine["value"])
        assert abs(spearmanr(mine["value"], item[mine.index]).statistic) > 0.5
        assert abs(spearmanr(theirs["value"], item[mine.index]).statistic) < 0.15


def test_picks_are_shuffled_within_their_trial() -> None:
    trials = 300
    frame = pd.DataFrame(
        {
            "trial_id": np.repeat([f"t{n}" for n in range(trials)], 4),
            "session_id": np.repeat([f"r{n % 9}" for n in range(trials)], 4),
            "rater_id": np.repeat([f"r{n % 9}" for n in range(trials)], 4),
            "item_id": ["a", "b", "c", "d"] * trials,
            "option": [1, 2, 3, 4] * trials,
            "picked": ["most", "", "", "least"] * trials,
            "scenario": "s",
        }
    )
    mixed = shuffled_answers(frame, plan(1))
    comparisons_from_best_worst(mixed)  # every trial still has one of each
    best = mixed.loc[mixed["picked"] == "most", "item_id"].value_counts()
    assert best.max() < 0.35 * trials


def test_of_people_and_judges_only_people_are_shuffled() -> None:
    frame, _ = choices(4)
    both = pd.concat([frame, frame.assign(rater_id="j")], ignore_index=True)
    both["rater_kind"] = ["human"] * 400 + ["llm"] * 400
    mixed = shuffled_people(both, plan(1))
    assert mixed[400:].equals(both[400:])
    assert not mixed["choice"][:400].equals(both["choice"][:400])
    assert list(mixed.index) == list(both.index)


def test_the_survey_is_shuffled_question_by_question() -> None:
    visits = pd.DataFrame({"session_id": range(50), "survey_a": range(50), "survey_b": range(50)})
    survey = tuple(SimpleNamespace(column=name) for name in ("survey_a", "survey_b", "survey_c"))
    mixed = shuffled_survey(visits, plan(1, survey=survey))
    assert list(mixed["session_id"]) == list(range(50))
    assert sorted(mixed["survey_a"]) == list(range(50))
    assert list(mixed["survey_a"]) != list(mixed["survey_b"])


def test_the_outcomes_of_an_own_table_are_shuffled_and_its_design_is_not() -> None:
    table = pd.DataFrame({"person_id": range(60), "round": [1, 2] * 30, "mood": range(60)})
    mixed = shuffled_table(table, "diary", plan(1, analyses=(Change(**CHANGE),)))
    assert mixed[["person_id", "round"]].equals(table[["person_id", "round"]])
    assert sorted(mixed["mood"]) == list(range(60))
    assert list(mixed["mood"]) != list(range(60))


def test_a_kind_that_does_not_name_its_outcomes_cannot_run_blind() -> None:
    class Silent(AnyAnalysis):
        def tables(self) -> tuple[str, ...]:
            return ("diary",)

    with pytest.raises(RatifyError, match="does not say which columns of diary hold answers"):
        shuffled_table(
            pd.DataFrame({"a": [1]}), "diary", plan(1, analyses=(Silent(id="s", kind="silent"),))
        )
