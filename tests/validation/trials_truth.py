"""People's choices beside a judge's, where the truth over all raters and all items is known.

Raters choose between two items of a scenario. An item has a value to people, a length that people
like a little, two features, and an error of the judge about it, which comes back in every trial
that holds the item. Raters lean towards the features, each to their own degree. Raters and items
are both drawn at random. So the truth of a number is its value over infinitely many trials of which
no two share a rater or an item: `truth` finds it from very many of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.regression.judge_gap import trials_with_gap

JUDGE = "judge"
# Bins of the gap in points, as in the demo's plan.
BINS = ((1.0, 3.0), (4.0, 6.0), (7.0, 9.0), (10.0, 12.0), (13.0, 24.0))
# The judge's scores are whole points from -12 to 12, as the sum of six ratings from 1 to 5 is.
POINTS, MOST = 4.0, 12.0
# How people's liking of an item depends on its length, as a correlation.
LIKED = 0.3
ENDLESS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Law:
    """How people and the judge choose, in log-odds.

    Attributes
    ----------
    rho : float
        Correlation of what the judge sees in an item with the item's value to people. The rest is
        the judge's error about the item. With 0 the judge knows nothing.
    liking : float
        What one standard deviation of an item's value adds to people's log-odds.
    taste : float
        Standard deviation of raters' leanings to each of the two features, in log-odds.
    sharp : float
        How closely the judge's answers follow what it sees, in log-odds for one unit.
    first : float
        What being first adds to the judge's log-odds.
    """

    rho: float = 0.65
    liking: float = 1.2
    taste: float = 0.8
    sharp: float = 3.0
    first: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Design:
    """How many raters, trials of each rater in each scenario, scenarios, and items of each."""

    raters: int = 150
    trials: int = 2
    scenarios: int = 5
    items: int = 30

    def __str__(self) -> str:
        trials = self.trials * self.scenarios
        return f"{self.raters} raters x {trials}, {self.scenarios} scenarios of {self.items} items"


@dataclass(frozen=True)
class Items:
    """What is true of items: arrays of one shape, features with one axis more."""

    value: FloatArray
    doublings: FloatArray
    features: FloatArray
    seen: FloatArray

    @classmethod
    def drawn(cls, rng: np.random.Generator, law: Law, *shape: int) -> Items:
        """Return items of the population."""
        doublings = rng.normal(size=shape)
        value = LIKED * doublings + np.sqrt(1 - LIKED**2) * rng.normal(size=shape)
        features = rng.normal(size=(*shape, 2)) / np.sqrt(2)
        seen = law.rho * value + np.sqrt(1 - law.rho**2) * rng.normal(size=shape)
        return cls(value, doublings, features, seen)

    @property
    def score(self) -> FloatArray:
        """The judge's score in whole points."""
        return np.clip(np.round(POINTS * self.seen), -MOST, MOST)

    def __getitem__(self, which: IntArray) -> Items:
        """Return the items with these numbers."""
        return Items(
            self.value[which], self.doublings[which], self.features[which], self.seen[which]
        )


def _people(law: Law, left: Items, right: Items, leaning: FloatArray) -> FloatArray:
    """Return the chance that raters choose left; each leaning is a standard normal number."""
    lean = law.taste * ((left.features - right.features) * leaning).sum(axis=-1)
    return np.asarray(expit(law.liking * (left.value - right.value) + lean))


def _judge(law: Law, left: Items, right: Items) -> FloatArray:
    """Return the chance that the judge chooses left, if left comes first."""
    return np.asarray(expit(law.first + law.sharp * (left.seen - right.seen)))


@dataclass(frozen=True)
class Study:
    """One study: its items, its trials as item numbers, and the answers of people and judge.

    Attributes
    ----------
    names, words : array
        Ids and lengths of the items, scenario after scenario.
    asked : array
        The judge's questions, each once: left and right item. The first `straight` of these are
        people's trials, and the others the same with sides exchanged.
    answered : array of bool
        Where the judge chose left.
    """

    items: Items
    names: np.ndarray
    scenario: np.ndarray
    rater: IntArray
    left: IntArray
    right: IntArray
    chose_left: BoolArray
    asked: IntArray
    answered: BoolArray
    straight: int

    @cached_property
    def people(self) -> pd.DataFrame:
        """Tidy judgments of people."""
        return self._pairs(self.left, self.right, self.chose_left).assign(
            rater_id=np.array([f"p{n:03d}" for n in range(self.rater.max() + 1)], dtype=object)[
                self.rater
            ],
            rater_kind="human",
        )

    @cached_property
    def judge(self) -> pd.DataFrame:
        """Tidy judgments of the judge on people's trials, each question once."""
        asked, n = self.asked, self.straight
        return self._pairs(asked[:n, 0], asked[:n, 1], self.answered[:n]).assign(
            rater_id=JUDGE, rater_kind="llm"
        )

    @cached_property
    def questions(self) -> pd.DataFrame:
        """The judge's questions both ways round, as `analysis.habits.answers.questions` gives."""
        left, right = self.asked.T
        turned = np.arange(len(left)) >= self.straight
        rows = self._pairs(left, right, self.answered).drop(columns="choice")
        return rows.assign(left=self.answered, turned=turned)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The judge's score of each item."""
        return pd.DataFrame({"item_id": self.names, "overall": self.items.score})

    @cached_property
    def trials(self) -> pd.DataFrame:
        """People's trials with the judge's gap, as the registered analyses make them."""
        return trials_with_gap(self.people, self.scores, preference=None).frame

    def _pairs(self, left: IntArray, right: IntArray, chose_left: BoolArray) -> pd.DataFrame:
        columns = {
            "scenario": self.scenario[left],
            "left_id": self.names[left],
            "right_id": self.names[right],
            "choice": np.where(chose_left, "left", "right").astype(object),
        }
        return pd.DataFrame(columns)


