"""Whether a judge favours a trait (the longer text, its own model's text) more than people do.

A judge that shares people's taste chooses the longer text where people do. It is not enough to
compare texts with equal scores by people: scores from a few votes measure people's taste with
error, length then predicts the rest of it, and an honest judge would be accused. So each answer of
the judge is compared with the vote of a person who did not contribute to the scores. What length
predicts about that vote, given the others' scores, it may predict about the judge's answer too, in
proportion to how closely each follows the scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from analysis.arrays import FloatArray, IntArray
from analysis.habits.votes import Votes
from analysis.inference.paired import LEVEL

# There is no estimate for fewer items than this.
FEWEST_ITEMS = 20
_STEPS = 200
# (16 sqrt(3) / (15 pi))^2: how a normal taste flattens a logit.
_FLAT = 256 * 3 / (15 * math.pi) ** 2
# The approximation holds up to this variance (per item, as the flattened logit shows it).
_MOST = 1.0


@dataclass(frozen=True)
class Beyond:
    """How far a judge follows a trait of the items beyond people.

    Attributes
    ----------
    estimate, low, high : float
        Log-odds per unit of the trait, in a given pair with equal scores by people.
    p_value : float
        For no difference from people.
    stretch : float
        Factor from the log-odds over all pairs to those in a given pair.
    n, items, raters : int
        Votes, items and raters compared.
    note : str
        Why something is missing, empty otherwise.
    endless : {-1, 0, 1}
        1 or -1 if the log-odds have no finite value but are infinite in this direction.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    stretch: float
    n: int
    items: int
    raters: int
    note: str
    endless: int = 0


def beyond_people(
    votes: Votes, answer: FloatArray, trait: FloatArray, *, level: float = LEVEL
) -> Beyond:
    """Return how far a judge follows a trait of the items beyond what people do.

    Parameters
    ----------
    votes : Votes
    answer : array
        How often the judge chose left of every vote's pair; see `answers.answers_to`.
    trait : array
        The trait's difference, left minus right, of every vote's pair; NaN where unknown.

    Returns
    -------
    Beyond
        stretch * (b_judge(trait) - b_judge(score) / b_person(score) * b_person(trait)). The b are
        from logits of the judge's answer and of the person's vote on both terms and a constant.

    Notes
    -----
    Under the null both outcomes depend on the same taste, whatever their noise, so their
    coefficients on (score, trait) are proportional even where the link is not a logit (Ruud 1983,
    Econometrica 51, 225-228). The variance allows for votes that share an item or a rater: dyadic
    clusters (Aronow, Samii and Assenova 2015, Political Analysis 23, 564-577) and raters, by
    inclusion and exclusion, with each cluster deleted in turn (CR3; MacKinnon and White 1985). The
    interval is Fieller's: there is none if people's votes do not follow the others' scores.
    Student's t has min(items, raters) - 1 degrees of freedom.

    Other tastes of the judge in items shrink its log-odds over all pairs. The factor
    sqrt(1 + .346 v) (Zeger, Liang and Albert 1988, Biometrics 44, 1049-1060) gives those in a given
    pair. Here v is the variance of these tastes between the two items of a pair, by moments from
    residuals of votes that share one item. The factor does not change a verdict.
    """
    kept = ~np.isnan(answer) & ~np.isnan(trait)
    seen = _Seen(
        left=votes.left[kept],
        right=votes.right[kept],
        rater=votes.rater[kept],
        judge=answer[kept],
        person=votes.chose_left[kept],
        score=votes.expected[kept],
        trait=trait[kept],
    )
    why = _why_not(seen, votes)
    if why:
        return seen.without(why)
    try:
        fits = _both(seen, _logit)
        linear = fits is None
        fits = fits or _both(seen, _straight)
        assert fits is not None
        return _compared(seen, *fits, linear=linear, level=level)
    except np.linalg.LinAlgError:
        return seen.without("The terms cannot be told apart in these few trials.")


