"""How often a judge chooses what people choose on the same trials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.inference.crossed_errors import crossed_mean
from analysis.inference.trial_errors import cluster_columns, cluster_words, clusters_of
from analysis.tables import columns
from prereg.analyses.clusters import RATER_AND_ITEMS
from prereg.errors import RatifyError

# A standard error below this is only rounding error.
NO_SPREAD = 1e-12
# The answers to a pair: right, a tie, left; exchanging the sides turns x into 1 - x.
TIED = 0.5
ANSWERS = (0.0, TIED, 1.0)
# Instead of an answer, where the most frequent answers are equally frequent.
UNDECIDED = -1.0


@dataclass(frozen=True, kw_only=True)
class ChoiceAgreement:
    """How often a judge chooses what people choose on the same trials.

    Attributes
    ----------
    estimate, se, low, high : float
        Proportion of people's choices that equal the judge's, with errors by rater and by both
        items of a trial, or by one column, and a t quantile with Satterthwaite's degrees of
        freedom.
    kappa, kappa_se, kappa_low, kappa_high : float
        Cohen's kappa of the choice of left or right, or of left, right and tie, with the same
        clusters; NaN if people or the judge always gave the same answer.
    n, n_clusters : int
        Number of people's choices compared, and number of clusters (raters).
    n_items : int or None
        Number of items, if errors are by items too.
    n_reversed : int
        Choices among these compared with the judge's answer to the same pair with sides exchanged,
        because the judge was never asked with the sides that the person saw.
    n_unmatched : int
        People's choices on pairs that the judge never answered, which are left out.
    n_undecided : int
        People's choices where the judge's repeated answers split evenly, which are left out.
    n_tied_people, n_tied_judge, n_tied_both : int
        Choices among those compared that are ties of people, of the judge, and of both.
    worst, best, kappa_worst, kappa_best : float
        Agreement and kappa over all of people's choices, if every choice that is left out were
        wrong, or right; equal to the estimates if none is left out.
    level : float
    method : str
    """

    estimate: float
    se: float
    low: float
    high: float
    kappa: float
    kappa_se: float
    kappa_low: float
    kappa_high: float
    n: int
    n_clusters: int
    n_items: int | None
    n_reversed: int
    n_unmatched: int
    n_undecided: int
    n_tied_people: int
    n_tied_judge: int
    n_tied_both: int
    worst: float
    best: float
    kappa_worst: float
    kappa_best: float
    level: float
    method: str

    @property
    def n_asked(self) -> int:
        """Number of people's choices that the judge could have answered."""
        return self.n + self.n_unmatched + self.n_undecided

    @property
    def coverage(self) -> float:
        """Share of people's choices that the judge answered."""
        return self.n / self.n_asked

    def to_frame(self) -> pd.DataFrame:
        """Return two rows, agreement and kappa: `name`, `estimate`, `se`, `low`, `high`, `n`."""
        return pd.DataFrame(
            {
                "name": ["agreement", "kappa"],
                "estimate": [self.estimate, self.kappa],
                "se": [self.se, self.kappa_se],
                "low": [self.low, self.kappa_low],
                "high": [self.high, self.kappa_high],
                "n": self.n,
            }
        )


