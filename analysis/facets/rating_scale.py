"""The rating-scale model of Rasch's family with severities of raters, by marginal likelihood.

    log P(k) / P(k - 1) = item - severity of the rater - threshold of category k

Items are normal with a mean and a spread of their own and are integrated out, so that their number
biases nothing, as it does in joint maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from analysis.arrays import FloatArray, IntArray
from prereg.errors import RatifyError

# Points in standard deviations at which the normal distribution of items is added up.
NODES = np.linspace(-5.0, 5.0, 51)
_LOG_WEIGHTS = -0.5 * NODES**2 - np.log(np.exp(-0.5 * NODES**2).sum())
_STEP = 1e-4
_TOLERANCE = 1e-5
_FLAT = 1e-8
# By what part of a standard error parameters are moved, to see what depends on them.
PART = 0.1


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Ratings as categories, one row per rating.

    Attributes
    ----------
    item, rater, category : array of int, shape (ratings,)
    n_items, n_raters, n_categories : int
    """

    item: IntArray = field(repr=False)
    rater: IntArray = field(repr=False)
    category: IntArray = field(repr=False)
    n_items: int
    n_raters: int
    n_categories: int

    @cached_property
    def given(self) -> csr_array:
        """Return 1 where an item got a category from a rater: (items, raters x categories)."""
        column = self.rater * self.n_categories + self.category
        shape = (self.n_items, self.n_raters * self.n_categories)
        return csr_array((np.ones(self.item.size), (self.item, column)), shape=shape)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What raters and items are to each other: a fitted model, or one to try.

    Attributes
    ----------
    mean, spread : float
        Of the items, in logits.
    severity : array of shape (raters,)
        In logits, with the mean 0.
    thresholds : array of shape (categories - 1,)
        In logits, with the mean 0.
    """

    mean: float
    spread: float
    severity: FloatArray
    thresholds: FloatArray

    @property
    def items(self) -> FloatArray:
        """The values of an item at the nodes."""
        return np.asarray(self.mean + self.spread * NODES)

    def log_probabilities(self, severity: FloatArray, discrimination: float = 1.0) -> FloatArray:
        """Return the log probability of each category: (severities, nodes, categories)."""
        steps = np.concatenate([[0.0], np.cumsum(self.thresholds)])
        k = np.arange(steps.size)
        value = self.items[None, :, None] - np.asarray(severity)[:, None, None]
        score = discrimination * (k * value - steps)
        top = score.max(axis=2, keepdims=True)
        return np.asarray(score - top - np.log(np.exp(score - top).sum(axis=2, keepdims=True)))


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A scale with the errors of its severities.

    Attributes
    ----------
    scale : Scale
    covariance : array of shape (raters, raters)
        Of the severities, from the observed information.
    log_likelihood : float
    posterior : array of shape (items, nodes)
        How likely an item is at each node, given its ratings.
    moved : tuple of tuple
        The scale and the posterior as the parameters move by `PART` of a standard error, up and
        down, along each direction in which their errors are independent.
    """

    scale: Scale
    covariance: FloatArray = field(repr=False)
    log_likelihood: float
    posterior: FloatArray = field(repr=False)
    moved: tuple[tuple[tuple[Scale, FloatArray], tuple[Scale, FloatArray]], ...] = field(repr=False)


