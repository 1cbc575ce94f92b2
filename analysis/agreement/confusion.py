"""Confusion matrices: which label an annotator gives where a person gives another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from analysis.agreement.label_classes import PERSON
from analysis.agreement.nominal import label_counts
from analysis.agreement.nominal_pairs import MAJORITY, Classes, majority
from analysis.agreement.panel import Panel
from analysis.arrays import FloatArray

ANOTHER = "another person"


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """How often an annotator gave each label where the reference gave each label.

    Attributes
    ----------
    dimension, annotator : str
        The annotator is a judge, or `another person`.
    reference : str
        `a person`: each in turn, so that an item counts once for every person who labelled it; or
        `majority(humans)`.
    labels : tuple of str
    counts : array of shape (labels, labels)
        Rows are the reference's labels, columns the annotator's.
    """

    dimension: str
    annotator: str
    reference: str
    labels: tuple[str, ...]
    counts: FloatArray = field(repr=False)

    @property
    def shares(self) -> FloatArray:
        """Return the share of each row, NaN in a row without a case."""
        rows = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.where(rows > 0, rows, np.nan))

    @property
    def exact(self) -> float:
        """Return the share of cases with the same label."""
        whole = self.counts.sum()
        return float(np.trace(self.counts) / whole) if whole else np.nan

    @property
    def kappa(self) -> float:
        """Return Cohen's kappa of the matrix, NaN where it is not defined."""
        return _kappa(self.counts)

    def exchanged(self) -> tuple[float, dict[str, str]]:
        """Return kappa after the best exchange of the annotator's labels, and the exchange.

        Returns
        -------
        float
            Kappa if every label of the annotator stood for the label of the reference with which
            it goes best; the plain kappa if that is each label itself.
        dict of str to str
            The annotator's label to the label that it would stand for, where they differ.
        """
        rows, columns = linear_sum_assignment(-self.counts)
        swapped = {
            self.labels[column]: self.labels[row]
            for row, column in zip(rows, columns, strict=True)
            if row != column
        }
        return _kappa(self.counts[:, columns]), swapped

    def to_frame(self) -> pd.DataFrame:
        """Return one row per cell."""
        shares = self.shares
        return pd.DataFrame(
            [
                (
                    self.dimension,
                    self.annotator,
                    self.reference,
                    given,
                    answered,
                    int(self.counts[row, column]),
                    shares[row, column],
                )
                for row, given in enumerate(self.labels)
                for column, answered in enumerate(self.labels)
            ],
            columns=[
                "dimension",
                "annotator",
                "reference",
                "reference_label",
                "annotator_label",
                "count",
                "share",
            ],
        )


def to_frame(matrices: Sequence[Confusion]) -> pd.DataFrame:
    """Return all cells of several matrices, one row each."""
    return pd.concat([one.to_frame() for one in matrices], ignore_index=True)


def confusions(table: Panel, classes: Classes) -> tuple[Confusion, ...]:
    """Return the confusion matrices of people with each other, then of every judge.

    Parameters
    ----------
    table : Panel
        Ratings are codes of labels, from 0.
    classes : mapping of str to tuple of str
        The labels of each dimension, in the order of their codes.

    Returns
    -------
    tuple of Confusion
        Per dimension: `another person` against `a person` (each pair of people counts twice, once
        each way round; none with one person), then each judge against `a person` and against
        `majority(humans)`.
    """
    found: list[Confusion] = []
    for name in table.dimensions:
        labels = classes[name]
        counts = label_counts(table.people[name], len(labels))
        if len(table.humans) > 1:
            pairs = counts.T @ counts - np.diag(counts.sum(axis=0))
            found.append(_one(name, ANOTHER, PERSON, labels, pairs))
        most = majority(counts)
        of_majority = (most[:, None] == np.arange(len(labels))).astype(float)
        for judge in table.judges:
            codes = table.judge(judge, name)
            given = (codes[:, None] == np.arange(len(labels))).astype(float)
            found.append(_one(name, judge, PERSON, labels, counts.T @ given))
            found.append(_one(name, judge, MAJORITY, labels, of_majority.T @ given))
    return tuple(found)


def _one(
    dimension: str, annotator: str, reference: str, labels: tuple[str, ...], counts: FloatArray
) -> Confusion:
    return Confusion(
        dimension=dimension,
        annotator=annotator,
        reference=reference,
        labels=labels,
        counts=np.asarray(counts, dtype=np.float64),
    )


def _kappa(counts: FloatArray) -> float:
    whole = counts.sum()
    if not whole:
        return np.nan
    shares = counts / whole
    met = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return float((np.trace(shares) - met) / (1 - met)) if met < 1 - 1e-12 else np.nan
