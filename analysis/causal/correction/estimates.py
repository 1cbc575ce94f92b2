"""The effect by the judge alone, by people alone, and by the judge corrected by people."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.correction.checks import check_frame, check_labels
from analysis.causal.correction.nuisances import Nuisances, components, fitted, of_judge
from analysis.causal.correction.score import Score, filled, own_weight, score_of
from analysis.causal.folds import user_folds
from analysis.causal.units import TREATED, Cuts, Frame, Labels

METHODS = {
    "naive": "Judge's scores of all units",
    "people": "People's labels alone",
    "corrected": "Judge corrected by people",
}
_ROUNDS = 20
# A label's share of the denominator counts up to this.
_MOST_SHARE = 0.5


@dataclass(frozen=True)
class JudgeSide:
    """What a frame says before people are asked.

    Attributes
    ----------
    frame : Frame
    cuts : Cuts
    components : array of shape (n, q)
        Of the covariates, at most ten, on which people's labels recalibrate the nuisances.
    fold : int array of shape (n,)
    arm : array of shape (n,)
        By the judge.
    nuisances : Nuisances
        Of the judge's scores.
    score : Score
        Of the judge's scores.
    """

    frame: Frame = field(repr=False)
    cuts: Cuts
    components: FloatArray = field(repr=False)
    fold: IntArray = field(repr=False)
    arm: FloatArray = field(repr=False)
    nuisances: Nuisances = field(repr=False)
    score: Score = field(repr=False)

    def naive(self, level: float = 0.95) -> Estimate:
        """Return the effect that the judge's scores of all units give."""
        top, below = self.score.numerator, self.score.denominator
        value = float(top.sum() / below.sum())
        influence = (top - value * below) / below.mean()
        return from_influence(value, influence, self.frame.user, level=level)


