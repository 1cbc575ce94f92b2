"""An estimate over items with what its interval is made of: one number has one interval.

Everything that compares people and judges is a `Sample`: it carries its values in draws of the
items (`item_draws`), or without each item where there are so many that the jackknife is as good.
Means and differences are made of these, so that they allow for what their parts share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.stats import norm

from analysis.arrays import BoolArray, FloatArray
from analysis.inference.families import adjust
from analysis.inference.resampling import (
    drawn_interval,
    jackknife_interval,
    percentile_interval,
    row_means,
    within,
)

SHORT, ABOVE, OPEN = "falls short", "above", "no clear difference"
# How an interval was made.
DRAWN = "Bayesian bootstrap over items, with imagined items"
SHIFTED = f"{DRAWN}, corrected for skewness"
JACKKNIFE = "jackknife over items, bias-corrected"
THROUGH_Z = "jackknife over items through Fisher's z, bias-corrected"
MEAN_T = "mean over items, t interval with n - 1 df"
BOOTSTRAP = "percentile bootstrap over items"


@dataclass(frozen=True)
class Sample:
    """An estimate with its values as the items change.

    Attributes
    ----------
    value : float
        NaN where nothing is defined.
    left_out : array of shape (items,)
        The estimate without each item.
    entered : array of bool, shape (items,)
        Which items the estimate is based on.
    level : float
        Coverage of the interval.
    bound : float
        Largest possible size of the value; the interval ends there.
    fisher : bool
        Whether the interval goes through Fisher's z.
    draws : array of shape (draws,), optional
        The estimate in each draw of the items. Without draws the interval is the jackknife's.
    compared : bool
        Whether it is a difference.
    skewed : bool
        Whether its draws are corrected for skewness; those of a difference always are.
    resampled : bool
        Whether the draws are of the ordinary bootstrap, whose percentiles are the interval.
    """

    value: float
    left_out: FloatArray = field(repr=False)
    entered: BoolArray = field(repr=False)
    level: float = 0.95
    bound: float = np.inf
    fisher: bool = False
    draws: FloatArray | None = field(default=None, repr=False)
    compared: bool = False
    resampled: bool = False
    skewed: bool = False

    @property
    def n(self) -> int:
        """Return the number of items that the estimate is based on."""
        return int(self.entered.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Return both ends; NaN where the estimate is not defined often enough."""
        return self._ends[0], self._ends[2]

    @property
    def method(self) -> str:
        """Return how the interval is made."""
        if self.draws is not None and self.resampled:
            return BOOTSTRAP
        if self._by_t:
            return MEAN_T
        if self.draws is None:
            return THROUGH_Z if self.fisher else JACKKNIFE
        return SHIFTED if self.compared or self.skewed else DRAWN

    @property
    def p_value(self) -> float:
        """Return the two-sided p value for zero; it is below 1 - level where zero is outside.

        The interval's end on the side of zero says how far one standard error reaches there.
        """
        low, middle, high = self._ends
        if np.isnan(low):
            return np.nan
        reach = middle - low if middle > 0 else high - middle
        if reach <= 0:
            return 1.0 if middle == 0 else 0.0
        errors = abs(middle) / reach * float(norm.ppf((1 + self.level) / 2))
        return float(2 * norm.sf(errors))

    def minus(self, other: Sample) -> Sample:
        """Return the difference, with the items of both changing at once."""
        both = self.draws is not None and other.draws is not None
        return Sample(
            self.value - other.value,
            self.left_out - other.left_out,
            self.entered | other.entered,
            self.level,
            bound=self.bound + other.bound,
            draws=self.draws - other.draws if both else None,  # type: ignore[operator]
            compared=True,
            resampled=self.resampled and other.resampled,
        )

    @property
    def _by_t(self) -> bool:
        """Say whether Student's t applies: to a plain mean of items that differ."""
        return not self.fisher and not self.compared and not self._still

    @property
    def _still(self) -> bool:
        """Say whether leaving an item out never changes the estimate."""
        left = self.left_out[self.entered]
        return bool(left.size and np.ptp(left) <= 1e-12)

    @cached_property
    def _ends(self) -> tuple[float, float, float]:
        """Return the ends of the interval, with the middle between them."""
        if np.isnan(self.value):
            return np.nan, np.nan, np.nan
        if self.draws is not None and self.resampled:
            low, high = percentile_interval(self.draws, level=self.level)
            return low, self.value, high
        if self.draws is None or self._by_t:
            return self._jackknifed()
        low, middle, high = drawn_interval(
            self.draws,
            self.n,
            level=self.level,
            fisher=self.fisher,
            skewed=self.compared or self.skewed,
        )
        if np.isnan(low) and self._still and not self.fisher:
            return self._jackknifed()  # the data are constant: no width, and it is said
        # the imagined items may draw both ends to one side of what the real items say
        low, high = max(min(low, self.value), -self.bound), min(max(high, self.value), self.bound)
        return low, middle, high

    def _jackknifed(self) -> tuple[float, float, float]:
        ends = jackknife_interval(
            self.value,
            self.left_out[self.entered],
            level=self.level,
            corrected=True,
            fisher=self.fisher,
        )
        low, high = within(self.value, ends, self.bound)
        if self._still and self.fisher:
            return np.nan, np.nan, np.nan  # all that is known is that no item mattered
        return low, (low + high) / 2, high


