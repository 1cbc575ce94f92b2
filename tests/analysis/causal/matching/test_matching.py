"""Were this broken, treated units would be matched to controls that are not the best ones.

Matchings are compared with a dense assignment written here, on random embeddings and on clustered
ones in which the nearest control units are too few, and with their defining properties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from analysis.causal.matching import sparse as sparse_module
from analysis.causal.matching.match import match
from analysis.causal.matching.result import Matching
from analysis.causal.matching.similarity import nearest
from analysis.causal.matching.vectors import unit_vectors

CALIPER = 0.2


def scattered(seed: int, treated: int = 60, control: int = 300, d: int = 12) -> dict[str, Any]:
    """Return random embeddings in shuffled rows, with some units in neither arm."""
    rng = np.random.default_rng(seed)
    arms = np.repeat([1.0, 0.0, np.nan], [treated, control, 20])
    return given(rng, rng.normal(size=(len(arms), d)), arms)


def hubs(seed: int, treated: int = 90, control: int = 300, d: int = 16) -> dict[str, Any]:
    """Return embeddings in topics: one topic has far more treated units than control units."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, d))
    topic = np.where(rng.random(treated) < 0.6, 0, rng.integers(8, size=treated))
    others = np.where(rng.random(control) < 0.05, 0, rng.integers(1, 8, size=control))
    at = np.concatenate([topic, others])
    arms = np.repeat([1.0, 0.0], [treated, control])
    return given(rng, centres[at] + 0.5 * rng.normal(size=(len(at), d)), arms)


def given(rng: np.random.Generator, vectors: np.ndarray, arms: np.ndarray) -> dict[str, Any]:
    rows = rng.permutation(len(arms))
    unit = np.array([f"u{n:04d}" for n in range(len(arms))])
    return {"unit": unit, "embeddings": vectors[rows], "arms": arms[rows]}


def oracle(data: dict[str, Any], caliper: float) -> tuple[int, float]:
    """Return the most pairs there can be, and their highest total similarity, by private slack."""
    x = data["embeddings"] / np.linalg.norm(data["embeddings"], axis=1, keepdims=True)
    similar = x[data["arms"] == 1] @ x[data["arms"] == 0].T
    rows, columns = similar.shape
    cost = np.full((rows, columns + rows), 1e6)
    cost[:, :columns] = np.where(similar >= caliper, 2 - similar, 1e6)
    cost[np.arange(rows), columns + np.arange(rows)] = 1e3
    row, column = linear_sum_assignment(cost)
    real = column < columns
    return int(real.sum()), float(similar[row[real], column[real]].sum())


def reached(found: Matching) -> tuple[int, float]:
    return len(found), found.total


def check_pairs(found: Matching, data: dict[str, Any]) -> None:
    """Check what every matching must be, whatever made it."""
    x = data["embeddings"] / np.linalg.norm(data["embeddings"], axis=1, keepdims=True)
    assert (data["arms"][found.treated] == 1).all()
    assert (data["arms"][found.control] == 0).all()
    assert len(set(found.treated)) == len(set(found.control)) == len(found)
    assert found.similarity == pytest.approx((x[found.treated] * x[found.control]).sum(axis=1))
    assert found.similarity.min() >= found.caliper - 1e-6
    left = [*found.treated, *found.none_left, *found.none_within_caliper]
    assert sorted(left) == np.flatnonzero(data["arms"] == 1).tolist()
    best = (x @ x[data["arms"] == 0].T).max(axis=1)
    assert (best[found.none_within_caliper] < found.caliper).all()
    assert (best[found.none_left] >= found.caliper - 1e-6).all()


@pytest.mark.parametrize("make", [scattered, hubs])
@pytest.mark.parametrize("caliper", [-1.0, CALIPER, 0.5, 0.7])
@pytest.mark.parametrize("seed", range(4))
def test_dense_and_sparse_reach_the_best_matching(make: Any, caliper: float, seed: int) -> None:
    data = make(seed)
    pairs, total = oracle(data, caliper)
    for settings in ({}, {"dense_bytes": 0, "neighbours": 3}, {"dense_bytes": 0}):
        found = match(**data, caliper=caliper, **settings)
        check_pairs(found, data)
        assert len(found) == pairs, settings
        assert found.total == pytest.approx(total, abs=4e-6 * pairs), settings


def test_too_few_neighbours_are_seen_and_said() -> None:
    data = hubs(1)
    found = match(**data, caliper=-1.0, dense_bytes=0, neighbours=3)
    assert found.solver == "sparse" and found.rounds > 1 and found.widened > 0
    assert "3 nearest control units of each treated unit were too few" in found.note
    enough = match(**data, caliper=-1.0, dense_bytes=0, neighbours=300)
    assert enough.rounds == 1 and "too few" not in enough.note


