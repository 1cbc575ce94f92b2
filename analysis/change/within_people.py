"""The variance within people as a ratio of sums over people: its error without normality."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import FloatArray
from prereg.errors import RatifyError

FEWEST_PEOPLE = 10
# Draws that are made at once: bounds the memory at many people.
_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True, eq=False)
class WithinPeople:
    """Each person's sums of squares and products around their own mean.

    Attributes
    ----------
    names : tuple of str
        The people.
    size : array of shape (people,)
        Measurements of each person.
    yy : array of shape (people,)
        Sum of squares of the measurements around the person's mean.
    Xy : array of shape (people, p)
        Products with the occasions' columns; p is 0 if the occasions have one mean.
    XX : array of shape (people, p, p)
    rank : int
        Of the summed `XX`: means of occasions that are estimated within people.
    """

    names: tuple[str, ...]
    size: FloatArray
    yy: FloatArray
    Xy: FloatArray
    XX: FloatArray
    rank: int

    @classmethod
    def of(
        cls, y: FloatArray, person: pd.Series[Any], occasion: pd.Series[Any] | None
    ) -> WithinPeople:
        """Return the sums of a table's columns, one row per measurement."""
        codes, names = pd.factorize(person)
        size = np.bincount(codes).astype(float)
        X = np.zeros((len(y), 0))
        if occasion is not None:
            which, found = pd.factorize(occasion)
            X = np.eye(len(found))[which][:, 1:]
        own_y = y - (np.bincount(codes, y) / size)[codes]
        own_X = (
            X
            - np.column_stack(
                [*(np.bincount(codes, column) / size for column in X.T), np.zeros(len(size))]
            )[codes, : X.shape[1]]
        )
        Xy, XX = np.zeros((len(size), X.shape[1])), np.zeros((len(size), *[X.shape[1]] * 2))
        np.add.at(Xy, codes, own_X * own_y[:, None])
        np.add.at(XX, codes, own_X[:, :, None] * own_X[:, None, :])
        rank = int(np.linalg.matrix_rank(XX.sum(axis=0))) if X.shape[1] else 0
        yy = np.bincount(codes, own_y**2).astype(float)
        return cls(names=tuple(map(str, names)), size=size, yy=yy, Xy=Xy, XX=XX, rank=rank)

    @property
    def people(self) -> int:
        """How many people were measured more than once."""
        return int((self.size > 1).sum())

    def variance(self, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the variance within people if each person counts `weight` times.

        Parameters
        ----------
        weight : array of shape (draws, people)

        Returns
        -------
        variance, df : array of shape (draws,)
        excess : array of shape (draws, people)
            Each person's sum of squares minus the variance times their degrees of freedom; the
            sum of their squares is the variance of the sum of squares, whatever the distribution.
        """
        own = np.broadcast_to(self.yy, weight.shape)
        if self.rank:
            whole = np.tensordot(weight, self.XX, axes=1)
            means = (np.linalg.pinv(whole, hermitian=True) @ (weight @ self.Xy)[..., None])[..., 0]
            fitted = np.einsum("dp,npq,dq->dn", means, self.XX, means)
            own = own - 2 * means @ self.Xy.T + fitted
        df = weight @ (self.size - 1) - self.rank
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (weight * own).sum(axis=1) / df
        return variance, df, own - variance[:, None] * (self.size - 1)

    def log_influence(self) -> FloatArray:
        """Return how much each person adds to the log of the variance; the sum is zero.

        Notes
        -----
        The sum of the squares is the squared standard error of the log variance (delta method).
        """
        variance, df, excess = self.variance(np.ones((1, len(self.size))))
        return np.asarray(excess[0] / (df[0] * variance[0]))

    def log_error(self) -> float:
        """Return the standard error of the log variance, for any distribution of the errors."""
        people = self.people
        factor = people / (people - 1) if people > 1 else math.nan
        return math.sqrt(factor * float(np.square(self.log_influence()).sum()))


def bootstrap_interval(
    sums: WithinPeople, *, rng: np.random.Generator, resamples: int = 1999, level: float = 0.95
) -> tuple[float, float]:
    """Return an interval of the variance within people that does not assume normality.

    People are resampled with all their measurements. The log of the variance is studentised by its
    own error in each resample (bootstrap t). Each end is the wider of that and of Student's t on
    the log variance: with heavy tails the bootstrap t alone is too narrow.

    Parameters
    ----------
    sums : WithinPeople
    rng : Generator
    resamples : int
    level : float

    Returns
    -------
    low, high : float

    Raises
    ------
    RatifyError
        With fewer than ten people who were measured twice: too few to resample.

    Notes
    -----
    245 people x 3, 2,000 data sets: .948 with exponential errors (chi-square interval .739), .951
    where people's variances differ as a gamma of shape 2 (.826), .932 with t4 errors (.705), .952
    if normal (.951). With t4 the upper end is too low in 6%: the fourth moment is infinite.

    References
    ----------
    Efron, B., & Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter 12.
    """
    if sums.people < FEWEST_PEOPLE:
        raise RatifyError(
            "too few people were measured twice to resample them",
            column="threshold_interval",
            value=f"bootstrap, {sums.people} people",
            allowed=f"{FEWEST_PEOPLE} people or more, or threshold_interval: normal",
        )
    n = len(sums.size)
    variance, _, _ = sums.variance(np.ones((1, n)))
    centre, error = math.log(variance[0]), sums.log_error()
    counts = (rng.multinomial(n, np.full(n, 1 / n), size=size) for size in _portions(resamples))
    t = np.concatenate([_studentised(sums, centre, drawn.astype(float)) for drawn in counts])
    t = t[np.isfinite(t)]
    up, down = np.quantile(t, [(1 + level) / 2, (1 - level) / 2])
    plain = float(student.ppf((1 + level) / 2, sums.people - 1))
    low, high = centre - max(up, plain) * error, centre + max(-down, plain) * error
    return math.exp(low), math.exp(high)


def _portions(resamples: int) -> list[int]:
    whole, rest = divmod(resamples, _AT_ONCE)
    return [*[_AT_ONCE] * whole, *[rest] * (rest > 0)]


def _studentised(sums: WithinPeople, centre: float, weight: FloatArray) -> FloatArray:
    """Return how far each draw's log variance is from the estimate, in its own errors."""
    variance, df, excess = sums.variance(weight)
    people = weight @ (sums.size > 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(people / (people - 1) * (weight * excess**2).sum(axis=1))
        return np.asarray((np.log(variance) - centre) * df * variance / spread)
