"""People's votes on pairs, each with what all other raters' votes predict for its pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.habits.answers import PAIR
from analysis.tables import columns

# The ridge penalty, in votes: it pulls scores towards zero, so that every item has a score.
RIDGE = 1.0
# Cells of the matrices that are solved together.
_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Votes:
    """People's votes on pairs, each with what the other raters' votes predict for its pair.

    Attributes
    ----------
    pairs : MultiIndex
        Scenario, left and right of each vote.
    left, right, rater : int array
        Items and raters as numbers.
    chose_left : float array
        1 where left was chosen, 1/2 at a tie.
    expected : float array
        Difference of the two items' scores (left minus right) without this rater's votes.
    """

    pairs: pd.MultiIndex
    left: IntArray
    right: IntArray
    rater: IntArray
    chose_left: FloatArray
    expected: FloatArray


def votes_of(people: pd.DataFrame) -> Votes:
    """Return people's votes, each with the difference of its pair's scores by all other raters.

    Parameters
    ----------
    people : DataFrame
        Tidy judgments of people: `rater_id`, `left_id`, `right_id`, `choice`, `scenario` if any.

    Notes
    -----
    Scores are ridge least squares of the votes (+1, -1, 0 at a tie) on the items, within scenario.
    Leaving a rater's votes out needs no second fit: e / (1 - H), by blocks (Cook and Weisberg 1982,
    2.2).
    """
    rows = people[~columns.missing(people["rater_id"])] if len(people) else people
    if rows.empty:
        nothing = np.zeros(0, dtype=np.int64)
        empty = pd.MultiIndex.from_arrays([[], [], []], names=PAIR)
        return Votes(empty, nothing, nothing, nothing, np.zeros(0), np.zeros(0))
    scenario = pd.Series("", index=rows.index)
    if "scenario" in rows:
        scenario = rows["scenario"].astype(object).where(rows["scenario"].notna(), "").astype(str)
    n = len(rows)
    where = scenario.to_numpy(dtype=object)
    ids = [rows[side].to_numpy(dtype=object) for side in ("left_id", "right_id")]
    # one number per scenario and item
    codes = pd.factorize(
        pd.MultiIndex.from_arrays([np.concatenate([where, where]), np.concatenate(ids)])
    )[0]
    left, right = codes[:n].astype(np.int64), codes[n:].astype(np.int64)
    rater = pd.factorize(rows["rater_id"])[0].astype(np.int64)
    chose_left = columns.left_share(rows)
    expected = np.empty(n)
    for part in _parts(pd.factorize(scenario)[0].astype(np.int64)):
        expected[part] = _left_out_scores(
            left[part], right[part], 2 * chose_left[part] - 1, rater[part]
        )
    pairs = pd.MultiIndex.from_arrays([where, *ids], names=PAIR)
    return Votes(pairs, left, right, rater, chose_left, expected)


def _left_out_scores(
    left: IntArray, right: IntArray, won: FloatArray, rater: IntArray
) -> FloatArray:
    """Return the predicted vote of every pair from the votes of all other raters."""
    items, codes = np.unique(np.concatenate([left, right]), return_inverse=True)
    i, j, k = codes[: len(left)], codes[len(left) :], len(items)
    normal, sums = _normal_equations(i, j, won, k)
    normal += RIDGE * np.eye(k)
    inverse = np.linalg.inv(normal)
    score = inverse @ sums
    missed = won - (score[i] - score[j])
    predicted = np.empty(len(won))
    order = np.argsort(rater, kind="stable")
    sizes = np.unique(rater, return_counts=True)[1]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for size in np.unique(sizes):  # raters with the same number of votes are solved together
        groups = order[starts[sizes == size][:, None] + np.arange(size)]
        if size > k:  # for this many votes a second fit without them is faster
            for rows in groups:
                predicted[rows] = _refitted(normal, sums, i[rows], j[rows], won[rows])
            continue
        together = max(1, _AT_A_TIME // int(size) ** 2)
        for start in range(0, len(groups), together):
            rows = groups[start : start + together]
            a, b = i[rows], j[rows]
            hat = (
                inverse[a[:, :, None], a[:, None, :]]
                - inverse[a[:, :, None], b[:, None, :]]
                - inverse[b[:, :, None], a[:, None, :]]
                + inverse[b[:, :, None], b[:, None, :]]
            )
            out = np.linalg.solve(np.eye(size) - hat, missed[rows][..., None])[..., 0]
            predicted[rows] = won[rows] - out
    return predicted


def _normal_equations(
    i: IntArray, j: IntArray, won: FloatArray, k: int
) -> tuple[FloatArray, FloatArray]:
    """Return what some votes add to the normal equations of k items' scores."""
    cells = np.concatenate([i * k + i, j * k + j, i * k + j, j * k + i])
    ones = np.ones(len(i))
    counted: FloatArray = np.bincount(
        cells, np.concatenate([ones, ones, -ones, -ones]), k * k
    ).astype(np.float64)
    sums: FloatArray = (np.bincount(i, won, k) - np.bincount(j, won, k)).astype(np.float64)
    return counted.reshape(k, k), sums


def _refitted(
    normal: FloatArray, sums: FloatArray, i: IntArray, j: IntArray, won: FloatArray
) -> FloatArray:
    """Return the predicted votes of one rater from a fit without them."""
    gone = _normal_equations(i, j, won, len(sums))
    score = np.linalg.solve(normal - gone[0], sums - gone[1])
    return np.asarray(score[i] - score[j])


def _parts(codes: IntArray) -> list[IntArray]:
    """Return the positions of each code."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
