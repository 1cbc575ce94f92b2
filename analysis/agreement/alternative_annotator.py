"""The alternative-annotator test of whether a judge could take the place of a person who rates.

Each person is left out in turn. On the items that this person rated, the test asks who is closer
to the remaining people: this person or the judge. The person has a handicap epsilon, because
people cost more than a judge. A judge that beats at least half of the people passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.agreement.coefficients import DECIMALS
from analysis.agreement.crowd_alpha import alpha_of
from analysis.agreement.panel import Panel, Stack, require_others
from analysis.arrays import FloatArray
from analysis.inference.resampling import jackknife_interval
from analysis.tables.columns import one_of, proportion
from prereg.errors import RatifyError

Metric = Literal["rmse", "absolute", "accuracy"]
METRICS: dict[Metric, str] = {
    "rmse": "root mean squared distance from the other people",
    "absolute": "mean distance from the other people",
    "accuracy": "share of the other people who gave the same rating",
}
# The values that the source recommends for each kind of people.
EPSILON = {"experts": 0.2, "skilled": 0.15, "crowd": 0.1}
PASSES = 0.5
# If the people's alpha is below this, passing means little.
LOW_ALPHA = 0.5
# The fewest items that the source advises for the t-test.
ADVISED_ITEMS = 30


@dataclass(frozen=True, kw_only=True)
class LeftOutHuman:
    """A judge and one person, each compared with the remaining people.

    Attributes
    ----------
    judge, dimension, human : str
    n : int
        Items that the person, the judge and enough others rated.
    judge_wins, human_wins : float
        Share of the items where the judge (the person) is at least as close, ties for both.
    p_value : float
        One-sided, for the hypothesis judge_wins <= human_wins - epsilon. NaN where the person
        rated too few items to be tested.
    p_adjusted, p_adjusted_all : float
        Benjamini-Yekutieli, over the people of the dimension, and over people and dimensions.
    note : str
    """

    judge: str
    dimension: str
    human: str
    n: int
    judge_wins: float
    human_wins: float
    p_value: float
    p_adjusted: float
    p_adjusted_all: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a judge did on one dimension.

    Attributes
    ----------
    judge, dimension : str
    humans, n : int
        People tested, and items used.
    winning_rate, winning_rate_all : float
        Share of these people that the judge beats, by `p_adjusted` and by `p_adjusted_all`.
    passes, passes_all : bool or None
        Whether that share is at least one half; None where nobody could be tested.
    advantage, advantage_low, advantage_high : float
        Probability that the judge is at least as close to the others as a person is, mean over
        people; jackknife interval over items.
    human_alpha : float
        Krippendorff's alpha of the people: ordinal, or nominal for labels.
    note : str
        Says if a pass means little.
    """

    judge: str
    dimension: str
    humans: int = 0
    n: int = 0
    winning_rate: float = np.nan
    winning_rate_all: float = np.nan
    passes: bool | None = None
    passes_all: bool | None = None
    advantage: float = np.nan
    advantage_low: float = np.nan
    advantage_high: float = np.nan
    human_alpha: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class AlternativeAnnotator:
    """The test of every judge on every dimension.

    Attributes
    ----------
    verdicts : tuple of Verdict
    humans : tuple of LeftOutHuman
    epsilon, false_discovery, level : float
    metric : {'rmse', 'absolute', 'accuracy'}
    """

    verdicts: tuple[Verdict, ...]
    humans: tuple[LeftOutHuman, ...] = field(repr=False)
    epsilon: float
    false_discovery: float
    level: float
    metric: Metric

    def to_frame(self) -> pd.DataFrame:
        """Return one row per judge and dimension."""
        return pd.DataFrame(
            [asdict(one) for one in self.verdicts], columns=list(Verdict.__annotations__)
        )

    def humans_frame(self) -> pd.DataFrame:
        """Return one row per judge, dimension and person left out."""
        return pd.DataFrame(
            [asdict(one) for one in self.humans], columns=list(LeftOutHuman.__annotations__)
        )