@dataclass(frozen=True)
class _Seen:
    """The votes that count, with the judge's answer to the same pair."""

    left: IntArray
    right: IntArray
    rater: IntArray
    judge: FloatArray
    person: FloatArray
    score: FloatArray
    trait: FloatArray

    @property
    def items(self) -> int:
        return len(np.unique(np.concatenate([self.left, self.right])))

    @property
    def raters(self) -> int:
        return len(np.unique(self.rater))

    @property
    def terms(self) -> FloatArray:
        return np.column_stack([np.ones(len(self.left)), self.score, self.trait])

    def without(self, why: str, p_value: float = math.nan, endless: int = 0) -> Beyond:
        """Return a result without an estimate that says why."""
        nan, n = math.nan, len(self.left)
        return Beyond(nan, nan, nan, p_value, nan, n, self.items, self.raters, why, endless)


@dataclass(frozen=True)
class _Fit:
    """A fit of three terms: coefficients, each row's score, and its weight in the curvature."""

    b: FloatArray
    pull: FloatArray
    weight: FloatArray


def _why_not(seen: _Seen, votes: Votes) -> str:
    if len(votes.left) == 0:
        return "There are no choices by people to compare with."
    if len(seen.left) == 0:
        return "It answered none of the pairs that people chose from."
    if seen.raters < 2:
        return "All choices are by one person, so nobody is left to compare the judge with."
    if seen.items < FEWEST_ITEMS:
        return f"{seen.items} items are too few (at least {FEWEST_ITEMS})."
    if np.ptp(seen.trait) == 0:
        return "No pair differs in this trait."
    if np.ptp(seen.judge) == 0 or np.ptp(seen.person) == 0:
        return "Either the judge or people always chose the same side."
    return ""


def _both(
    seen: _Seen, fit: Callable[[FloatArray, FloatArray], _Fit | None]
) -> tuple[_Fit, _Fit] | None:
    """Return the fits of the judge's answers and of people's votes, None where one has none."""
    judge, person = fit(seen.terms, seen.judge), fit(seen.terms, seen.person)
    return None if judge is None or person is None else (judge, person)


def _logit(terms: FloatArray, y: FloatArray) -> _Fit | None:
    """Return the (fractional) logit by Newton, None where the outcome is separated.

    It is separated if and only if some coefficients never err (Albert and Anderson 1984).
    """
    b: FloatArray = np.zeros(terms.shape[1])
    worth = -math.inf
    step = np.zeros_like(b)
    for _ in range(_STEPS):
        line = terms @ b
        now = float(y @ line - np.logaddexp(0, line).sum())
        if now < worth - 1e-9 * abs(worth):  # the step was too long: go half of it back
            step = step / 2
            b = b - step
            continue
        worth = now
        if b.any() and ((2 * y - 1) * line).min() >= 0 and not line[y == 0.5].any():
            return None
        p = _expit(line)
        curve = terms.T @ (terms * (p * (1 - p))[:, None])
        step = np.linalg.solve(curve, terms.T @ (y - p)).astype(np.float64)
        if np.abs(terms @ step).max() < 1e-9:
            return _Fit(b, terms * (y - p)[:, None], p * (1 - p))
        b = b + step
    return None


def _expit(x: FloatArray) -> FloatArray:
    return np.asarray(expit(x), dtype=np.float64)


def _straight(terms: FloatArray, y: FloatArray) -> _Fit:
    """Return the linear probability model, which also fits separated outcomes."""
    b: FloatArray = np.linalg.solve(terms.T @ terms, terms.T @ y).astype(np.float64)
    return _Fit(b, terms * (y - terms @ b)[:, None], np.ones(len(y)))


def _compared(seen: _Seen, judge: _Fit, person: _Fit, *, linear: bool, level: float) -> Beyond:
    """Return the comparison of two fits, with Fieller's interval of their ratio."""
    (_, js, jt), (_, ps, pt) = judge.b, person.b
    over, under = jt * ps - js * pt, ps
    v00, v01, v11 = _covariance(
        seen,
        judge,
        person,
        np.array([0.0, -pt, ps]),
        np.array([0.0, jt, -js]),
        np.array([0.0, 1.0, 0.0]),
    )
    df = min(seen.items, seen.raters) - 1
    t2 = float(student.ppf((1 + level) / 2, df)) ** 2
    a = under**2 - t2 * v11
    if a <= 0 or v00 <= 0:
        return seen.without("People's votes do not follow each other's scores closely enough.")
    p_value = float(2 * student.sf(abs(over) / math.sqrt(v00), df))
    if linear:
        return seen.without(
            "The odds are infinite: choices follow these terms without exception. "
            "The p value is from a linear fit.",
            p_value,
            # only where the judge's own choices do: people's say nothing about the judge's odds
            0 if _logit(seen.terms, seen.judge) else int(np.sign(over / under)),
        )
    b, c = over * under - t2 * v01, over**2 - t2 * v00
    half = math.sqrt(max(0.0, b * b - a * c)) / a
    scale, note = _stretch(seen, judge)
    estimate, low, high = (
        scale * float(each) for each in (over / under, b / a - half, b / a + half)
    )
    return Beyond(
        estimate, low, high, p_value, scale, len(seen.left), seen.items, seen.raters, note
    )


