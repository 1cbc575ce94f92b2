"""The tables of agreement on labels, the same in an audit and in a registered analysis."""

from __future__ import annotations

from analysis.agreement import confusion, label_classes, nominal_pairs
from analysis.agreement.alternative_annotator import LOW_ALPHA
from analysis.agreement.by_construction import CAPTION
from analysis.agreement.confusion import ANOTHER
from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.label_classes import PERSON
from analysis.agreement.nominal_pairs import MAJORITY
from analysis.agreement.summary import Beyond
from analysis.agreement.tables import beyond_tables
from analysis.results.quantities import ResultTable, Status

COEFFICIENTS = "Cohen's kappa, Krippendorff's nominal alpha and Gwet's AC1"


def label_tables(
    found: LabelAgreement,
    *,
    name: str,
    prefix: str = "",
    fewest: int = 1,
    status: Status = "exploratory",
    level: float = 0.95,
) -> list[ResultTable]:
    """Return the tables of a report on labels.

    Parameters
    ----------
    found : LabelAgreement
    name : str
        Name of the first table, of judges compared with people.
    prefix : str
        In front of the names of all other tables.
    fewest : int
        Pairs with fewer common items were left out.
    status : {'confirmatory', 'exploratory'}
    level : float
        Coverage of the intervals.
    """
    left_out = f" Pairs with fewer than {fewest} common items are left out." if fewest > 1 else ""
    how = f"{level:.0%} intervals over items"
    beyond = Beyond(None, found.alternative, None, ())
    return [
        ResultTable(
            name=name,
            title="Judges compared with people",
            caption=f"Mean Cohen's kappa (unweighted) with {how}. humans: people with each other "
            "(in a judge's row, on the items that it labelled); single: the judge with one person; "
            "majority: with the label that most people gave (ties left out); difference: single "
            "minus humans. One row per annotator and dimension, 'all' is the mean over dimensions."
            + CAPTION
            + left_out,
            frame=nominal_pairs.yardstick_frame(found.bar),
            status=status,
            level=level,
            bounded=("humans", "single", "majority", "difference"),
        ),
        ResultTable(
            name=f"{prefix}pooled",
            title="The same label: people with each other, and each judge with a person",
            caption="exact: share of the same label, pooled over everybody who shares an item; "
            "alpha_nominal: Krippendorff's; ac1: Gwet's. A judge's row is of the judge with one "
            "person, and _difference is its distance from people with each other on the items "
            f"that it labelled. {how}; 'all' is the mean over dimensions.",
            frame=found.crowd.to_frame(),
            status=status,
            level=level,
            bounded=tuple(found.crowd.to_frame().columns[3:]),
        ),
        ResultTable(
            name=f"{prefix}pairs",
            title="Every pair of annotators",
            caption="One row per dimension and pair: people with each other first, then every "
            f"judge with every person and with {MAJORITY}. exact: share of items with the same "
            f"label (Wilson interval); {COEFFICIENTS} with {how}; kappa_p tests kappa = 0 by the "
            "null standard error. An empty cell is not defined." + CAPTION + left_out,
            frame=nominal_pairs.to_frame(found.pairs),
            status=status,
            level=level,
        ),
        ResultTable(
            name=f"{prefix}labels",
            title="How each label is used",
            caption=f"Compare rows with the reference {PERSON}: there the judge and a single "
            "person (columns person) face the same people, on the same items. sensitivity: share "
            "of the cases with this label that are found; specificity: share of the other cases "
            "not given it; positive (negative) predictive value: share of the annotator's cases "
            "(others) that are so for the reference too; prevalence: share of items given this "
            "label. A single person's sensitivity and positive predictive value are one number, "
            f"because each of two people is the reference once. {level:.0%} Wilson intervals at "
            f"the effective number of cases; differences: {how}. cases: the denominator.",
            frame=label_classes.to_frame(found.shares),
            status=status,
            level=level,
            bounded=("estimate", "low", "high", "person", "difference"),
        ),
        ResultTable(
            name=f"{prefix}confusion",
            title="Which label is taken for which",
            caption=f"One row per cell. reference: {PERSON} (an item counts once for every person "
            f"who labelled it) or {MAJORITY} (ties left out). annotator: a judge, or {ANOTHER} "
            "(each pair of people counts twice, once each way round). share: of the cases with "
            "the reference's label.",
            frame=confusion.to_frame(found.matrices),
            status=status,
            level=None,
        ),
        *beyond_tables(beyond, prefix=prefix, status=status, level=level),
    ]


def low_people(found: LabelAgreement) -> list[tuple[str, float]]:
    """Return the dimensions on which people agree little, with their alpha."""
    return [
        (row.dimension, row.own["alpha_nominal"].value)
        for row in found.crowd.people[1:]
        if row.own["alpha_nominal"].value < LOW_ALPHA
    ]
