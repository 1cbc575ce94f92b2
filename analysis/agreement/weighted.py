"""Every coefficient of a pair of raters in many weighted copies of the items at once.

A weighted copy says how often each item counts: in the jackknife once, except one item; in the
bootstrap the number of times it was drawn. All coefficients depend only on the counts of the
distinct pairs of ratings, so a copy costs a few products of small matrices. Calling pingouin or
statsmodels for every item left out would be thousands of times slower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.coefficients import DECIMALS, category_step
from analysis.arrays import FloatArray

# In the order of the table of intervals; `analysis.agreement.pairs.Agreement` says what each is.
COEFFICIENTS = (
    "exact",
    "within_one",
    "kappa",
    "kappa_linear",
    "kappa_quadratic",
    "alpha_ordinal",
    "alpha_interval",
    "ac2",
    "icc2_1",
    "icc2_k",
    "pearson",
    "spearman",
    "bias",
)


# With more distinct values than this their sums are faster from sorted columns.
_DENSE = 60


@dataclass(frozen=True)
class Cells:
    """The distinct pairs of ratings of two raters.

    Attributes
    ----------
    x, y : array of shape (cells,)
        The ratings of each pair.
    cell : array of int, shape (items,)
        The pair that each item belongs to.
    counts : array of shape (cells,)
        How many items belong to each pair.
    """

    x: FloatArray
    y: FloatArray
    cell: np.ndarray
    counts: FloatArray

    def left_out(self) -> FloatArray:
        """Return the counts without one item of each cell in turn, shape (cells, cells)."""
        return self.counts - np.eye(len(self.counts))

    def summed(self, weights: FloatArray | NDArray[np.float32]) -> FloatArray:
        """Return the weights of the cells, shape (copies, cells), from those of the items."""
        return _sums_by(weights, self.cell, len(self.counts))


def cells_of(a: FloatArray, b: FloatArray) -> Cells:
    """Return the distinct pairs of ratings; values that differ only by rounding error are equal.

    Parameters
    ----------
    a, b : array of shape (items,)
        Complete ratings of the same items.
    """
    pairs: FloatArray = np.asarray(np.round(np.column_stack([a, b]), DECIMALS), dtype=np.float64)
    distinct, cell, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return Cells(distinct[:, 0], distinct[:, 1], cell.ravel(), counts.astype(float))


def weighted_coefficients(
    cells: Cells, weights: FloatArray, scale: tuple[float, float]
) -> dict[str, FloatArray]:
    """Return every coefficient in every weighted copy.

    Parameters
    ----------
    cells : Cells
    weights : array of shape (copies, cells)
        How often each pair of ratings counts.
    scale : tuple of float
        Lowest and highest possible rating.

    Returns
    -------
    dict of str to array of shape (copies,)
        By the names of `COEFFICIENTS`; NaN where a copy does not define the coefficient, as in
        `analysis.agreement.coefficients`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            **_shares(cells, weights),
            **_by_moments(cells, weights),
            **_by_distributions(cells, weights, scale),
        }