def choice_agreement(
    people: pd.DataFrame,
    judge: pd.DataFrame,
    *,
    cluster: str = RATER_AND_ITEMS,
    level: float = 0.95,
    ties: bool = True,
) -> ChoiceAgreement:
    """Compare people's choices with a judge's answers to the same trials.

    Parameters
    ----------
    people : DataFrame
        Tidy judgments of people: `left_id`, `right_id`, `choice`, `scenario` if there is one, and
        the cluster.
    judge : DataFrame
        Tidy judgments of one judge; of several answers to a trial the majority counts.
    cluster : str
        'rater_and_items': choices of one rater may depend on each other, and so may choices on
        trials that hold a common item. Or a column of `people`, usually `rater_id` (as published):
        it takes these items as the only ones of interest.
    level : float
    ties : bool
        Whether a tie is an answer of its own, of people and of the judge. If not, the trials in
        which either answered a tie are left out, as if nobody had been asked them.

    Returns
    -------
    ChoiceAgreement

    Raises
    ------
    RatifyError
        If a column is missing, a choice is unknown, or no trial is in common.

    Notes
    -----
    A trial is matched with the sides that the person saw. If the judge was never asked with these
    sides, its answer to the same pair with sides exchanged is used instead.
    Errors are those of a mean of influence functions: `crossed_errors.crossed_mean`. A judge's
    mistake about an item comes back in every trial that holds it: at 150 raters x 10 trials on 150
    items, intervals by rater alone covered .78 to .88 of the true agreements, those by rater and
    items .94 to .95 (`make validate`).
    """
    columns.require_columns(people, *cluster_columns(cluster))
    columns.proportion("level", level)
    answers = _majority(judge)
    trials, chosen = _keys(people)
    judged, turned = _matched(answers, trials)
    if not ties:
        decided = (chosen != TIED) & (judged != TIED)
        people, chosen = people[decided], chosen[decided]
        judged, turned = judged[decided], turned[decided]
    unmatched, undecided = np.isnan(judged), judged == UNDECIDED
    kept = ~unmatched & ~undecided
    if not kept.any():
        raise RatifyError(
            "the judge decided none of people's trials", allowed="judgments of the same pairs"
        )
    columns.require_filled(people, *cluster_columns(cluster))
    clusters = clusters_of(people[kept], cluster)
    x, y = chosen[kept], judged[kept]
    agree, pull, kappa, kappa_pull = _agreement_and_kappa(x, y)
    bounds = _bounds(chosen, judged, kept)
    se, low, high = _clustered(agree, pull, clusters, level, link=Link.PROPORTION)
    kappa_se, kappa_low, kappa_high = _clustered(
        kappa, kappa_pull, clusters, level, link=Link.KAPPA
    )
    sizes = [int(codes.max()) + 1 for codes in clusters.values()]
    return ChoiceAgreement(
        estimate=agree,
        se=se,
        low=low,
        high=high,
        kappa=kappa,
        kappa_se=kappa_se,
        kappa_low=kappa_low,
        kappa_high=kappa_high,
        n=int(kept.sum()),
        n_clusters=sizes[0],
        n_items=sizes[1] if len(sizes) > 1 else None,
        n_reversed=int((turned & kept).sum()),
        n_unmatched=int(unmatched.sum()),
        n_undecided=int(undecided.sum()),
        n_tied_people=int((x == TIED).sum()),
        n_tied_judge=int((y == TIED).sum()),
        n_tied_both=int(((x == TIED) & (y == TIED)).sum()),
        **bounds,
        level=level,
        method=f"proportion of equal choices, {cluster_words(cluster)}, "
        "t interval on the logit scale",
    )


def answered_of(people: pd.DataFrame, judge: pd.DataFrame) -> tuple[int, int]:
    """Return how many of people's choices a judge answered, and how many there are.

    A trial is matched as `choice_agreement` matches it. A tie is an answer; answers that split
    evenly are none.
    """
    if judge.empty or people.empty:
        return 0, len(people)
    judged, _ = _matched(_majority(judge), _keys(people)[0])
    return int((~np.isnan(judged) & (judged != UNDECIDED)).sum()), len(people)


def _matched(answers: pd.Series[float], trials: pd.MultiIndex) -> tuple[FloatArray, BoolArray]:
    """Return the judge's answer to each trial, and where it was asked with the sides exchanged."""
    same = answers.reindex(trials).to_numpy()
    other = answers.reindex(trials.reorder_levels([0, 2, 1])).to_numpy()
    turned = np.isnan(same) & ~np.isnan(other)
    exchanged = np.where(other == UNDECIDED, UNDECIDED, 1 - other)
    return np.where(turned, exchanged, same), turned


