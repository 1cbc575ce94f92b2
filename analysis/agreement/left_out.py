"""Kappa and bias with each item left out in turn, for many pairs of annotators at once.

An item is left out with all annotators' ratings of it. So the intervals of means over dimensions,
and of differences between a judge and people, allow for related ratings of one item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.agreement.coefficients import Weights
from analysis.agreement.drawn_pairs import PairDraws
from analysis.agreement.item_draws import Weights as Drawn
from analysis.agreement.sample import Sample
from analysis.agreement.weighted import cells_of, weighted_kappas
from analysis.arrays import BoolArray, FloatArray

# Pairs whose sums are formed at a time.
_PAIRS = 60


@dataclass(frozen=True)
class LeftOut:
    """Coefficients of every pair, on all items and with each item left out in turn.

    Attributes
    ----------
    estimate : array of shape (pairs,)
        Kappa on all items; NaN where it is not defined.
    kappa, bias : array of shape (items, pairs)
        Kappa and mean(a - b) without that item.
    common : array of bool, shape (items, pairs)
        Whether both rated the item.
    drawn_kappa, drawn_bias : array of shape (draws, pairs), optional
        The same in each draw of the items.
    resampled : bool
        Whether these draws are of the ordinary bootstrap.
    """

    estimate: FloatArray
    kappa: FloatArray
    bias: FloatArray
    common: BoolArray
    drawn_kappa: FloatArray | None = None
    drawn_bias: FloatArray | None = None
    resampled: bool = False

    def first(self, pairs: int) -> LeftOut:
        """Return the first pairs."""
        kappa, bias = self.drawn_kappa, self.drawn_bias
        return LeftOut(
            self.estimate[:pairs],
            self.kappa[:, :pairs],
            self.bias[:, :pairs],
            self.common[:, :pairs],
            None if kappa is None else kappa[:, :pairs],
            None if bias is None else bias[:, :pairs],
            self.resampled,
        )

    def of_kappa(self, pair: int, level: float) -> Sample:
        """Return the kappa of a pair."""
        return Sample(
            float(self.estimate[pair]),
            self.kappa[:, pair],
            self.common[:, pair],
            level,
            bound=1.0,
            fisher=True,
            draws=None if self.drawn_kappa is None else self.drawn_kappa[:, pair],
            resampled=self.resampled,
        )

    def of_bias(self, pair: int, value: float, width: float, level: float) -> Sample:
        """Return the mean difference of a pair on a scale of this width."""
        return Sample(
            value,
            self.bias[:, pair],
            self.common[:, pair],
            level,
            bound=width,
            draws=None if self.drawn_bias is None else self.drawn_bias[:, pair],
            resampled=self.resampled,
        )


def leave_one_out(
    a: FloatArray, b: FloatArray, *, weights: Weights = "quadratic", draws: PairDraws | None = None
) -> LeftOut:
    """Return kappa and bias of many pairs with each item left out in turn.

    Parameters
    ----------
    a, b : array of shape (items, pairs)
        Ratings, one column per pair; NaN where an item was not rated. Leaving out an item that a
        pair does not share leaves its coefficients unchanged.
    weights : {'none', 'linear', 'quadratic'}
        Weights of kappa.
    draws : PairDraws, optional
        Draws of these items, with the imagined ratings of these pairs.

    Returns
    -------
    LeftOut
    """
    items, pairs = a.shape
    common = ~(np.isnan(a) | np.isnan(b))
    if items == 0 or pairs == 0:
        empty = np.full((items, pairs), np.nan)
        return LeftOut(np.full(pairs, np.nan), empty, empty, common)
    columns, spread = _moment_columns(a, b)
    total = columns.sum(axis=0, keepdims=True)
    estimate, _ = _coefficients(total, pairs, spread)
    kappa, bias = _coefficients(total - columns, pairs, spread)
    whole = estimate[0]
    if weights != "quadratic":
        for pair in range(pairs):
            whole[pair], kappa[:, pair] = _one_left_out(a[:, pair], b[:, pair], weights)
    if draws is None:
        return LeftOut(whole, kappa, bias, common)
    drawn = _drawn(a, b, draws, weights)
    # imagined items define nothing that the real ones leave open
    drawn[0][:, np.isnan(whole)] = np.nan
    drawn[1][:, [_constant(a[:, n], b[:, n]) for n in range(pairs)]] = np.nan
    return LeftOut(whole, kappa, bias, common, *drawn, draws.resampled)


def _constant(a: FloatArray, b: FloatArray) -> bool:
    """Say whether two annotators gave one rating each, on all items that both rated."""
    both = ~np.isnan(a + b)
    return not both.any() or bool(np.ptp(a[both]) == 0 and np.ptp(b[both]) == 0)


def _drawn(
    a: FloatArray, b: FloatArray, draws: PairDraws, weights: Weights
) -> tuple[FloatArray, FloatArray]:
    """Return kappa and bias of every pair in every draw, shape (draws, pairs)."""
    size, pairs = draws.size, a.shape[1]
    kappa, bias = np.full((size, pairs), np.nan), np.full((size, pairs), np.nan)
    # pairs of one dimension have the same imagined items, so their sums are one product
    for dimension in dict.fromkeys(draws.dimensions):
        at = np.flatnonzero([name == dimension for name in draws.dimensions])
        for start in range(0, len(at), _PAIRS):
            few = at[start : start + _PAIRS]
            x, y, of_all = draws.extended(a[:, few], b[:, few], few)
            columns, spread = _moment_columns(x, y)
            sums = (of_all @ columns.astype(np.float32)).astype(np.float64)
            kappa[:, few], bias[:, few] = _coefficients(sums, len(few), spread)
            if weights != "quadratic":
                for n, pair in enumerate(few):
                    kappa[:, pair] = _one_drawn(x[:, n], y[:, n], of_all, weights)
    return kappa, bias


def _one_drawn(a: FloatArray, b: FloatArray, of_all: Drawn, weights: Weights) -> FloatArray:
    """Return a kappa that moments cannot give, of one pair in every draw."""
    common = ~(np.isnan(a) | np.isnan(b))
    if not common.any():
        return np.full(len(of_all), np.nan)
    cells = cells_of(a[common], b[common])
    copies = cells.summed(of_all[:, common])
    return weighted_kappas(cells, copies)["kappa" if weights == "none" else "kappa_linear"]


def _one_left_out(a: FloatArray, b: FloatArray, weights: Weights) -> tuple[float, FloatArray]:
    """Return a kappa that moments cannot give, of one pair on all items and without each."""
    common = ~(np.isnan(a) | np.isnan(b))
    without = np.full(len(a), np.nan)
    if common.sum() < 2:
        return np.nan, without
    cells = cells_of(a[common], b[common])
    copies = np.vstack([cells.counts, cells.left_out()])
    name = "kappa" if weights == "none" else "kappa_linear"
    found = weighted_kappas(cells, copies)[name]
    without[:] = found[0]
    without[common] = found[1:][cells.cell]
    return float(found[0]), without


def _moment_columns(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the columns to sum over items, shape (items, 6 * pairs), and each pair's spread.

    Ratings are centred within the pair first, so that sums of squares keep their precision.
    """
    both = ~(np.isnan(a) | np.isnan(b))
    count = np.maximum(both.sum(axis=0), 1)
    x, y = np.where(both, a, 0.0), np.where(both, b, 0.0)
    centre = (x.sum(axis=0) + y.sum(axis=0)) / (2 * count)
    x, y = np.where(both, x - centre, 0.0), np.where(both, y - centre, 0.0)
    spread = np.maximum((x**2).max(axis=0), (y**2).max(axis=0))
    return np.hstack([both.astype(float), x, y, x**2, y**2, x * y]), spread


def _coefficients(
    sums: FloatArray, pairs: int, spread: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return quadratic kappa and bias from sums of shape (copies, 6 * pairs)."""
    n, x, y, xx, yy, xy = (sums[:, i * pairs : (i + 1) * pairs] for i in range(6))
    safe = np.maximum(n, 1.0)
    mean_x, mean_y = x / safe, y / safe
    covariance = xy / safe - mean_x * mean_y
    expected = xx / safe + yy / safe - 2 * mean_x * mean_y
    # If all ratings are equal, this is rounding error instead of zero.
    defined = (n >= 2) & (expected > 1e-12 * spread)
    kappa = np.where(defined, 2 * covariance / np.where(defined, expected, 1.0), np.nan)
    return np.clip(kappa, -1.0, 1.0), np.where(n >= 1, mean_x - mean_y, np.nan)
