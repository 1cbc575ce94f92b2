"""Agreement beyond pairs of annotators: the crowd, the alternative annotator, cuts and halo.

Audits and registered analyses use the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pandas as pd

from analysis.agreement.alternative_annotator import (
    AlternativeAnnotator,
    Metric,
    alternative_annotator,
)
from analysis.agreement.by_construction import zero_crowd
from analysis.agreement.constant import (
    always_answering,
    constants_of,
    most_frequent,
    pass_note,
    passes_always,
)
from analysis.agreement.crowd import Crowd, crowd
from analysis.agreement.cut import SIGNS, AtCut, Side, at_cut
from analysis.agreement.halo import Halo, halo
from analysis.agreement.panel import Panel
from analysis.agreement.rating_table import ALL, PEOPLE, scale_words
from analysis.agreement.sample import Sample
from analysis.agreement.yardstick import Yardstick
from analysis.results.words import listed
from prereg.errors import RatifyError


@dataclass(frozen=True)
class CutAt:
    """A cut and the dimensions it is for; None means all."""

    at: float
    side: Side = "at_least"
    dimensions: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class OneSided:
    """A cut that has all of people's ratings of a dimension on one side.

    Attributes
    ----------
    cut, dimension : str
    beyond : bool
        Whether all are beyond the cut; otherwise none is.
    low, high : float
        People's lowest and highest rating.
    """

    cut: str
    dimension: str
    beyond: bool
    low: float
    high: float


@dataclass(frozen=True)
class Beyond:
    """Results of these analyses; None where one is not possible (one person, one dimension).

    Attributes
    ----------
    crowd : Crowd or None
    alternative : AlternativeAnnotator or None
    halo : Halo or None
        Without judges on dimensions where they always say the same; see `without_halo`.
    cuts : tuple of AtCut
    one_sided : tuple of OneSided
        Cuts with all of people's ratings on one side.
    always : AlternativeAnnotator or None
        The alternative-annotator test of a made-up judge that always gives people's most frequent
        answer: where that one passes, passing means nothing.
    frequent : dict of str to str
        By dimension, that answer.
    constants : dict of str to dict of str to str
        By judge and dimension, what a judge says that always says the same.
    """

    crowd: Crowd | None
    alternative: AlternativeAnnotator | None
    halo: Halo | None
    cuts: tuple[AtCut, ...]
    one_sided: tuple[OneSided, ...] = ()
    always: AlternativeAnnotator | None = None
    frequent: dict[str, str] = field(default_factory=dict)
    constants: dict[str, dict[str, str]] = field(default_factory=dict)

    def without_halo(self) -> str:
        """Return the sentence on judges without a halo on some dimensions; empty without any."""
        shown = [
            f"{judge} on {listed([name.replace('_', ' ') for name in answers])}"
            for judge, answers in self.constants.items()
            if answers
        ]
        if self.halo is None or not shown:
            return ""
        return (
            f"No halo is given for {'; '.join(shown)}: a judge that gives every item one answer "
            "has no errors of its own there, they are people's ratings with the sign turned."
        )

    def rated_apart(self) -> str:
        """Return the sentence on dimensions that different people rated; empty without any."""
        if self.halo is None or not self.halo.apart:
            return ""
        pairs = [f"{a} and {b}".replace("_", " ") for a, b in self.halo.apart]
        return (
            f"Nobody rated both {'; both '.join(pairs)} of an item, so a person's halo is 0 by "
            "design there: a judge's errors are its distances from the means of two different "
            "groups of people, each of two or more, and difference is the correlation."
        )

    def idle(self, dimension: str) -> str:
        """Return the answer that passes the test if every item gets it; empty if none does."""
        passes = passes_always(self.always, dimension)
        return self.frequent[dimension] if passes else ""

    def why_no_pass(self, judge: str, dimension: str) -> str:
        """Return why a pass of a judge means nothing; empty if it may mean something."""
        constant = self.constants.get(judge, {}).get(dimension, "")
        return pass_note(constant, self.idle(dimension))


@dataclass(frozen=True)
class Parts:
    """Which of these analyses are made.

    Attributes
    ----------
    crowd, test, halo, cuts : bool
        Agreement with a crowd, the alternative-annotator test, halo, and the rates at cuts.
    always : bool
        Whether the test of a made-up judge that always gives one answer is made where no judge
        passes; it only says what a pass means.
    """

    crowd: bool = True
    test: bool = True
    halo: bool = True
    cuts: bool = True
    always: bool = True


EVERYTHING = Parts()


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
    parts: Parts = EVERYTHING,
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
    parts : Parts
        What is made, by default everything. Cuts are refused whether or not their rates are made.

    Returns
    -------
    Beyond

    Raises
    ------
    RatifyError
        If a setting is out of range; see the functions.
    """
    constants = {
        judge: {name: f"{value:g}" for name, value in of.items()}
        for judge, of in constants_of(table).items()
    }
    if len(table.humans) < 2:
        return Beyond(None, None, None, (), constants=constants)

    for one in cuts:
        _require_both_sides(one, table.scale)

    def tested(of: Panel) -> AlternativeAnnotator:
        return alternative_annotator(
            of,
            epsilon=epsilon,
            metric=metric,
            fewest_others=fewest_others,
            fewest_items=fewest_items,
            false_discovery=false_discovery,
            level=level,
        )

    found = tested(table) if parts.test else None
    passed = found is not None and any(one.passes or one.passes_all for one in found.verdicts)
    with_halo = parts.halo and len(table.dimensions) > 1
    shown = tuple(cuts) if parts.cuts else ()
    return Beyond(
        crowd=zero_crowd(crowd(table, level=level), table) if parts.crowd else None,
        alternative=found,
        halo=_halo(table, constants, level) if with_halo else None,
        cuts=tuple(
            row
            for one in shown
            for row in at_cut(
                table, cut=one.at, side=one.side, dimensions=one.dimensions, level=level
            )
        ),
        one_sided=tuple(found for one in shown for found in _one_sided(table, one)),
        always=tested(always_answering(table)) if passed or parts.always else None,
        frequent={name: f"{most_frequent(table, name):g}" for name in table.dimensions},
        constants=constants,
    )


