"""Which of people's trials depend on each other: those of one rater, and those that hold one item.

A judge's mistake about an item comes back in every trial that holds it. Errors clustered by rater
alone take the items as the only ones of interest, and their intervals are too narrow for others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.inference.crossed_errors import crossed_mean
from analysis.inference.paired import Share
from analysis.inference.proportions import wilson_interval
from analysis.tables import columns
from prereg.analyses.clusters import AND_ITEMS, holds_items

SIDES = ("left_id", "right_id")
PAIRS_AND_ITEMS = "errors by both items of a pair, Wilson's interval of the effective number"


def cluster_columns(cluster: str) -> list[str]:
    """Return the columns that a clustering needs.

    Parameters
    ----------
    cluster : str
        A column, or 'rater_and_items' (or session or sequence): the rater and both items.
    """
    if not holds_items(cluster):
        return [cluster]
    return [f"{cluster.removesuffix(AND_ITEMS)}_id", *SIDES]


def cluster_words(cluster: str) -> str:
    """Return how errors are clustered, in words."""
    if cluster == "none":
        return "trials taken as independent"
    if not holds_items(cluster):
        return f"errors clustered by {cluster}"
    return f"errors by {cluster.removesuffix(AND_ITEMS)} and by both items of a trial"


def clusters_of(trials: pd.DataFrame, cluster: str) -> dict[str, IntArray]:
    """Return the clusters of every trial, for `crossed_errors`.

    Parameters
    ----------
    trials : DataFrame
        With the columns of `cluster_columns`, without empty cells there.
    cluster : str

    Returns
    -------
    dict
        By name of the clustering: codes of shape (n,), and for items (n, 2).

    Raises
    ------
    RatifyError
        On a missing column and on an empty cell.
    """
    needed = cluster_columns(cluster)
    columns.require_columns(trials, *needed)
    columns.require_filled(trials, *needed)
    first = needed[0]
    found = {first.removesuffix("_id"): _codes(trials[first].to_numpy(dtype=object))}
    if holds_items(cluster):
        sides = [columns.text_ids(trials, side).to_numpy(dtype=object) for side in SIDES]
        found["item"] = _codes(np.concatenate(sides)).reshape(2, -1).T
    return found


def _codes(values: np.ndarray) -> IntArray:
    return pd.factorize(values)[0].astype(np.int64)


def share_interval(
    values: FloatArray, clusters: Mapping[str, IntArray], *, level: float = 0.95
) -> tuple[float, float, float]:
    """Return the standard error and the interval of a share of trials that depend on each other.

    Parameters
    ----------
    values : array of shape (n,)
        0 or 1 (or between) for every trial.
    clusters : mapping
        As in `crossed_errors.crossed_ols`.
    level : float

    Returns
    -------
    se, low, high : float
        NaN without trials. `se` is NaN if all values are equal.

    Notes
    -----
    Wilson's interval for the number of independent trials that would have the clustered error, at
    most the number of trials (Korn and Graubard 1998, Survey Methodology 24, 193-201), reduced for
    the degrees of freedom of that error. If all values are equal, nothing shows how far trials
    depend on each other: the interval takes one trial for each cluster, of the kind with fewest.
    """
    n = len(values)
    if n == 0:
        return math.nan, math.nan, math.nan
    share = float(values.mean())
    error = crossed_mean(values - share, clusters)
    if math.isnan(error.se) or not 0 < share < 1:
        fewest = min([n, *(len(np.unique(codes)) for codes in clusters.values())])
        return math.nan, *wilson_interval(share * fewest, fewest, level=level)
    at = (1 + level) / 2
    reach = float(norm.ppf(at)) / float(student.ppf(at, error.df))
    effective = min(float(n), share * (1 - share) / error.se**2) * reach**2
    return error.se, *wilson_interval(share * effective, effective, level=level)


def share_of(values: FloatArray, clusters: Mapping[str, IntArray], *, level: float = 0.95) -> Share:
    """Return a mean of shares with the interval of `share_interval`; `units` counts the values."""
    if len(values) == 0:
        return Share(math.nan, math.nan, math.nan, 0)
    _, low, high = share_interval(values, clusters, level=level)
    return Share(float(values.mean()), low, high, len(values))


def share_over_pairs(values: FloatArray, pairs: pd.DataFrame, *, level: float = 0.95) -> Share:
    """Return the mean of shares, one per pair, where pairs that hold a common item are alike.

    Parameters
    ----------
    values : array of shape (n,)
        Each between 0 and 1: what share of a pair's answers agree.
    pairs : DataFrame
        `left_id` and `right_id` of each.
    level : float
    """
    sides = pairs[list(SIDES)].to_numpy(dtype=object)
    return share_of(values, {"item": _codes(sides.ravel()).reshape(-1, 2)}, level=level)