def test_the_proof_is_what_makes_few_neighbours_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the sparse answer is worse, so the test above would see it missing."""
    nothing = np.empty(0, dtype=np.int64)
    monkeypatch.setattr(sparse_module, "_cheaper", lambda *_: (nothing, nothing, np.empty(0)))
    data = hubs(1)
    found = match(**data, caliper=-1.0, dense_bytes=0, neighbours=3)
    assert len(found) < oracle(data, -1.0)[0]


def test_more_treated_than_control_units() -> None:
    data = scattered(3, treated=80, control=30)
    pairs, total = oracle(data, CALIPER)
    for limit in (0, 10**9):
        found = match(**data, caliper=CALIPER, dense_bytes=limit, neighbours=5)
        check_pairs(found, data)
        assert len(found) == pairs == 30
        assert found.total == pytest.approx(total, abs=1e-4)
        assert len(found.none_left) + len(found.none_within_caliper) == 50


def test_one_more_pair_is_worth_any_rearrangement_of_the_others() -> None:
    """Unit t0 only has c1; t1 to t12 have a good control unit each, and a poor one: the next."""
    n = 12
    eye = np.eye(2 * n + 2)
    controls, own = eye[: n + 1], eye[n + 1 :]
    chain = 0.8 * controls[:-1] + 0.3 * controls[1:] + np.sqrt(1 - 0.73) * own[:n]
    first = 0.3 * controls[:1] + np.sqrt(1 - 0.09) * own[n:]
    vectors = np.vstack([first, chain, controls])
    arms = np.repeat([1.0, 0.0], [n + 1, n + 1])
    unit = np.array([f"u{k:02d}" for k in range(2 * n + 2)])
    for limit in (0, 10**9):
        found = match(unit, vectors, arms, dense_bytes=limit)
        assert len(found) == n + 1
        assert found.similarity == pytest.approx(np.full(n + 1, 0.3), abs=1e-6)
    assert len(match(unit, vectors, arms, method="greedy")) == n


@pytest.mark.parametrize("make", [scattered, hubs])
@pytest.mark.parametrize("neighbours", [2, 50])
def test_greedy_makes_the_most_similar_pair_next(make: Any, neighbours: int) -> None:
    data = make(0)
    x = data["embeddings"] / np.linalg.norm(data["embeddings"], axis=1, keepdims=True)
    rows, columns = (np.flatnonzero(data["arms"] == arm) for arm in (1, 0))
    similar = x[rows] @ x[columns].T
    wanted = {}
    while similar.max() >= CALIPER:
        at = np.unravel_index(similar.argmax(), similar.shape)
        wanted[rows[at[0]]] = columns[at[1]]
        similar[at[0], :] = similar[:, at[1]] = -9
    found = match(**data, method="greedy", caliper=CALIPER, neighbours=neighbours)
    check_pairs(found, data)
    assert dict(zip(found.treated, found.control, strict=True)) == wanted


@pytest.mark.parametrize("method", ["greedy", "optimal"])
def test_the_order_of_rows_and_the_scale_of_embeddings_do_not_matter(method: Any) -> None:
    data = hubs(2)
    # many units have the same embedding, so many pairs are equally similar
    data["embeddings"] = data["embeddings"][np.random.default_rng(8).integers(60, size=390)]
    rows = np.random.default_rng(9).permutation(len(data["unit"]))
    other = {name: value[rows] for name, value in data.items()}
    other["embeddings"] = other["embeddings"] * np.float64(8.0)
    for limit in (0, 10**9):
        ours = match(**data, method=method, dense_bytes=limit, neighbours=4)
        theirs = match(**other, method=method, dense_bytes=limit, neighbours=4)
        assert set(map(tuple, ours.pairs(data["unit"]).to_numpy()[:, :2])) == set(
            map(tuple, theirs.pairs(other["unit"]).to_numpy()[:, :2])
        )


def test_optimal_is_at_least_as_good_as_greedy() -> None:
    for seed in range(5):
        data = hubs(seed)
        best, other = (match(**data, method=m) for m in ("optimal", "greedy"))
        assert len(best) >= len(other)
        if len(best) == len(other):
            assert best.total >= other.total - 1e-4


def test_an_embedding_of_zeros_is_similar_to_nothing() -> None:
    data = scattered(0)
    row = int(np.flatnonzero(data["arms"] == 1)[0])
    data["embeddings"][row] = 0.0
    assert row in match(**data, caliper=0.01).none_within_caliper


def test_neighbours_say_what_they_leave_out() -> None:
    data = hubs(0)
    vectors = unit_vectors(data["embeddings"], data["unit"])
    a, b = vectors[data["arms"] == 1], vectors[data["arms"] == 0]
    similar = (a @ b.T).astype(float)
    edges = nearest(a, b, 7, CALIPER)
    for row in range(len(a)):
        mine = edges.similarity[edges.row == row]
        within = np.sort(similar[row][similar[row] >= CALIPER])[::-1]
        assert mine == pytest.approx(within[:7], abs=2e-6)
        if len(within) <= 6:
            assert edges.beyond[row] == -np.inf
        else:
            assert edges.beyond[row] == pytest.approx(within[6], abs=2e-6)


def test_tables_and_note_count_everybody() -> None:
    data = hubs(1)
    found = match(**data, caliper=0.7)
    counts = found.counts()["n"].tolist()
    assert counts == [len(found), len(found.none_within_caliper), len(found.none_left)]
    assert sum(counts) == 90 and min(counts) > 0
    assert f"Of 90 treated units, {sum(counts[1:])} are not matched" in found.note
    assert "No estimate by matching is corrected" in found.note
    assert found.estimand == "ATT of the matched treated units"
    spread = found.similarities().set_index("statistic")["similarity"]
    assert spread["quantile 0"] == pytest.approx(found.similarity.min())
    assert spread["quantile 0.5"] == pytest.approx(np.median(found.similarity))
    assert spread["mean"] == pytest.approx(found.similarity.mean())
    assert found.weights.sum() == 2 * len(found)
