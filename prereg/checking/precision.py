"""How precisely an item's score will be known: expected before a study, from its assumptions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from prereg.kinds.registry import kind_of
from prereg.plan.assumptions import RaterAssumptions
from prereg.plan.model import Plan

# Points of Gauss and Hermite's quadrature over a normal distribution.
_POINTS = 41
# An inverse of more items takes longer than a check may.
_MOST_ITEMS = 3000
Z = 1.959963984540054
Shown = tuple[str, ...]


@dataclass(frozen=True)
class Precision:
    """What a plan can say about a single item.

    Attributes
    ----------
    sentence : str
    error : float
        Pairs: the standard error of a Bradley-Terry score in log-odds, at the median item. Ratings:
        half the width of the 95% interval of a mean rating, in standard deviations of a rating.
    reliability : float
        Share of the variance of the items' scores that is not error.
    """

    sentence: str
    error: float
    reliability: float


def expected_precision(
    plan: Plan, scenarios: Mapping[str, str], shown: Mapping[str, Sequence[Shown]]
) -> Precision | None:
    """Return how precisely an item will be known if the plan's assumptions hold.

    Parameters
    ----------
    plan : Plan
        Its `assumptions` say how raters answer and leave.
    scenarios : mapping
        The scenario of each item.
    shown : mapping
        The items of every trial of each sequence, without attention checks.

    Returns
    -------
    Precision or None
        None for sets of several items, whose answers hold comparisons that are not independent, for
        scales of labels, and where too few trials link the items.

    Notes
    -----
    Pairs: the inverse of the expected Fisher information of Bradley and Terry's model, in which a
    pair that n people answer adds n E[p (1 - p)]; p is the share of all raters that choose an
    item, and qualities are standard normal. Answers are taken as independent, and of a tie half
    counts for each side, so ties make the true error a little smaller. Ratings: the error of a mean
    of independent raters, and Spearman and Brown's formula.
    """
    people = plan.assumptions.raters
    answered = plan.design.raters_per_sequence * (1 - people.no_shows) * (1 - people.drop_out / 2)
    trials = [trial for hand in shown.values() for trial in hand]
    if not trials:
        return None
    if kind_of(plan).asks_pairs:
        return _of_pairs(trials, scenarios, people, answered)
    if kind_of(plan).compares or any(scale.names for scale in plan.scales):
        return None
    counts = Counter(name for trial in trials for name in trial)
    if plan.design.apart:  # the scales share the trials of an item evenly
        answered /= len(plan.scales)
    return _of_ratings(float(np.median(list(counts.values()))) * answered, people)


def information_of_a_choice(people: RaterAssumptions) -> tuple[float, float]:
    """Return the information of one choice about a difference, and the variance of scores.

    Returns
    -------
    (float, float)
        The mean of p (1 - p) over two random items, where p is the share of all raters that choose
        the first; and the variance of the items' scores, in the log-odds of that share.
    """
    at, weight = np.polynomial.hermite_e.hermegauss(_POINTS)
    weight = weight / weight.sum()
    noise = math.sqrt(2 * people.taste**2 + people.side**2) * at
    sensitivity = people.sensitivity * np.exp(people.spread * at)
    difference = math.sqrt(2) * at  # of the qualities of two items
    logits = difference[:, None, None] * sensitivity[None, :, None] + noise[None, None, :]
    chosen = np.einsum("dsn,s,n->d", expit(logits), weight, weight)
    chosen = people.careless / 2 + (1 - people.careless) * chosen
    information = float(weight @ (chosen * (1 - chosen)))
    chosen = np.clip(chosen, 1e-12, 1 - 1e-12)
    score = np.log(chosen / (1 - chosen))  # of the difference, as a crowd of raters shows it
    return information, float(weight @ score**2) / 2


def _of_pairs(
    trials: Sequence[Shown], scenarios: Mapping[str, str], people: RaterAssumptions, answered: float
) -> Precision | None:
    information, variance = information_of_a_choice(people)
    groups: dict[str, Counter[Shown]] = {}
    for first, second in trials:
        met_pair: Shown = (min(first, second), max(first, second))
        groups.setdefault(scenarios.get(first, ""), Counter())[met_pair] += 1
    errors, counts = [], []
    for pairs in groups.values():
        found = pair_errors(pairs, answered * information)
        if found is None:
            return None
        errors += list(found.values())
        met = Counter(dict.fromkeys(found, 0))
        for pair, n in pairs.items():
            for name in pair:
                met[name] += n
        counts += list(met.values())
    error = float(np.median(errors))
    each = float(np.median(counts)) * answered
    reliability = variance / (variance + error**2) if variance > 0 else 0.0
    return Precision(
        f"an item gets about {each:.3g} comparisons, so its Bradley-Terry score will have a "
        f"standard error of about {error:.2f} log-odds if the plan's assumptions hold; items' "
        f"scores differ by a standard deviation of {math.sqrt(variance):.2f}, which makes a "
        f"reliability of {reliability:.2f}.",
        error,
        reliability,
    )


def pair_errors(pairs: Mapping[Shown, float], information: float) -> dict[str, float] | None:
    """Return the expected error of each item's score, about the mean of all; None without links.

    Parameters
    ----------
    pairs : mapping
        How often each pair of items is shown.
    information : float
        About the difference of two items, from one showing of their pair.
    """
    names = sorted({name for pair in pairs for name in pair})
    place = {name: at for at, name in enumerate(names)}
    laplacian = np.zeros((len(names), len(names)))
    for pair, count in pairs.items():
        for a, b in combinations((place[name] for name in pair), 2):
            weight = count * information
            laplacian[[a, b], [a, b]] += weight
            laplacian[[a, b], [b, a]] -= weight
    if len(names) > _MOST_ITEMS or connected_components(laplacian, directed=False)[0] > 1:
        return None
    # the pseudoinverse of a connected graph's Laplacian; scores sum to 0
    inverse = np.linalg.inv(laplacian + 1 / len(names)) - 1 / len(names)
    errors = np.sqrt(np.diag(inverse))
    return dict(zip(names, map(float, errors), strict=True))


def _of_ratings(each: float, people: RaterAssumptions) -> Precision | None:
    if each <= 0:
        return None
    one = people.reliability * (1 - people.careless)
    half = Z * math.sqrt((1 - one) / each)
    reliability = each * one / (1 + (each - 1) * one)
    return Precision(
        f"an item gets about {each:.3g} ratings, so the 95% interval of its mean rating will reach "
        f"about {half:.2f} standard deviations of a rating to each side if the plan's assumptions "
        f"hold, and the mean has a reliability of {reliability:.2f}.",
        half,
        reliability,
    )