def fit(ratings: Ratings) -> Fitted:
    """Fit the model by marginal maximum likelihood.

    Parameters
    ----------
    ratings : Ratings
        Every category occurs, and no rater used only the lowest or only the highest one.

    Raises
    ------
    RatifyError
        If the likelihood has no maximum that can be found.

    Notes
    -----
    Andrich (1978); Linacre (1989) for raters; marginal likelihood after Bock and Aitkin (1981),
    with the normal distribution added up at 51 equally spaced points. The gradient is that of
    Fisher's identity; the information is its derivative, by central differences.
    """
    data = ratings
    raters, steps = data.n_raters, data.n_categories - 1
    start = np.zeros(2 + (raters - 1) + (steps - 1))
    start[1] = np.log(1.5)

    def down(x: FloatArray) -> tuple[float, FloatArray]:
        value, slope, _ = _likelihood(data, x)
        return -value / data.n_items, -slope / data.n_items

    found = minimize(down, start, jac=True, method="BFGS", options={"gtol": _TOLERANCE})
    # BFGS may stop for lack of precision at a point that is flat enough
    if np.abs(found.jac).max() > 100 * _TOLERANCE or not np.abs(found.x).max() < 30:
        raise RatifyError(
            "the many-facet model has no estimate on these ratings",
            allowed="ratings that vary, by people who share items",
        )
    value, _, posterior = _likelihood(data, found.x)
    sizes, directions = np.linalg.eigh(_information(data, found.x))
    if not sizes.min() > _FLAT * sizes.max():
        raise RatifyError(
            "the many-facet model is not identified by these ratings",
            allowed="people who share items",
        )
    errors = directions / np.sqrt(sizes)
    own = (errors @ errors.T)[2 : 1 + raters, 2 : 1 + raters]
    spread = _centred(raters)
    return Fitted(
        scale=_scale(data, found.x),
        covariance=spread @ own @ spread.T,
        log_likelihood=value,
        posterior=posterior,
        moved=tuple(
            (_at(data, found.x + PART * one), _at(data, found.x - PART * one)) for one in errors.T
        ),
    )


def _at(data: Ratings, x: FloatArray) -> tuple[Scale, FloatArray]:
    return _scale(data, x), _likelihood(data, x)[2]


def _centred(size: int) -> FloatArray:
    """Return the matrix that makes `size` numbers with the sum 0 of size - 1 free ones."""
    return np.vstack([np.eye(size - 1), -np.ones((1, size - 1))])


def _scale(data: Ratings, x: FloatArray) -> Scale:
    raters = data.n_raters
    return Scale(
        mean=float(x[0]),
        spread=float(np.exp(x[1])),
        severity=_centred(raters) @ x[2 : 1 + raters],
        thresholds=_centred(data.n_categories - 1) @ x[1 + raters :],
    )


def _likelihood(data: Ratings, x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the log likelihood, its gradient, and the posterior of each item."""
    scale = _scale(data, x)
    logs = scale.log_probabilities(scale.severity)
    flat = logs.transpose(0, 2, 1).reshape(-1, NODES.size)
    joint = data.given @ flat + _LOG_WEIGHTS
    top = joint.max(axis=1, keepdims=True)
    likely = np.exp(joint - top)
    total = likely.sum(axis=1, keepdims=True)
    posterior = likely / total
    value = float((np.log(total) + top).sum())
    # how often a rater gives each category at each node, and is expected to
    counted = (data.given.T @ posterior).reshape(data.n_raters, data.n_categories, -1)
    at = counted.sum(axis=1)
    used = np.exp(logs) * at[:, :, None]
    k = np.arange(data.n_categories)
    apart = counted.transpose(0, 2, 1) - used
    by_place = apart @ k
    by_rater, by_node = by_place.sum(axis=1), by_place.sum(axis=0)
    by_step = apart.sum(axis=(0, 1))[::-1].cumsum()[::-1][1:]
    slope = np.concatenate(
        [
            [by_node.sum(), scale.spread * (by_node @ NODES)],
            -_centred(data.n_raters).T @ by_rater,
            -_centred(data.n_categories - 1).T @ by_step,
        ]
    )
    return value, slope, posterior


def _information(data: Ratings, x: FloatArray) -> FloatArray:
    """Return the observed information: minus the derivative of the gradient."""
    rows = []
    for at in range(x.size):
        step = np.zeros_like(x)
        step[at] = _STEP
        rows.append((_likelihood(data, x + step)[1] - _likelihood(data, x - step)[1]) / (2 * _STEP))
    slopes = -np.array(rows)
    return (slopes + slopes.T) / 2
