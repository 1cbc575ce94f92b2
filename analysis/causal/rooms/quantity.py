"""An estimate with its influence values, and the interval that a maker of intervals gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from scipy.special import expit, logit

from analysis.arrays import FloatArray, IntArray
from analysis.causal.clustered import Estimate, from_influence
from analysis.causal.sequential import at_every_look


class IntervalMaker(Protocol):
    """What makes an interval of influence values: `from_influence`, or a confidence sequence."""

    def __call__(
        self, value: float, influence: FloatArray, user: IntArray, *, level: float
    ) -> Estimate:
        """Return the estimate with its interval; arguments as for `clustered.from_influence`."""
        ...


def at_looks(labels: int, planned: int) -> IntervalMaker:
    """Return a maker of intervals that hold at every look, for growing labels.

    Parameters
    ----------
    labels, planned : int
        As for `sequential.at_every_look`.
    """

    def maker(value: float, influence: FloatArray, user: IntArray, *, level: float) -> Estimate:
        once = from_influence(value, influence, user, level=level)
        return at_every_look(once, labels=labels, planned=planned)

    return maker


class Interval(NamedTuple):
    """An estimate and the ends of its interval; NaN where there is none."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Quantity:
    """An estimate on the scale on which its interval is made.

    Attributes
    ----------
    value : float
        NaN where it is not defined.
    influence : array of shape (units of the frame,)
        On that scale.
    forward, back : callable
        To that scale and from it; both increase.
    never_varies : callable, optional
        The ends at a level, where influence values are silent; see `share`.
    """

    value: float
    influence: FloatArray = field(repr=False)
    forward: Callable[[float], float] = float
    back: Callable[[float], float] = float
    never_varies: Callable[[float], tuple[float, float]] | None = None

    def interval(self, user: IntArray, level: float, maker: IntervalMaker) -> Interval:
        """Return the estimate with its interval."""
        if np.isnan(self.value):
            return Interval(np.nan, np.nan, np.nan)
        if self.never_varies is not None:
            return Interval(self.value, *self.never_varies(level))
        found = maker(self.forward(self.value), self.influence, user, level=level)
        if np.isnan(found.low + found.high):
            return Interval(self.value, np.nan, np.nan)
        return Interval(self.value, self.back(found.low), self.back(found.high))


def nothing() -> Quantity:
    """Return what is not defined."""
    return Quantity(np.nan, np.empty(0))


def correlation(value: float, influence: FloatArray) -> Quantity:
    """Return a correlation; its interval goes through Fisher's z. `influence` is on that scale."""
    return Quantity(value, influence, lambda r: float(np.arctanh(r)), lambda z: float(np.tanh(z)))


def reliability(value: float, influence: FloatArray) -> Quantity:
    """Return a coefficient of at most 1; its interval goes through -log(1 - value).

    `influence` is on that scale.
    """
    return Quantity(
        value, influence, lambda a: float(-np.log1p(-a)), lambda x: float(-np.expm1(-x))
    )


def share(value: float, influence: FloatArray, cases: float) -> Quantity:
    """Return a share; its interval goes through log-odds, on which scale `influence` is.

    Parameters
    ----------
    value : float
    influence : array of shape (units of the frame,)
    cases : float
        Effective number of cases (Kish), of use where all went the same way.

    Notes
    -----
    If all of n cases went the same way, influence values are silent. Then the share is at least
    (alpha / (n + 1))^(1/n): a mixture of likelihood ratios with a uniform prior exceeds 1 / alpha
    with probability alpha at most, at whatever n one looks (Ville 1939).
    """
    if 0 < value < 1:
        return Quantity(value, influence, lambda p: float(logit(p)), lambda x: float(expit(x)))

    def ends(level: float) -> tuple[float, float]:
        least = float(((1 - level) / 2 / (cases + 1)) ** (1 / cases))
        return (least, 1.0) if value == 1 else (0.0, 1 - least)

    return Quantity(value, influence, never_varies=ends)
