"""Agreement beyond pairs of annotators: the crowd, the alternative annotator, cuts and halo.

Audits and registered analyses use the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import (
    AlternativeAnnotator,
    Metric,
    alternative_annotator,
)
from analysis.agreement.crowd import Crowd, crowd
from analysis.agreement.cut import AtCut, Side, at_cut
from analysis.agreement.halo import Halo, halo
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import ALL, PEOPLE
from analysis.agreement.sample import Sample
from analysis.agreement.yardstick import Yardstick


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
    false_discovery: float = 0.05,
    cuts: Sequence[CutAt] = (),
    level: float = 0.95,
) -> Beyond:
    """Return the analyses of judges that need ratings by at least two people.

    Parameters
    ----------
    table : Panel
    epsilon, metric, fewest_others, fewest_items, false_discovery
        As in `alternative_annotator`.
    cuts : sequence of CutAt
        Empty if no rating leads to a treatment.
    level : float
        Coverage of every interval.

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
    return Beyond(
        crowd=crowd(table, level=level),
        alternative=alternative_annotator(
            table,
            epsilon=epsilon,
            metric=metric,
            fewest_others=fewest_others,
            fewest_items=fewest_items,
            false_discovery=false_discovery,
            level=level,
        ),
        halo=halo(table, level=level) if len(table.dimensions) > 1 else None,
        cuts=tuple(
            row
            for one in cuts
            for row in at_cut(
                table, cut=one.at, side=one.side, dimensions=one.dimensions, level=level
            )
        ),
    )


def beside_people(bar: Yardstick, crowd: Crowd | None) -> pd.DataFrame:
    """Return what `plot_beside_people` draws: `dimension, annotator, estimate, low, high`.

    It compares pairs of people if there are any, otherwise one person of a crowd with the others.
    """
    by_pairs = crowd is None or not np.isnan(bar.humans[ALL].value)
    found: list[tuple[str, str, Sample]] = []
    if by_pairs:
        found += [(name, PEOPLE, sample) for name, sample in bar.humans.items()]
        found += [(s.dimension, s.judge, s.single) for s in bar.standings]
    else:
        known = cast(Crowd, crowd)
        found += [(row.dimension, PEOPLE, row["person"]) for row in known.people]
        found += [(row.dimension, row.annotator, row["judge"]) for row in known.judges]
    return pd.DataFrame(
        [(name, who, sample.value, *sample.interval) for name, who, sample in found],
        columns=["dimension", "annotator", "estimate", "low", "high"],
    )
