"""The probability that one item beats another, from Bradley-Terry scores and their joint errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import t as student

from analysis.arrays import BoolArray, FloatArray, IntArray
from analysis.ranking.draws import ScoreErrors
from analysis.tables import columns


@dataclass(frozen=True, kw_only=True)
class PairwiseProbability:
    """The probability that one item beats another, for several pairs.

    Attributes
    ----------
    frame : DataFrame
        One row per pair: `scenario`, `item_id`, `other_id`; `difference`, `se` (log-odds);
        `probability`, `low`, `high` (that `item_id` is chosen over `other_id`, without a side
        advantage); `p` (two-sided, for no difference); `clusters`; `note` (why there is no
        estimate or no interval, or empty).
    level : float
    n_judgments, n_clusters : int
    method, unit : str
    """

    frame: pd.DataFrame = field(repr=False)
    level: float
    n_judgments: int
    n_clusters: int
    method: str
    unit: str = "probability"

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()


def pairwise_probability(
    errors: ScoreErrors, pairs: pd.DataFrame | None = None, *, level: float = 0.95
) -> PairwiseProbability:
    """Return P(i beats j) with its interval, from Bradley-Terry scores.

    Parameters
    ----------
    errors : ScoreErrors
        From `score_errors`.
    pairs : DataFrame, optional
        `item_id`, `other_id`, and `scenario` if ids occur in several; by default all pairs
        within a scenario, with the item that is ranked higher first.
    level : float

    Returns
    -------
    PairwiseProbability

    Raises
    ------
    RatifyError
        On an item that was not ranked, a pair of an item with itself, and an id that occurs in
        several scenarios if the pair does not say which.

    Notes
    -----
    The difference of the scores with an error from the covariance clustered by rater
    (`score_errors`) and the t quantile with clusters - 1 degrees of freedom, transformed by the
    logistic function, so that the ends are within 0 and 1. Intervals are for each pair, not for
    all at once. In simulations at study size they covered .94 to .95.
    """
    columns.proportion("level", level)
    frame = errors.ranking.frame
    first, second = _all_pairs(frame) if pairs is None else _named_pairs(frame, pairs)
    score = errors.score
    difference = score[first] - score[second]
    lacks = _lacks(errors, first, second)
    difference[(lacks == _APART) | (lacks == _NO_SCORE)] = np.nan
    se, clusters = _difference_errors(errors, first, second, lacks == _NOTHING)
    freedom = np.maximum(clusters - 1, 1)
    half = student.ppf((1 + level) / 2, freedom) * se
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * student.sf(np.abs(difference) / se, freedom)
    out = pd.DataFrame(
        {
            "scenario": frame["scenario"].to_numpy()[first],
            "item_id": frame["item_id"].to_numpy()[first],
            "other_id": frame["item_id"].to_numpy()[second],
            "difference": difference,
            "se": se,
            "probability": expit(difference),
            "low": expit(difference - half),
            "high": expit(difference + half),
            "p": np.where(se > 0, p_value, np.nan),
            "clusters": clusters,
            "note": [_NOTES[lack] for lack in lacks],
        }
    )
    return PairwiseProbability(
        frame=out,
        level=level,
        n_judgments=errors.ranking.n_judgments,
        n_clusters=errors.n_clusters,
        method=f"difference of scores, t interval on the logit scale; {errors.method}",
    )


# Reasons why a pair has no estimate or no interval, and their notes.
_NOTHING, _APART, _NO_SCORE, _FEW, _NO_ERROR = range(5)
_NOTES = (
    "",
    "never compared with each other, not even indirectly",
    "no finite estimate of a score",
    "no interval: fewer than 2 clusters",
    "a score is finite only because of the ridge: no interval",
)


def _all_pairs(frame: pd.DataFrame) -> tuple[IntArray, IntArray]:
    firsts, seconds = [], []
    for rows in frame.groupby("scenario", sort=False).indices.values():
        i, j = np.triu_indices(len(rows), 1)
        firsts.append(rows[i])
        seconds.append(rows[j])
    return np.concatenate(firsts), np.concatenate(seconds)


def _named_pairs(frame: pd.DataFrame, pairs: pd.DataFrame) -> tuple[IntArray, IntArray]:
    columns.require_columns(pairs, "item_id", "other_id")
    columns.require_rows(pairs, "pairs")
    with_scenario = "scenario" in pairs.columns
    key = frame["item_id"].astype(str)
    if with_scenario:
        key = frame["scenario"].astype(str) + "\0" + key
    repeated = set(key[key.duplicated()])
    row = pd.Series(np.arange(len(frame)), index=key)
    found = []
    for name in ("item_id", "other_id"):
        ids = columns.text_ids(pairs, name)
        wanted = pairs["scenario"].astype(str) + "\0" + ids if with_scenario else ids
        columns.refuse(
            pairs,
            name,
            wanted.isin(repeated),
            "occurs in several scenarios",
            allowed="pairs with a column scenario",
        )
        columns.refuse(
            pairs,
            name,
            ~wanted.isin(row.index),
            "was not ranked",
            allowed="an item_id of the ranking",
        )
        found.append(row.loc[wanted].to_numpy(dtype=np.int64))
    columns.refuse(
        pairs,
        "other_id",
        found[0] == found[1],
        "is compared with itself",
        allowed="two different items",
    )
    return found[0], found[1]


def _lacks(errors: ScoreErrors, first: IntArray, second: IntArray) -> IntArray:
    """Return the index in `_NOTES` of the first thing that each pair lacks."""
    component = errors.ranking.frame["component"].to_numpy()
    scored = ~np.isnan(errors.score)
    judged = np.zeros(len(scored), dtype=bool)
    judged[np.concatenate([np.empty(0, np.int64), *(block.rows for block in errors.blocks)])] = True
    both = [known[first] & known[second] for known in (scored, judged, errors.known)]
    reasons = [component[first] != component[second], *(~known for known in both)]
    return np.select(reasons, [_APART, _NO_SCORE, _FEW, _NO_ERROR], _NOTHING)


def _difference_errors(
    errors: ScoreErrors, first: IntArray, second: IntArray, whole: BoolArray
) -> tuple[FloatArray, IntArray]:
    se = np.full(len(first), np.nan)
    clusters = np.zeros(len(first), dtype=np.int64)
    place = np.full(len(errors.known), -1, dtype=np.int64)
    for block in errors.blocks:
        place[:] = -1
        place[block.rows] = np.arange(len(block.rows))
        here = (place[first] >= 0) & (place[second] >= 0)
        clusters[here] = len(block.cluster)
        here &= whole
        i, j = place[first[here]], place[second[here]]
        covariance = block.influence.T @ block.influence
        variance = np.diag(covariance)
        se[here] = np.sqrt(np.maximum(variance[i] + variance[j] - 2 * covariance[i, j], 0))
    return se, clusters
