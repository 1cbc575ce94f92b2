"""If these fail, simulated people and judges are not what the plan assumes of them.

Power would then be that of another population, and other than what the simulated raters on the
pages show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import expit

from analysis.planning.layout import layout_of
from analysis.planning.people_answers import Answering, choices, picks, ratings
from analysis.planning.population import People, choice_probabilities, draw_people, places_of
from analysis.planning.qualities import draw_quality, draw_view, of_dimensions
from analysis.planning.simulated import simulated_study
from prereg.design.sequences import Trial
from prereg.plan.assumptions import RaterAssumptions
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from study.bots import Bot, Population, fingerprint
from tests.support.paths import WORKED

ITEMS = pd.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(40)],
        "scenario": "all",
        "source": np.tile(["a", "b"], 20),
        "known": [str(n) for n in range(40)],
    }
)
RELIABLE = {"assumptions": {"raters": {"reliability": 0.7}}}
NO_NOISE = {"spread": 0.0, "taste": 0.0, "side": 0.0}


def plan(worked: str = "pairwise_preference", **changes: Any) -> Plan:
    content = yaml.safe_load((WORKED / worked / "plan.yaml").read_text())
    content |= {"analyses": [], "gate": [], "hypotheses": [], "attention_checks": []}
    content |= {"exclusions": [], "recruitment": {"codes": {"completed": "DONE-1"}}}
    content["design"] |= changes.pop("design", {})
    content |= changes
    content = {name: part for name, part in content.items() if part is not None}
    return parse_plan(yaml.safe_dump(content), file="plan.yaml")


def trials(shown: list[tuple[str, ...]], sequences: int, each: int) -> list[Trial]:
    """Return sequences that deal these trials in turn."""
    return [
        Trial(f"S{n:04d}", place + 1, shown[(n * each + place) % len(shown)])
        for n in range(sequences)
        for place in range(each)
    ]


def answering(of: Plan, shown: list[tuple[str, ...]], quality: np.ndarray, n: int) -> Answering:
    layout = layout_of(of, ITEMS, trials(shown, n, 10))
    rng = np.random.default_rng(4)
    people = draw_people(of.assumptions.raters, layout.trials, rng)
    return Answering(of, layout, people, quality, rng)


QUALITY = np.linspace(-1.5, 1.5, 40)
PAIRS = [(f"i{a}", f"i{(a * 7 + 3) % 40}") for a in range(40) if a != (a * 7 + 3) % 40]


@pytest.mark.parametrize("ties", [True, False])
@pytest.mark.parametrize("assumed", [{}, NO_NOISE, {"side": 1.0, "tie": 0.8}])
def test_people_choose_as_the_bots_on_the_pages(ties: bool, assumed: dict[str, float]) -> None:
    of = plan(assumptions={"raters": assumed}, design={"ties": "offered" if ties else "refused"})
    rows = choices(answering(of, PAIRS, QUALITY, 800))
    by_text = {fingerprint(name): q for name, q in zip(ITEMS["item_id"], QUALITY, strict=True)}
    raters = of.assumptions.raters
    population = Population(
        **{name: getattr(raters, name) for name in Population.__dataclass_fields__}
    )
    chosen = []
    for number in range(400):
        bot = Bot(by_text, population, np.random.default_rng([9, number]))
        for place in range(10):
            pair = PAIRS[(number * 10 + place) % len(PAIRS)]
            chosen.append((*pair, bot.choose(*pair, ties=ties)))
    bots = pd.DataFrame(chosen, columns=["left_id", "right_id", "choice"])
    for choice in ("left", "tie", "right"):
        ours, theirs = ((frame["choice"] == choice).mean() for frame in (rows, bots))
        assert ours == pytest.approx(theirs, abs=0.035), choice
    close = rows["left_id"].str[1:].astype(int).sub(rows["right_id"].str[1:].astype(int)) > 10
    far = bots["left_id"].str[1:].astype(int).sub(bots["right_id"].str[1:].astype(int)) > 10
    assert (rows["choice"][close] == "left").mean() == pytest.approx(
        (bots["choice"][far] == "left").mean(), abs=0.04
    )


def test_the_probabilities_of_one_rater_are_the_bots() -> None:
    population = Population(spread=0.0, taste=0.0, side=0.0, tie=0.7)
    bot = Bot({"a": 1.0, "b": 0.25}, population, np.random.default_rng(1))
    said = [bot.choose("a", "b", ties=True) for _ in range(8000)]
    left, left_or_tie = choice_probabilities(np.array([0.9]), tie=0.7)
    assert said.count("left") / 8000 == pytest.approx(left[0], abs=0.02)
    assert said.count("tie") / 8000 == pytest.approx(left_or_tie[0] - left[0], abs=0.02)
    assert choice_probabilities(np.array([0.9]), tie=None)[0][0] == pytest.approx(expit(0.9))


def test_a_side_that_everybody_likes_is_chosen_more_often() -> None:
    a = answering(plan(assumptions={"raters": NO_NOISE}), PAIRS, np.zeros(40), 400)
    leaning = People(
        a.people.sensitivity,
        np.full(len(a.people.side), 0.6),
        a.people.careless,
        a.people.answered,
        a.people.finished,
    )
    a.people = leaning
    assert (choices(a)["choice"] == "left").mean() == pytest.approx(expit(0.6), abs=0.02)


def test_ratings_have_the_assumed_reliability() -> None:
    of = plan("empathy_rating", comprehension=None, **RELIABLE)
    quality = np.random.default_rng(2).normal(size=40)
    quality = (quality - quality.mean()) / quality.std()
    items = [(name,) for name in ITEMS["item_id"]]
    rows = ratings(answering(of, items, quality, 400))
    one = rows[rows["dimension"] == "advice_giving"]
    truth = quality[one["item_id"].str[1:].astype(int)]
    # rounding to points of one standard deviation adds 1/12 of variance (Sheppard 1898)
    assert np.corrcoef(truth, one["value"])[0, 1] ** 2 == pytest.approx(0.7 / (13 / 12), abs=0.03)
    assert set(one["value"]) == {1.0, 2.0, 3.0, 4.0, 5.0}


def test_labels_are_equally_frequent() -> None:
    places = places_of(np.random.default_rng(1).normal(size=30_000), 3)
    assert np.bincount(places.astype(int)) / 30_000 == pytest.approx([1 / 3] * 3, abs=0.015)


def test_the_best_is_picked_as_luce_has_it() -> None:
    of = plan("best_response", assumptions={"raters": NO_NOISE | {"sensitivity": 1.0}})
    quality = np.zeros(40)
    quality[:4] = [1.0, 0.0, -0.5, 0.5]
    rows = picks(answering(of, [("i0", "i1", "i2", "i3")], quality, 800))
    strength = np.exp(quality[:4])
    most = rows.loc[rows["picked"] == "most", "item_id"].value_counts(normalize=True)
    for at in range(4):
        assert most[f"i{at}"] == pytest.approx(strength[at] / strength.sum(), abs=0.025)
    counts = rows.groupby("trial")["picked"].value_counts().unstack()
    assert (counts["most"] == 1).all()
    assert (counts["least"] == 1).all()


def test_who_is_careless_who_leaves_and_who_never_begins() -> None:
    assumed = RaterAssumptions(careless=0.3, drop_out=0.2, no_shows=0.1)
    people = draw_people(assumed, np.full(20_000, 10), np.random.default_rng(3))
    assert people.careless.mean() == pytest.approx(0.3, abs=0.02)
    assert people.finished.mean() == pytest.approx(0.9 * 0.8, abs=0.02)
    assert people.answered[~people.finished].max() == 9
    assert (people.answered[people.finished] == 10).all()
    assert (people.answered == 0).mean() == pytest.approx(0.1 + 0.9 * 0.2 / 10, abs=0.02)


def test_the_careless_fail_checks_by_chance_and_others_never() -> None:
    checks = [{"after": 0, "texts": ["a", "b"], "expected": {"choice": "left"}}]
    of = plan(attention_checks=checks, assumptions={"raters": {"careless": 0.5}})
    shown = [("check_1.1", "check_1.2")]
    sequences = [Trial(f"S{n:04d}", 1, shown[0], is_attention_check=True) for n in range(4000)]
    study = simulated_study(
        of.model_copy(update={"judges": ()}),
        ITEMS,
        [*sequences, Trial("S9999", 1, PAIRS[0])],
        of.assumptions,
        np.random.default_rng(1),
    )
    passed = study.answers["passed_check"][study.answers["is_attention_check"]]
    assert (passed == "true").mean() == pytest.approx(0.75, abs=0.03)


def test_a_judge_has_the_assumed_correlation_with_quality() -> None:
    rng = np.random.default_rng(5)
    quality = rng.normal(2.0, 3.0, 20_000)
    for wanted in (0.9, 0.0, -0.5):
        view = draw_view(quality, wanted, rng)
        assert np.corrcoef(quality, view)[0, 1] == pytest.approx(wanted, abs=0.03)
    parts = of_dimensions(view, 6, rng)
    assert np.corrcoef(parts.mean(axis=1), view)[0, 1] == pytest.approx(1.0)
    assert parts.var(axis=0) == pytest.approx(np.ones(6), abs=0.05)


def test_overall_scores_and_choices_follow_the_judges_quality() -> None:
    of = plan(assumptions={"judges": {"good": 0.9, "each": {"length": 0.2}}})
    many = pd.concat([ITEMS.assign(item_id=ITEMS["item_id"] + f"_{n}") for n in range(20)])
    pairs = [(a, b) for a, b in zip(many["item_id"][:-1], many["item_id"][1:], strict=True)]
    study = simulated_study(
        of, many, trials(pairs, 80, 10), of.assumptions, np.random.default_rng(6)
    )
    signs = dict.fromkeys(of.measures.adds, 1) | dict.fromkeys(of.measures.subtracts, -1)
    scored = study.ratings.assign(
        value=study.ratings["value"] * study.ratings["dimension"].map(signs)
    )
    for judge, wanted in (("lexical", 0.9), ("length", 0.2)):
        mine = scored[scored["rater_id"] == judge].groupby("item_id")["value"].sum()
        truth = pd.Series(study.quality, index=many["item_id"])
        assert np.corrcoef(mine, truth.reindex(mine.index))[0, 1] == pytest.approx(wanted, abs=0.08)


def test_judges_of_another_quality_meet_the_same_people() -> None:
    of = plan()
    both = [
        simulated_study(
            of,
            ITEMS,
            trials(PAIRS, 10, 5),
            of.assumptions,
            np.random.default_rng(7),
            judge_quality=quality,
        )
        for quality in (0.9, 0.1)
    ]
    people = [one.answers[one.answers["rater_kind"] == "human"] for one in both]
    assert people[0].equals(people[1])
    assert not both[0].ratings.equals(both[1].ratings)


def test_sources_and_known_columns_shift_quality() -> None:
    many = pd.concat([ITEMS] * 100, ignore_index=True)
    shares = {"id": "shares", "kind": "best_worst_shares", "reference": "a"}
    effects = {"shares": {"effect": {"b": 0.7}}}
    of = plan("best_response", analyses=[shares], assumptions={"effects": effects}, judges=[])
    quality = pd.Series(draw_quality(of, many, np.random.default_rng(8)))
    means = quality.groupby(many["source"]).mean()
    assert means["b"] - means["a"] == pytest.approx(0.7, abs=0.07)
    known = {"id": "known", "kind": "rank_correlation", "column": "known"}
    of = plan(analyses=[known], assumptions={"effects": {"known": {"effect": {"known": 0.6}}}})
    quality = pd.Series(draw_quality(of, many, np.random.default_rng(8)))
    assert np.corrcoef(quality, many["known"].astype(float))[0, 1] == pytest.approx(0.6, abs=0.03)
