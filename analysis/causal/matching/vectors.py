"""Embeddings as vectors of length one, refused by name where they cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.causal.units import StrArray
from prereg.errors import RatifyError

Vectors = NDArray[np.float32]


def unit_vectors(embeddings: ArrayLike | Sequence[ArrayLike], unit: StrArray) -> Vectors:
    """Return embeddings divided by their length, so that a product is a cosine similarity.

    Parameters
    ----------
    embeddings : array of shape (n, d), or n vectors
    unit : str array of shape (n,)
        Their ids, for messages.

    Returns
    -------
    float32 array of shape (n, d)
        An embedding that is all zeros stays so: its similarity to every other one is 0.

    Raises
    ------
    RatifyError
        If there are not as many embeddings as units, if a unit occurs twice, if embeddings differ
        in length, or if a component is missing or infinite.
    """
    if len(embeddings) != len(unit):  # type: ignore[arg-type]
        raise RatifyError(
            "there are not as many embeddings as units",
            column="embeddings",
            value=len(embeddings),  # type: ignore[arg-type]
            allowed=f"{len(unit)}, one per unit",
        )
    _each_once(unit)
    found = _rectangle(embeddings, unit)
    bad = ~np.isfinite(found)
    if bad.any():
        row, column = (int(at[0]) for at in np.nonzero(bad))
        raise RatifyError(
            "the embedding has a component that is not a number",
            row=f"unit {unit[row]}",
            column=f"e{column}",
            value=float(found[row, column]),
            allowed="a finite number",
        )
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.where(length > 0, length, 1.0)).astype(np.float32)


def _each_once(unit: StrArray) -> None:
    known, counts = np.unique(unit, return_counts=True)
    if len(known) < len(unit):
        raise RatifyError(
            "a unit occurs more than once",
            column="item_id",
            value=str(known[np.argmax(counts > 1)]),
            allowed="each unit once",
        )


def _rectangle(
    embeddings: ArrayLike | Sequence[ArrayLike], unit: StrArray
) -> NDArray[np.floating[np.typing.NBitBase]]:
    """Return the embeddings as one array, or say which one differs in length from the first."""
    if isinstance(embeddings, np.ndarray) and embeddings.ndim == 2 and embeddings.dtype.kind == "f":
        return embeddings
    rows = [np.atleast_1d(np.asarray(one, dtype=np.float64)) for one in embeddings]  # type: ignore[union-attr]
    lengths = np.array([len(row) for row in rows])
    if len(rows) and (lengths != lengths[0]).any():
        at = int(np.argmax(lengths != lengths[0]))
        raise RatifyError(
            "the embedding does not have the length of the first one",
            row=f"unit {unit[at]}",
            column="embeddings",
            value=int(lengths[at]),
            allowed=f"{lengths[0]} components",
        )
    return np.array(rows)