def alternative_annotator(
    table: Panel,
    *,
    epsilon: float,
    metric: Metric = "rmse",
    fewest_others: int = 1,
    fewest_items: int = 10,
    false_discovery: float = 0.05,
    level: float = 0.95,
    alphas: Mapping[str, float] | None = None,
) -> AlternativeAnnotator:
    """Test whether each judge could take a person's place.

    Parameters
    ----------
    table : Panel
        Items need not be rated by everybody.
    epsilon : float
        Handicap of the people, 0 <= epsilon < 1: .2 for experts, .15 for skilled annotators, .1 for
        a crowd.
    metric : {'rmse', 'absolute', 'accuracy'}
        How close a rating is to the remaining people's, item by item: minus the root mean squared
        distance, minus the mean distance, or the share that gave the same rating.
    fewest_others : int
        An item counts if the person left out, the judge and at least this many others rated it.
    fewest_items : int
        A person with fewer such items is not tested and does not enter the results.
    false_discovery : float
        False discovery rate of the correction over people, and error of each test.
    level : float
        Coverage of the intervals of the advantage.
    alphas : mapping of str to float, optional
        People's alpha on each dimension; by default ordinal, which labels without order lack.

    Returns
    -------
    AlternativeAnnotator

    Raises
    ------
    RatifyError
        If there is only one person, or a setting is out of range.

    Notes
    -----
    Calderon, Reichart and Dror (2025), "The Alternative Annotator Test for LLM-as-a-Judge". A
    one-sided t-test compares the difference of the two win indicators with epsilon. If it never
    varies, t is not defined, and p is (1 - epsilon)^n: the chance that a person who should win
    epsilon more of the items never wins one. docs/validation.md gives the size of the test, with a
    judge exactly on the border. If people agree little (alpha under .5), a pass is flagged.
    """
    if not 0 <= epsilon < 1:
        raise RatifyError("epsilon is out of range", value=epsilon, allowed="0 <= epsilon < 1")
    one_of("metric", metric, list(METRICS))
    proportion("false_discovery", false_discovery)
    proportion("level", level)
    for name, value, least in (
        ("fewest_others", fewest_others, 1),
        ("fewest_items", fewest_items, 2),
    ):
        if value < least:
            raise RatifyError(f"{name} is out of range", value=value, allowed=f"{least} or more")
    require_others(table)
    verdicts: list[Verdict] = []
    humans: list[LeftOutHuman] = []
    alphas = alphas or {name: alpha_of(table.people[name]) for name in table.dimensions}
    for judge in table.judges:
        wins = {
            name: _wins(table, judge, name, metric, fewest_others + 1) for name in table.dimensions
        }
        tested = _tested(table, judge, wins, epsilon, fewest_items)
        humans += tested
        verdicts += [
            _verdict(
                judge,
                name,
                [one for one in tested if one.dimension == name],
                wins[name],
                alphas[name],
                false_discovery=false_discovery,
                level=level,
            )
            for name in wins
        ]
    return AlternativeAnnotator(
        verdicts=tuple(verdicts),
        humans=tuple(humans),
        epsilon=epsilon,
        false_discovery=false_discovery,
        level=level,
        metric=metric,
    )


def _wins(
    table: Panel, judge: str, dimension: str, metric: Metric, least: int
) -> tuple[FloatArray, FloatArray]:
    """Return where the judge, and where each person, is at least as close, shape (items, humans).

    Values are 1 or 0, and NaN where the item does not count for that person.
    """
    size = len(table.items), len(table.humans)
    of_judge, of_human = np.full(size, np.nan), np.full(size, np.nan)
    rated = table.judge(judge, dimension)
    for stack in table.stacks(dimension, least=least):
        judged = rated[stack.items]
        mine, theirs = _closeness(stack, judged, metric)
        known = ~np.isnan(judged)
        at = stack.items[known][:, None], stack.raters[known]
        of_judge[at] = (mine >= theirs)[known]
        of_human[at] = (theirs >= mine)[known]
    return of_judge, of_human


def _closeness(stack: Stack, judged: FloatArray, metric: Metric) -> tuple[FloatArray, FloatArray]:
    """Return how close the judge and each person are to the other people, shape (items, count)."""
    values, others = stack.ratings, stack.count - 1
    apart = values[:, :, None] - values[:, None, :]
    judges = judged[:, None] - values
    if metric == "accuracy":
        same, judges_same = (apart == 0).astype(float), (judges == 0).astype(float)
        person = (same.sum(axis=2) - 1) / others
        judge = (judges_same.sum(axis=1, keepdims=True) - judges_same) / others
    else:
        power = 2 if metric == "rmse" else 1
        far, judges_far = np.abs(apart) ** power, np.abs(judges) ** power
        # a person's distance from themselves is zero; a root would not change the order
        person = -far.sum(axis=2) / others
        judge = -(judges_far.sum(axis=1, keepdims=True) - judges_far) / others
    return np.round(judge, DECIMALS), np.round(person, DECIMALS)


