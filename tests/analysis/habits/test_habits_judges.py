"""If this failed, a judge without a habit would be accused, or a habit be called another size.

Judges are simulated as tidy tables: what they answer is drawn from a known law.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom

from analysis.habits.answers import answers_to, people_of, questions
from analysis.habits.measure import FOUND, judged
from analysis.habits.order import letter, position, repeatability
from analysis.habits.ratings import halo, shift
from analysis.habits.tables import HabitTables
from analysis.habits.traits import doublings_of, length, own
from analysis.habits.votes import votes_of

DIMENSIONS = ("warmth", "advice", "understanding")
REWRITES = ("leetspeak", "casual")
GPT = "gpt"


@dataclass(frozen=True)
class Law:
    """What a judge answers: log-odds of choosing the first of two texts, and its ratings."""

    sharp: float = 1.5  # on people's liking
    taste: float = 0.4  # sd of what it likes on its own account, item by item
    certain: bool = False  # no chance in its choices
    flip: float = 0.0  # chance that an answer is turned over
    first: float = 0.0
    length: float = 0.0  # per doubling
    own: float = 0.0
    letter: str = ""
    halo: float = 0.3  # correlation of its rating errors; people's is .3
    scale: float = 1.0  # how much of the scale it uses
    shift: dict = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """Items, people's votes and ratings, and the questions that every judge is asked."""

    liking: np.ndarray
    doublings: np.ndarray
    mine: np.ndarray
    truth: np.ndarray
    items: pd.DataFrame
    votes: pd.DataFrame
    ratings: pd.DataFrame  # people's, then the judge's rows without values
    judgments: pd.DataFrame  # people's, then the judge's rows without choices
    probes: pd.DataFrame  # the judge's rows without choices and values
    asked: np.ndarray  # the judge's questions, once each: item numbers
    of_judgment: np.ndarray  # the question of each judgment
    of_probe: np.ndarray  # the question of each probe of a pair

    @cached_property
    def people(self):
        return people_of(self.ratings, None)

    @cached_property
    def known(self):
        return votes_of(self.votes)

    @cached_property
    def longer(self):
        return doublings_of(self.known, self.items)


@lru_cache(maxsize=32)
def world(seed=1, items=60, raters=90, trials=10, scenarios=3, rated=30, probed=60):
    """Return a world whose people like longer texts, and one model's texts, with good reason."""
    rng = np.random.default_rng(seed)
    scenario = np.arange(items) % scenarios
    z = rng.normal(size=items)
    mine = (np.arange(items) // scenarios % 2).astype(float)
    liking = 0.6 * z + 0.3 * mine + 0.7 * rng.normal(size=items)
    words = np.round(120 * 2 ** (0.7 * z)).astype(int).clip(5)
    ids = np.array([f"i{n:02d}" for n in range(items)], dtype=object)
    shown = np.array(
        [
            rng.choice(np.flatnonzero(scenario == trial % scenarios), 2, replace=False)
            for _ in range(raters)
            for trial in range(trials)
        ]
    )
    rater = np.array([f"p{n}" for n in np.repeat(np.arange(raters), trials)], dtype=object)
    won = rng.random(len(shown)) < expit(liking[shown[:, 0]] - liking[shown[:, 1]])
    votes = pairs_frame(ids, scenario, shown, won).assign(rater_id=rater, rater_kind="human")
    straight, of_trial = np.unique(shown, axis=0, return_inverse=True)
    first = np.unique(np.sort(straight, axis=1), axis=0, return_index=True)[1]
    asked = np.vstack([straight, straight[first][:, ::-1]])  # may hold a pair both ways twice
    trial_rows = pairs_frame(ids, scenario, shown, won).assign(purpose="trial")
    turned = pairs_frame(ids, scenario, asked[len(straight) :], 0).assign(purpose="reversed")
    own_rows = pd.concat([trial_rows, turned]).assign(rater_id=GPT, rater_kind="llm")
    drawn = rng.permutation(len(first))[:probed]
    probes, of_probe = [], []
    for probe, of in (
        ("original", first[drawn]),
        ("swap", len(straight) + drawn),
        ("repeat", first[drawn]),
    ):
        units = [f"pair {n}" for n in range(probed)]
        probes.append(pairs_frame(ids, scenario, asked[of], 0).assign(unit=units, probe=probe))
        of_probe.append(of)
    rewritten = [
        pd.DataFrame(
            {
                "unit": np.repeat([f"item {i}" for i in ids[:rated]], 3),
                "variant": variant,
                "probe": "perturbation" if variant else "original",
                "item_id": np.repeat(ids[:rated], 3),
                "dimension": np.tile(DIMENSIONS, rated),
            }
        )
        for variant in ("", *REWRITES)
    ]
    filled = pd.concat([*probes, *rewritten]).astype(object).fillna("")
    truth = rng.multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), rated)
    ratings = [ratings_frame(f"p{n}", "human", ids, rated_by(rng, truth)) for n in range(3)]
    ratings.append(ratings_frame(GPT, "llm", ids, truth))
    return World(
        liking,
        np.log2(words),
        mine,
        truth,
        pd.DataFrame(
            {
                "item_id": ids,
                "text": [" ".join(["word"] * n) for n in words],
                "author": np.where(mine == 1, "it", "another"),
            }
        ).astype(object),
        votes,
        pd.concat(ratings, ignore_index=True),
        pd.concat([votes.assign(purpose="trial"), own_rows], ignore_index=True).astype(object),
        filled.assign(rater_id=GPT, rater_kind="llm"),
        asked,
        np.concatenate([of_trial.ravel(), len(straight) + np.arange(len(first))]),
        np.concatenate(of_probe),
    )