def weighted_kappas(cells: Cells, weights: FloatArray) -> dict[str, FloatArray]:
    """Return `kappa` and `kappa_linear` in every weighted copy, as `weighted_coefficients` does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _by_distributions(cells, weights, None)
    return {name: found[name] for name in ("kappa", "kappa_linear")}


def _shares(cells: Cells, weights: FloatArray) -> dict[str, FloatArray]:
    """Return the coefficients that are means over items."""
    apart = np.round(np.abs(cells.x - cells.y), DECIMALS)
    kept = np.column_stack([apart == 0, apart <= 1, cells.x - cells.y]).astype(float)
    means = weights @ kept / weights.sum(axis=1, keepdims=True)
    return {"exact": means[:, 0], "within_one": means[:, 1], "bias": means[:, 2]}


def _by_moments(cells: Cells, weights: FloatArray) -> dict[str, FloatArray]:
    """Return the coefficients that follow from means, variances and covariance."""
    centre = (cells.counts @ (cells.x + cells.y)) / (2 * cells.counts.sum())
    x, y = cells.x - centre, cells.y - centre
    n = weights.sum(axis=1)
    sums = weights @ np.column_stack([x, y, x * x, y * y, x * y]) / n[:, None]
    mean_x, mean_y = sums[:, 0], sums[:, 1]
    var_x, var_y = sums[:, 2] - mean_x**2, sums[:, 3] - mean_y**2
    covariance = sums[:, 4] - mean_x * mean_y
    gap = (mean_x - mean_y) ** 2
    small = 1e-12 * max(float(np.max(x * x)), float(np.max(y * y)), 1e-300)
    total = _defined(var_x + var_y + gap, small)
    squares = sums[:, 2] + sums[:, 3] - 2 * sums[:, 4]
    pooled = 2 * n / (2 * n - 1) * ((var_x + var_y) / 2 + gap / 4)
    # mean squares of the two-way table with two columns
    rows = n / (n - 1) * (var_x + var_y + 2 * covariance) / 2
    columns = n * gap / 2
    error = n / (n - 1) * (var_x + var_y - 2 * covariance) / 2
    one = _defined(rows + error + 2 * (columns - error) / n, small)
    mean = _defined(rows + (columns - error) / n, small)
    both = _defined(var_x, small) * _defined(var_y, small)
    return {
        "kappa_quadratic": 2 * covariance / total,
        "alpha_interval": 1 - squares / (2 * _defined(pooled, small)),
        "icc2_1": (rows - error) / one,
        "icc2_k": (rows - error) / mean,
        "pearson": np.clip(covariance / np.sqrt(both), -1, 1),
    }


def _by_distributions(
    cells: Cells, weights: FloatArray, scale: tuple[float, float] | None
) -> dict[str, FloatArray]:
    """Return the coefficients that depend on how often each value was given."""
    grid, place = np.unique(np.concatenate([cells.x, cells.y]), return_inverse=True)
    k = len(cells.x)
    in_x, in_y = place[:k], place[k:]
    of_x, of_y = _sums_by(weights, in_x, len(grid)), _sums_by(weights, in_y, len(grid))
    n = weights.sum(axis=1)
    differ, apart = weights @ (in_x != in_y) / n, np.abs(cells.x - cells.y)
    share_x, share_y = of_x / n[:, None], of_y / n[:, None]
    met = (share_x * share_y).sum(axis=1)
    below_x, below_y = share_x.cumsum(axis=1)[:, :-1], share_y.cumsum(axis=1)[:, :-1]
    spread = (below_x * (1 - below_y) + below_y * (1 - below_x)) @ np.diff(grid)
    pooled = of_x + of_y
    ranks = _midranks(pooled)
    mean_rank = n + 0.5  # of 2n ratings
    variance = (pooled * (ranks - mean_rank[:, None]) ** 2).sum(axis=1) / (2 * n - 1)
    moved = (weights * (ranks[:, in_x] - ranks[:, in_y]) ** 2).sum(axis=1) / n
    return {
        "kappa": 1 - differ / _defined(1 - met, 1e-12),
        "kappa_linear": 1 - (weights @ apart / n) / _defined(spread, 1e-12),
        "alpha_ordinal": 1 - moved / (2 * _defined(variance, 1e-12)),
        "spearman": _spearman(weights, of_x, of_y, in_x, in_y),
        "ac2": _ac2(cells, weights, pooled / (2 * n[:, None]), grid, scale),
    }


def _midranks(counts: FloatArray) -> FloatArray:
    """Return the mid-rank of every value, shape (copies, values), from the values' counts."""
    return np.asarray(counts.cumsum(axis=1) - (counts - 1) / 2)


def _spearman(
    weights: FloatArray, of_x: FloatArray, of_y: FloatArray, in_x: np.ndarray, in_y: np.ndarray
) -> FloatArray:
    n = weights.sum(axis=1)
    middle = ((n + 1) / 2)[:, None]
    rank_x = _midranks(of_x)[:, in_x] - middle
    rank_y = _midranks(of_y)[:, in_y] - middle
    xx, yy = (weights * rank_x**2).sum(axis=1), (weights * rank_y**2).sum(axis=1)
    xy = (weights * rank_x * rank_y).sum(axis=1)
    return np.asarray(np.clip(xy / np.sqrt(_defined(xx, 1e-9) * _defined(yy, 1e-9)), -1, 1))


def _ac2(
    cells: Cells,
    weights: FloatArray,
    share: FloatArray,
    grid: FloatArray,
    scale: tuple[float, float] | None,
) -> FloatArray:
    step = None if scale is None else category_step(grid, scale)
    if scale is None or step is None:
        return np.full(len(weights), np.nan)
    length = scale[1] - scale[0]
    q = round(length / step) + 1
    n = weights.sum(axis=1)
    observed = 1 - weights @ (cells.x - cells.y) ** 2 / n / length**2
    all_weights = q**2 - q**2 * (q + 1) / (6 * (q - 1))
    chance = all_weights / (q * (q - 1)) * (share * (1 - share)).sum(axis=1)
    return np.asarray((observed - chance) / (1 - chance))


def _sums_by(weights: FloatArray | NDArray[np.float32], place: np.ndarray, size: int) -> FloatArray:
    """Return the sums of the columns that have the same place, shape (copies, size)."""
    if size <= _DENSE:
        chosen = np.zeros((len(place), size), dtype=weights.dtype)
        chosen[np.arange(len(place)), place] = 1
        return np.asarray(weights @ chosen, dtype=np.float64)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(size))
    filled = np.flatnonzero(np.diff(np.append(starts, len(place))))
    sums = np.zeros((len(weights), size))
    sums[:, filled] = np.add.reduceat(weights[:, order], starts[filled], axis=1)
    return sums


def _defined(values: FloatArray, least: float) -> FloatArray:
    """Return the values, NaN where they are only rounding error."""
    return np.where(values > least, values, np.nan)
