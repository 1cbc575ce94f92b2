"""How each label is used: sensitivity, specificity, predictive values and prevalence by label.

A judge and a person face the same reference: another person. So a judge's numbers stand beside
those of a single person on the same items, and people's own disagreement is not held against the
judge. The majority of people is a second reference, for those who take it as the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.agreement.cut import pooled_share
from analysis.agreement.nominal import label_counts
from analysis.agreement.nominal_pairs import MAJORITY, Classes, majority
from analysis.agreement.panel import Panel
from analysis.agreement.yardstick import Sample
from analysis.arrays import FloatArray

PERSON = "a person"
# A change of a share that is smaller than this is rounding error.
_NONE = 1e-12
Triple = tuple[float, float, float]
MEASURES = (
    "sensitivity",
    "specificity",
    "positive_predictive",
    "negative_predictive",
    "prevalence",
)


@dataclass(frozen=True, kw_only=True)
class ClassShare:
    """One share of one judge for one label, beside a single person's; a row of `labels`.

    Attributes
    ----------
    dimension, label, annotator : str
    reference : str
        Whose labels count as given: `a person` (each in turn), or `majority(humans)`.
    measure : str
        Sensitivity: share of the cases with this label that the annotator finds. Specificity: share
        of the others to which it does not give the label. Positive (negative) predictive value:
        share of the annotator's cases (others) that are so for the reference too. Prevalence:
        share of items to which the annotator gives the label.
    estimate, low, high : float
        NaN where there is no such case.
    person, person_low, person_high : float
        The same of one person with another, on the items that the judge labelled; for the
        prevalence, people's own. NaN with one person, and against the majority.
    difference, difference_low, difference_high : float
        estimate - person.
    cases : int
        Denominator: labels of people (of the judge for predictive values and prevalence).
    n : int
        Items used.
    """

    dimension: str
    label: str
    annotator: str
    reference: str
    measure: str
    estimate: float
    low: float
    high: float
    person: float
    person_low: float
    person_high: float
    difference: float
    difference_low: float
    difference_high: float
    cases: int
    n: int


def to_frame(rows: Sequence[ClassShare]) -> pd.DataFrame:
    """Return the rows as a table."""
    return pd.DataFrame([asdict(row) for row in rows], columns=list(ClassShare.__annotations__))


def label_shares(table: Panel, classes: Classes, *, level: float = 0.95) -> tuple[ClassShare, ...]:
    """Return how each judge uses each label, beside a single person.

    Parameters
    ----------
    table : Panel
        Ratings are codes of labels, from 0.
    classes : mapping of str to tuple of str
        The labels of each dimension, in the order of their codes.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of ClassShare
        Per judge, dimension and label: the measures against a person, then against the majority.

    Notes
    -----
    Shares of pairs of labels share items, so they have Wilson's interval at an effective number of
    cases, as at a cut (`analysis.agreement.cut`). With another person as the reference, a person's
    sensitivity and positive predictive value are the same number: each of two people is the
    reference once (the proportion of specific agreement, Fleiss 1981). The interval of a difference
    is made from the two Wilson intervals and from how the shares go together over items (Zou and
    Donner 2008): the jackknife's covered .82 to .88 where a label has few cases.
    """
    found: list[ClassShare] = []
    for judge in table.judges:
        for name in table.dimensions:
            counts = label_counts(table.people[name], len(classes[name]))
            codes = table.judge(judge, name)
            most = majority(counts)
            of_majority = (most[:, None] == np.arange(len(classes[name]))).astype(float)
            for code, label in enumerate(classes[name]):
                at = (name, label, judge)
                found += _rows((*at, PERSON), codes, counts, code, level, beside=True)
                found += _rows((*at, MAJORITY), codes, of_majority, code, level, beside=False)
    return tuple(found)


def _rows(
    at: tuple[str, str, str, str],
    codes: FloatArray,
    counts: FloatArray,
    code: int,
    level: float,
    *,
    beside: bool,
) -> list[ClassShare]:
    """Return one judge's measures of one label against one reference."""
    m = counts.sum(axis=1)
    used = ~np.isnan(codes) & (m > 0)
    judge = _judge_events(codes[used], counts[used], code)
    person = _person_events(counts[used], code) if beside else {}
    rows = []
    for measure in MEASURES:
        events = judge[measure]
        own = pooled_share(events, level)
        sample = _sample(events, level)
        his: Triple = (np.nan, np.nan, np.nan)
        apart: Triple = (np.nan, np.nan, np.nan)
        if beside and not np.isnan((other := _sample(person[measure], level)).value):
            his = pooled_share(person[measure], level)
            apart = _apart(own, his, sample.left_out, other.left_out)
        rows.append(
            ClassShare(
                dimension=at[0],
                label=at[1],
                annotator=at[2],
                reference=at[3],
                measure=measure,
                estimate=own[0],
                low=own[1],
                high=own[2],
                person=his[0],
                person_low=his[1],
                person_high=his[2],
                difference=apart[0],
                difference_low=apart[1],
                difference_high=apart[2],
                cases=round(float(events[:, 0].sum())),
                n=int(used.sum()),
            )
        )
    return rows


