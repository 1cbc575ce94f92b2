"""If this failed, a judge would be asked the wrong pairs, or too many, or believed too early."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import spearmanr

from analysis.ranking.bradley_terry import bradley_terry
from prereg.plan.pairs import PairSampling
from study.judges.adaptive.asking import Scheme, ask_pairs, scheme_of
from study.judges.adaptive.information import InformativePairs
from study.judges.adaptive.posterior import Replies, _log_evidence, fit, prior, with_likelier_spread

SCHEMES = ["elo_neighbours", "random", "information"]
Row = tuple[int, int, bool]


def plan(scheme: str, total: int, **settings: float) -> PairSampling:
    return PairSampling(scheme=scheme, per_scenario=total, **settings)


def scheme_for(name: str, count: int, total: int, *, seed: int = 1, **settings: float) -> Scheme:
    return scheme_of(count, plan(name, total, **settings), rng=np.random.default_rng(seed))


class Judge:
    """Chooses by a logit of the difference in strength."""

    def __init__(self, strength: np.ndarray, *, seed: int, side: float = 0.0) -> None:
        self.strength, self.side = strength, side
        self.rng = np.random.default_rng(seed)

    def __call__(self, left: int, right: int) -> bool:
        ahead = self.strength[left] - self.strength[right] + self.side
        return bool(self.rng.random() < 1 / (1 + np.exp(-ahead)))


def strengths(count: int, spread: float = 1.5, seed: int = 0) -> np.ndarray:
    strength = np.random.default_rng([seed, count]).normal(size=count)
    return spread * (strength - strength.mean()) / strength.std()


def collect(
    scheme: Scheme, judge: Callable[[int, int], bool], *, in_flight: int = 1, seed: int = 0
) -> list[Row]:
    """Ask until nothing is left, with replies in any order."""
    rng = np.random.default_rng(seed)
    out: list[tuple[int, int]] = []
    rows: list[Row] = []
    while out or not scheme.finished:
        pair = scheme.next()
        if pair is not None:
            assert pair[0] != pair[1]
            out.append(pair)
        assert pair is not None or out or scheme.finished  # nobody waits for nothing
        if out and (pair is None or len(out) >= in_flight):
            left, right = out.pop(int(rng.integers(len(out))))
            won = judge(left, right)
            scheme.record(left, right, won)
            rows.append((left, right, won))
    assert scheme.next() is None
    return rows


def table(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["left", "right", "won"])
    frame["left_id"] = frame["left"].map("{:04d}".format)
    frame["right_id"] = frame["right"].map("{:04d}".format)
    frame["choice"] = np.where(frame["won"], "left", "right")
    return frame


def fidelity(rows: list[Row], strength: np.ndarray) -> float:
    frame = bradley_terry(table(rows), cluster=None).frame
    return float(spearmanr(frame["score"], strength[frame["item_id"].astype(int)]).statistic)


# --- The published scheme and random pairs, as they were before they could wait for replies.


def published(
    count: int, sampling: PairSampling, ask: Callable[[int, int], bool], rng: np.random.Generator
) -> None:
    if sampling.scheme == "random":
        for _ in range(sampling.per_scenario):
            left, right = rng.choice(count, size=2, replace=False)
            ask(int(left), int(right))
        return
    rating = np.full(count, float(sampling.start))
    met = np.zeros(count)
    total = sampling.per_scenario
    jitter = rng.random((total, count), dtype=np.float32)
    steps = rng.choice([-3, -2, -1, 1, 2, 3], size=total).tolist()
    sides = (rng.random(total) < 0.5).tolist()
    for ties, step, side in zip(jitter, steps, sides, strict=True):
        first = int(np.argmin(met + ties))
        order = np.argsort(rating, kind="stable")
        here, last = int(np.flatnonzero(order == first)[0]), count - 1
        there = here + step if 0 <= here + step <= last else here - step
        there = min(max(there, 0), last)
        if there == here:
            there = here + 1 if here < last else here - 1
        second = int(order[there])
        left, right = (first, second) if side else (second, first)
        won = ask(left, right)
        expected = 1.0 / (1.0 + 10.0 ** ((rating[right] - rating[left]) / 400.0))
        change = sampling.k * ((1.0 if won else 0.0) - expected)
        rating[left] += change
        rating[right] -= change
        met[[first, second]] += 1


@pytest.mark.parametrize("scheme", ["elo_neighbours", "random"])
@pytest.mark.parametrize(
    ("count", "total", "start", "k"),
    [(150, 1500, 1000.0, 32.0), (41, 257, 1500.0, 16.0), (3, 64, 1000.0, 32.0), (2, 9, 0.0, 1.0)],
)
@pytest.mark.parametrize("shared", [True, False])
def test_the_same_pairs_as_ever(
    scheme: str, count: int, total: int, start: float, k: float, shared: bool
) -> None:
    """Also where the judge draws from the scheme's own generator, as a baseline does at a tie."""
    sampling = plan(scheme, total, start=start, k=k)
    seen = []
    for ask_all in (published, lambda c, s, a, r: ask_pairs(c, s, a, rng=r)):
        rng = np.random.default_rng(total)
        judge = Judge(strengths(count), seed=5)
        judge.rng = rng if shared else judge.rng
        rows: list[Row] = []

        def ask(left: int, right: int, judge: Judge = judge, rows: list[Row] = rows) -> bool:
            rows.append((left, right, judge(left, right)))
            return rows[-1][2]

        ask_all(count, sampling, ask, rng)
        seen.append((rows, rng.random()))
    assert seen[0] == seen[1]