def pairs_frame(ids, scenario, pairs, chose_left):
    return pd.DataFrame(
        {
            "scenario": scenario[pairs[:, 0]].astype(str).astype(object),
            "left_id": ids[pairs[:, 0]],
            "right_id": ids[pairs[:, 1]],
            "choice": np.where(chose_left, "left", "right").astype(object),
        }
    )


def ratings_frame(rater, kind, ids, values):
    return pd.DataFrame(
        {
            "rater_id": rater,
            "rater_kind": kind,
            "item_id": np.repeat(ids[: len(values)], 3),
            "dimension": np.tile(DIMENSIONS, len(values)),
            "value": values.ravel(),
        }
    ).astype({"rater_id": object, "rater_kind": object, "dimension": object})


def rated_by(rng, truth, correlation=0.3, scale=1.0):
    """Return ratings whose errors on two dimensions of an item correlate."""
    shared = np.sqrt(correlation) * rng.normal(size=(len(truth), 1))
    error = 0.7 * (shared + np.sqrt(1 - correlation) * rng.normal(size=truth.shape))
    return np.clip(np.round(4 + scale * (truth + error)), 1, 7)


def odds_of(w, law, rng):
    """Return a judge's log-odds of the first of every question; also without what stands first."""
    u = law.sharp * (w.liking + law.taste * rng.normal(size=len(w.liking)))
    u = u + law.length * w.doublings + law.own * w.mine
    return law.first + u[w.asked[:, 0]] - u[w.asked[:, 1]]


def choices(w, law, rng, odds, of):
    """Return one answer to each question that is asked anew."""
    if law.letter:
        return np.full(len(of), law.letter == "A")
    p = (odds[of] > 0) if law.certain else expit(odds[of])
    return rng.random(len(of)) < p * (1 - law.flip) + (1 - p) * law.flip


def judge_tables(w, law, rng):
    """Return the tables of one judge in a world; the same question has the same answer."""
    odds = odds_of(w, law, rng)
    once = choices(w, law, rng, odds, np.arange(len(odds)))
    # a pair that two trials show with the sides exchanged is one question each way
    key = w.asked[:, 0] * len(w.liking) + w.asked[:, 1]
    once = once[np.unique(key, return_index=True)[1]][np.unique(key, return_inverse=True)[1]]
    people = len(w.judgments) - len(w.of_judgment)
    choice = w.judgments["choice"].to_numpy(copy=True)
    choice[people:] = np.where(once[w.of_judgment], "left", "right")
    of = w.of_probe
    probed = np.where(
        w.probes["probe"].iloc[: len(of)] == "repeat", choices(w, law, rng, odds, of), once[of]
    )
    shown = w.probes["choice"].to_numpy(copy=True)
    shown[: len(of)] = np.where(probed.astype(bool), "left", "right")
    value = np.full(len(w.probes), np.nan)
    cells = [
        np.clip(
            np.round(
                4
                + w.truth
                + 0.8 * rng.normal(size=w.truth.shape)
                + np.array([law.shift.get((variant, d), 0.0) for d in DIMENSIONS])
            ),
            1,
            7,
        ).ravel()
        for variant in ("", *REWRITES)
    ]
    value[len(of) :] = np.concatenate(cells)
    rated = w.ratings["value"].to_numpy(copy=True)
    rated[-w.truth.size :] = rated_by(rng, w.truth, law.halo, law.scale).ravel()
    return HabitTables(
        items=w.items,
        judgments=w.judgments.assign(choice=choice),
        ratings=w.ratings.assign(value=rated),
        probes=w.probes.assign(choice=shown, value=value),
    )