def _apart(own: Triple, his: Triple, mine: FloatArray, theirs: FloatArray) -> Triple:
    """Return a difference of two shares, with an interval made from the intervals of both.

    Parameters
    ----------
    own, his : tuple of float
        Each share with its interval.
    mine, theirs : array of shape (items,)
        The shares without each item, which show how far they go together.
    """
    known = ~np.isnan(mine + theirs)
    if not known.any() or np.isnan(own[0] - his[0]):
        return np.nan, np.nan, np.nan
    x, y = mine[known] - mine[known].mean(), theirs[known] - theirs[known].mean()
    together = _least_correlation(x, y)

    def half(a: float, b: float) -> float:
        return float(np.sqrt(max(a**2 + b**2 - 2 * together * a * b, 0.0)))

    value = own[0] - his[0]
    low = value - half(own[0] - own[1], his[2] - his[0])
    return value, max(low, -1.0), min(value + half(own[2] - own[0], his[0] - his[1]), 1.0)


def _least_correlation(x: FloatArray, y: FloatArray) -> float:
    """Return the lower end of a positive correlation (95%, Fisher), and zero for any other.

    With few cases the correlation is as uncertain as the shares. Taken as it is, it would make
    the interval of a difference too narrow.
    """
    spread = float(np.sqrt((x**2).sum() * (y**2).sum()))
    items = int(((np.abs(x) > _NONE) | (np.abs(y) > _NONE)).sum())
    if spread <= _NONE**2 or items < 5:
        return 0.0
    found = min(float((x * y).sum()) / spread, 1 - 1e-9)
    return max(float(np.tanh(np.arctanh(found) - norm.ppf(0.975) / np.sqrt(items - 3))), 0.0)


def _judge_events(codes: FloatArray, counts: FloatArray, code: int) -> dict[str, FloatArray]:
    """Return cases and hits of each measure by item, shape (items, 2)."""
    with_it = counts[:, code]
    without = counts.sum(axis=1) - with_it
    gives = (codes == code).astype(float)
    return {
        "sensitivity": np.column_stack([with_it, with_it * gives]),
        "specificity": np.column_stack([without, without * (1 - gives)]),
        "positive_predictive": np.column_stack([gives * (with_it + without), gives * with_it]),
        "negative_predictive": np.column_stack(
            [(1 - gives) * (with_it + without), (1 - gives) * without]
        ),
        "prevalence": np.column_stack([np.ones(len(gives)), gives]),
    }


def _person_events(counts: FloatArray, code: int) -> dict[str, FloatArray]:
    """Return the same of one person with another: each ordered pair of people counts."""
    m = counts.sum(axis=1)
    with_it = counts[:, code]
    without = m - with_it
    positive = np.column_stack([with_it * (m - 1), with_it * (with_it - 1)])
    negative = np.column_stack([without * (m - 1), without * (without - 1)])
    return {
        "sensitivity": positive,
        "specificity": negative,
        "positive_predictive": positive,
        "negative_predictive": negative,
        "prevalence": np.column_stack([m, with_it]),
    }


def _sample(events: FloatArray, level: float) -> Sample:
    """Return a ratio of sums over items, and the same without each item."""
    total = events.sum(axis=0) if len(events) else np.zeros(2)
    left = total - events
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(total[1] / total[0]) if total[0] > 0 else np.nan
        return Sample(
            value,
            np.asarray(left[:, 1] / np.where(left[:, 0] > 0, left[:, 0], np.nan)),
            np.ones(len(events), dtype=bool),
            level,
            bound=1.0,
        )
