"""Agreement on labels: percent exact, Krippendorff's nominal alpha and Gwet's AC1, any raters.

Labels are names without order, such as pass and fail. Here they are codes from 0 to classes - 1;
NaN where a rater gave none. All three coefficients depend on sums over items only, so leaving an
item out is a subtraction. Cohen's kappa belongs to a pair of raters: see `nominal_pairs`.
"""

from __future__ import annotations

import numpy as np

from analysis.agreement.yardstick import Sample
from analysis.arrays import BoolArray, FloatArray

# In the order of every table.
POOLED = ("exact", "alpha_nominal", "ac1")
# An expected disagreement below this is only rounding error: one label makes up everything.
_NONE = 1e-12


def label_counts(values: FloatArray, classes: int) -> FloatArray:
    """Return how many raters gave each label to each item, shape (items, classes).

    Parameters
    ----------
    values : array of shape (items, raters)
        Codes of labels, NaN where missing.
    classes : int
        How many labels there are.
    """
    return np.stack([(values == code).sum(axis=1) for code in range(classes)], axis=1).astype(float)


def among_people(counts: FloatArray, *, level: float = 0.95) -> dict[str, Sample]:
    """Return how far any number of raters agree with each other, missing labels allowed.

    Parameters
    ----------
    counts : array of shape (items, classes)
        From `label_counts`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Sample
        By the names of `POOLED`; NaN where nobody shares an item, or all labels are one.

    Notes
    -----
    exact: mean over items of the share of pairs of raters with the same label. alpha: Krippendorff
    (2011). AC1: Gwet (2008), for several raters and missing labels as in Gwet (2014): chance
    agreement is sum(pi (1 - pi)) / (classes - 1), pi the mean share of a label over all items.
    """
    m = counts.sum(axis=1)
    two, any_ = m >= 2, m >= 1
    alike = (counts * (counts - 1)).sum(axis=1) / np.maximum(m - 1, 1)  # of m, m where all agree
    shares = counts / np.maximum(m, 1)[:, None]
    columns = np.column_stack(
        [
            two,
            np.where(two, alike / np.maximum(m, 1), 0.0),
            np.where(two, m, 0.0),
            np.where(two, alike, 0.0),
            any_,
            np.where(two[:, None], counts, 0.0),
            np.where(any_[:, None], shares, 0.0),
        ]
    )
    return _samples(columns, _of_people, {"ac1": any_}, two, counts.shape[1], level)


def with_people(codes: FloatArray, counts: FloatArray, *, level: float = 0.95) -> dict[str, Sample]:
    """Return how far one annotator agrees with one person, over all people who share its items.

    Parameters
    ----------
    codes : array of shape (items,)
        The annotator's labels, NaN where missing.
    counts : array of shape (items, classes)
        The people's, from `label_counts`, without the annotator.
    level : float
        Coverage of the intervals.

    Returns
    -------
    dict of str to Sample
        By the names of `POOLED`. Every item counts the same, whoever many people it has. With one
        person they are the coefficients of this pair: `alpha_nominal` equals Krippendorff's.
    """
    m = counts.sum(axis=1)
    both = (m >= 1) & ~np.isnan(codes)
    theirs = counts / np.maximum(m, 1)[:, None]
    mine = np.where(both, codes, 0).astype(int)[:, None] == np.arange(counts.shape[1])
    columns = np.column_stack([np.ones(len(m)), (theirs * mine).sum(axis=1), (theirs + mine) / 2])
    return _samples(
        np.where(both[:, None], columns, 0.0), _of_annotator, {}, both, counts.shape[1], level
    )


def _samples(
    columns: FloatArray,
    of_sums: object,
    entered: dict[str, BoolArray],
    usual: BoolArray,
    classes: int,
    level: float,
) -> dict[str, Sample]:
    """Return every coefficient on all items and without each; `of_sums` makes them from sums."""
    assert callable(of_sums)
    total = columns.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = of_sums(total[None], classes)
        without = of_sums(total - columns, classes)
    return {
        name: Sample(
            float(whole[name][0]),
            without[name],
            entered.get(name, usual),
            level,
            bound=1.0,
            fisher=name != "exact",
        )
        for name in POOLED
    }


def _of_people(sums: FloatArray, classes: int) -> dict[str, FloatArray]:
    """Return the coefficients from sums of shape (copies, 5 + 2 * classes)."""
    items, same, n, alike, rated = sums[:, :5].T
    of_label, shares = sums[:, 5 : 5 + classes], sums[:, 5 + classes :]
    exact = same / np.where(items > 0.5, items, np.nan)
    chance = (of_label * (of_label - 1)).sum(axis=1) / (n * (n - 1))
    return {
        "exact": exact,
        "alpha_nominal": 1 - (1 - alike / n) / _defined(1 - chance),
        "ac1": _ac1(exact, shares / rated[:, None], classes),
    }


def _of_annotator(sums: FloatArray, classes: int) -> dict[str, FloatArray]:
    """Return the coefficients from sums of shape (copies, 2 + classes)."""
    n = np.where(sums[:, 0] > 0.5, sums[:, 0], np.nan)
    exact, shares = sums[:, 1] / n, sums[:, 2:] / n[:, None]
    # of 2n labels, as Krippendorff corrects for drawing without replacement
    apart = (1 - (shares**2).sum(axis=1)) * 2 * n / (2 * n - 1)
    return {
        "exact": exact,
        "alpha_nominal": 1 - (1 - exact) / _defined(apart),
        "ac1": _ac1(exact, shares, classes),
    }


def _ac1(exact: FloatArray, shares: FloatArray, classes: int) -> FloatArray:
    if classes < 2:
        return np.full(len(exact), np.nan)
    chance = (shares * (1 - shares)).sum(axis=1) / (classes - 1)
    return np.asarray((exact - chance) / _defined(1 - chance))


def _defined(values: FloatArray) -> FloatArray:
    return np.where(values > _NONE, values, np.nan)