def _require_both_sides(cut: CutAt, scale: tuple[float, float]) -> None:
    """Refuse a cut with every possible rating on one side; the message says which cuts are not."""
    low, high = scale
    within = low < cut.at <= high if cut.side == "at_least" else low <= cut.at < high
    if not within:
        raise RatifyError(
            f"every rating is on one side of the cut {SIGNS[cut.side]} {cut.at:g}",
            column="cut",
            value=f"{cut.at:g}",
            allowed=f"on the scale {scale_words(scale)}, >= a number above {low:g} and not above "
            f"{high:g}, or <= a number not below {low:g} and below {high:g}",
        )


def _halo(table: Panel, constants: Mapping[str, Mapping[str, str]], level: float) -> Halo:
    """Return the halo without judges on dimensions where they give one answer.

    The errors of such a judge are those of people with the sign turned, and people's ratings of
    one item go together.
    """
    flat = {(judge, name) for judge, answers in constants.items() for name in answers}
    return Halo(
        tuple(
            row
            for row in halo(table, level=level).rows
            if not flat & {(row.annotator, row.dimension_a), (row.annotator, row.dimension_b)}
        )
    )


def _one_sided(table: Panel, cut: CutAt) -> Iterator[OneSided]:
    """Yield the dimensions on which all of people's ratings are on one side of the cut."""
    for name in cut.dimensions if cut.dimensions is not None else table.dimensions:
        known = table.people[name][~np.isnan(table.people[name])]
        beyond = known >= cut.at if cut.side == "at_least" else known <= cut.at
        if known.size and (beyond.all() or not beyond.any()):
            yield OneSided(
                cut=f"{SIGNS[cut.side]} {cut.at:g}",
                dimension=name,
                beyond=bool(beyond.all()),
                low=float(known.min()),
                high=float(known.max()),
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
