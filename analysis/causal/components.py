"""The principal components of an embedding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from analysis.arrays import FloatArray
from prereg.errors import RatifyError

# Rows whose double-precision copies are in memory at a time.
BLOCK: Final = 8_192
# A component with a smaller share of the variance is rounding.
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Components:
    """The leading principal components of an array of shape (n, d).

    Attributes
    ----------
    scores : array of shape (n, k)
        Of mean 0, by falling variance.
    share : float
        The share of the total variance that they keep.
    dims : int
        d.
    """

    scores: FloatArray = field(repr=False)
    share: float
    dims: int


def principal_components(vectors: NDArray[np.float32], wanted: float) -> Components:
    """Return the leading principal components of embeddings.

    Parameters
    ----------
    vectors : array of shape (n, d)
    wanted : float
        Below 1, the share of variance to keep: as many components as reach it. From 1, how many
        components.

    Raises
    ------
    RatifyError
        When `wanted` is neither.

    Notes
    -----
    Pearson (1901). The eigenvectors of the covariance, of shape (d, d), are exact and cost one pass
    over the rows, so no randomised decomposition is needed however many units there are. The sign
    of a component is that which makes its largest loading positive.
    """
    if not 0 < wanted < 1 and not (wanted >= 1 and wanted == int(wanted)):
        raise RatifyError(
            "is neither a share of variance nor a number of components",
            column="causal.confounders.components",
            value=wanted,
            allowed="a share between 0 and 1, or a whole number from 1",
        )
    n, dims = vectors.shape
    centre = vectors.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((dims, dims))
    for at in range(0, n, BLOCK):
        block = vectors[at : at + BLOCK] - centre
        covariance += block.T @ block
    variances, loadings = eigh(covariance)
    variances, loadings = np.maximum(variances[::-1], 0), loadings[:, ::-1]
    total = variances.sum()
    if total <= 0:
        return Components(np.empty((n, 0)), 1.0, dims)
    shares = variances / total
    real = int((shares > ROUNDING).sum())
    if wanted < 1:
        count = int(np.searchsorted(np.cumsum(shares), wanted - ROUNDING) + 1)
    else:
        count = int(wanted)
    count = min(count, real)
    kept = loadings[:, :count]
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(count)])
    scores = np.concatenate(
        [(vectors[at : at + BLOCK] - centre) @ kept for at in range(0, n, BLOCK)]
    )
    return Components(scores, float(shares[:count].sum()), dims)