def study(rng: np.random.Generator, law: Law = Law(), design: Design = Design()) -> Study:
    """Return a study of random raters and random items, each item shown about equally often."""
    n_items = design.scenarios * design.items
    items = Items.drawn(rng, law, n_items)
    leaning = rng.normal(size=(design.raters, 2))
    each = design.raters * design.trials
    shown = np.concatenate(
        [s * design.items + _dealt(rng, each, design.items) for s in range(design.scenarios)]
    )
    rater = np.tile(np.repeat(np.arange(design.raters), design.trials), design.scenarios)
    left, right = shown.T
    people = _people(law, items[left], items[right], leaning[rater])
    straight = np.unique(left * n_items + right)
    other = np.setdiff1d(straight % n_items * n_items + straight // n_items, straight)
    asked = np.column_stack(np.divmod(np.concatenate([straight, other]), n_items))
    judge = _judge(law, items[asked[:, 0]], items[asked[:, 1]])
    where = np.repeat(np.arange(design.scenarios), design.items)
    return Study(
        items=items,
        names=np.array([f"s{s}i{n % design.items:02d}" for n, s in enumerate(where)], dtype=object),
        scenario=np.array([f"s{s}" for s in where], dtype=object),
        rater=rater,
        left=left,
        right=right,
        chose_left=rng.random(len(left)) < people,
        asked=asked,
        answered=rng.random(len(asked)) < judge,
        straight=len(straight),
    )


def _dealt(rng: np.random.Generator, n: int, items: int) -> IntArray:
    """Return n pairs in which every item is shown equally often, as in a study."""
    assert items % 2 == 0, "a round must end with a whole pair"
    order = np.concatenate([rng.permutation(items) for _ in range(-(-2 * n // items))])
    return order[: 2 * n].reshape(-1, 2)


@dataclass(frozen=True)
class Truth:
    """The values over all raters and all items.

    Attributes
    ----------
    agreement, kappa : float
        Of people's choices with the judge's.
    slope : float
        Of the gap in the logit of choosing the higher-scored side.
    by_gap : array
        How often people choose the higher-scored side, by bin.
    consistency, first : float
        How often the judge chooses the same item with sides exchanged, and how often the first of
        the two, over both ways round.
    longer, longer_by_people : float
        How often judge and people choose the longer item.
    """

    agreement: float
    kappa: float
    slope: float
    by_gap: FloatArray
    consistency: float
    first: float
    longer: float
    longer_by_people: float


@cache
def truth(law: Law = Law()) -> Truth:
    """Return the truth from very many trials, none of which shares a rater or an item with another.

    Chances are averaged instead of choices, so the error is a hundredth of a study's. A rater's
    trials and an item's trials depend on each other in a study, but the mean over studies is the
    same.
    """
    rng = np.random.default_rng(20)
    left, right = (Items.drawn(rng, law, ENDLESS) for _ in range(2))
    people = _people(law, left, right, rng.normal(size=(ENDLESS, 2)))
    judge, turned = _judge(law, left, right), 1 - _judge(law, right, left)
    ahead = left.score - right.score
    gap, some = np.abs(ahead), ahead != 0
    higher = np.where(ahead > 0, people, 1 - people)
    agreement = float((people * judge + (1 - people) * (1 - judge)).mean())
    p, q = float(people.mean()), float(judge.mean())
    chance = p * q + (1 - p) * (1 - q)
    long = left.doublings > right.doublings
    both = (judge + turned) / 2
    return Truth(
        agreement=agreement,
        kappa=(agreement - chance) / (1 - chance),
        slope=_slope(gap[some], higher[some]),
        by_gap=np.array([higher[(low <= gap) & (gap <= high)].mean() for low, high in BINS]),
        consistency=float((judge * turned + (1 - judge) * (1 - turned)).mean()),
        first=float((judge + 1 - turned).mean() / 2),
        longer=float(np.where(long, both, 1 - both).mean()),
        longer_by_people=float(np.where(long, people, 1 - people).mean()),
    )


def _slope(gap: FloatArray, chance: FloatArray) -> float:
    """Return the slope of the logit of these chances on the gap, which is a whole number."""
    of = gap.astype(int)
    n = np.bincount(of).astype(float)
    mean = np.bincount(of, chance) / np.maximum(n, 1)
    terms = np.column_stack([np.ones(len(n)), np.arange(len(n))])
    beta = np.zeros(2)
    for _ in range(30):
        fitted = expit(terms @ beta)
        curve = terms.T @ (terms * (n * fitted * (1 - fitted))[:, None])
        beta += np.linalg.solve(curve, terms.T @ (n * (mean - fitted)))
    return float(beta[1])
