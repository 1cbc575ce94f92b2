"""The numbers that an audit and a registered analysis report about agreement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.agreement.by_construction import NO_INTERVAL, is_zero
from analysis.agreement.crowd import Crowd, CrowdRow
from analysis.agreement.intervals import FEWEST
from analysis.agreement.rating_table import ALL, HUMANS, MEDIAN
from analysis.agreement.sample import Sample
from analysis.agreement.yardstick import Standing, Yardstick
from analysis.results.numbers import NEVER_VARIES, flat
from analysis.results.quantities import Quantity

BOTH = "items that judge and people rated"
TWO_PEOPLE = "items that two people rated"
# At this level an interval that has ends at all contains its value.
WIDE = 0.9999


@dataclass(frozen=True)
class Measured:
    """One number about people or a judge, on one dimension or over all.

    Attributes
    ----------
    who, what : str
        `humans` or the judge, and what is measured; with the dimension, the name of the number.
    dimension, label, method, unit_of_n, unit : str
        As in `Quantity`; the label without its dimension, the method without its interval.
    sample : Sample
    items : int, optional
        How many items a number that is not defined could be of; otherwise the sample says.
    why : str
        Why it is not defined, if that is known; see `undefined.explained`.
    """

    who: str
    what: str
    dimension: str
    label: str
    sample: Sample
    method: str
    unit_of_n: str = BOTH
    unit: str = "kappa"
    items: int | None = None
    why: str = ""

    def quantity(
        self, *, name: str, undefined: str = "", kinds: str = "ratings", **common: Any
    ) -> Quantity:
        """Return it as a reported number; a note says why it has no value or no interval.

        Parameters
        ----------
        name : str
            A format of the name, with the fields `who`, `what` and `dimension`.
        undefined : str
            Why there is no value, if the usual reason is not the one.
        kinds : str
            'ratings' or 'labels'.
        **common
            What all quantities of an analysis share.
        """
        low, high = reported_ends(self.sample)
        return Quantity(
            name=name.format(who=self.who, what=self.what, dimension=self.dimension),
            label=f"{self.label}, {place(self.dimension)}",
            estimate=self.sample.value,
            low=low,
            high=high,
            level=self.sample.level,
            n=self.sample.n if self.items is None else self.items,
            unit_of_n=self.unit_of_n,
            method=f"{self.method}; {self.sample.method}",
            unit=self.unit,
            note=why_lacking(self.sample, undefined or self.why, kinds),
            **common,
        )


def reported_ends(sample: Sample) -> tuple[float, float]:
    """Return the ends of an interval; none where they are equal, because the data never vary."""
    low, high = sample.interval
    return (np.nan, np.nan) if flat(low, high) else (low, high)


def why_lacking(sample: Sample, undefined: str = "", kinds: str = "ratings") -> str:
    """Return why a number has no value or no interval; empty if it has both.

    Parameters
    ----------
    sample : Sample
    undefined : str
        Why there is no value, if the usual reason is not the one.
    kinds : str
        'ratings' or 'labels'.
    """
    low, high = sample.interval
    if np.isnan(sample.value):
        if undefined:
            return undefined
        if sample.n:
            return f"Not defined: all {kinds} are the same, so there is nothing to agree on."
        return "Not defined: too few items in common, or no variation to agree on."
    if flat(low, high):
        return f"{NEVER_VARIES[0].upper()}{NEVER_VARIES[1:]}."
    if not np.isnan(low):
        return ""
    if is_zero(sample):
        return NO_INTERVAL
    if sample.n < FEWEST:
        return f"No interval: fewer than {FEWEST} items."
    if not np.isnan(replace(sample, level=WIDE).interval[0]):
        return (
            f"No interval at {sample.level:g}: corrected for bias, it lies beside the value; at a "
            "higher level there is one."
        )
    left = sample.left_out[sample.entered]
    if np.isnan(left).any():
        return "No interval: the value is not defined if one of the items is left out."
    return "No interval: no item changes the value, so the items do not show how uncertain it is."


def place(dimension: str) -> str:
    """Return a dimension as labels name it."""
    return "mean over dimensions" if dimension == ALL else dimension


def of_yardstick(bar: Yardstick, *, kappa: str) -> list[Measured]:
    """Return people's own agreement, then each judge's, over all dimensions and by dimension."""
    label = "People with each other"
    method = f"mean {kappa} over pairs of people, weighted by the items they share"
    return [
        *(
            Measured(HUMANS, "kappa", name, label, sample, method, TWO_PEOPLE)
            for name, sample in bar.humans.items()
        ),
        *(one for standing in bar.standings for one in _of_judge(standing, kappa)),
    ]


def _of_judge(s: Standing, kappa: str) -> list[Measured]:
    of_all = [
        (
            "kappa_single",
            "with a single person",
            s.single,
            f"mean {kappa} over people, weighted by the items shared",
            "kappa",
        ),
        ("kappa_median", "with the median of people", s.median, f"{kappa} with {MEDIAN}", "kappa"),
        (
            "difference",
            "with a person, minus people with each other",
            s.difference,
            f"difference of mean {kappa}s, both on the items that the judge rated",
            "kappa",
        ),
        (
            "bias",
            "minus the median of people",
            s.bias,
            f"mean difference from {MEDIAN}",
            "points of the scale",
        ),
    ]
    return [
        Measured(s.judge, what, s.dimension, f"{s.judge} {label}", sample, method, unit=unit)
        for what, label, sample, method, unit in of_all
        if what != "bias" or s.dimension != ALL
    ]


def of_crowd(crowd: Crowd) -> list[Measured]:
    """Return how people agree as a crowd, and each judge compared with one of them."""
    alpha, kappas = "Krippendorff's ordinal alpha", "difference of quadratic kappas with the mean"

    def people(row: CrowdRow) -> Measured:
        label, sample = "All people together", row["alpha_ordinal"]
        return Measured(
            HUMANS, "alpha", row.dimension, label, sample, alpha, TWO_PEOPLE, unit="alpha"
        )

    def judge(row: CrowdRow) -> Measured:
        label = f"{row.annotator} with the other people, minus one person with them"
        method, sample = f"{kappas} of the others", row["difference"]
        return Measured(row.annotator, "crowd_difference", row.dimension, label, sample, method)

    return [*map(people, crowd.people), *map(judge, crowd.judges)]