# --- What every scheme keeps.


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("in_flight", [1, 7, 64, 500])
def test_asks_as_many_as_planned_with_any_number_of_calls_under_way(
    name: str, in_flight: int
) -> None:
    rows = collect(scheme_for(name, 24, 300), Judge(strengths(24), seed=2), in_flight=in_flight)
    assert len(rows) == 300
    assert {item for left, right, _ in rows for item in (left, right)} == set(range(24))


@pytest.mark.parametrize("name", SCHEMES)
def test_no_replies_at_all_starve_nobody(name: str) -> None:
    scheme = scheme_for(name, 12, 200)
    pairs = [scheme.next() for _ in range(200)]
    assert None not in pairs
    assert scheme.finished
    for pair in pairs:
        assert pair is not None
        scheme.abandon(*pair)
    assert scheme.finished
    assert scheme.next() is None


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_compare_is_finished_at_once(name: str, count: int) -> None:
    scheme = scheme_for(name, count, 10)
    assert scheme.finished
    assert scheme.next() is None


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("in_flight", [1, 4])
def test_two_items_meet_each_other_on_both_sides(name: str, in_flight: int) -> None:
    rows = collect(scheme_for(name, 2, 40), Judge(strengths(2), seed=3), in_flight=in_flight)
    assert Counter((left, right) for left, right, _ in rows).keys() == {(0, 1), (1, 0)}
    assert len(rows) == 40


@pytest.mark.parametrize("name", SCHEMES)
def test_an_abandoned_pair_counts_as_asked(name: str) -> None:
    scheme = scheme_for(name, 10, 100)
    asked = 0
    while (pair := scheme.next()) is not None:
        asked += 1
        if asked % 5:
            scheme.record(*pair, pair[0] < pair[1])
        else:
            scheme.abandon(*pair)
    assert asked == 100
    assert scheme.finished


@pytest.mark.parametrize("name", SCHEMES)
def test_a_reply_nobody_asked_for_is_refused(name: str) -> None:
    scheme = scheme_for(name, 10, 100)
    pair = scheme.next()
    assert pair is not None
    left, right = pair
    with pytest.raises(ValueError, match="not out"):
        scheme.record(right, left, True)
    scheme.record(left, right, True)
    with pytest.raises(ValueError, match="not out"):
        scheme.abandon(left, right)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 137])
def test_a_run_taken_up_again_goes_on_where_it_was(name: str, cut: int) -> None:
    """Pairs in the order they were handed out, replies in the order they came; some still out."""
    count, total, in_flight = 20, 200, 6
    judge = Judge(strengths(count), seed=4)
    first = scheme_for(name, count, total)
    handed, replies, out = [], [], deque[tuple[int, int]]()
    for _ in range(cut):
        pair = first.next()
        assert pair is not None
        handed.append(pair)
        out.append(pair)
        if len(out) > in_flight:
            left, right = out[2]  # neither first in, first out, nor the other way round
            del out[2]
            replies.append((left, right, judge(left, right)))
            first.record(*replies[-1])
    second = scheme_for(name, count, total)
    for pair in handed:
        second.given(*pair)
    for reply in replies:
        second.record(*reply)

    futures = []
    for scheme in (first, second):
        rows = []
        still_out = deque(out)
        while still_out or not scheme.finished:
            pair = scheme.next()
            if pair is not None:
                still_out.append(pair)
            left, right = still_out.popleft()
            rows.append((left, right, left < right))
            scheme.record(*rows[-1])
        futures.append(rows)
        assert len(replies) + len(rows) == total
    if name != "information":
        assert futures[0] == futures[1]


