"""How the numbers of an audit of labels were made, and what to know before relying on them."""

from __future__ import annotations

import numpy as np

from analysis.agreement.label_agreement import LabelAgreement
from analysis.agreement.nominal import label_counts
from analysis.agreement.nominal_pairs import MAJORITY, majority
from analysis.agreement.yardstick import FEWEST
from analysis.audit.annotators import Annotators
from analysis.results.words import counted, listed


def label_methods(found: LabelAgreement, *, declared: bool) -> list[str]:
    """Return how every number was made; `declared` says whether the labels were named."""
    named = "; ".join(f"{name}: {listed(list(of))}" for name, of in found.classes.items())
    tested = found.alternative
    return [
        f"Labels are names without order ({named}; "
        f"{'as declared' if declared else 'all that occur'}). They are aligned by item id; letter "
        "case and spaces do not make a label another one. Every human pair, every judge with every "
        f"human, and every judge with {MAJORITY} is compared on the items that both labelled. "
        f"{MAJORITY} is the label that most people gave the item; a tie has none.",
        "Cohen's kappa is unweighted: all disagreements count the same. Krippendorff's alpha is "
        "nominal. Gwet's AC1 (2008) takes chance agreement as sum(share x (1 - share)) / (number "
        "of labels - 1), so it depends on which labels could have been given.",
        "Means of kappas are over pairs, then over dimensions. The share of the same label, alpha "
        "and AC1 are pooled over everybody who shares an item, and a judge's are with one person: "
        "so a judge stands beside a person, not beside people's majority.",
        "Intervals are 95% jackknife intervals over items, bias-corrected and through Fisher's z "
        "for one coefficient on one dimension: each item is left out in turn with all its labels. "
        "Shares of a label have Wilson's interval at the effective number of cases. The test of "
        "kappa = 0 uses the null standard error.",
        "Sensitivity, specificity and predictive values take another person as the reference, each "
        "in turn, for the judge and for a single person alike. With the majority as the reference "
        "a judge looks better, because a majority has less noise than a person.",
        *(
            []
            if tested is None
            else [
                "The alternative-annotator test (Calderon, Reichart and Dror 2025) leaves out one "
                "person at a time and asks, item by item, whether the judge or the person gave the "
                "same label as more of the remaining people (accuracy). The difference of their "
                f"wins is compared with epsilon = {tested.epsilon:g} by a one-sided t-test, "
                "corrected after Benjamini and Yekutieli over the people, and over people and "
                "dimensions. A judge that beats at least half of the people passes. The test is "
                "also run for a made-up judge that gives every item people's most frequent label: "
                "where that one passes, passing is not counted."
            ]
        ),
        "A coefficient that is not defined (too few items, or one label only) is left empty and "
        f"not used in means; nor is a pair that shares fewer than {FEWEST} items and fewer than "
        "half of all items.",
    ]


def label_limits(found: LabelAgreement, people: Annotators) -> list[str]:
    """Return what a reader must know before relying on the numbers."""
    notes = list(people.warnings)
    if people.simulated:
        notes.insert(0, "The raters are simulated. These numbers show the tool, not people.")
    ties = [f"{name} ({tied})" for name in found.table.dimensions if (tied := _ties(found, name))]
    if ties and len(found.table.humans) > 1:
        notes.append(
            f"Items on which no label has a majority of people are left out where {MAJORITY} is "
            f"the reference: {listed(ties)}. These are the hard ones, so a judge looks better "
            "there than it is."
        )
    thin = sum(0 < row.n < FEWEST for row in found.pairs)
    if thin:
        notes.append(
            f"{thin} of {len(found.pairs)} pairs have fewer than {FEWEST} items: their "
            "coefficients are very uncertain."
        )
    return [
        *notes,
        "Items were resampled, and people were not: the intervals are about other items labelled "
        f"by these {counted(len(found.table.humans), 'person', 'people')}, not about other people.",
        "No clear difference does not mean equality: with few items, or few of a rare label, the "
        "interval is wide. Differences by dimension are read after Holm's correction over a "
        "judge's dimensions; the intervals beside them are of one dimension each. Differences by "
        "label are not corrected for testing several.",
        "Agreement with people is reliability, not truth: people and judge can be wrong together.",
        "No plan was locked before these numbers were seen: all of them are exploratory.",
    ]


def _ties(found: LabelAgreement, dimension: str) -> int:
    counts = label_counts(found.table.people[dimension], len(found.classes[dimension]))
    return int((np.isnan(majority(counts)) & (counts.sum(axis=1) > 0)).sum())
