"""Agreement on labels of pairs of annotators, and each judge compared with people's own kappa."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from analysis.agreement.kappa_test import kappa_test
from analysis.agreement.left_out import leave_one_out
from analysis.agreement.nominal import label_counts, with_people
from analysis.agreement.pairs import AgreementTable, agreement_table
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import MEDIAN
from analysis.agreement.yardstick import ALL, Sample, Yardstick, mean_of, nothing, yardstick
from analysis.arrays import FloatArray
from analysis.inference.proportions import wilson_interval

# A reference that is not a single person: the label that most people gave an item.
MAJORITY = "majority(humans)"
# With fewer items than this there is no interval: it would mostly reflect chance.
FEWEST = 5
Classes = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class LabelPair:
    """How far two annotators give the same labels on one dimension; a row of `agreement.csv`.

    Attributes
    ----------
    dimension, annotator_a, annotator_b : str
        For a judge's row `annotator_a` is the judge, `annotator_b` a human or `majority(humans)`.
    n : int
        Items that both labelled; ties of people are not in their majority.
    exact, exact_low, exact_high : float
        Share of items with the same label; Wilson's interval.
    kappa, kappa_low, kappa_high, kappa_p : float
        Cohen's kappa, its interval, and the two-sided p value for kappa = 0 (null error).
    alpha_nominal, ac1 : float
        Krippendorff's alpha and Gwet's AC1, each with `_low` and `_high`.
    """

    dimension: str
    annotator_a: str
    annotator_b: str
    n: int
    exact: float
    exact_low: float
    exact_high: float
    kappa: float
    kappa_low: float
    kappa_high: float
    kappa_p: float
    alpha_nominal: float
    alpha_nominal_low: float
    alpha_nominal_high: float
    ac1: float
    ac1_low: float
    ac1_high: float


def to_frame(pairs: Sequence[LabelPair]) -> pd.DataFrame:
    """Return the pairs as a table, one row each."""
    return pd.DataFrame([asdict(one) for one in pairs], columns=list(LabelPair.__annotations__))


def majority(counts: FloatArray) -> FloatArray:
    """Return the label that most people gave each item, NaN where there is none or a tie.

    Parameters
    ----------
    counts : array of shape (items, classes)
        From `nominal.label_counts`.
    """
    if not counts.size:
        return np.full(len(counts), np.nan)
    most = counts.max(axis=1)
    alone = (counts == most[:, None]).sum(axis=1) == 1
    return np.where(alone & (most > 0), counts.argmax(axis=1), np.nan)


def agreement_of_labels(
    ratings: pd.DataFrame, table: Panel, *, level: float = 0.95, fewest: int = 1
) -> AgreementTable:
    """Return the unweighted kappas of all pairs, as `pairs.agreement_table` has them.

    Parameters
    ----------
    ratings : DataFrame
        The tidy table of codes that `table` was made from.
    table : Panel
    level : float
        Coverage of the intervals.
    fewest : int
        Pairs with fewer common items on every dimension are left out.
    """
    return agreement_table(
        ratings,
        scale=table.scale,
        rng=np.random.default_rng(0),  # not used: no items are resampled
        humans=table.humans,
        judges=table.judges,
        dimensions=table.dimensions,
        weights="none",
        fewest=fewest,
        level=level,
    )


def label_pairs(
    table: Panel, classes: Classes, pairs: AgreementTable, *, level: float = 0.95
) -> tuple[LabelPair, ...]:
    """Return the agreement of every human pair, and of every judge with every human and majority.

    Parameters
    ----------
    table : Panel
        Ratings are codes of labels, from 0.
    classes : mapping of str to tuple of str
        The labels of each dimension, in the order of their codes.
    pairs : AgreementTable
        From `agreement_of_labels`: which pairs there are, and their kappas.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of LabelPair
        Human pairs first, then judge by judge; within these, dimension by dimension.

    Notes
    -----
    A kappa has the same interval here and in the yardstick.
    """
    found: list[LabelPair] = []
    for place, row in enumerate(pairs.rows):
        counts = label_counts(table.people[row.dimension], len(classes[row.dimension]))
        of = dict(zip(table.humans, table.people[row.dimension].T, strict=True))
        of |= dict(zip(table.judges, table.judged[row.dimension].T, strict=True))
        names = (row.dimension, row.annotator_a, row.annotator_b)
        if row.annotator_b == MEDIAN:  # in its place labels have a majority
            names = (*names[:2], MAJORITY)
            b = majority(counts)
            kappa = pair_kappa(of[row.annotator_a], b, level=level)
        else:
            b, kappa = of[row.annotator_b], pairs.left_out.of_kappa(place, level)
        found += _pair(names, of[row.annotator_a], b, counts.shape[1], kappa)
    return tuple(found)


def _pair(
    names: tuple[str, str, str], a: FloatArray, b: FloatArray, classes: int, kappa: Sample
) -> list[LabelPair]:
    """Return one pair's row; none if it shares no item."""
    level = kappa.level
    both = ~np.isnan(a + b)
    n = int(both.sum())
    if n == 0:
        return []
    x, y = a[both], b[both]
    samples = with_people(x, label_counts(y[:, None], classes), level=level)
    samples["kappa"] = kappa
    cells: dict[str, float] = {}
    for name in ("kappa", "alpha_nominal", "ac1"):
        value = samples[name].value if n > 1 else np.nan
        low, high = samples[name].interval if n >= FEWEST else (np.nan, np.nan)
        cells |= {name: value, f"{name}_low": low, f"{name}_high": high}
    same = int((x == y).sum())
    ends = wilson_interval(same, n, level=level) if n >= FEWEST else (np.nan, np.nan)
    return [
        LabelPair(
            dimension=names[0],
            annotator_a=names[1],
            annotator_b=names[2],
            n=n,
            exact=same / n,
            exact_low=ends[0],
            exact_high=ends[1],
            kappa_p=kappa_test(x, y).p_value,
            **cells,
        )
    ]