def test_an_abandoned_neighbour_is_compared_again() -> None:
    scheme = scheme_for("elo_neighbours", 6, 60)
    met: Counter[int] = Counter()
    for number in range(60):
        pair = scheme.next()
        assert pair is not None
        if number < 20 and 0 in pair:
            scheme.abandon(*pair)
        else:
            scheme.record(*pair, True)
            met.update(pair)
    assert max(met.values()) - min(met.values()) <= 3


# --- Informative pairs.


def test_every_item_stands_on_both_sides_alike_and_meets_many() -> None:
    count = 40
    rows = collect(
        scheme_for("information", count, 600),
        Judge(strengths(count), seed=6, side=1.0),
        in_flight=16,
    )
    left = np.bincount([row[0] for row in rows], minlength=count)
    right = np.bincount([row[1] for row in rows], minlength=count)
    assert np.abs(left - right).max() <= 3
    assert (left + right).min() >= 10
    pairs = Counter(frozenset(row[:2]) for row in rows)
    assert len(pairs) > 250
    assert max(pairs.values()) <= 12


@pytest.mark.parametrize("side", [0.0, 1.0])
def test_informative_pairs_know_more_than_random_ones_after_as_many(side: float) -> None:
    count, total = 50, 500
    found: dict[str, list[float]] = {"random": [], "information": []}
    for seed in range(4):
        strength = strengths(count, spread=2.0, seed=seed)
        for name, values in found.items():
            judge = Judge(strength, seed=seed, side=side)
            rows = collect(scheme_for(name, count, total, seed=seed), judge, in_flight=8)
            values.append(fidelity(rows, strength))
    assert np.mean(found["information"]) > np.mean(found["random"]) + 0.008


@pytest.mark.parametrize("spread", [0.8, 2.0])
def test_it_stops_where_the_scores_are_as_reliable_as_it_says(spread: float) -> None:
    """Within .05 on average: decision 010 says how far it was off, in which direction, and when."""
    count, target = 50, 0.85
    true, said = [], []
    for seed in range(6):
        strength = strengths(count, spread=spread, seed=seed)
        scheme = InformativePairs(count, 10_000, target, rng=np.random.default_rng(seed))
        assert len(collect(scheme, Judge(strength, seed=seed), in_flight=16)) < 10_000
        said.append(scheme.reliability)
        true.append(np.corrcoef(scheme.scores, strength)[0, 1] ** 2)
    assert target <= min(said) <= max(said) < target + 0.05
    assert np.mean(true) == pytest.approx(np.mean(said), abs=0.05)


def test_it_waits_for_replies_that_should_be_enough_and_goes_on_if_they_are_not() -> None:
    count = 12
    judge = Judge(strengths(count, spread=3.0), seed=1)
    scheme = scheme_for("information", count, 10_000, reliability=0.9)
    out: deque[tuple[int, int]] = deque()
    waited = False
    while not scheme.finished:
        pair = scheme.next()
        if pair is None:
            waited = True
            assert out
            while out:
                scheme.abandon(*out.popleft())  # what was counted on never comes
            assert not scheme.finished
            break
        out.append(pair)
        if len(out) > 24:
            left, right = out.popleft()
            scheme.record(left, right, judge(left, right))
    assert waited
    assert scheme.next() is not None


@pytest.mark.parametrize("name", ["always right", "always left", "always wrong side"])
def test_judges_without_any_noise_do_no_harm(name: str) -> None:
    choose = {
        "always right": lambda left, right: left < right,
        "always left": lambda left, right: True,
        "always wrong side": lambda left, right: False,
    }[name]
    scheme = InformativePairs(30, 900, None, rng=np.random.default_rng(1))
    assert len(collect(scheme, choose, in_flight=8)) == 900
    assert np.isfinite(scheme.scores).all()
    if name == "always right":
        assert spearmanr(scheme.scores, -np.arange(30)).statistic > 0.99
    else:
        assert scheme.reliability < 0.5


# --- What the replies say.


def replies(count: int, rows: list[Row], out: int = 0) -> Replies:
    left, right, won = (np.array(column) for column in zip(*rows, strict=True))
    answered = np.arange(len(rows)) < len(rows) - out
    return Replies(count, left, right, won, answered)


