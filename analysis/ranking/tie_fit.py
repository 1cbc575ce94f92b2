"""Fits a model of wins and ties to coded judgments, with each cluster's influence on the fit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from analysis.arrays import BoolArray, FloatArray, IntArray, sum_by
from analysis.ranking.tie_models import Likelihood, Said
from prereg.errors import RatifyError

_STEPS, _HALVINGS = 200, 40
# The largest gradient at the end, for each judgment in the sum.
_FLAT = 1e-12
# For the differences of second derivatives.
_STEP = 1e-4


@dataclass(frozen=True)
class Judged:
    """Judgments in integer codes.

    Attributes
    ----------
    left, right : int array of shape (n,)
        Items, from 0 to m - 1.
    left_won, tied : bool array of shape (n,)
        `left_won` is False at a tie.
    cluster : int array of shape (n,)
        From 0.
    group : int array of shape (m,)
        Connected group of each item.
    """

    left: IntArray
    right: IntArray
    left_won: BoolArray
    tied: BoolArray
    cluster: IntArray
    group: IntArray


@dataclass(frozen=True)
class TieFit:
    """Estimates, and what each cluster contributes to their errors.

    Attributes
    ----------
    score : float array of shape (m,)
    room : float
        log nu or log theta; see `Likelihood`.
    side : float
        0 if it was not fitted.
    influence : float array of shape (n_clusters, m + 1 or m + 2)
        The covariance of scores, room and side (side after its bias) is influence' influence.
    bias : float array of shape (m + 1 or m + 2,)
        First-order bias of scores, room and side (Cox and Snell 1968); it is not subtracted.
    """

    score: FloatArray
    room: float
    side: float
    influence: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)


def fit_ties(
    judged: Judged, model: Likelihood, *, ridge: float, side: bool, start: FloatArray
) -> TieFit:
    """Maximise the log likelihood minus ridge / 2 times the sum of squared scores.

    Parameters
    ----------
    judged : Judged
        With at least one tie and one decided judgment.
    model : Likelihood
    ridge : float
    side : bool
        Whether to fit an advantage of the left side.
    start : float array of shape (m,)
        Scores to begin with, of mean 0 in each group.

    Raises
    ------
    RatifyError
        Where the maximum is not finite.
    """
    problem = _Problem(judged, model, ridge, side)
    room = model.first_guess(float(np.clip(judged.tied.mean(), 0.01, 0.95)))
    here = np.concatenate([start, [room], [0.0] * side])
    value = problem.value(here)
    for _ in range(_STEPS):
        slope, bend = problem.slopes(here)
        if np.abs(slope).max() < _FLAT * len(judged.left) + 1e-10:
            break
        step = np.linalg.solve(problem.with_level(bend), slope)
        for _ in range(_HALVINGS):
            there = here + step
            found = problem.value(there)
            if found >= value - 1e-12 * abs(value):
                break
            step = step / 2
        here, value = there, found
        if np.abs(step).max() < 1e-11:
            break
    if not np.isfinite(here).all() or np.abs(here).max() > 1e3:
        raise RatifyError(
            f"{model.name}'s model has no finite estimate", allowed="half a win for each side"
        )
    m = len(start)
    inverse = problem.inverse(here)
    influence = problem.influence(here, inverse)
    if side:
        # the bias of the side advantage grows with it, so what is left after it varies less
        step = _STEP * np.eye(len(here))[m + 1]
        ends = [
            problem.bias(one, problem.inverse(one))[m + 1] for one in (here - step, here + step)
        ]
        influence[:, m + 1] *= 1 - (ends[1] - ends[0]) / (2 * _STEP)
    return TieFit(
        here[:m],
        float(here[m]),
        float(here[m + 1]) if side else 0.0,
        influence,
        problem.bias(here, inverse),
    )


class _Problem:
    """The penalised log likelihood of scores, room and perhaps side, in this order."""

    def __init__(self, judged: Judged, model: Likelihood, ridge: float, side: bool) -> None:
        self.judged, self.model, self.ridge, self.side = judged, model, ridge, side
        self.m = len(judged.group)
        self.k = self.m + 1 + side
        pair = judged.left * self.m + judged.right
        keys, code = np.unique(pair, return_inverse=True)
        self.left, self.right = keys // self.m, keys % self.m
        lost = ~judged.left_won & ~judged.tied
        answers = (judged.left_won, lost, judged.tied)
        self.counts = Said(*(sum_by(code, one.astype(float), len(keys)) for one in answers))

    def _lead(self, here: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
        return here[left] - here[right] + (here[self.m + 1] if self.side else 0.0)

    def value(self, here: FloatArray) -> float:
        lead = self._lead(here, self.left, self.right)
        penalty = self.ridge / 2 * float(here[: self.m] @ here[: self.m])
        return self.model.value(self.counts, lead, float(here[self.m])) - penalty

    def slopes(self, here: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gradient, and the second derivative with the sign turned."""
        m, left, right = self.m, self.left, self.right
        found = self.model.slopes(self.counts, self._lead(here, left, right), float(here[m]))

        def by_item(values: FloatArray) -> FloatArray:
            return sum_by(left, values, m) - sum_by(right, values, m)

        slope = np.empty(self.k)
        slope[:m] = by_item(found.lead) - self.ridge * here[:m]
        slope[m] = found.room.sum()
        off = np.bincount(left * m + right, found.lead2, m * m).reshape(m, m)
        off = off + off.T
        bend = np.zeros((self.k, self.k))
        bend[:m, :m] = np.diag(off.sum(axis=1) + self.ridge) - off
        bend[:m, m] = bend[m, :m] = by_item(found.both)
        bend[m, m] = found.room2.sum()
        if self.side:
            slope[m + 1] = found.lead.sum()
            bend[:m, m + 1] = bend[m + 1, :m] = by_item(found.lead2)
            bend[m, m + 1] = bend[m + 1, m] = found.both.sum()
            bend[m + 1, m + 1] = found.lead2.sum()
        return slope, bend

    def with_level(self, bend: FloatArray) -> FloatArray:
        """Return the matrix with each group's level fixed: gradients sum to 0 within a group."""
        group = self.judged.group
        scale = max(float(np.trace(bend[: self.m, : self.m])) / self.m, 1e-8)
        same = group[:, None] == group[None, :]
        found = bend.copy()
        found[: self.m, : self.m] += same * (scale / np.bincount(group)[group])
        return found

    def inverse(self, here: FloatArray) -> FloatArray:
        """Return the inverse of the second derivative with each group's level fixed."""
        return np.asarray(np.linalg.inv(self.with_level(self.slopes(here)[1])), dtype=np.float64)

    def influence(self, here: FloatArray, inverse: FloatArray) -> FloatArray:
        """Return each cluster's influence on every parameter."""
        judged, m = self.judged, self.m
        lead = self._lead(here, judged.left, judged.right)
        answers = (judged.left_won, ~judged.left_won & ~judged.tied, judged.tied)
        said = Said(*(one.astype(float) for one in answers))
        found = self.model.slopes(said, lead, float(here[m]))
        whole = np.full(len(lead), m)
        columns = [judged.left, judged.right, whole, *[whole + 1] * self.side]
        values = [found.lead, -found.lead, found.room, *[found.lead] * self.side]
        size = int(judged.cluster.max()) + 1
        rows = np.tile(judged.cluster, len(columns))
        at = (rows, np.concatenate(columns))
        pulls = csr_array((np.concatenate(values), at), shape=(size, self.k))
        factor = size / max(size - 1, 1)
        return np.asarray(np.sqrt(factor) * (pulls @ inverse))

    def bias(self, here: FloatArray, inverse: FloatArray) -> FloatArray:
        """Return the first-order bias: I^-1 times the sum of I^cd (E l_bcd / 2 + E l_bc l_d).

        A pair's judgments depend on its lead and the room only, so that the sum has one term for
        each pair, with the covariance of these two.
        """
        left, right, m = self.left, self.right, self.m
        lead, room = self._lead(here, left, right), float(here[m])
        spread = np.diag(inverse)
        of_lead = spread[left] + spread[right] - 2 * inverse[left, right]
        joint = inverse[left, m] - inverse[right, m]
        if self.side:
            own = inverse[:, m + 1]
            of_lead = of_lead + 2 * (own[left] - own[right]) + own[m + 1]
            joint = joint + own[m]
        both = np.array([[of_lead, joint], [joint, np.full(len(lead), inverse[m, m])]])
        third = third_order(self.model, lead, room)
        pull = sum(self.counts) * np.einsum("uvwc,vwc->uc", third, both)
        score = sum_by(left, pull[0], m) - sum_by(right, pull[0], m)
        whole = [pull[1].sum(), *[pull[0].sum()] * self.side]
        return np.asarray(inverse @ np.concatenate([score, whole]))


def third_order(model: Likelihood, lead: FloatArray, room: float) -> FloatArray:
    """Return E l_uvw / 2 + E l_uv l_w of one judgment for each pair, shape (2, 2, 2, n_pairs).

    Notes
    -----
    u, v, w are the lead and the room. E l_uv l_w is the derivative of E l_uv by w minus E l_uvw;
    both are central differences of the second derivatives, with the answers expected here, or
    expected there.
    """
    here = Said(*model.chances(lead, room))

    def second(said: Said | None, by_lead: float, by_room: float) -> FloatArray:
        at, there = lead + by_lead, room + by_room
        found = model.slopes(said or Said(*model.chances(at, there)), at, there)
        return -np.array([[found.lead2, found.both], [found.both, found.room2]])

    result = np.empty((2, 2, 2, len(lead)))
    for w, (by_lead, by_room) in enumerate(((_STEP, 0.0), (0.0, _STEP))):
        fixed, moving = (
            (second(said, by_lead, by_room) - second(said, -by_lead, -by_room)) / (2 * _STEP)
            for said in (here, None)
        )
        result[:, :, w] = moving - fixed / 2
    return result
