"""Agreement on labels, whole: what an audit of labels and a registered analysis both report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import (
    AlternativeAnnotator,
    Metric,
    alternative_annotator,
)
from analysis.agreement.by_construction import zero_label_pairs, zero_means, zero_pairs
from analysis.agreement.confusion import Confusion, confusions
from analysis.agreement.constant import always_answering, constants_of, pass_note, passes_always
from analysis.agreement.label_classes import ClassShare, label_shares
from analysis.agreement.nominal import label_counts
from analysis.agreement.nominal_crowd import LabelCrowd, label_crowd
from analysis.agreement.nominal_pairs import (
    Classes,
    LabelPair,
    agreement_of_labels,
    label_pairs,
    label_yardstick,
)
from analysis.agreement.panel import Panel, panel
from analysis.agreement.still_share import with_widths
from analysis.agreement.yardstick import Yardstick
from analysis.tables.columns import one_of
from prereg.errors import RatifyError


@dataclass(frozen=True, kw_only=True)
class LabelAgreement:
    """How far judges and people give the same labels.

    Attributes
    ----------
    table : Panel
        The ratings as codes of labels.
    classes : mapping of str to tuple of str
        The labels of each dimension, in the order of their codes.
    pairs : tuple of LabelPair
    bar : Yardstick
        Of unweighted kappas; `median` is the majority.
    crowd : LabelCrowd
    shares : tuple of ClassShare
    matrices : tuple of Confusion
    alternative, always : AlternativeAnnotator or None
        The alternative-annotator test of the judges, and of a made-up judge that always gives the
        most frequent label: where that one passes, passing means nothing. None with one person.
    frequent : dict of str to tuple of (str, float)
        By dimension: people's most frequent label, and its share.
    """

    table: Panel
    classes: Classes
    pairs: tuple[LabelPair, ...] = field(repr=False)
    bar: Yardstick = field(repr=False)
    crowd: LabelCrowd = field(repr=False)
    shares: tuple[ClassShare, ...] = field(repr=False)
    matrices: tuple[Confusion, ...] = field(repr=False)
    alternative: AlternativeAnnotator | None = field(repr=False)
    always: AlternativeAnnotator | None = field(repr=False)
    frequent: dict[str, tuple[str, float]]

    def always_passes(self, dimension: str) -> bool:
        """Say whether one and the same label for every item would pass the test too."""
        return passes_always(self.always, dimension)

    def why_no_pass(self, judge: str, dimension: str) -> str:
        """Return why a pass of a judge means nothing; empty if it may mean something."""
        idle = self.always_passes(dimension)
        return pass_note(
            self.constants(judge).get(dimension, ""),
            repr(self.frequent[dimension][0]) if idle else "",
        )

    def constants(self, judge: str) -> dict[str, str]:
        """Return what a judge always says, on the dimensions where it gives one label."""
        return {
            name: repr(self.classes[name][int(code)])
            for name, code in constants_of(self.table)[judge].items()
        }


def label_agreement(
    ratings: pd.DataFrame,
    classes: Classes,
    *,
    humans: Sequence[str],
    judges: Sequence[str],
    dimensions: Sequence[str],
    epsilon: float,
    metric: Metric = "accuracy",
    fewest: int = 1,
    fewest_others: int = 1,
    fewest_items: int = 10,
    false_discovery: float = 0.05,
    level: float = 0.95,
) -> LabelAgreement:
    """Return how far judges and people give the same labels.

    Parameters
    ----------
    ratings : DataFrame
        One row per rating: `rater_id`, `rater_kind`, `item_id`, `dimension`, and `value`: the code
        of a label, its place in `classes` from 0.
    classes : mapping of str to tuple of str
        The labels of each dimension.
    humans, judges, dimensions : sequence of str
        What to compare, in this order.
    epsilon, metric, fewest_others, fewest_items, false_discovery
        As in `alternative_annotator`; labels have no distance, so the metric is accuracy.
    fewest : int
        Pairs with fewer common items are left out.
    level : float
        Coverage of every interval.

    Returns
    -------
    LabelAgreement

    Raises
    ------
    RatifyError
        If the metric needs numbers, a dimension has fewer than two labels, or the table is invalid
        (see `panel`).
    """
    one_of("metric", metric, ["accuracy"])
    for name in dimensions:
        if len(classes[name]) < 2:
            raise RatifyError(
                f"{name} has one label only",
                column=name,
                value=", ".join(classes[name]),
                allowed="two labels or more; name those that could have been given",
            )
    scale = (0.0, float(max(len(classes[name]) for name in dimensions) - 1))
    table = panel(ratings, scale=scale, humans=humans, judges=judges, dimensions=dimensions)
    pairs = zero_pairs(agreement_of_labels(ratings, table, level=level, fewest=fewest), table)
    crowd = with_widths(label_crowd(table, classes, level=level))
    test = None
    always = None
    frequent = {name: _frequent(table, classes, name) for name in dimensions}
    if len(humans) > 1:
        alphas = {row.dimension: row.own["alpha_nominal"].value for row in crowd.people}
        settings: Mapping[str, float] = {"epsilon": epsilon, "false_discovery": false_discovery}

        def tested(of: Panel) -> AlternativeAnnotator:
            return alternative_annotator(
                of,
                metric=metric,
                fewest_others=fewest_others,
                fewest_items=fewest_items,
                level=level,
                alphas=alphas,
                **settings,
            )

        test = tested(table)
        always = tested(always_answering(table))
    return LabelAgreement(
        table=table,
        classes=classes,
        pairs=zero_label_pairs(label_pairs(table, classes, pairs, level=level), pairs),
        bar=zero_means(label_yardstick(table, classes, pairs, level=level)),
        crowd=crowd,
        shares=label_shares(table, classes, level=level),
        matrices=confusions(table, classes),
        alternative=test,
        always=always,
        frequent=frequent,
    )


def _frequent(table: Panel, classes: Classes, dimension: str) -> tuple[str, float]:
    """Return people's most frequent label and its share of their labels."""
    given = label_counts(table.people[dimension], len(classes[dimension])).sum(axis=0)
    most = int(given.argmax())
    return classes[dimension][most], float(given[most] / given.sum()) if given.sum() else np.nan