def _tested(
    table: Panel,
    judge: str,
    wins: dict[str, tuple[FloatArray, FloatArray]],
    epsilon: float,
    fewest: int,
) -> list[LeftOutHuman]:
    """Return the tests against every person on every dimension, with both corrections."""
    rows = [
        (dimension, human, *_test(of_judge[:, at], of_human[:, at], epsilon, fewest))
        for dimension, (of_judge, of_human) in wins.items()
        for at, human in enumerate(table.humans)
    ]
    p_values = np.array([row[5] for row in rows])
    own = np.full(len(rows), np.nan)
    for dimension in wins:
        here = np.array([row[0] == dimension for row in rows])
        own[here] = _adjusted(p_values[here])
    over_all = _adjusted(p_values)
    return [
        LeftOutHuman(
            judge=judge,
            dimension=dimension,
            human=human,
            n=n,
            judge_wins=mine,
            human_wins=theirs,
            p_value=p,
            p_adjusted=float(one),
            p_adjusted_all=float(every),
            note=note,
        )
        for (dimension, human, n, mine, theirs, p, note), one, every in zip(
            rows, own, over_all, strict=True
        )
    ]


def _test(
    of_judge: FloatArray, of_human: FloatArray, epsilon: float, fewest: int
) -> tuple[int, float, float, float, str]:
    """Return the number of items, both shares of wins, the p value and a note."""
    counts = ~np.isnan(of_judge)
    n = int(counts.sum())
    if n == 0:
        return 0, np.nan, np.nan, np.nan, "no item in common"
    mine, theirs = of_judge[counts], of_human[counts]
    shares = float(mine.mean()), float(theirs.mean())
    if n < fewest:
        return n, *shares, np.nan, f"not tested: fewer than {fewest} items"
    difference = theirs - mine
    if difference.min() == difference.max():
        p = 1.0 if difference[0] > 0 else float((1 - epsilon) ** n)
        return n, *shares, p, "the difference never varies: exact bound in place of t"
    p = float(stats.ttest_1samp(difference, epsilon, alternative="less").pvalue)
    advised = "" if n >= ADVISED_ITEMS else f"the t-test needs at least {ADVISED_ITEMS} items"
    return n, *shares, p, advised


def _adjusted(p_values: FloatArray) -> FloatArray:
    """Return p values adjusted after Benjamini and Yekutieli (2001); NaN stays NaN."""
    adjusted = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p_values[known], method="by")
    return adjusted


def _verdict(
    judge: str,
    dimension: str,
    rows: Sequence[LeftOutHuman],
    wins: tuple[FloatArray, FloatArray],
    alpha: float,
    *,
    false_discovery: float,
    level: float,
) -> Verdict:
    """Return how the judge did over the people who could be tested; `alpha` is people's own."""
    tested = [n for n, row in enumerate(rows) if not np.isnan(row.p_value)]
    if not tested:
        note = "Nobody rated enough items together with others to be tested."
        return Verdict(judge=judge, dimension=dimension, human_alpha=alpha, note=note)
    kept = wins[0][:, tested]
    entered = ~np.isnan(kept).all(axis=1)
    value, low, high = _advantage(kept[entered], level)
    one, every = (
        float(np.mean([getattr(rows[n], name) <= false_discovery for n in tested]))
        for name in ("p_adjusted", "p_adjusted_all")
    )
    return Verdict(
        judge=judge,
        dimension=dimension,
        humans=len(tested),
        n=int(entered.sum()),
        winning_rate=one,
        winning_rate_all=every,
        passes=one >= PASSES,
        passes_all=every >= PASSES,
        advantage=value,
        advantage_low=low,
        advantage_high=high,
        human_alpha=alpha,
        note="People's alpha is not defined: all their ratings are the same."
        if np.isnan(alpha)
        else _verdict_note(one >= PASSES, alpha, len(tested)),
    )


def _verdict_note(passes: bool, alpha: float, humans: int) -> str:
    said = []
    if passes and (np.isnan(alpha) or alpha < LOW_ALPHA):
        said.append("This is a low bar, because the people themselves agree little.")
    if humans < 3:
        said.append("Fewer than three people: the test is meant for three or more.")
    return " ".join(said)


def _advantage(wins: FloatArray, level: float) -> tuple[float, float, float]:
    """Return the mean over people of the share of items won, with its jackknife interval."""
    won, n = np.nansum(wins, axis=0), (~np.isnan(wins)).sum(axis=0)
    value = float((won / n).mean())
    left_n = n - ~np.isnan(wins)
    with np.errstate(invalid="ignore"):
        left = ((won - np.nan_to_num(wins)) / left_n).mean(axis=1)
    low, high = jackknife_interval(value, left, level=level)
    return value, max(low, 0.0), min(high, 1.0)
