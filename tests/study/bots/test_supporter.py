"""If this failed, a skill planted in the words of bots would not come back in the scores."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from study.bots.phrases import SAYINGS, said_again
from study.bots.supporter import BEHAVIOURS, Manner, Voice
from study.judges import lexicon
from study.judges.baseline import marker_rates

TOLD = (
    "I lost my place on the team last week and I keep thinking about it.",
    "My manager told everybody before me. I feel stupid.",
    "I went over every mail again last night.",
    "My sister says that it will pass, but I don't know.",
    "I used to love going there in the morning.",
    "I guess I miss my old colleagues most of all.",
)
MEANT_FOR = {
    "validate": "validating_emotions",
    "reflect": "demonstrating_understanding",
    "ask": "encouraging_elaboration",
    "advise": "advice_giving",
    "self": "self_oriented",
    "dismiss": "dismissing_emotions",
}
CONVERSATIONS = 40


def _scores(skill: float) -> dict[str, float]:
    """Return the mean rating of each dimension in conversations of one skill."""
    found: dict[str, list[float]] = {name: [] for name in lexicon.DIMENSIONS}
    for number in range(CONVERSATIONS):
        rng = np.random.default_rng(number)
        voice = Voice(Manner.of(skill, rng), rng)
        text = "\n".join(f"Seeker: {told}\nSupporter: {voice.reply(told)}" for told in TOLD)
        for name, rate in marker_rates(text).items():
            found[name].append(lexicon.rating(rate))
    return {name: fmean(ratings) for name, ratings in found.items()}


@pytest.mark.parametrize("behaviour", MEANT_FOR)
def test_each_line_is_heard_as_what_it_is_meant_for(behaviour: str) -> None:
    rates = {
        name: fmean(
            marker_rates(f"Seeker: The roof.\nSupporter: {line}")[name]
            for line in SAYINGS[behaviour]
        )
        for name in lexicon.DIMENSIONS
    }
    own = rates.pop(MEANT_FOR[behaviour])
    assert own > 0.8
    assert max(rates.values()) < own / 5


def test_lines_that_fill_are_heard_as_nothing() -> None:
    for line in SAYINGS["filler"]:
        assert not any(marker_rates(f"Seeker: The roof.\nSupporter: {line}").values()), line


def test_more_skill_raises_and_lowers_each_score_as_its_sign_says() -> None:
    doses = [_scores(skill) for skill in (-1.5, -0.5, 0.5, 1.5)]
    for name, sign in lexicon.DIMENSIONS.items():
        steps = np.diff([sign * dose[name] for dose in doses])
        assert (steps > 0.15).all(), (name, doses)


def test_half_a_unit_of_skill_is_seen_in_the_overall_score() -> None:
    low, high = (
        sum(sign * _scores(skill)[name] for name, sign in lexicon.DIMENSIONS.items())
        for skill in (0.0, 0.5)
    )
    assert 1.5 < high - low < 3.5


def test_a_conversation_repeats_no_line_before_all_were_said_and_follows_its_seed() -> None:
    def lines(seed: int) -> list[str]:
        rng = np.random.default_rng(seed)
        voice = Voice(Manner.of(0.0, rng), rng)
        return [voice.reply(told) for told in TOLD]

    assert lines(1) == lines(1) != lines(2)
    said = [line for bank in SAYINGS.values() for line in bank]
    once = " ".join(lines(3))
    assert max(once.count(line) for line in said) == 1


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ("Well. I lost my job in spring.", "So you lost your job in spring."),
        ("My boss, who I liked, said it to me.", "So your boss, who you liked, said it to you."),
        ("Do you think I am wrong about it?", ""),
        ("No.", ""),
        ("", ""),
    ],
)
def test_what_was_told_is_said_again_from_the_other_side(told: str, again: str) -> None:
    assert said_again(told) == again


def test_every_behaviour_has_lines_and_a_sign_of_its_dimension() -> None:
    for behaviour, (sign, _, _) in BEHAVIOURS.items():
        assert len(set(SAYINGS[behaviour])) >= 10
        assert lexicon.DIMENSIONS[MEANT_FOR[behaviour]] == sign