def _bounds(chosen: FloatArray, judged: FloatArray, kept: BoolArray) -> dict[str, float]:
    """Return agreement and kappa over all choices, with those left out as wrong and as right."""
    other = np.where(chosen == 1, 0.0, 1.0)
    found: dict[str, float] = {}
    for name, answer in (("worst", other), ("best", chosen)):
        agree, _, kappa, _ = _agreement_and_kappa(chosen, np.where(kept, judged, answer))
        found |= {name: agree, f"kappa_{name}": kappa}
    return found


def _keys(judgments: pd.DataFrame) -> tuple[pd.MultiIndex, FloatArray]:
    """Return (scenario, left_id, right_id) of every trial, and its answer."""
    columns.require_columns(judgments, "left_id", "right_id", "choice")
    columns.require_rows(judgments, "judgments")
    scenario = pd.Series("", index=judgments.index)
    if "scenario" in judgments.columns:
        scenario = judgments["scenario"].astype(object).where(judgments["scenario"].notna(), "")
    ids = [columns.text_ids(judgments, name).astype(object) for name in ("left_id", "right_id")]
    return pd.MultiIndex.from_arrays([scenario, *ids]), columns.left_share(judgments)


def _majority(judge: pd.DataFrame) -> pd.Series[float]:
    """Return the judge's most frequent answer to every trial."""
    trials, chosen = _keys(judge)
    said = pd.DataFrame({answer: chosen == answer for answer in ANSWERS}, index=trials)
    counts = said.groupby(level=[0, 1, 2]).sum()
    most = counts.eq(counts.max(axis=1), axis=0)
    return most.idxmax(axis=1).astype(float).mask(most.sum(axis=1) > 1, UNDECIDED)


def _agreement_and_kappa(
    x: FloatArray, y: FloatArray
) -> tuple[float, FloatArray, float, FloatArray]:
    """Return agreement and kappa, each with the influence of every choice on it."""
    same = (x == y).astype(float)
    agree = float(same.mean())
    if np.ptp(x) == 0 or np.ptp(y) == 0:  # without variation there is no agreement beyond chance
        return agree, same - agree, math.nan, np.full(len(x), math.nan)
    chance, moved = 0.0, np.zeros(len(x))
    for answer in ANSWERS:
        p, q = float((x == answer).mean()), float((y == answer).mean())
        chance += p * q
        moved += q * ((x == answer) - p) + p * ((y == answer) - q)
    kappa = (agree - chance) / (1 - chance)
    pull = (same - agree) / (1 - chance) - (1 - agree) / (1 - chance) ** 2 * moved
    return agree, same - agree, kappa, pull


def _clustered(
    estimate: float, pull: FloatArray, clusters: Mapping[str, IntArray], level: float, *, link: Link
) -> tuple[float, float, float]:
    """Return standard error and interval of a mean of influences.

    The interval is symmetric on the scale of the link, so it stays within the possible values. An
    estimate at an end of these has no interval.
    """
    if math.isnan(estimate):
        return math.nan, math.nan, math.nan
    error = crossed_mean(pull, clusters)
    se = error.se
    if math.isnan(se) or se < NO_SPREAD:  # all clusters are alike: they do not measure the error
        return math.nan, math.nan, math.nan
    if not link.low < estimate < 1:
        return se, math.nan, math.nan
    # both links are atanh of the number stretched to -1..1; their slopes differ by that stretch
    stretch = 2 / (1 - link.low)
    at = 1 - stretch * (1 - estimate)
    half = float(student.ppf((1 + level) / 2, error.df)) * se * stretch / (1 - at**2)
    ends = (math.tanh(math.atanh(at) + side * half) for side in (-1, 1))
    low, high = (1 - (1 - end) / stretch for end in ends)
    return se, low, high


class Link(Enum):
    """The possible values of a number, by their lower end; the upper end is 1."""

    PROPORTION = 0.0
    KAPPA = -1.0

    @property
    def low(self) -> float:
        """Lower end of the scale."""
        return float(self.value)