def judged(count: int, total: int, seed: int, side: float = 0.5) -> list[Row]:
    rng = np.random.default_rng(seed)
    judge = Judge(strengths(count, seed=seed), seed=seed, side=side)
    pairs = [rng.choice(count, size=2, replace=False).tolist() for _ in range(total)]
    return [(left, right, judge(left, right)) for left, right in pairs]


def test_scores_and_side_are_the_mode_and_the_covariance_its_curvature() -> None:
    count = 7
    data = replies(count, judged(count, 60, seed=8))

    def badness(x: np.ndarray) -> float:
        ahead = x[data.left] - x[data.right] + x[-1]
        signed = np.where(data.left_won, ahead, -ahead)
        return float(np.logaddexp(0, -signed).sum() + x[:-1] @ x[:-1] / 4 + x[-1] ** 2 / 2)

    found = fit(data, prior(count), tolerance=1e-9)
    best = minimize(badness, np.zeros(count + 1), method="BFGS", options={"gtol": 1e-7}).x
    assert np.append(found.score, found.side) == pytest.approx(best, abs=1e-5)

    def slope(x: np.ndarray) -> np.ndarray:
        chance = 1 / (1 + np.exp(-(x[data.left] - x[data.right] + found.side)))
        gone = data.left_won - chance
        won = np.bincount(data.left, gone, count) - np.bincount(data.right, gone, count)
        return x / 2 - won

    each = 1e-5 * np.eye(count)
    curvature = [(slope(found.score + e) - slope(found.score - e)) / 2e-5 for e in each]
    assert found.covariance @ np.array(curvature) == pytest.approx(np.eye(count), abs=1e-6)
    assert found.log_volume == pytest.approx(np.linalg.slogdet(found.covariance)[1] / 2)


def test_a_pair_that_is_out_tells_how_much_is_known_and_not_who_is_better() -> None:
    rows = judged(6, 40, seed=2)
    without = fit(replies(6, rows[:30]), prior(6), tolerance=1e-9)
    with_them = fit(replies(6, rows, out=10), prior(6), tolerance=1e-9)
    assert with_them.score == pytest.approx(without.score, abs=1e-6)
    assert (with_them.covariance.diagonal() < without.covariance.diagonal()).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 9))
def test_names_and_sides_of_items_mean_nothing(seed: int, count: int) -> None:
    rows = judged(count, 5 * count, seed)
    order = np.random.default_rng(seed).permutation(count)
    found = fit(replies(count, rows), prior(count), tolerance=1e-9)
    renamed = [(int(order[left]), int(order[right]), won) for left, right, won in rows]
    other = fit(replies(count, renamed), prior(count), tolerance=1e-9)
    assert other.score[order] == pytest.approx(found.score, abs=1e-6)
    assert other.reliability == pytest.approx(found.reliability, abs=1e-6)
    mirrored = [(right, left, not won) for left, right, won in rows]
    mirror = fit(replies(count, mirrored), prior(count), tolerance=1e-9)
    assert mirror.score == pytest.approx(found.score, abs=1e-6)
    assert mirror.side == pytest.approx(-found.side, abs=1e-6)


def test_one_reply_says_nothing_about_the_spread_of_scores() -> None:
    """Whatever the spread, its chance was one half; Laplace alone would prefer no spread at all."""
    data = replies(2, [(0, 1, True)])
    evidence = []
    for spread in (0.25, 1.0, 2.0, 8.0):
        start = prior(2)
        start = type(start)(start.score, 0.0, start.covariance, start.log_volume, spread)
        # the side's advantage is no part of the evidence: with it the chance is not one half
        found = fit(data, start, tolerance=1e-9)
        found = type(found)(found.score, 0.0, found.covariance, found.log_volume, spread)
        held = np.log(spread / 2) ** 2 / 2
        evidence.append(_log_evidence(data, found) + held)
    assert np.ptp(evidence) < 0.1


@pytest.mark.parametrize("spread", [1.0, 2.5])
def test_the_spread_of_scores_is_found(spread: float) -> None:
    """In the replies of adaptively chosen pairs, where Bradley-Terry's own errors are too small."""
    found = []
    for seed in range(3):
        count = 60
        judge = Judge(strengths(count, spread=spread, seed=seed), seed=seed)
        rows = collect(scheme_for("information", count, 700, seed=seed), judge, in_flight=4)
        found.append(with_likelier_spread(replies(count, rows), prior(count)).spread)
    assert np.mean(np.sqrt(found)) == pytest.approx(spread, rel=0.2)
