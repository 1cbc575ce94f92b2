"""Matching treated to control units: greedy, or optimal by the solver that fits into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.arrays import FloatArray, IntArray
from analysis.causal.matching.dense import dense
from analysis.causal.matching.greedy import greedy
from analysis.causal.matching.result import Matching, Method, Solver
from analysis.causal.matching.similarity import blocks, nearest
from analysis.causal.matching.sparse import Solution, sparse
from analysis.causal.matching.vectors import Vectors, unit_vectors
from analysis.causal.units import CONTROL, TREATED, StrArray
from prereg.errors import RatifyError

NEIGHBOURS = 50
# Largest table of costs that the dense solver may make, in bytes.
DENSE_BYTES = 400_000_000


def match(
    unit: StrArray,
    embeddings: ArrayLike | Sequence[ArrayLike],
    arms: FloatArray,
    *,
    method: Method = "optimal",
    caliper: float = 0.2,
    neighbours: int = NEIGHBOURS,
    dense_bytes: int = DENSE_BYTES,
) -> Matching:
    """Match each treated unit to one control unit by the cosine similarity of their embeddings.

    Parameters
    ----------
    unit : str array of shape (n,)
        Ids, each once. Pairs that are equally similar are made in the order of their ids, so the
        matching does not depend on the order of the rows.
    embeddings : array of shape (n, d)
        Of any scale: only directions count. A sequence of vectors will do.
    arms : array of shape (n,)
        1 for treated, 0 for control, NaN for a unit that is in neither arm.
    method : {'greedy', 'optimal'}
        'greedy': the most similar pair that is left is made next. 'optimal': as many pairs as the
        caliper allows, and among those the highest total similarity.
    caliper : float
        The lowest similarity of a pair, -1 to 1.
    neighbours : int
        How many control units of each treated unit the sparse solver begins with.
    dense_bytes : int
        The dense solver is used if its table of costs, 8 bytes per pair, is no larger than this.

    Returns
    -------
    Matching

    Raises
    ------
    RatifyError
        On embeddings that cannot be compared (see `vectors.unit_vectors`), a unit that occurs
        twice, an empty arm, and a wrong setting.

    Notes
    -----
    Similarities are products of float32, rounded to multiples of 2^-20. Dense and sparse solutions
    are optimal to within 2e-6 per pair.
    """
    _check(caliper, neighbours)
    vectors = unit_vectors(embeddings, unit)
    order = np.argsort(unit, kind="stable")
    treated = order[arms[order] == TREATED]
    control = order[arms[order] == CONTROL]
    _both(treated, control)
    a, b = vectors[treated], vectors[control]
    solver: Solver = "greedy"
    if method == "optimal":
        solver = "dense" if 8 * len(a) * len(b) <= dense_bytes else "sparse"
    found = _solved(a, b, solver, caliper, neighbours)
    matched = found.match >= 0
    rows, columns = treated[matched], control[found.match[matched]]
    left = np.flatnonzero(~matched)
    far = left[_most_similar(a, b, left) < caliper]
    similarity = np.einsum("ij,ij->i", vectors[rows], vectors[columns], dtype=np.float64)
    return Matching(
        method=method,
        solver=solver,
        caliper=caliper,
        treated=rows,
        control=columns,
        similarity=similarity,
        none_within_caliper=treated[far],
        none_left=treated[np.setdiff1d(left, far)],
        neighbours=None if solver == "dense" else min(neighbours, len(b)),
        rounds=found.rounds,
        widened=found.widened,
        units=len(unit),
    )


def _solved(a: Vectors, b: Vectors, solver: Solver, caliper: float, neighbours: int) -> Solution:
    if solver == "dense":
        return Solution(dense(a, b, caliper=caliper), 1, 0)
    edges = nearest(a, b, neighbours, caliper)
    if solver == "greedy":
        return Solution(greedy(a, b, edges, caliper=caliper), 1, 0)
    return sparse(a, b, edges, caliper=caliper, count=neighbours)


def _most_similar(a: Vectors, b: Vectors, rows: IntArray) -> FloatArray:
    """Return the similarity of some treated units to the control unit that is nearest to each."""
    found = [similar.max(axis=1) for _, similar in blocks(a, b, rows)]
    return np.concatenate([np.empty(0), *found])


def _check(caliper: float, neighbours: int) -> None:
    if not -1 <= caliper <= 1:
        raise RatifyError(
            "is not a cosine similarity",
            column="causal.matching.caliper",
            value=caliper,
            allowed="-1 to 1",
        )
    if neighbours < 1:
        raise RatifyError("is too few", column="neighbours", value=neighbours, allowed="1 or more")


def _both(treated: IntArray, control: IntArray) -> None:
    for rows, arm in ((treated, "treated"), (control, "control")):
        if not len(rows):
            raise RatifyError(
                f"no unit is {arm} by the plan's cuts, so there is nothing to match",
                column="causal.treatment",
                value=f"{len(treated)} treated, {len(control)} control",
                allowed="one unit or more in each arm",
            )