def mean_of(
    samples: Sequence[Sample], level: float = 0.95, *, weights: Sequence[float] | None = None
) -> Sample:
    """Return the mean of the samples that have an estimate, NaN where none has.

    Parameters
    ----------
    samples : sequence of Sample
    level : float
        Coverage of the interval of a mean of none.
    weights : sequence of float, optional
        How much each counts, by default all the same.
    """
    given = [1.0] * len(samples) if weights is None else list(weights)
    kept = [(s, w) for s, w in zip(samples, given, strict=True) if not np.isnan(s.value)]
    if not kept:
        return nothing(level)
    defined, weight = [s for s, _ in kept], np.array([w for _, w in kept])
    draws = [s.draws for s in defined if s.draws is not None]
    return Sample(
        float(np.average([s.value for s in defined], weights=weight)),
        row_means(np.column_stack([s.left_out for s in defined]), weight),
        np.logical_or.reduce([s.entered for s in defined]),
        level,
        max(s.bound for s in defined),
        all(s.fisher for s in defined),
        row_means(np.column_stack(draws), weight) if len(draws) == len(defined) else None,
        all(s.compared for s in defined),
        all(s.resampled for s in defined),
    )


def nothing(level: float = 0.95) -> Sample:
    """Return the sample of an estimate that is not defined."""
    return Sample(np.nan, np.empty(0), np.empty(0, dtype=bool), level)


def difference(single: Sample, humans: Sample) -> Sample:
    """Return single - humans; not defined if either is not defined."""
    if np.isnan(single.value) or np.isnan(humans.value):
        return nothing(single.level)
    return single.minus(humans)


def readings(differences: Sequence[Sample]) -> list[tuple[float, str]]:
    """Return each difference's p value after Holm's correction over all, and what it shows.

    Parameters
    ----------
    differences : sequence of Sample
        Of one judge, one per dimension: what a sentence looks through for where it differs.

    Returns
    -------
    list of (float, str)
        The reading is empty where the difference has no interval.
    """
    if not differences:
        return []
    corrected = adjust([one.p_value for one in differences], "holm")
    found = []
    for one, p in zip(differences, corrected, strict=True):
        if np.isnan(p):
            found.append((np.nan, ""))
            continue
        clear = p < 1 - one.level
        found.append((float(p), OPEN if not clear else SHORT if one.value < 0 else ABOVE))
    return found
