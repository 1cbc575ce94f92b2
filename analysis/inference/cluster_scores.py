"""What each cluster of rows adds to the variance of estimates: bias-reduced scores (CR2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.arrays import BoolArray, FloatArray, IntArray

# With an eigenvalue of leverage this near to 1, one cluster alone decides the estimate.
_ALONE = 1e-9


@dataclass(frozen=True)
class Whitened:
    """A fit in coordinates where X'X (or X'WX) is the identity.

    Attributes
    ----------
    terms : array of shape (n, n_terms)
        Z = W^(1/2) X (X'WX)^(-1/2).
    half : array of shape (n_terms, n_terms)
        Turns weights of coefficients into weights of the new coordinates.
    residuals : array of shape (n,)
        (y - fitted) / W^(1/2).
    """

    terms: FloatArray
    half: FloatArray
    residuals: FloatArray


@dataclass(frozen=True)
class Members:
    """Which rows belong to which clusters; a row may belong to several.

    Attributes
    ----------
    rows, clusters : int array of shape (n_memberships,)
        Row and number of the cluster, from 0 without gaps.
    """

    rows: IntArray
    clusters: IntArray


def members_of(*codes: IntArray) -> Members:
    """Return the clusters of rows that have the same codes.

    Parameters
    ----------
    *codes : int array of shape (n,) or (n, 2)
        Of two columns one at most: such a row belongs to a cluster by either of its codes, as a
        trial belongs to both its items.
    """
    wide = next((each for each in codes if each.ndim == 2), None)
    n = len(codes[0])
    times = 1 if wide is None else wide.shape[1]
    rows = np.tile(np.arange(n), times)
    columns = [each.T.ravel() if each.ndim == 2 else np.tile(each, times) for each in codes]
    return Members(rows, numbered(*columns))


def pairs_of(codes: IntArray) -> IntArray:
    """Return one number for each pair of codes, whichever comes first; shape (n, 2) to (n,)."""
    return numbered(codes.min(axis=1), codes.max(axis=1))


def numbered(*codes: IntArray) -> IntArray:
    """Return one number, from 0 without gaps, for each combination of codes."""
    key = codes[0].astype(np.int64)
    for more in codes[1:]:
        key = key * (int(more.max()) + 1) + more
    return np.unique(key, return_inverse=True)[1].astype(np.int64)


def cluster_scores(
    fit: Whitened, members: Members, b: FloatArray
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return each cluster's bias-reduced scores, Satterthwaite's df, and what one cluster decides.

    Parameters
    ----------
    fit : Whitened
    members : Members
    b : array of shape (n_terms, n_combinations)
        Weights of the new coordinates in each combination.

    Returns
    -------
    scores : array of shape (n_clusters, n_combinations)
    df : array of shape (n_combinations,)
    alone : bool array of shape (n_combinations,)

    Notes
    -----
    A cluster's leverage has the eigenvalues of T = Z_g' Z_g, and (I - H_gg)^(-1/2) becomes
    (I - T)^(-1/2). Satterthwaite's df are those under equal and independent errors; where a row
    belongs to two clusters, what these share is left out of the df, which is little.
    """
    scores, own, cross, alone = _parts(fit, members, b, df=True)
    return scores, _satterthwaite(own, cross), alone


def plain_scores(fit: Whitened, members: Members, b: FloatArray) -> FloatArray:
    """Return each cluster's bias-reduced scores alone, as `cluster_scores`."""
    return _parts(fit, members, b, df=False)[0]


# Scores, diagonal and factor of Satterthwaite's matrix, and which combinations one cluster decides.
_Parts = tuple[FloatArray, FloatArray, FloatArray, BoolArray]


def _parts(fit: Whitened, members: Members, b: FloatArray, *, df: bool) -> _Parts:
    """Return the clusters' contributions; without `df`, not those to Satterthwaite's df."""
    sizes = np.bincount(members.clusters)
    single = sizes[members.clusters] == 1
    found = []
    if single.any():
        found.append(_single_rows(fit, members.rows[single], b, df=df))
    if not single.all():
        several = ~single
        inside = Members(members.rows[several], numbered(members.clusters[several]))
        found.append(_groups(fit, inside, b, df=df))
    scores, own, cross, alone = zip(*found, strict=True)
    return (
        np.concatenate(scores),
        np.concatenate(own),
        np.concatenate(cross),
        np.logical_or.reduce(alone),
    )


def _groups(fit: Whitened, members: Members, b: FloatArray, *, df: bool) -> _Parts:
    """Return the contributions of clusters of several rows."""
    z = fit.terms[members.rows]
    values, vectors = np.linalg.eigh(_products(z, members.clusters))
    moments = _sums(z * fit.residuals[members.rows][:, None], members.clusters)
    factor, single = _bias_factor(values)
    turned = np.swapaxes(vectors, 1, 2)
    along = turned @ b
    length = np.sqrt((b**2).sum(axis=0))
    alone = ((np.abs(along) > 1e-7 * length) & single[:, :, None]).any(axis=(0, 1))
    weighted = factor * (turned @ moments[:, :, None])[:, :, 0]
    return (
        np.einsum("gk,gkc->gc", weighted, along),
        np.einsum("gk,gkc->gc", values * factor**2, along**2),
        vectors @ ((values * factor)[:, :, None] * along) if df else along[:, :0],
        alone,
    )


def _single_rows(fit: Whitened, rows: IntArray, b: FloatArray, *, df: bool) -> _Parts:
    """Return the contributions of clusters of one row (HC2)."""
    z = fit.terms[rows]
    factor, single = _bias_factor((z**2).sum(axis=1))
    along = z @ b
    length = np.sqrt((b**2).sum(axis=0))
    return (
        (factor * fit.residuals[rows])[:, None] * along,
        factor[:, None] ** 2 * along**2,
        (z if df else z[:, :0])[:, :, None] * (factor[:, None] * along)[:, None, :],
        (np.abs(along[single]) > 1e-7 * length).any(axis=0),
    )


def _sums(values: FloatArray, codes: IntArray) -> FloatArray:
    """Return the sums of rows by code: shape (n, k) to (n_codes, k)."""
    count = int(codes.max()) + 1
    sums = [np.bincount(codes, each, count) for each in values.T]
    return np.column_stack(sums).astype(np.float64)


def _products(z: FloatArray, codes: IntArray) -> FloatArray:
    """Return Z_g' Z_g of every cluster: shape (n_clusters, n_terms, n_terms)."""
    count, k = int(codes.max()) + 1, z.shape[1]
    products = np.empty((count, k, k))
    for i in range(k):
        for j in range(i, k):
            products[:, i, j] = np.bincount(codes, z[:, i] * z[:, j], count)
            products[:, j, i] = products[:, i, j]
    return products


def _bias_factor(leverage: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return (1 - leverage)^(-1/2), 0 where one cluster alone decides, and where that happens."""
    single = leverage > 1 - _ALONE
    return np.where(single, 0.0, 1 / np.sqrt(1 - np.where(single, 0.0, leverage))), single


def _satterthwaite(own: FloatArray, cross: FloatArray) -> FloatArray:
    """Return tr(B)^2 / tr(B B) of B = diag(own) - cross' cross, for each combination."""
    squares = (cross**2).sum(axis=1)
    trace = (own - squares).sum(axis=0)
    gram = np.einsum("gac,gbc->cab", cross, cross, optimize=True)
    whole = (own**2).sum(axis=0) - 2 * (own * squares).sum(axis=0) + (gram**2).sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        df = np.where(whole > 1e-300, trace**2 / whole, 1.0)
    return np.asarray(np.maximum(df, 1.0), dtype=np.float64)
