"""Generalizability: how far a mean of several raters' ratings stands for items and other raters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import f as fisher
from scipy.stats import t as student

from analysis.arrays import FloatArray
from analysis.facets.components import Components, components
from analysis.facets.grid import Grid
from analysis.inference.resampling import jackknife_interval
from analysis.tables import columns
from prereg.errors import RatifyError

# With fewer items or ratings than these, variances are not told apart.
FEWEST_ITEMS = 5
_NOWHERE = (math.nan, math.nan)
# An interval whose end has a larger logarithm than this says nothing.
_LARGEST = 50.0


@dataclass(frozen=True, kw_only=True)
class Generalizability:
    """Variance components of one dimension's ratings, and the coefficients that follow from them.

    Attributes
    ----------
    n_items, n_raters, n_ratings : int
    per_item : float
        Harmonic mean of the raters per item, over items with a rating.
    nested : bool
        Whether every rater rated one item only; raters' severity is then part of the residual, and
        there is no relative coefficient.
    item, rater, residual : float
        Variance components in squared points, not below 0; `rater` is NaN if nested.
    item_ends, rater_ends, residual_ends : tuple of float
        Their intervals.
    relative_noise, absolute_noise : tuple of float
        Error variance of one rating as a multiple of the items' variance, with its interval:
        without raters' severity, and with it.
    level : float
    """

    n_items: int
    n_raters: int
    n_ratings: int
    per_item: float
    nested: bool
    item: float
    rater: float
    residual: float
    item_ends: tuple[float, float]
    rater_ends: tuple[float, float]
    residual_ends: tuple[float, float]
    relative_noise: tuple[float, float, float]
    absolute_noise: tuple[float, float, float]
    level: float

    def relative(self, raters: float) -> tuple[float, float, float]:
        """Return the reliability of the order of items by the mean of so many raters, and its ends.

        The same raters rate every item, so that their severity cancels. This is the
        generalizability coefficient, and Cronbach's alpha of the raters.
        """
        return _coefficient(self.relative_noise, raters)

    def absolute(self, raters: float) -> tuple[float, float, float]:
        """Return the reliability of the level of an item's mean of so many raters, and its ends.

        Raters' severity counts as error. This is the index of dependability, ICC(2,k).
        """
        return _coefficient(self.absolute_noise, raters)

    def error(self, raters: float, *, absolute: bool = True) -> float:
        """Return the standard error, in points, of an item's mean of so many raters."""
        severity = 0.0 if self.nested or not absolute else self.rater
        return math.sqrt((severity + self.residual) / raters)

    def error_of_mean(self, items: float, raters: float, *, same: bool = True) -> float:
        """Return the standard error, in points, of a mean over items and raters.

        Parameters
        ----------
        items, raters : float
            How many items, and how many raters each item has.
        same : bool
            Whether the same raters rate every item; otherwise each item has raters of its own.
        """
        severity = 0.0 if self.nested else self.rater
        shared = severity / (raters if same else raters * items)
        return math.sqrt(self.item / items + shared + self.residual / (items * raters))

    def raters_for(self, target: float, *, absolute: bool = True) -> tuple[float, float, float]:
        """Return how many raters per item reach a reliability, and the ends of its interval.

        Whole numbers; NaN where the data do not say.
        """
        noise = self.absolute_noise if absolute else self.relative_noise
        odds = target / (1 - target)
        value, low, high = (float(np.maximum(1, np.ceil(one * odds - 1e-12))) for one in noise)
        return value, low, high

    def components_frame(self) -> pd.DataFrame:
        """Return one row per source of variance: `source, variance, low, high, share`."""
        rows = [
            ("items", self.item, *self.item_ends),
            ("raters' severity", self.rater, *self.rater_ends),
            ("residual", self.residual, *self.residual_ends),
        ]
        if self.nested:
            rows = [rows[0], ("raters and residual", *rows[2][1:])]
        total = sum(row[1] for row in rows)
        return pd.DataFrame(
            [(*row, row[1] / total if total > 0 else math.nan) for row in rows],
            columns=["source", "variance", "low", "high", "share"],
        )

    def to_frame(self, most: int = 10) -> pd.DataFrame:
        """Return the decision study: one row per number of raters of an item, 1 to `most`."""
        rows = [
            (n, *self.relative(n), *self.absolute(n), self.error(n, absolute=False), self.error(n))
            for n in range(1, most + 1)
        ]
        found = pd.DataFrame(
            rows,
            columns=[
                "raters",
                "relative",
                "relative_low",
                "relative_high",
                "absolute",
                "absolute_low",
                "absolute_high",
                "se_relative",
                "se_absolute",
            ],
        )
        if self.nested:
            found["se_relative"] = math.nan
        return found

    def items_frame(self, items: tuple[int, ...], raters: tuple[int, ...]) -> pd.DataFrame:
        """Return the standard error of a mean over items, by numbers of items and of raters."""
        rows = [
            (i, n, self.error_of_mean(i, n), self.error_of_mean(i, n, same=False))
            for i in items
            for n in raters
        ]
        found = pd.DataFrame(rows, columns=["items", "raters", "se_same_raters", "se_own_raters"])
        if self.nested:
            found["se_same_raters"] = math.nan
        return found


