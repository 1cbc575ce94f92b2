"""If this failed, a demo would claim another effect than the one that it plants."""

from __future__ import annotations

from pathlib import Path

from study.simulation.chat_truth import OVERALL, Answerer, planted
from tests.support.chat import small_chat

PEOPLE = 60


def _partner(_scenario: str) -> Answerer:
    return lambda words: f"I keep thinking about my old place. You wrote {len(words)} letters."


def test_more_effect_is_more_points_and_none_is_none(tmp_path: Path) -> None:
    plan = small_chat(tmp_path, simulated={"effects": {"video": 0.4, "coach": 1.2, "combined": 0}})
    points = planted(plan.plan, _partner, people=PEOPLE).points
    assert points.keys() == {"video", "coach"}
    assert 0.5 < points["video"][OVERALL] < points["coach"][OVERALL]
    assert points["coach"]["validating_emotions"] > 0.3
    assert points["coach"]["advice_giving"] < -0.3


def test_the_sentence_says_the_points_of_each_condition(tmp_path: Path) -> None:
    plan = small_chat(tmp_path, simulated={"effects": {"video": 0, "coach": 1, "combined": 0}})
    truth = planted(plan.plan, _partner, people=5)
    assert f"coach {truth.points['coach'][OVERALL]:+.2f}." in truth.sentence()
    none = small_chat(tmp_path, simulated={"effects": {"video": 0, "coach": 0, "combined": 0}})
    assert not planted(none.plan, _partner, people=2).sentence()


def test_the_truth_is_the_same_every_time(tmp_path: Path) -> None:
    plan = small_chat(tmp_path).plan
    assert planted(plan, _partner, people=4) == planted(plan, _partner, people=4)