def accusations(w, tables):
    """Return every number that may accuse, judged."""
    asked = questions(tables.judgments, tables.probes, GPT)
    answer = answers_to(w.known.pairs, asked)
    habits = [
        position(asked, judge=GPT),
        letter(asked, judge=GPT),
        length(w.known, answer, w.longer, judge=GPT),
        own(w.known, answer, w.items, judge=GPT, column="author", values=["it"]),
        halo(tables.ratings, w.people, judge=GPT),
        shift(tables.probes, judge=GPT),
    ]
    return judged([m for habit in habits for m in habit.measures])


def found(measures):
    return {m.habit for m in measures if m.reading == FOUND}


def enough(covered, reps, level=0.95):
    """Whether so many of the intervals held the truth as chance allows, once in a thousand."""
    return covered >= binom.ppf(0.001, reps, level)


@pytest.mark.slow
def test_an_honest_judge_is_accused_no_more_often_than_stated():
    """100 judges who share people's liking, which goes with length, and err as people do."""
    rng = np.random.default_rng(20)
    laws = [Law(), Law(certain=True), Law(sharp=4, taste=0), Law(scale=0.5, taste=1)]
    accused = 0
    singly = []
    for n in range(100):
        w = world(seed=100 + n // 20)
        measures = accusations(w, judge_tables(w, laws[n % 4], rng))
        accused += bool(found(measures))
        singly += [m.p_value <= 0.05 for m in measures if m.tested]
    assert accused <= binom.ppf(0.975, 100, 0.05)
    # and one number at a time
    assert np.mean(singly) < 0.06


def test_what_stands_first_is_found_and_its_size_within_its_interval():
    rng = np.random.default_rng(1)
    reps, odds_held, rate_held, size = 100, 0, 0, []
    w = world()
    for _ in range(reps):
        law = Law(first=0.5)
        odds = odds_of(w, law, rng)
        chose = rng.random(len(odds)) < expit(odds)
        rows = pairs_frame(w.items["item_id"].to_numpy(), np.zeros(99, int), w.asked, chose)
        rows = rows.assign(left=chose, turned=False).drop_duplicates(["left_id", "right_id"])
        habit = position(rows, judge=GPT)
        one, share = habit["first_odds"], habit["first"]
        odds_held += one.low <= np.exp(0.5) <= one.high
        size.append(np.log(one.estimate))
        # the truth of the share: over the pairs that were asked both ways
        p = pd.Series(expit(odds), index=pd.MultiIndex.from_arrays(w.asked.T))
        p = p[~p.index.duplicated()]
        back = p.reindex(p.index.swaplevel()).to_numpy()
        truth = np.nanmean((p.to_numpy() + back) / 2)
        rate_held += share.low <= truth <= share.high
    assert enough(odds_held, reps)
    assert enough(rate_held, reps)
    assert np.mean(size) == pytest.approx(0.5, abs=0.03)
    assert "first" in found(accusations(w, judge_tables(w, Law(first=1.0), rng)))


@pytest.mark.parametrize(("trait", "size"), [("length", 0.5), ("own", -0.7), ("length", 0.0)])
def test_a_trait_favoured_beyond_people_has_its_size_within_its_interval(trait, size):
    rng = np.random.default_rng(2)
    reps, held, estimates = 40, 0, []
    for n in range(reps):
        w = world(seed=n % 8 + 1, raters=120)
        votes = w.known
        odds = odds_of(w, Law(**{trait: size}), rng)
        p = pd.Series(
            rng.random(len(odds)) < expit(odds), index=pd.MultiIndex.from_arrays(w.asked.T)
        )
        p = p[~p.index.duplicated()].astype(float)
        place = dict(zip(w.items["item_id"], range(60), strict=True))
        pairs = [votes.pairs.get_level_values(side).map(place) for side in (1, 2)]
        answer = p.reindex(pd.MultiIndex.from_arrays(pairs)).to_numpy()
        if trait == "length":
            m = length(votes, answer, w.longer, judge=GPT)["length"]
        else:
            m = own(votes, answer, w.items, judge=GPT, column="author", values=["it"])["own"]
        held += m.low <= np.exp(size) <= m.high
        estimates.append(np.log(m.estimate))
    assert enough(held, reps)
    assert np.median(estimates) == pytest.approx(size, abs=0.2)


def test_a_judge_that_always_takes_the_longer_is_found_without_odds():
    w = world()
    rng = np.random.default_rng(3)
    tables = judge_tables(w, Law(sharp=0, taste=0, length=1, certain=True), rng)
    measures = accusations(w, tables)
    m = next(m for m in measures if m.what == "length")
    assert found(measures) == {"length"}
    assert np.isnan(m.estimate)
    assert "odds are infinite" in m.note
    assert m.endless == 1
    assert next(m for m in measures if m.what == "longer").estimate > 0.98


@pytest.mark.parametrize("one", ["A", "B"])
def test_a_fixed_letter_is_found(one):
    w = world()
    tables = judge_tables(w, Law(letter=one), np.random.default_rng(4))
    measures = accusations(w, tables)
    assert {"first", "letter"} <= found(measures)
    by = {m.what: m for m in measures}
    assert by["letter"].estimate == by["first"].estimate == (one == "A")
    assert by["consistency"].estimate == 0
    assert by["letter"].note == f"Every single answer is {one}."


def test_noise_of_known_size_is_within_its_interval():
    w = world(probed=150)
    rng = np.random.default_rng(5)
    reps, held = 30, 0
    for _ in range(reps):
        tables = judge_tables(w, Law(certain=True, flip=0.1), rng)
        habit = repeatability(tables.probes, judge=GPT)
        m = habit["noise"]
        held += m.low <= 0.1 <= m.high
        assert habit["repeat"].estimate == pytest.approx(
            1 - 2 * m.estimate * (1 - m.estimate), abs=1e-9
        )
    assert enough(held, reps)


def test_a_rewrite_that_lowers_a_score_is_found_and_no_other():
    w = world(rated=40)
    rng = np.random.default_rng(6)
    law = Law(shift={("leetspeak", "warmth"): -1.0})
    reps, held, named = 30, 0, []
    for _ in range(reps):
        measures = judged(shift(judge_tables(w, law, rng).probes, judge=GPT).measures)
        by = {m.what: m for m in measures}
        m = by["leetspeak warmth"]
        # ratings end at 1 and 7, so the scale gives a little less than was put in
        held += m.low <= -0.97 <= m.high
        named += [m.what for m in measures if m.reading == FOUND]
    assert enough(held, reps)
    assert named.count("leetspeak warmth") >= 0.9 * reps
    assert len(named) - named.count("leetspeak warmth") <= binom.ppf(0.999, reps, 0.05)


def test_scales_asked_apart_are_no_lack_of_items():
    w = world(seed=1, rated=60)
    of_people = w.people["dimension"].to_numpy() == DIMENSIONS[0]
    apart = w.people.assign(
        rater_id=np.where(of_people, w.people["rater_id"], w.people["rater_id"] + " of the others")
    )
    apart = apart[apart["dimension"].isin(DIMENSIONS[:2])]
    mine = judge_tables(w, Law(), np.random.default_rng(3)).ratings
    together = halo(mine, w.people, judge=GPT)["halo"]
    assert not np.isnan(together.estimate)
    found = halo(mine, apart, judge=GPT)["halo"]
    assert np.isnan(found.estimate)
    assert found.note.startswith("Nobody rated an item on two dimensions")
    few = w.people[w.people["item_id"].isin(w.people["item_id"].unique()[:5])]
    assert halo(mine, few, judge=GPT)["halo"].note.startswith("Fewer than 10 items")


def test_halo_beyond_peoples_is_found_and_a_narrow_scale_is_none():
    rng = np.random.default_rng(7)
    strong, narrow = [], []
    for n in range(30):
        w = world(seed=n % 5 + 1, rated=60)
        for law, into in ((Law(halo=0.9), strong), (Law(scale=0.4), narrow)):
            ratings = judge_tables(w, law, rng).ratings
            into.append(halo(ratings, w.people, judge=GPT)["halo"])
    assert np.mean([m.p_value < 0.05 and m.low > 0 for m in strong]) > 0.8
    assert sum(m.low > 0 for m in narrow) <= binom.ppf(0.999, 30, 0.025)