def pair_kappa(a: FloatArray, b: FloatArray, *, level: float = 0.95) -> Sample:
    """Return Cohen's kappa of two annotators' labels, with each item left out.

    Parameters
    ----------
    a, b : array of shape (items,)
        Codes of labels, NaN where missing.
    level : float
    """
    left = leave_one_out(a[:, None], b[:, None], weights="none")
    return Sample(
        float(left.estimate[0]), left.kappa[:, 0], left.common[:, 0], level, bound=1.0, fisher=True
    )


def label_yardstick(
    table: Panel, classes: Classes, pairs: AgreementTable, *, level: float = 0.95
) -> Yardstick:
    """Return each judge's mean kappa with a person, compared with people's own; see `yardstick`.

    Parameters
    ----------
    table : Panel
    classes : mapping of str to tuple of str
    pairs : AgreementTable
        From `agreement_of_labels`.
    level : float

    Returns
    -------
    Yardstick
        Of unweighted kappas. `median` is the judge's kappa with the majority of people; `bias` is
        not defined for labels.
    """
    bar = yardstick(pairs, level=level)
    most = {
        name: majority(label_counts(table.people[name], len(classes[name])))
        for name in table.dimensions
    }
    of_majority = {
        (judge, name): pair_kappa(table.judge(judge, name), most[name], level=level)
        for judge in table.judges
        for name in table.dimensions
    }
    for judge in table.judges:
        parts = [of_majority[judge, name] for name in table.dimensions]
        of_majority[judge, ALL] = mean_of(parts, level)
    return Yardstick(
        bar.humans,
        tuple(
            replace(s, median=of_majority[s.judge, s.dimension], bias=nothing(level))
            for s in bar.standings
        ),
    )


def yardstick_frame(bar: Yardstick) -> pd.DataFrame:
    """Return the yardstick of labels as a table; its columns say majority, not median."""
    frame = bar.to_frame()
    names = [str(name) for name in frame.columns]
    return frame.rename(columns={name: name.replace("median", "majority") for name in names})
