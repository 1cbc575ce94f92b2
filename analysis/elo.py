"""Elo ratings: sequential, and beside them what another order of the same judgments would give."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.paircounts import Comparisons, FloatArray, IntArray, read_comparisons, require_rng
from analysis.ranking_result import Ranking, ranking_frame, structure
from prereg.errors import RatifyError

# Judgments whose indices are laid out at once; bounds the memory of many reorderings.
_CHUNK = 4096


def elo(
    judgments: pd.DataFrame | Comparisons,
    *,
    start: float = 1000.0,
    k: float = 32.0,
    scale: float = 400.0,
    reorderings: int = 0,
    rng: np.random.Generator | None = None,
    by: str | None = "scenario",
) -> Ranking:
    """Rate items by sequential Elo, in the order of the rows.

    E(A) = 1 / (1 + 10^((R_B - R_A) / scale)); R_A += k (S - E). The result depends on the order
    of the judgments, so `mean_reordered` and `sd_reordered` say what random orders of the same
    judgments give. That sd is no standard error: it holds only the noise of the order, and `se`,
    `low` and `high` stay missing.

    Parameters
    ----------
    judgments : DataFrame or Comparisons
        Tidy judgments in the order they were made: `left_id`, `right_id`, `choice` ('left',
        'right') and the column named by `by`. Leave attention checks out. Integer codes are given
        as `Comparisons.from_codes(left, right, left_won, names=...)`, for which `by` is not asked.
    start : float
        Rating of an item before its first judgment (1000 or 1500 in published work).
    k : float
        Points at stake in one judgment, at most 10 x `scale`.
    scale : float
        Points that make the odds 10 to 1.
    reorderings : int
        Number of random orders; 0 leaves their columns missing, 1 has no sd.
    rng : Generator
        Required where `reorderings` > 0.
    by : str or None
        Column within which items are rated and ranked; None pools everything. A table without a
        `scenario` column is one scenario.

    Returns
    -------
    Ranking
        Scores in Elo points.

    Raises
    ------
    RatifyError
        On bad settings, and on judgments that `read_comparisons` refuses.

    References
    ----------
    Elo, A. E. (1978). The Rating of Chessplayers, Past and Present.
    """
    _check_settings(start, k, scale, reorderings)
    if isinstance(judgments, Comparisons):
        data = judgments
    else:
        cluster = "rater_id" if "rater_id" in judgments.columns else None
        data = read_comparisons(judgments, by=by, cluster=cluster)
    groups = structure(data)
    # In half natural units one update is k (1 - tanh(x)), which never overflows.
    per_unit = 2 * scale / math.log(10)
    score = start + per_unit * _sequential(data.winner, data.loser, data.n_items, k / per_unit)
    mean = sd = None
    if reorderings:
        rng = require_rng(rng, "reordering judgments")
        ratings = start + per_unit * _reordered(data, k / per_unit, reorderings, rng)
        mean = ratings.mean(axis=0)
        sd = ratings.std(axis=0, ddof=1) if reorderings > 1 else None
    return Ranking(
        frame=ranking_frame(
            data, groups, score=score, mean_reordered=mean, sd_reordered=sd
        ),
        method=f"Elo, sequential (start {start:g}, K {k:g}, scale {scale:g}"
        + (f", beside {reorderings} random orders)" if reorderings else ")"),
        unit="Elo points",
        n_judgments=len(data.left),
        n_items=data.n_items,
        n_clusters=data.n_clusters,
        reliability=math.nan,
        strongly_connected=groups.strongly_connected,
        level=0.95,
    )  # fmt: skip


def _check_settings(start: float, k: float, scale: float, reorderings: int) -> None:
    if not math.isfinite(start):
        raise RatifyError("start is out of range", value=start, allowed="a finite number")
    if not (math.isfinite(scale) and scale > 0):
        raise RatifyError("scale is out of range", value=scale, allowed="a number above 0")
    if not 0 < k <= 10 * scale:
        raise RatifyError("k is out of range", value=k, allowed=f"0 < k <= {10 * scale:g}")
    if reorderings < 0:
        raise RatifyError("reorderings is out of range", value=reorderings, allowed="0 or more")


def _sequential(winner: IntArray, loser: IntArray, n_items: int, k: float) -> FloatArray:
    """Return ratings from 0 after all judgments; a plain loop, since each step needs the last."""
    rating = [0.0] * n_items
    half = k / 2
    tanh = math.tanh
    for w, b in zip(winner.tolist(), loser.tolist(), strict=True):
        above, below = rating[w], rating[b]
        gain = half * (1.0 - tanh(above - below))
        rating[w] = above + gain
        rating[b] = below - gain
    return np.array(rating)


def _reordered(data: Comparisons, k: float, count: int, rng: np.random.Generator) -> FloatArray:
    """Return ratings from 0, one row for each random order: all orders step together."""
    n_judgments, n = len(data.left), data.n_items
    winner, loser = data.winner, data.loser
    orders = np.array([rng.permutation(n_judgments) for _ in range(count)]).T
    # Row r of a (count, n) matrix, laid flat: item i of order r is at r * n + i.
    lane = np.arange(count) * n
    rating = np.zeros(count * n)
    half = k / 2
    for begin in range(0, n_judgments, _CHUNK):
        order = orders[begin : begin + _CHUNK]
        for w, b in zip(winner[order] + lane, loser[order] + lane, strict=True):
            above, below = rating[w], rating[b]
            gain = half * (1.0 - np.tanh(above - below))
            rating[w] = above + gain
            rating[b] = below - gain
    return rating.reshape(count, n)
