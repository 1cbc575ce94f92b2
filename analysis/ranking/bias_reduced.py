"""Bias-reduced Bradley-Terry scores (Firth's penalty), which are finite for every item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.ranking.draws import MOST_ITEMS, Block, ScoreErrors
from analysis.ranking.firth import FirthFit, GroupCounts, firth_fit, profile_ends
from analysis.ranking.pair_counts import Cells, Comparisons, count_pairs, read_comparisons
from analysis.ranking.pair_scores import main_groups
from analysis.ranking.result import Ranking, Structure, ranking_frame, structure_of, variance_share
from analysis.ranking.score_notes import score_notes
from analysis.tables import columns
from prereg.errors import RatifyError

# In a larger connected group intervals are from the standard error: a profile refits all scores
# for each end of each interval.
MOST_PROFILED = 100


def bias_reduced(
    judgments: pd.DataFrame,
    *,
    cluster: str | None = "rater_id",
    level: float = 0.95,
    by: str | None = "scenario",
    tie: str | None = None,
) -> Ranking:
    """Score items by the Bradley-Terry model with Firth's penalty instead of a ridge.

    Parameters
    ----------
    judgments : DataFrame
        As for `bradley_terry`.
    cluster, level, by, tie
        As for `bradley_terry`.

    Returns
    -------
    Ranking
        Scores in log-odds, mean 0 in each connected group. Each has an error and an interval, also
        that of an item that never lost or never won; `note` says which these are.

    Raises
    ------
    RatifyError
        As `bradley_terry`, and on a connected group of more than 3,000 items.

    Notes
    -----
    The fit maximises the log likelihood + half the log determinant of the information (Jeffreys'
    prior), which removes the first-order bias and is finite for any connected comparisons. `low` to
    `high` is a profile of this penalised likelihood, which reaches further on the side where the
    data say less: an item that won all of its judgments may be far better than its score, and
    hardly worse. The likelihood takes judgments as independent, so the profile's quantile is t with
    the clusters minus one as df, times the root of the mean ratio of clustered to model variance in
    the group (at least 1). Groups of more than 100 items have intervals from the errors.

    `se` is the clustered sandwich. A judgment between items of which one never beats the other, not
    even indirectly, always comes out one way: what is left of it says nothing of its variance, so
    that the variance under the model stands in for it.

    In simulations of 30 items, 95% intervals covered .952 (150 raters x 2), .958 (the same, with
    tastes) and .962 (60 raters x 2, 8 judgments of an item), and the slope of the scores on the
    truth was 1.01 to 1.02. That is over all items. Of those that never lost or never won, .70, .52
    and .87 of the intervals held the truth: being so lucky is what singled them out. Intervals of
    ranks by these scores (`rank_intervals`, on average over items) covered .960 and .981 with 150
    and 60 raters, and .92 and .97 for the items that never lost or never won.

    References
    ----------
    Firth, D. (1993). Biometrika 80, 27-38. Heinze, G. and Schemper, M. (2002). Statistics in
    Medicine 21, 2409-2419. Kosmidis, I. and Firth, D. (2021). Biometrika 108, 71-82.
    """
    return _fitted(judgments, cluster, level, by, tie).ranking


def bias_reduced_errors(
    judgments: pd.DataFrame,
    *,
    cluster: str | None = "rater_id",
    by: str | None = "scenario",
    level: float = 0.95,
    tie: str | None = None,
) -> ScoreErrors:
    """Return the bias-reduced scores with their joint errors, for ranks, pairs and draws.

    Parameters
    ----------
    judgments : DataFrame
    cluster, by, level, tie
        As for `bias_reduced`.

    Returns
    -------
    ScoreErrors
        As `score_errors` does. Judgments that could only come out one way are clusters of their
        own, after the others.

    Raises
    ------
    RatifyError
        As `bias_reduced`.
    """
    found = _fitted(judgments, cluster, level, by, tie)
    place = {(scenario, item): row for row, (scenario, item) in enumerate(_names(found.ranking))}
    names = list(found.data.items[["scenario", "item_id"]].itertuples(index=False, name=None))
    row_of = np.array([place[name] for name in names], dtype=np.int64)
    clusters = found.data.n_clusters
    blocks = []
    for group in found.groups:
        if group.n_clusters < 2:
            continue
        own = np.arange(clusters, clusters + group.rows.shape[0] - group.n_clusters)
        clusters += len(own)
        blocks.append(
            Block(
                row_of[group.items],
                np.concatenate([group.cluster, own]),
                np.asarray(group.rows @ group.fit.inverse),
                group.judges,
                n_clusters=group.n_clusters,
            )
        )
    return ScoreErrors(
        ranking=found.ranking,
        blocks=tuple(blocks),
        known=found.ranking.frame["se"].notna().to_numpy(dtype=bool),
        n_clusters=found.data.n_clusters,
        method=f"Bradley-Terry, Firth's penalty, errors clustered by {cluster or 'judgment'}",
    )


def _names(ranking: Ranking) -> list[tuple[str, str]]:
    names = ranking.frame[["scenario", "item_id"]].itertuples(index=False, name=None)
    return [(str(scenario), str(item)) for scenario, item in names]


@dataclass(frozen=True)
class _Group:
    """One connected group: its fit, and the gradient of every cluster and one-way judgment."""

    items: IntArray
    counts: GroupCounts
    fit: FirthFit
    cluster: IntArray
    rows: csr_array
    judges: IntArray

    @property
    def n_clusters(self) -> int:
        return len(self.cluster)

    def variance(self) -> FloatArray:
        """Return the clustered variance of every score; NaN with fewer than 2 clusters."""
        if self.n_clusters < 2:
            return np.full(len(self.items), np.nan)
        meat = (self.rows.T @ self.rows).toarray()
        return np.asarray(((self.fit.inverse @ meat) * self.fit.inverse).sum(axis=1))


@dataclass(frozen=True)
class _Fitted:
    data: Comparisons
    groups: list[_Group]
    ranking: Ranking


def _fitted(
    judgments: pd.DataFrame, cluster: str | None, level: float, by: str | None, tie: str | None
) -> _Fitted:
    columns.proportion("level", level)
    data = read_comparisons(judgments, by=by, cluster=cluster, tie=tie)
    counted = data.in_halves()
    cells = count_pairs(counted, ordered=False)
    structure = structure_of(cells, data.n_items)
    main = main_groups(structure)
    found, score, se = [], *np.full((2, data.n_items), np.nan)
    ends = np.full((data.n_items, 2), np.nan)
    for number in range(int(structure.component.max()) + 1):
        group = _group(number, counted, cells, structure)
        found.append(group)
        variance = group.variance()
        score[group.items], se[group.items] = group.fit.score, np.sqrt(variance)
        inside = structure.strong[group.items] == main[number]
        ends[group.items] = _interval(group, variance, inside, level, cluster is not None)
    profiled = all(len(group.items) <= MOST_PROFILED for group in found)
    settings = f"Firth's penalty, errors clustered by {cluster or 'judgment'}"
    settings += ", intervals by profile" if profiled else ", intervals by profile in small groups"
    if data.tied is not None:
        settings += ", a tie is half a win for each"
    notes = score_notes(cells, structure, main, "finite because of the penalty", np.isnan(se))
    ranking = Ranking(
        frame=ranking_frame(
            data, structure, score=score, se=se, low=ends[:, 0], high=ends[:, 1], notes=notes
        ),
        method=f"Bradley-Terry ({settings})",
        unit="log-odds",
        n_judgments=len(data.left),
        n_items=data.n_items,
        n_clusters=data.n_clusters,
        reliability=variance_share(score, se, structure.component),
        strongly_connected=structure.strongly_connected,
        level=level,
    )
    return _Fitted(data, found, ranking)


def _group(number: int, data: Comparisons, cells: Cells, structure: Structure) -> _Group:
    items = np.flatnonzero(structure.component == number)
    if len(items) > MOST_ITEMS:
        raise RatifyError(
            "too many items in one connected group for Firth's penalty",
            value=len(items),
            allowed=f"at most {MOST_ITEMS:,}, or the penalty 'ridge'",
        )
    place = np.full(data.n_items, -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    mine = structure.component[cells.first] == number
    counts = GroupCounts(
        place[cells.first[mine]],
        place[cells.second[mine]],
        cells.first_wins[mine],
        cells.second_wins[mine],
        len(items),
    )
    fit = firth_fit(counts)
    judged = np.flatnonzero(structure.component[data.left] == number)
    left, right = place[data.left[judged]], place[data.right[judged]]
    chance = expit(fit.score[left] - fit.score[right])
    excess = data.weight * (data.left_won[judged] - chance)
    one_way = structure.strong[data.left[judged]] != structure.strong[data.right[judged]]
    names, row = np.unique(data.cluster[judged], return_inverse=True)
    factor = len(names) / max(len(names) - 1, 1)
    own = len(names) + np.arange(int(one_way.sum()))
    row = row.copy()
    row[one_way] = own
    value = np.where(
        one_way, np.sqrt(data.weight * chance * (1 - chance)), np.sqrt(factor) * excess
    )
    shape = (len(names) + len(own), len(items))
    entries = np.concatenate([value, -value])
    rows = csr_array((entries, (np.tile(row, 2), np.concatenate([left, right]))), shape=shape)
    ends = np.concatenate([data.cluster[judged] * len(items) + side for side in (left, right)])
    judges = np.bincount(np.unique(ends) % len(items), minlength=len(items))
    return _Group(items, counts, fit, names, rows, judges)


def _interval(
    group: _Group, variance: FloatArray, inside: np.ndarray, level: float, clustered: bool
) -> FloatArray:
    """Return the interval of every score of one group, shape (n_items, 2)."""
    m = len(group.items)
    if group.n_clusters < 2:
        return np.full((m, 2), np.nan)
    quantile, wider = float(norm.ppf((1 + level) / 2)), 1.0
    if clustered:
        quantile = float(student.ppf((1 + level) / 2, group.n_clusters - 1))
        ratio = variance / np.diagonal(group.fit.inverse)
        wider = max(1.0, float(ratio[inside].mean())) if inside.any() else 1.0
    if m > MOST_PROFILED:
        half = quantile * np.sqrt(variance)
        return np.column_stack([group.fit.score - half, group.fit.score + half])
    return profile_ends(group.counts, group.fit, np.full(m, quantile * np.sqrt(wider)))