def generalizability(grid: Grid, *, level: float = 0.95) -> Generalizability:
    """Estimate how much of the ratings is due to items, to raters, and to neither.

    Parameters
    ----------
    grid : Grid
        See `grid_of`; raters need not rate every item.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Generalizability

    Raises
    ------
    RatifyError
        With fewer than two raters or five items, or if no item has two ratings.

    Notes
    -----
    Cronbach, Gleser, Nanda and Rajaratnam (1972); Brennan (2001); Shavelson and Webb (1991). For
    the estimators see `components`. The ratio of error to item variance has a jackknife interval
    over items on the log scale, bias-corrected. That of the absolute coefficient adds the error of
    the raters' variance, which a few raters know badly (2 / (raters - 1) times its square), with
    Satterthwaite's degrees of freedom. So the relative coefficient's interval is about other items
    rated by these raters, the absolute one's about other raters too. By simulation both cover .94
    to .98 with 15 to 50 items and 2 to 10 raters on five points, and with half of the ratings
    missing (docs/validation.md). Where two thirds of the ratings are at the end of the scale and
    raters' severity varies widely (a third of the items' variance) they cover .88 to .91: there a
    severe rater's ratings vary less, so that the residual depends on which raters there are.
    Raters' variance has an interval on complete grids only.
    """
    columns.proportion("level", level)
    _refuse_too_few(grid)
    found = components(grid)
    counts, per_rater = grid.per_item, grid.per_rater
    item, residual = max(0.0, found.item[0]), max(0.0, found.residual[0])
    rater = math.nan if found.nested else max(0.0, found.rater[0])
    each = float(1 / np.mean(1 / per_rater))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.log(found.residual / found.item)
        absolute = np.log(found.within_item / found.item)
    clear = item > 0
    raters = len(grid.raters)
    return Generalizability(
        n_items=len(grid.items),
        n_raters=raters,
        n_ratings=len(grid.value),
        per_item=float(1 / np.mean(1 / counts)),
        nested=found.nested,
        item=item,
        rater=rater,
        residual=residual,
        item_ends=_log_ends(found.item, level),
        rater_ends=_rater_ends(found, raters, each, level) if grid.complete else _NOWHERE,
        residual_ends=_log_ends(found.residual, level),
        relative_noise=(math.nan, *_NOWHERE)
        if found.nested
        else _noise(residual / item if clear else math.inf, _jackknifed(relative, level)),
        absolute_noise=_noise(
            (residual + (0.0 if found.nested else rater)) / item if clear else math.inf,
            _jackknifed(absolute, level)
            if found.nested
            else _with_raters(found, absolute, raters, each, level),
        ),
        level=level,
    )


def _refuse_too_few(grid: Grid) -> None:
    if len(grid.raters) < 2:
        raise RatifyError("there is only one rater", allowed="ratings by at least two")
    if len(grid.items) < FEWEST_ITEMS:
        raise RatifyError(
            "there are too few items", value=len(grid.items), allowed=f"{FEWEST_ITEMS} or more"
        )
    if (grid.per_item < 2).all():
        raise RatifyError("no item has two ratings", allowed="items that several raters rated")
    if np.ptp(grid.value) == 0:
        raise RatifyError("all ratings are the same", allowed="ratings that vary")


def _coefficient(noise: tuple[float, float, float], raters: float) -> tuple[float, float, float]:
    """Return a reliability from error per item variance; more noise is less reliability."""
    value, low, high = (1 / (1 + one / raters) for one in noise)
    return value, high, low


def _noise(value: float, ends: tuple[float, float]) -> tuple[float, float, float]:
    """Return a ratio with its ends, which are logarithms; without ends where they miss it."""
    if max(ends) > _LARGEST:
        return value, *_NOWHERE
    low, high = math.exp(ends[0]), math.exp(ends[1])
    if not low <= value <= high:
        return value, *_NOWHERE
    return value, low, high


def _jackknifed(logs: FloatArray, level: float) -> tuple[float, float]:
    known = np.where(np.isfinite(logs), logs, np.nan)  # without an item, a variance may be 0
    return jackknife_interval(float(known[0]), known[1:], level=level, corrected=True)


def _log_ends(values: FloatArray, level: float) -> tuple[float, float]:
    """Return the interval of a variance, by the jackknife of its logarithm."""
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(values)
    return _noise(float(values[0]), _jackknifed(logs, level))[1:]


def _rater_ends(found: Components, raters: int, each: float, level: float) -> tuple[float, float]:
    """Return the interval of raters' variance from the F ratio of raters to the residual.

    It is exact for normal severities on a complete grid (Searle 1971).
    """
    residual = float(found.residual[0])
    if residual <= 0:
        return _NOWHERE
    ratio = 1 + each * float(found.rater[0]) / residual
    freedom = raters - 1, (raters - 1) * (found.item.size - 2)
    ends = (
        residual * (ratio / float(fisher.ppf(p, *freedom)) - 1) / each
        for p in ((1 + level) / 2, (1 - level) / 2)
    )
    low, high = (max(0.0, end) for end in ends)
    return low, high


def _with_raters(
    found: Components, logs: FloatArray, raters: int, each: float, level: float
) -> tuple[float, float]:
    """Return the interval of the log ratio that allows for other raters as well as other items."""
    items = logs.size - 1
    if not np.isfinite(logs).all():
        return _NOWHERE
    by_items = float((items - 1) * logs[1:].var())
    square = max(0.0, float(found.rater[0])) + max(0.0, float(found.residual[0])) / each
    by_raters = 2 / (raters - 1) * (square / float(found.within_item[0])) ** 2
    both = by_items + by_raters
    if both == 0:
        return _NOWHERE
    freedom = both**2 / (by_items**2 / (items - 1) + by_raters**2 / (raters - 1))
    half = float(student.ppf((1 + level) / 2, freedom)) * math.sqrt(both)
    return float(logs[0]) - half, float(logs[0]) + half
