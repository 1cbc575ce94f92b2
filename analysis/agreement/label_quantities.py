"""The numbers that an audit and a registered analysis report about agreement on labels."""

from __future__ import annotations

from typing import Any

from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.nominal import POOLED
from analysis.agreement.nominal_pairs import MAJORITY
from analysis.agreement.quantities import TWO_PEOPLE, Measured
from analysis.agreement.undefined import explained
from analysis.agreement.yardstick import ALL, Sample
from analysis.results.quantities import Quantity

KAPPA = "Cohen's kappa"
# What a coefficient is called in names, in labels, and its unit.
_NAMED = {
    "exact": ("exact", "same label", "proportion"),
    "alpha_nominal": ("alpha", "Krippendorff's nominal alpha", "alpha"),
    "ac1": ("ac1", "Gwet's AC1", "coefficient (AC1)"),
}


def label_quantities(
    found: LabelAgreement, *, name: str, undefined: str = "", **common: Any
) -> list[Quantity]:
    """Return every number of an analysis of labels, means over dimensions first.

    Parameters
    ----------
    found : LabelAgreement
    name : str
        A format of the names, with the fields `who`, `what` and `dimension`.
    undefined : str
        Why people's numbers have no value, if the usual reason is not the one.
    **common
        What all quantities of the analysis share.
    """
    return [
        one.quantity(
            name=name, undefined=undefined if one.who == "humans" else "", kinds="labels", **common
        )
        for one in sorted(
            explained(of_labels(found), found.table, "label"), key=lambda one: one.dimension != ALL
        )
    ]


def of_labels(found: LabelAgreement) -> list[Measured]:
    """Return people's own agreement, then each judge's, over all dimensions and by dimension."""
    people = [
        Measured(
            "humans",
            "kappa",
            name,
            "People with each other",
            sample,
            f"mean {KAPPA} over pairs of people",
            TWO_PEOPLE,
        )
        for name, sample in found.bar.humans.items()
    ]
    for row in found.crowd.people:
        for name in POOLED:
            what, label, unit = _NAMED[name]
            people.append(
                Measured(
                    "humans",
                    what,
                    row.dimension,
                    f"All people together, {label}",
                    row.own[name],
                    f"{label}, pooled over people",
                    TWO_PEOPLE,
                    unit=unit,
                )
            )
    return [*people, *_of_judges(found)]


def _of_judges(found: LabelAgreement) -> list[Measured]:
    measured: list[Measured] = []
    for s in found.bar.standings:
        row = found.crowd.of(s.judge, s.dimension)
        parts: list[tuple[str, str, Sample, str, str]] = [
            (
                "kappa_single",
                "with a single person",
                s.single,
                f"mean {KAPPA} over people",
                "kappa",
            ),
            (
                "kappa_majority",
                "with the majority of people",
                s.median,
                f"{KAPPA} with {MAJORITY}",
                "kappa",
            ),
            (
                "difference",
                "with a person, minus people with each other",
                s.difference,
                f"difference of mean {KAPPA}s, both on the items that the judge labelled",
                "kappa",
            ),
        ]
        for name in POOLED:
            what, label, unit = _NAMED[name]
            parts.append(
                (
                    what,
                    f"with a person, {label}",
                    row.own[name],
                    f"{label}, pooled over people",
                    unit,
                )
            )
            parts.append(
                (
                    f"{what}_difference",
                    f"with a person, minus people with each other, {label}",
                    row.differences[name],
                    f"difference of {label}, both on the items that the judge labelled",
                    unit,
                )
            )
        measured += [
            Measured(s.judge, what, s.dimension, f"{s.judge} {label}", sample, method, unit=unit)
            for what, label, sample, method, unit in parts
        ]
    return measured
