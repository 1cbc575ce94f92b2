"""Scores from wins and ties by the models of Davidson (1970) and of Rao and Kupper (1967)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.disattenuation import Measured
from analysis.ranking.draws import MOST_ITEMS, Block, ScoreErrors
from analysis.ranking.pair_counts import count_pairs, read_comparisons
from analysis.ranking.pair_scores import main_groups
from analysis.ranking.result import Ranking, structure_of
from analysis.ranking.tie_fit import Judged, TieFit, fit_ties
from analysis.ranking.tie_models import MODELS, Likelihood, TieModel
from analysis.tables import columns
from analysis.tables.columns import TIE
from prereg.errors import RatifyError

HALF_WINS = "half a win for each side"
# Scores that differ less share a rank.
_RANK_DECIMALS = 9


@dataclass(frozen=True, kw_only=True)
class TiedRanking(Ranking):
    """A ranking with a parameter for ties; see `Ranking` for the other attributes.

    Attributes
    ----------
    tie, tie_se, tie_low, tie_high : float
        log nu (Davidson) or log theta (Rao and Kupper), with error and interval.
    tie_bias, side_bias : float, float or None
        What was subtracted from the likeliest values of `tie` and `side_advantage`.
    tie_of_equals, tie_of_equals_low, tie_of_equals_high : float
        The probability that two items with equal scores tie, without a side advantage.
    n_ties : int
        Judgments that are ties.
    """

    tie: float
    tie_se: float
    tie_low: float
    tie_high: float
    tie_bias: float
    side_bias: float | None
    tie_of_equals: float
    tie_of_equals_low: float
    tie_of_equals_high: float
    n_ties: int


def rank_with_ties(
    judgments: pd.DataFrame,
    *,
    model: TieModel = "davidson",
    cluster: str | None = "rater_id",
    ridge: float = 0.02,
    level: float = 0.95,
    side_advantage: bool = False,
    by: str | None = "scenario",
) -> TiedRanking:
    """Score items from wins and ties, with one parameter for ties.

    Parameters
    ----------
    judgments : DataFrame
        As for `bradley_terry`; `choice` is 'left', 'right' or 'tie'.
    model : {'davidson', 'rao_kupper'}
    cluster, ridge, level, side_advantage, by
        As for `bradley_terry`.

    Returns
    -------
    TiedRanking
        Scores in log-odds, mean 0 within each connected group.

    Raises
    ------
    RatifyError
        As `bradley_terry`; where no judgment is a tie, or all are, since the parameter for ties is
        then not finite; and on more than 3,000 items.

    Notes
    -----
    With d = s_left - s_right (plus the side advantage), Davidson: P(left), P(right), P(tie) are
    proportional to exp(d / 2), exp(-d / 2), nu. The odds of left against right, among decided
    judgments, are those of Bradley and Terry. Rao and Kupper: P(left) = expit(d - log theta),
    P(right) = expit(-d - log theta), theta > 1: who sees a lead below a threshold calls it a tie.
    The parameter for ties and the side advantage are shared by all scenarios and not penalised;
    scores have the ridge of `bradley_terry`. Where nothing ties both models are Bradley-Terry.

    Errors are the sandwich over clusters with the factor R / (R - 1), R the clusters of the table;
    t quantiles have R - 1 degrees of freedom, with R the clusters that judged the connected group.

    With few judgments an item, scores are spread too far, and the parameter for ties is too large
    with them: at 20 judgments an item and a third of equal pairs tied, log nu was .08 (1.3 errors)
    too large. So the first-order bias (Cox and Snell 1968) of the two shared parameters is
    subtracted; scores stay those of maximum likelihood, as Bradley-Terry's do. In simulations with
    150 raters x 2 trials on 30 items, 95% intervals of scores covered .94, because of that spread,
    those of how often equal items tie .95 to .96. The error of the side advantage is that of its
    corrected value, which varies less than the likeliest.

    Half a win for each side (`bradley_terry(tie='tie')`) is another estimand, the logit of the
    expected share: its scores lie closer together the more ties there are. Where Davidson's model
    holds, deleting the ties estimates the same scores, from fewer judgments.

    References
    ----------
    Cox, D. R. and Snell, E. J. (1968). Journal of the Royal Statistical Society B 30, 248-275.
    Davidson, R. R. (1970). Journal of the American Statistical Association 65, 317-328.
    Rao, P. V. and Kupper, L. L. (1967). Journal of the American Statistical Association 62,
    194-204.
    """
    found = score_errors_with_ties(
        judgments,
        model=model,
        cluster=cluster,
        ridge=ridge,
        level=level,
        side_advantage=side_advantage,
        by=by,
    )
    assert isinstance(found.ranking, TiedRanking)
    return found.ranking


def score_errors_with_ties(
    judgments: pd.DataFrame,
    *,
    model: TieModel = "davidson",
    cluster: str | None = "rater_id",
    ridge: float = 0.02,
    level: float = 0.95,
    side_advantage: bool = False,
    by: str | None = "scenario",
) -> ScoreErrors:
    """Return the ranking of `rank_with_ties` with the joint errors of all scores.

    Parameters
    ----------
    judgments, model, cluster, ridge, level, side_advantage, by
        As in `rank_with_ties`.

    Returns
    -------
    ScoreErrors
        Its `ranking` is a `TiedRanking`.

    Raises
    ------
    RatifyError
        As `rank_with_ties`.
    """
    columns.one_of("model", model, list(MODELS))
    columns.proportion("level", level)
    likelihood = MODELS[model]
    data = read_comparisons(judgments, by=by, cluster=cluster, tie=TIE)
    # its structure, notes and half-win scores are those of any model; only scores are replaced
    halves = bradley_terry(data, ridge=ridge, errors=False)
    groups = structure_of(count_pairs(data.in_halves(), ordered=False), data.n_items)
    order = pd.MultiIndex.from_frame(halves.frame[["scenario", "item_id"]].astype(object))
    row = order.get_indexer(pd.MultiIndex.from_frame(data.items.astype(object)))
    outside = np.empty(data.n_items, dtype=bool)
    outside[row] = groups.strong != main_groups(groups)[groups.component]
    tied = np.zeros(len(data.left), dtype=bool) if data.tied is None else data.tied
    scored = halves.frame["score"].notna().to_numpy()
    left, right = row[data.left], row[data.right]
    use = scored[left] & scored[right]
    _require_both(likelihood, tied[use])
    rows = np.flatnonzero(scored)
    if len(rows) > MOST_ITEMS:
        raise RatifyError(
            "too many items for a model of ties",
            value=len(rows),
            allowed=f"at most {MOST_ITEMS:,}, or {HALF_WINS}",
        )
    place = np.cumsum(scored) - 1
    component = halves.frame["component"].to_numpy(dtype=np.int64)
    clusters, code = np.unique(data.cluster[use], return_inverse=True)
    judged = Judged(
        place[left[use]],
        place[right[use]],
        data.left_won[use] & ~tied[use],
        tied[use],
        code,
        np.unique(component[rows], return_inverse=True)[1],
    )
    start = halves.frame["score"].to_numpy(dtype=np.float64)[rows]
    fit = fit_ties(judged, likelihood, ridge=ridge, side=side_advantage, start=start)
    method = (
        f"{likelihood.name}'s model of ties (ridge {ridge:g}, errors clustered by "
        f"{cluster or 'judgment'}{', left-side advantage' * side_advantage})"
    )
    table = _Table(halves, rows, outside, judged, fit, level)
    ranking = table.ranking(likelihood, method, n_clusters=data.n_clusters, n_ties=int(tied.sum()))
    return ScoreErrors(
        ranking=ranking,
        blocks=tuple(table.blocks(clusters)),
        known=ranking.frame["se"].notna().to_numpy(dtype=bool),
        n_clusters=data.n_clusters,
        method=method,
    )


def _require_both(model: Likelihood, tied: BoolArray) -> None:
    if tied.any() and not tied.all():
        return
    what = "only" if len(tied) and tied.all() else "no"
    raise RatifyError(
        f"there are {what} ties, so {model.name}'s parameter for ties has no finite estimate",
        allowed=HALF_WINS,
    )


@dataclass
class _Table:
    """Puts a fit into the table of a ranking; `rows` are the scored items, as rows of its frame."""

    halves: Ranking
    rows: IntArray
    outside: BoolArray
    judged: Judged
    fit: TieFit
    level: float

    def ranking(
        self, model: Likelihood, method: str, *, n_clusters: int, n_ties: int
    ) -> TiedRanking:
        """Return the ranking."""
        m, total, spread = len(self.rows), len(self.fit.influence), self._spread
        frame = self._frame.iloc[np.argsort(self.place)].reset_index(drop=True)
        quantile = float(_quantile(np.array([total]), self.level)[0])
        room, error = self.fit.room - float(self.fit.bias[m]), float(spread[m])
        room = max(room, model.least)
        low, high = max(room - quantile * error, model.least), room + quantile * error
        side: tuple[float | None, ...] = (None,) * 4
        if len(spread) > m + 1:
            half = quantile * float(spread[-1])
            here = self.fit.side - float(self.fit.bias[m + 1])
            side = here, float(spread[-1]), here - half, here + half
        return TiedRanking(
            frame=frame,
            method=method,
            unit="log-odds",
            n_judgments=self.halves.n_judgments,
            n_items=self.halves.n_items,
            n_clusters=n_clusters,
            reliability=_reliability(frame),
            strongly_connected=self.halves.strongly_connected,
            level=self.level,
            n_by_ridge=self.halves.n_by_ridge,
            side_advantage=side[0],
            side_advantage_se=side[1],
            side_advantage_low=side[2],
            side_advantage_high=side[3],
            tie=room,
            tie_se=error,
            tie_low=low,
            tie_high=high,
            tie_bias=float(self.fit.bias[m]),
            side_bias=float(self.fit.bias[m + 1]) if len(spread) > m + 1 else None,
            tie_of_equals=model.of_equals(room),
            tie_of_equals_low=model.of_equals(low),
            tie_of_equals_high=model.of_equals(high),
            n_ties=n_ties,
        )

    @cached_property
    def _spread(self) -> FloatArray:
        """The standard error of every parameter."""
        spread = np.sqrt((self.fit.influence**2).sum(axis=0))
        return spread if len(self.fit.influence) > 1 else np.full(len(spread), np.nan)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        """The table in the order of the half-win ranking."""
        frame = self.halves.frame.reset_index(drop=True)
        score, se = np.full((2, len(frame)), np.nan)
        score[self.rows], se[self.rows] = self.fit.score, self._spread[: len(self.rows)]
        clusters = self._clusters()
        lone = np.zeros(len(frame), dtype=bool)
        lone[self.rows] = clusters < 2
        se[self.outside | lone] = np.nan
        half = np.full(len(frame), np.nan)
        half[self.rows] = _quantile(clusters, self.level)
        half *= se
        few = "no standard error: fewer than 2 clusters"
        notes = [
            "; ".join(filter(None, [note, few * bool(one)]))
            for note, one in zip(frame["note"].fillna(""), lone, strict=True)
        ]
        frame = frame.assign(
            score=score, se=se, low=score - half, high=score + half, note=pd.array(notes, "str")
        )
        rank = frame["score"].round(_RANK_DECIMALS).groupby(frame["component"])
        return frame.assign(rank=rank.rank(method="min", ascending=False).astype("Int64"))

    def _clusters(self) -> IntArray:
        """Return for each scored item how many clusters judged its connected group."""
        group = self.judged.group[self.judged.left]
        both = np.unique(np.column_stack([group, self.judged.cluster]), axis=0)
        return np.bincount(both[:, 0], minlength=int(group.max()) + 1)[self.judged.group]

    def blocks(self, clusters: IntArray) -> Iterator[Block]:
        """Yield the joint errors of each connected group."""
        judged, m = self.judged, len(self.rows)
        ends = [judged.cluster * m + side for side in (judged.left, judged.right)]
        judges = np.bincount(np.unique(np.concatenate(ends)) % m, minlength=m)
        for name in np.unique(judged.group):
            inside = np.flatnonzero(judged.group == name)
            if len(inside) > 1 and len(clusters) > 1:
                rows = self.place[self.rows[inside]]
                yield Block(rows, clusters, self.fit.influence[:, inside], judges[inside])

    @cached_property
    def place(self) -> IntArray:
        """The place of each row of the half-win ranking in the new one."""
        ranked = self._frame.sort_values(["scenario", "component", "rank", "item_id"])
        place = np.empty(len(ranked), dtype=np.int64)
        place[ranked.index.to_numpy()] = np.arange(len(ranked))
        return place


def _quantile(clusters: IntArray, level: float) -> FloatArray:
    return np.asarray(student.ppf((1 + level) / 2, np.maximum(clusters - 1, 1)), dtype=np.float64)


def _reliability(frame: pd.DataFrame) -> float:
    """Return 1 - mean(se^2) / var(score); NaN without errors."""
    known = frame[frame["se"].notna()]
    measured = Measured(
        score=known["score"].to_numpy(dtype=np.float64),
        variance=known["se"].to_numpy(dtype=np.float64) ** 2,
        group=known["component"].to_numpy(dtype=np.int64),
        reliability=None,
    )
    return measured.estimate()