def _stretch(seen: _Seen, judge: _Fit) -> tuple[float, str]:
    """Return the factor from log-odds over all pairs to those in a given pair, and a note."""
    rest, weight = judge.pull[:, 0], judge.weight
    count = int(max(seen.left.max(), seen.right.max())) + 1
    by_item = np.bincount(seen.left, rest, count) - np.bincount(seen.right, rest, count)
    weights = np.bincount(seen.left, weight, count) + np.bincount(seen.right, weight, count)
    pair = _numbered(np.minimum(seen.left, seen.right), np.maximum(seen.left, seen.right))
    by_pair = np.bincount(pair, np.where(seen.left < seen.right, rest, -rest))
    of_pair = np.bincount(pair, weight)
    # votes on one pair share both items, so they say nothing about either
    shared = float(weights @ weights - 2 * of_pair @ of_pair)
    liking = float(by_item @ by_item - 2 * by_pair @ by_pair) / shared if shared > 0 else 0.0
    note = ""
    if liking > _MOST:
        note = "It likes single items so much that the odds in a given pair are even larger."
    return 1 / math.sqrt(1 - 2 * _FLAT * min(max(liking, 0.0), _MOST)), note


def _covariance(
    seen: _Seen,
    judge: _Fit,
    person: _Fit,
    on_judge: FloatArray,
    on_person: FloatArray,
    below: FloatArray,
) -> tuple[float, float, float]:
    """Return the (co)variances of the ratio's two parts, clustered by items and raters."""
    terms, n = seen.terms, len(seen.left)
    rows = np.arange(n)
    twice, item = np.concatenate([rows, rows]), np.concatenate([seen.left, seen.right])
    pair = _numbered(np.minimum(seen.left, seen.right), np.maximum(seen.left, seen.right))
    parts = [
        (+1, twice, _numbered(item)),
        (-1, rows, pair),
        (+1, rows, _numbered(seen.rater)),
        (-1, twice, _numbered(seen.rater[twice], item)),
        (+1, rows, _numbered(seen.rater, pair)),
    ]
    products = []
    for sign, which, cluster in parts:
        of_judge = _deleted(terms, judge, which, cluster)
        of_person = _deleted(terms, person, which, cluster)
        top, bottom = of_judge @ on_judge + of_person @ on_person, of_person @ below
        products.append(sign * np.array([top @ top, top @ bottom, bottom @ bottom]))
    whole = np.sum(products, axis=0)
    if whole[0] <= 0 or whole[2] <= 0 or whole[0] * whole[2] < whole[1] ** 2:
        whole = products[0] + products[2]  # never negative, a little too large
    return float(whole[0]), float(whole[1]), float(whole[2])


def _deleted(terms: FloatArray, fit: _Fit, which: IntArray, cluster: IntArray) -> FloatArray:
    """Return how much deleting each cluster lowers the coefficients, by one Newton step."""
    k, count = terms.shape[1], int(cluster.max()) + 1
    weighted = terms * fit.weight[:, None]
    whole = terms.T @ weighted
    pull = np.column_stack([np.bincount(cluster, fit.pull[which, j], count) for j in range(k)])
    curve = np.empty((count, k, k))
    for i in range(k):
        for j in range(i, k):
            sums = np.bincount(cluster, (weighted[:, i] * terms[:, j])[which], count)
            curve[:, i, j] = curve[:, j, i] = sums
    return np.asarray(np.linalg.solve(whole - curve, pull[..., None])[..., 0])


def _numbered(*codes: IntArray) -> IntArray:
    """Return one number, from 0 without gaps, for each combination of codes."""
    key = codes[0].astype(np.int64)
    for more in codes[1:]:
        key = key * (int(more.max()) + 1) + more
    return np.unique(key, return_inverse=True)[1].astype(np.int64)