@dataclass(frozen=True)
class ThreeEstimates:
    """Three estimates of one effect, side by side.

    Attributes
    ----------
    naive, people, corrected : Estimate
        The overlap-weighted effect in points of the outcome: of the judge's scores, by labels
        alone, and corrected. The last two are about units whose score by people is in an arm, the
        first about units whose score by the judge is.
    judge_weight : float
        Lambda of the judge's own score, the mean over folds: 0 where it tells nothing about
        people's, 1 where it is taken at its word.
    labels, treated : int
        Units that people labelled, and those of them that people put into the treated arm.
    effective_labels : float
        The size of a simple random sample of units that would give people alone the corrected
        estimate's error, with the same nuisances.
    """

    naive: Estimate
    people: Estimate
    corrected: Estimate
    judge_weight: float
    labels: int
    treated: int
    effective_labels: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per estimate; n counts the units that it uses scores of."""
        found = {"naive": self.naive, "people": self.people, "corrected": self.corrected}
        return pd.DataFrame(
            [
                {
                    "estimate": name,
                    "method": METHODS[name],
                    "value": one.value,
                    "se": one.se,
                    "low": one.low,
                    "high": one.high,
                    "df": one.df,
                    "level": one.level,
                    "n": self.labels if name == "people" else one.n,
                    "labels": 0 if name == "naive" else self.labels,
                    "clusters": one.clusters,
                    "unit": "points of the outcome",
                }
                for name, one in found.items()
            ]
        )


def judge_side(
    frame: Frame,
    cuts: Cuts,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    labels: Labels | None = None,
) -> JudgeSide:
    """Return what the judge's scores of all units give; more estimates can be made from it.

    Parameters
    ----------
    frame : Frame
    cuts : Cuts
    rng : numpy.random.Generator
        Deals users to folds.
    folds : int
    labels : Labels, optional
        Where given, every fold gets about as many labels; else about as many units.

    Raises
    ------
    RatifyError
        If a covariate or a score of the judge is missing, the judge leaves an arm empty, there are
        fewer users than folds, or an arm belongs to so few that it is empty outside a fold.
    """
    check_frame(frame, cuts)
    weights = None if labels is None else labels.labelled.astype(np.float64)
    fold = user_folds(frame.user, folds, rng, weights=weights)
    x = components(frame.covariates)
    arm = cuts.arms(frame.treatment)
    nuisances = of_judge(frame.covariates, arm, frame.outcome, fold)
    score = score_of(arm, frame.outcome, nuisances)
    return JudgeSide(frame, cuts, x, fold, arm, nuisances, score)


def three_estimates(
    frame: Frame,
    labels: Labels,
    cuts: Cuts,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    level: float = 0.95,
) -> ThreeEstimates:
    """Return the effect by the judge, by people, and by the judge corrected by people.

    Parameters
    ----------
    frame : Frame
    labels : Labels
        From a probability sample of the frame's units.
    cuts : Cuts
    rng : numpy.random.Generator
    folds : int
    level : float

    Raises
    ------
    RatifyError
        What `checks.check_frame` and `checks.check_labels` refuse.

    Notes
    -----
    The effect is among units whose score by people is not between the cuts. Which units those are
    is only known of the labelled, so the estimate is a ratio. It solves
    mean[(R / pi) psi - (R / pi - 1) lambda' Z] = 0, with psi the orthogonal score of people's
    labels, Z the strata and the judge's own score, and lambda tuned out of fold. The nuisances of
    psi are those of the judge, recalibrated on labels. In 27 simulated worlds
    its 95% intervals covered as docs/validation.md says.
    """
    check_labels(frame, labels, cuts)
    side = judge_side(frame, cuts, rng, folds=folds, labels=labels)
    people = people_alone(side, labels, level=level)
    score = people_score(side, labels, start=side.nuisances)
    corrected, weight = solved(score, side.score, labels, side, level=level)
    arm = cuts.arms(labels.treatment)
    return ThreeEstimates(
        naive=side.naive(level),
        people=people,
        corrected=corrected,
        judge_weight=float(weight.mean()),
        labels=int(labels.labelled.sum()),
        treated=int((arm[labels.labelled] == TREATED).sum()),
        effective_labels=_effective(score, labels, corrected),
    )


def people_score(side: JudgeSide, labels: Labels, *, start: Nuisances | None) -> Score:
    """Return the score of people's labels, with nuisances that start from the judge's or not."""
    arm = side.cuts.arms(labels.treatment)
    nuisances = fitted(
        side.components, arm, labels.outcome, side.fold, weights=labels.weights, start=start
    )
    return score_of(arm, labels.outcome, nuisances)


def people_alone(side: JudgeSide, labels: Labels, *, level: float = 0.95) -> Estimate:
    """Return the effect by the labels alone, weighted by their inverse probabilities."""
    score = people_score(side, labels, start=None)
    return solved(score, None, labels, side, level=level)[0]


def corrected_estimate(
    side: JudgeSide, labels: Labels, *, level: float = 0.95
) -> tuple[Estimate, FloatArray]:
    """Return the corrected effect, and the weight of the judge's own score in each unit's fold."""
    score = people_score(side, labels, start=side.nuisances)
    return solved(score, side.score, labels, side, level=level)


def solved(
    people: Score,
    judge: Score | None,
    labels: Labels,
    side: JudgeSide,
    *,
    weight: FloatArray | None = None,
    level: float = 0.95,
) -> tuple[Estimate, FloatArray]:
    """Return the effect at which the mean of the filled score is 0.

    Parameters
    ----------
    people : Score
        Of people's labels; only labelled units count.
    judge : Score, optional
        Of the judge, known of all units; without it, the labels stand alone.
    labels : Labels
    side : JudgeSide
        For users and folds.
    weight : array of shape (n,), optional
        Of the judge's score; by default tuned out of fold, at the effect that is found.
    level : float

    Returns
    -------
    estimate : Estimate
    weight : array of shape (n,)

    Notes
    -----
    The effect without one label differs by its influence over 1 minus its share of the denominator.
    The errors are of that size, as a jackknife's are (HC3 of MacKinnon and White 1985): few treated
    units with large weights decide the effect.
    """
    n = len(labels.stratum)
    none = np.zeros(n)
    effect = float(labels.weights @ people.numerator / (labels.weights @ people.denominator))
    used = none if weight is None else weight
    for _ in range(_ROUNDS):
        before = effect
        if judge is not None and weight is None:
            used = own_weight(people.at(effect), judge.at(effect), labels, side.fold)
        guess = (none, none) if judge is None else (judge.numerator, judge.denominator)
        top = filled(people.numerator, used * guess[0], labels)
        below = filled(people.denominator, used * guess[1], labels)
        effect = float(top.each.sum() / below.each.sum())
        if abs(effect - before) < 1e-10:
            break
    # a label with a large share of the denominator pulls the effect towards itself
    share = labels.weights * people.denominator / below.each.sum()
    pulled = top.larger / (1 - np.minimum(share, _MOST_SHARE))
    influence = top.guess - effect * below.guess + pulled * (top.missed - effect * below.missed)
    influence = influence / below.each.mean()
    return from_influence(effect, influence, side.frame.user, level=level), used


def _effective(score: Score, labels: Labels, corrected: Estimate) -> float:
    """Return the size of the random sample that would give people alone the same error."""
    weights = labels.weights
    second = float(weights @ score.at(corrected.value) ** 2) / len(weights)
    slope = float(weights @ score.denominator) / len(weights)
    return second / slope**2 / corrected.se**2
