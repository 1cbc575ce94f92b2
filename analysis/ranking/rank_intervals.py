"""Intervals of the rank of each item, from the joint errors of all scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray, require_rng
from analysis.ranking.draws import Block, ScoreErrors
from analysis.tables import columns
from prereg.errors import RatifyError

Coverage = Literal["average", "each", "all"]

# Total count of numbers sorted to find the critical value for the average coverage.
_CELLS = 20_000_000
# In log-odds. An error below this is rounding: all clusters give the same difference.
_NO_SPREAD = 1e-7


@dataclass(frozen=True, kw_only=True)
class RankIntervals:
    """Ranks with intervals.

    Attributes
    ----------
    frame : DataFrame
        One row per item, in the order of the ranking: `scenario`, `item_id`, `component`, `score`
        (log-odds), `rank` (1 is best, within its connected group), `rank_low`, `rank_high` (the
        best and the worst rank the data allow), `of` (items ranked in the group), `note`.
    level : float
    coverage : {'average', 'each', 'all'}
        What `level` applies to; see `rank_intervals`.
    n_judgments, n_items, n_clusters : int
    method, unit : str
    """

    frame: pd.DataFrame = field(repr=False)
    level: float
    coverage: Coverage
    n_judgments: int
    n_items: int
    n_clusters: int
    method: str
    unit: str = "rank"

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def rank_intervals(
    errors: ScoreErrors,
    *,
    rng: np.random.Generator | None = None,
    level: float = 0.95,
    coverage: Coverage = "average",
    resamples: int = 500,
) -> RankIntervals:
    """Return the ranks that each item may have within its connected group.

    Parameters
    ----------
    errors : ScoreErrors
        From `score_errors`.
    rng : Generator
        For the draws that give the critical values; required.
    level : float
        Coverage.
    coverage : {'average', 'each', 'all'}
        'average': for a share `level` of the items of a group, the interval has the true rank.
        'each': for every item with at least this probability, whatever the truth. 'all': for all
        items of a group at once. Each is wider than the one before, the last two much wider.
    resamples : int
        Draws, at least 100.

    Returns
    -------
    RankIntervals

    Raises
    ------
    RatifyError
        On bad settings.

    Notes
    -----
    An item's best rank is 1 + the number of items whose scores are higher by more than a critical
    t, its worst rank the number of items in its group minus those that are lower by more than it;
    the errors are from the clustered covariance of the differences. The critical t is

    - 'average': the value at which intervals cover on average over items, in draws around scores
      that are shrunk to the variance of true scores given the reliability; t with the median
      number of clusters per item minus one as df. In simulations at study size .95 to .96;
    - 'each': from one-sided tests of all differences of an item at once, step-down, over multiplier
      draws (Mogstad and others): about .95 if all items are equal, near 1 if they differ;
    - 'all': the same over all pairs of the group, in one step.

    Percentiles of the ranks of resamples cover .92 to .96: a resample adds noise to noisy scores,
    which moves extreme ranks to the middle. Items whose score is finite only because of the ridge
    have no interval, and are treated as unknown for the others.

    References
    ----------
    Mogstad, M., Romano, J. P., Shaikh, A. M. and Wilhelm, D. (2024). Review of Economic Studies
    91, 476-518.
    """
    columns.proportion("level", level)
    columns.one_of("coverage", coverage, ("average", "each", "all"))
    if resamples < 100:
        raise RatifyError("resamples is out of range", value=resamples, allowed="100 or more")
    rng = require_rng(rng, "an interval of ranks")
    source = errors.ranking.frame
    low, high = np.full((2, len(source)), np.nan)
    scored = source["score"].notna()
    of = scored.groupby(source["component"]).transform("sum").to_numpy(dtype=np.int64)
    for block in errors.blocks:
        inside = errors.known[block.rows]
        rows = block.rows[inside]
        if len(rows) < 2:
            continue
        draws = _Draws.of(block, inside, errors.score[rows], resamples, rng)
        better, worse = _SHOWN[coverage](draws, level)
        low[rows], high[rows] = 1 + better, of[rows] - worse
    frame = source[["scenario", "item_id", "component", "score", "rank"]].assign(
        rank_low=pd.array(low, dtype="Int64"),
        rank_high=pd.array(high, dtype="Int64"),
        of=of,
        note=source["note"],
    )
    return RankIntervals(
        frame=frame,
        level=level,
        coverage=coverage,
        n_judgments=errors.ranking.n_judgments,
        n_items=errors.ranking.n_items,
        n_clusters=errors.n_clusters,
        method=f"ranks by differences of scores ({_NAMES[coverage]}, {resamples} draws); "
        f"{errors.method}",
    )


_NAMES = {
    "average": "coverage on average over items",
    "each": "coverage for each item, step-down",
    "all": "coverage for all items of a group at once",
}


@dataclass(frozen=True)
class _Draws:
    """The scores of a group, draws of their errors, and the errors of all differences."""

    score: FloatArray
    noise: FloatArray
    own: FloatArray
    variance: FloatArray
    spread: FloatArray

    @classmethod
    def of(
        cls,
        block: Block,
        inside: BoolArray,
        score: FloatArray,
        resamples: int,
        rng: np.random.Generator,
    ) -> _Draws:
        influence = block.influence[:, inside]
        noise = rng.standard_normal((resamples, len(influence))) @ influence
        # t, not normal, because errors are estimated: from all clusters of the group, or, for one
        # item, from the clusters that judged it.
        judges = max(1, int(np.median(block.judges[inside])) - 1)
        by_all, own = (
            noise / np.sqrt(rng.chisquare(freedom, (resamples, 1)) / freedom)
            for freedom in (block.freedom, judges)
        )
        covariance = influence.T @ influence
        variance = np.diag(covariance)
        spread = np.sqrt(np.maximum(variance[:, None] + variance - 2 * covariance, 0))
        # No difference can be shown between items that no data distinguish.
        return cls(score, by_all, own, variance, np.where(spread > _NO_SPREAD, spread, np.inf))

    @property
    def ahead(self) -> FloatArray:
        """T statistic of every other item (columns) over every item (rows)."""
        return np.asarray((self.score[None, :] - self.score[:, None]) / self.spread)


def _on_average(draws: _Draws, level: float) -> tuple[IntArray, IntArray]:
    """Return how many items are above and below, by the t at which intervals cover on average."""
    m = len(draws.score)
    known = float(draws.score.var(ddof=1))
    reliability = max(0.0, 1 - float(draws.variance.mean()) / known) if known > 0 else 0.0
    middle = np.sqrt(reliability) * (draws.score - draws.score.mean())
    rank = np.empty(m, dtype=np.int64)
    rank[np.argsort(-draws.score, kind="stable")] = np.arange(1, m + 1)
    enough = max(1, min(len(draws.noise), _CELLS // (m * m)))
    needed = np.concatenate(
        [_needed(middle + noise, draws.spread, rank) for noise in draws.own[:enough]]
    )
    return _beyond(draws.ahead, float(np.quantile(needed, level)))


def _needed(score: FloatArray, spread: FloatArray, rank: IntArray) -> FloatArray:
    """Return for each item the smallest critical t at which its interval contains its rank."""
    m = len(score)
    ahead = (score[None, :] - score[:, None]) / spread
    item = np.arange(m)
    # An item is never above or below itself.
    ahead[item, item] = -np.inf
    rising = np.sort(ahead, axis=1)
    above = rising[item, m - rank]
    # Of the others, which start at the second place, m - rank may be below.
    below = -rising[item, np.minimum(m - rank + 1, m - 1)]
    below[rank == 1] = 0.0
    return np.asarray(np.maximum(np.maximum(above, below), 0.0))


def _over_each(draws: _Draws, level: float) -> tuple[IntArray, IntArray]:
    """Return how many items are above and below each item by step-down tests."""
    m = len(draws.score)
    better, worse = np.zeros((2, m), dtype=np.int64)
    for item in range(m):
        others = np.delete(np.arange(m), item)
        noise = draws.noise[:, others] - draws.noise[:, [item]]
        up, down = _step_down(draws.ahead[item, others], noise / draws.spread[item, others], level)
        better[item], worse[item] = up.sum(), down.sum()
    return better, worse


def _over_all(draws: _Draws, level: float) -> tuple[IntArray, IntArray]:
    """Return how many items are above and below by the largest t over all pairs of a group."""
    largest = np.zeros(len(draws.noise))
    for item in range(1, len(draws.score)):
        noise = np.abs(draws.noise[:, :item] - draws.noise[:, [item]]) / draws.spread[item, :item]
        np.maximum(largest, noise.max(axis=1), out=largest)
    return _beyond(draws.ahead, float(np.quantile(largest, level)))


def _beyond(ahead: FloatArray, limit: float) -> tuple[IntArray, IntArray]:
    return (ahead > limit).sum(axis=1), (ahead < -limit).sum(axis=1)


def _step_down(ahead: FloatArray, draws: FloatArray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which one-sided tests reject: the other item is better, the other item is worse."""
    up = np.zeros(len(ahead), dtype=bool)
    down = up.copy()
    while True:
        largest = np.maximum(
            draws[:, ~up].max(axis=1, initial=-np.inf),
            (-draws[:, ~down]).max(axis=1, initial=-np.inf),
        )
        limit = np.quantile(largest, level)
        more_up, more_down = ahead > limit, -ahead > limit
        if (more_up <= up).all() and (more_down <= down).all():
            return up, down
        up, down = up | more_up, down | more_down


_SHOWN: dict[str, Callable[[_Draws, float], tuple[IntArray, IntArray]]] = {
    "average": _on_average,
    "each": _over_each,
    "all": _over_all,
}
