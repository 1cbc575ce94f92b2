"""If this failed, items without a finite score would get one, or a fit would start far off."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.ranking.groups import connected_groups, soon_one_group
from analysis.ranking.pair_counts import count_votes, win_edges
from analysis.ranking.pair_scores import first_guess, fit_codes, main_groups, restrict
from analysis.ranking.result import structure_of


@pytest.mark.parametrize("votes", [12, 20, 40, 120])
def test_one_group_is_said_only_where_the_graph_says_so(votes: int) -> None:
    rng = np.random.default_rng(votes)
    said = []
    for _ in range(200):
        n = int(rng.integers(2, 12))
        left = rng.integers(n, size=votes)
        right = (left + rng.integers(1, n, size=votes)) % n
        cells = count_votes(left, right, rng.random(votes) < 0.8, n, ordered=False)
        wins = cells.first, cells.second, cells.first_wins, cells.second_wins
        count, _ = connected_groups(*win_edges(cells), n, strong=True)
        # with so few items every way back is short
        said.append(soon_one_group(*wins, n))
        assert said[-1] == (count == 1)
    assert any(said)


def test_a_long_circle_is_left_to_the_graph_and_still_one_group() -> None:
    n = 40
    circle = np.arange(n)
    cells = count_votes(circle, (circle + 1) % n, np.ones(n, dtype=bool), n, ordered=False)
    assert not soon_one_group(cells.first, cells.second, cells.first_wins, cells.second_wins, n)
    assert structure_of(cells, n).strongly_connected


def test_the_first_guess_is_near_the_scores_and_nearer_than_log_odds() -> None:
    rng = np.random.default_rng(0)
    n, votes = 120, 6000
    strength = rng.normal(size=n)
    left = rng.integers(n, size=votes)
    right = (left + rng.integers(1, n, size=votes)) % n
    won = rng.random(votes) < 1 / (1 + np.exp(strength[right] - strength[left]))
    cells = count_votes(left, right, won, n, ordered=False)
    groups = structure_of(cells, n)
    nobody = np.empty(0, dtype=np.int64)
    problem = restrict(cells, groups, main_groups(groups), nobody, 0.02)
    score = fit_codes(left, right, won, n).score
    odds = np.log(groups.wins + 0.5) - np.log(groups.losses + 0.5)
    odds -= odds.mean()
    guess = first_guess(problem, groups)
    assert guess.mean() == pytest.approx(0, abs=1e-12)
    assert np.abs(guess - score).mean() < 0.6 * np.abs(odds - score).mean()


def test_a_group_of_two_hundred_is_fitted_exactly() -> None:
    # a step is solved by conjugate gradients; the gradient says whether it arrived
    rng = np.random.default_rng(1)
    n, votes = 200, 20_000
    left = rng.integers(n, size=votes)
    right = (left + rng.integers(1, n, size=votes)) % n
    won = rng.random(votes) < 0.6
    score = fit_codes(left, right, won, n).score
    chance = 1 / (1 + np.exp(score[right] - score[left]))
    beyond = won - chance
    gradient = np.bincount(left, beyond, n) - np.bincount(right, beyond, n) - 0.02 * score
    assert np.abs(gradient).max() < 2e-8
