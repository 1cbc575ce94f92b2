"""The orthogonal score of the overlap-weighted effect, and means that only labelled units show."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analysis.arrays import FloatArray, IntArray, sum_by
from analysis.causal.correction.nuisances import Nuisances
from analysis.causal.units import Labels

# The weight of the judge's own score is shrunk by as much as this many labels would tell about it.
PRIOR_LABELS = 10.0


@dataclass(frozen=True)
class Score:
    """The score psi(theta) = numerator - theta x denominator of each unit.

    Attributes
    ----------
    numerator : array of shape (n,)
        (Y - m(X)) (D - e(X)); 0 for a unit in neither arm.
    denominator : array of shape (n,)
        (D - e(X))^2; 0 for a unit in neither arm.
    """

    numerator: FloatArray = field(repr=False)
    denominator: FloatArray = field(repr=False)

    def at(self, effect: float) -> FloatArray:
        """Return the score of each unit at an effect."""
        return self.numerator - effect * self.denominator


def score_of(arm: FloatArray, outcome: FloatArray, nuisances: Nuisances) -> Score:
    """Return the score of units; 0 for a unit in neither arm, or whose scores are not known.

    Notes
    -----
    Robinson (1988), "Root-N-consistent semiparametric regression", with a constant effect: residual
    on residual. Where the effect differs between units, the result is their mean weighted by
    e(X) (1 - e(X)): the overlap weights of Li, Morgan and Zaslavsky (2018), "Balancing covariates
    via propensity score weighting". It is orthogonal (Chernozhukov et al. 2018).
    """
    known = ~np.isnan(arm + outcome)
    treated = np.where(known, arm - nuisances.treated, 0.0)
    moved = np.where(known, outcome - nuisances.outcome, 0.0)
    return Score(moved * treated, treated**2)


@dataclass(frozen=True)
class Filled:
    """One value of each unit; their mean estimates that of a value that only labels show.

    Attributes
    ----------
    guess : array of shape (n,)
        What is guessed of each unit, its stratum's mean included.
    missed : array of shape (n,)
        R / pi times what the guess misses; 0 for a unit without a label.
    larger : array of shape (n,)
        By how much a deviation from the mean of so few labels in its stratum is too small.
    """

    guess: FloatArray = field(repr=False)
    missed: FloatArray = field(repr=False)
    larger: FloatArray = field(repr=False)

    @property
    def each(self) -> FloatArray:
        """The value of each unit."""
        return self.guess + self.missed

    @property
    def spread(self) -> FloatArray:
        """The same for errors: deviations within strata as large as more labels would show."""
        return self.guess + self.larger * self.missed


def filled(value: FloatArray, guess: FloatArray, labels: Labels) -> Filled:
    """Return values of all units from those of labelled units and a guess about all.

    Parameters
    ----------
    value : array of shape (n,)
        Only used where people labelled the unit.
    guess : array of shape (n,)
        What is known of the value without people. To it is added the mean of what it misses in
        each stratum.
    labels : Labels

    Notes
    -----
    With R 1 for a labelled unit and pi its probability, the mean of v is estimated by the mean of
    (R / pi) v - (R / pi - 1) lambda' Z, with lambda' Z the guess and the strata's means. As R / pi
    adds up to the units of each stratum, the strata leave the estimate as it is, but their part
    of v does not vary with the sample, which makes this the error of a stratified sample: Särndal,
    Swensson and Wretman (1992), "Model assisted survey sampling", chapter 6.
    """
    known, strata = labels.labelled, int(labels.stratum.max()) + 1
    missed = np.where(known, value - guess, 0.0)
    count = np.bincount(labels.stratum[known], minlength=strata)
    # one label alone would seem to miss nothing
    means = np.where(count > 1, sum_by(labels.stratum, missed, strata) / np.maximum(count, 1), 0.0)
    whole = guess + means[labels.stratum]
    left = np.where(known, missed - means[labels.stratum], 0.0)
    larger = np.sqrt(np.where(count > 1, count / np.maximum(count - 1, 1), 1.0))
    return Filled(whole, labels.weights * left, larger[labels.stratum])


def own_weight(value: FloatArray, guess: FloatArray, labels: Labels, fold: IntArray) -> FloatArray:
    """Return the weight of a guess in each unit's fold that makes the error least in the others.

    Parameters
    ----------
    value, guess : array of shape (n,)
        Of people, where labelled, and of the judge.
    labels : Labels
    fold : int array of shape (n,)

    Returns
    -------
    array of shape (n,)

    Notes
    -----
    The variance that labels cause has the terms (1 - pi) / pi^2 (v - lambda guess)^2 of labelled
    units, within strata; so lambda is a weighted slope within strata, with ridge. Angelopoulos,
    Duchi and Zrnic (2023), "PPI++", tune a power in this way.
    """
    known, strata = labels.labelled, int(labels.stratum.max()) + 1
    count = np.maximum(np.bincount(labels.stratum[known], minlength=strata), 1)

    def within(values: FloatArray) -> FloatArray:
        here = np.where(known, values, 0.0)
        return here - (sum_by(labels.stratum, here, strata) / count)[labels.stratum]

    importance = np.where(known, (1 - labels.inclusion) / labels.inclusion**2, 0.0)
    ours, theirs = within(value), within(guess)
    folds = int(fold.max()) + 1
    both = sum_by(fold, importance * ours * theirs, folds)
    own = sum_by(fold, importance * theirs**2, folds)
    both, own = both.sum() - both, own.sum() - own
    slope = np.zeros(folds)
    np.divide(both, own * (1 + PRIOR_LABELS / known.sum()), out=slope, where=own > 0)
    return slope[fold]
