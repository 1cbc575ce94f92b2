"""Agreement beyond pairs of annotators: the crowd, the alternative annotator, cuts and halo.

Audits and registered analyses use the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from analysis.agreement import cut as at_a_cut
from analysis.agreement.alternative_annotator import (
    METRICS,
    AlternativeAnnotator,
    Metric,
    alternative_annotator,
)
from analysis.agreement.crowd import Crowd, crowd
from analysis.agreement.cut import AtCut, Side, at_cut
from analysis.agreement.halo import FEWEST, Halo, halo
from analysis.agreement.panel import Panel
from analysis.agreement.yardstick import ALL, Sample, Yardstick
from analysis.results.quantities import ResultTable, Status


@dataclass(frozen=True)
class CutAt:
    """A cut and the dimensions it is for; None means all."""

    at: float
    side: Side = "at_least"
    dimensions: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Beyond:
    """Results of these analyses; None where one is not possible (one person, one dimension).

    Attributes
    ----------
    crowd : Crowd or None
    alternative : AlternativeAnnotator or None
    halo : Halo or None
    cuts : tuple of AtCut
    """

    crowd: Crowd | None
    alternative: AlternativeAnnotator | None
    halo: Halo | None
    cuts: tuple[AtCut, ...]


def beyond_pairs(
    table: Panel,
    *,
    epsilon: float,
    metric: Metric = "rmse",
    fewest_others: int = 1,
    fewest_items: int = 10,
    cuts: Sequence[CutAt] = (),
) -> Beyond:
    """Return the analyses of judges that need ratings by at least two people.

    Parameters
    ----------
    table : Panel
    epsilon, metric, fewest_others, fewest_items
        As in `alternative_annotator`.
    cuts : sequence of CutAt
        Empty if no rating leads to a treatment.

    Returns
    -------
    Beyond

    Raises
    ------
    RatifyError
        If a setting is out of range; see the functions.
    """
    if len(table.humans) < 2:
        return Beyond(None, None, None, ())
    scale = table.scale
    return Beyond(
        crowd=crowd(table, scale=scale),
        alternative=alternative_annotator(
            table,
            scale=scale,
            epsilon=epsilon,
            metric=metric,
            fewest_others=fewest_others,
            fewest_items=fewest_items,
        ),
        halo=halo(table, scale=scale) if len(table.dimensions) > 1 else None,
        cuts=tuple(
            row
            for one in cuts
            for row in at_cut(
                table, scale=scale, cut=one.at, side=one.side, dimensions=one.dimensions
            )
        ),
    )


def beyond_tables(
    found: Beyond, *, prefix: str = "", status: Status = "exploratory"
) -> list[ResultTable]:
    """Return the tables of a report.

    Parameters
    ----------
    found : Beyond
    prefix : str
        In front of each table's name.
    status : {'confirmatory', 'exploratory'}
    """
    tables: list[ResultTable] = []
    if found.alternative is not None:
        tables += _alternative_tables(found.alternative, prefix, status)
    if found.crowd is not None:
        tables.append(
            ResultTable(
                name=f"{prefix}crowd",
                title="One person, and each judge, compared with the other people",
                caption="person: quadratic kappa of one person's rating with the mean of the other "
                "people's ratings of the item, over all ratings; judge: kappa of the judge with "
                "the same means; difference: judge minus person; with_mean: kappa of the judge "
                "with the mean of all people. alpha: Krippendorff's, of all people with missing "
                "ratings; icc1: reliability of one rating, one-way. fewest, most: ratings per "
                "item. 95% jackknife intervals over items, through Fisher's z; 'all' is the mean "
                "over dimensions. n counts items with at least two people.",
                frame=found.crowd.to_frame(),
                status=status,
            )
        )
    if found.cuts:
        tables.append(
            ResultTable(
                name=f"{prefix}cut",
                title="Who finds the cases beyond the cut",
                caption="The reference says which items are beyond the cut. Compare rows with the "
                f"reference {at_a_cut.OTHERS}: there a single person and the judge face the same "
                "people, each person left out in turn. sensitivity: share of the reference's cases "
                "found; specificity: share of the other items not called cases; positive "
                "(negative) predictive value: share of the annotator's cases (others) that are so "
                "for the reference too. cases: denominator of the share. 95% intervals.",
                frame=at_a_cut.to_frame(found.cuts),
                status=status,
                bounded=("estimate", "low", "high"),
            )
        )
    if found.halo is not None:
        tables.append(
            ResultTable(
                name=f"{prefix}halo",
                title="Correlated errors on two dimensions",
                caption="Correlation of an annotator's errors on two dimensions of the same item. "
                "An error is the distance from the mean of the other people, each person left out "
                "in turn, minus the annotator's mean error. difference: a judge's minus a single "
                "person's. 95% jackknife intervals over items through Fisher's z; empty with fewer "
                f"than {FEWEST} items.",
                frame=found.halo.to_frame(),
                status=status,
            )
        )
    return tables


def _alternative_tables(
    found: AlternativeAnnotator, prefix: str, status: Status
) -> list[ResultTable]:
    how = (
        f"Calderon, Reichart and Dror's alternative-annotator test, epsilon {found.epsilon:g}, "
        f"closeness by {METRICS[found.metric]}"
    )
    tables = [
        ResultTable(
            name=f"{prefix}alternative_annotator",
            title="Could a judge take a person's place?",
            caption=f"{how}. winning_rate: share of people whom the judge beats (one-sided t-test "
            f"at {found.level:g}, Benjamini and Yekutieli over people; _all: over people and "
            "dimensions); a judge passes at one half. advantage: how likely the judge is at least "
            "as close to the other people as a person is, with a 95% jackknife interval over "
            "items. human_alpha: agreement of the people; if it is low, the bar is low too.",
            frame=found.to_frame(),
            status=status,
        )
    ]
    people = found.humans_frame().dropna(subset=["p_value"])
    if len(people):
        tables.append(
            ResultTable(
                name=f"{prefix}alternative_annotator_people",
                title="Each person left out in turn",
                caption=f"{how}. judge_wins, human_wins: share of items where the judge (the "
                "person) is at least as close to the other people (ties count for both); p_value: "
                "one-sided. People with too few items are not tested and not listed.",
                frame=people,
                status=status,
            )
        )
    return tables


def beside_people(bar: Yardstick, crowd: Crowd | None) -> pd.DataFrame:
    """Return what `plot_beside_people` draws: `dimension, annotator, estimate, low, high`.

    It compares pairs of people if there are any, otherwise one person of a crowd with the others.
    """
    by_pairs = crowd is None or not np.isnan(bar.humans[ALL].value)
    found: list[tuple[str, str, Sample]] = []
    if by_pairs:
        found += [(name, "people", sample) for name, sample in bar.humans.items()]
        found += [(s.dimension, s.judge, s.single) for s in bar.standings]
    else:
        known = cast(Crowd, crowd)
        found += [(row.dimension, "people", row["person"]) for row in known.people]
        found += [(row.dimension, row.annotator, row["judge"]) for row in known.judges]
    return pd.DataFrame(
        [(name, who, sample.value, *sample.interval) for name, who, sample in found],
        columns=["dimension", "annotator", "estimate", "low", "high"],
    )
