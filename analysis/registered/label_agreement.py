"""The registered analysis of agreement on scales of labels, and the choice between both kinds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from analysis.agreement.label_agreement import LabelAgreement, label_agreement
from analysis.agreement.label_quantities import label_quantities
from analysis.agreement.label_sentences import (
    frequent_sentence,
    label_judge_sentence,
    label_test_sentences,
    label_yardstick_sentence,
)
from analysis.agreement.label_tables import label_tables
from analysis.agreement.yardstick import ALL
from analysis.audit.label_disagreements import worst_labels
from analysis.audit.label_figures import label_figures
from analysis.audit.label_verdict import label_verdict
from analysis.evidence.evidence import Evidence
from analysis.registered.agreement import chosen_dimensions, named_rows, of_test, run_agreement
from analysis.registered.finding import Finding, stamp
from analysis.results.quantities import Quantity
from analysis.results.verdict import Verdict
from prereg.analyses.agreement import Agreement


def run_any_agreement(analysis: Agreement, evidence: Evidence) -> Finding:
    """Run a registered analysis of agreement, on points or on labels; a plan refuses both in one.

    Parameters
    ----------
    analysis : Agreement
    evidence : Evidence
        `ratings` and `judge_ratings` are used.

    Raises
    ------
    RatifyError
        As `run_agreement`.
    """
    people, judged = named_rows(analysis, evidence)
    dimensions = chosen_dimensions(analysis, people, judged)
    if not all(name in evidence.plan.labels for name in dimensions):
        return run_agreement(analysis, evidence)
    both = pd.concat([people.assign(rater_kind="human"), judged.assign(rater_kind="llm")])
    both = both[both["dimension"].isin(dimensions)].reset_index(drop=True)
    found = label_agreement(
        both,
        {name: evidence.plan.labels[name] for name in dimensions},
        humans=sorted(people["rater_id"].unique()),
        judges=analysis.judges,
        dimensions=dimensions,
        epsilon=analysis.epsilon,
        metric=analysis.metric,
        fewest=analysis.fewest_common,
        fewest_others=analysis.fewest_others,
        fewest_items=analysis.fewest_items,
        false_discovery=analysis.false_discovery,
        level=analysis.level,
    )
    prefix = f"{analysis.id}_"
    return Finding(
        sentence=_sentence(analysis, found),
        quantities=_quantities(analysis, evidence, found),
        tables=label_tables(
            found,
            name=analysis.id,
            prefix=prefix,
            fewest=analysis.fewest_common,
            status=evidence.status,
            level=analysis.level,
        ),
        figures=label_figures(
            found,
            prefix=prefix,
            simulated=evidence.simulated,
            status=evidence.status,
            level=analysis.level,
        ),
        verdict=_verdict(analysis, evidence, found),
    )


def _sentence(analysis: Agreement, found: LabelAgreement) -> str:
    """Return the answer: people's own agreement, then each judge's."""
    return " ".join(
        [
            label_yardstick_sentence(found),
            *(label_judge_sentence(found, judge) for judge in analysis.judges),
            frequent_sentence(found),
            *label_test_sentences(found, analysis.judges),
        ]
    )


def _quantities(analysis: Agreement, evidence: Evidence, found: LabelAgreement) -> list[Quantity]:
    """Return every number that a threshold of the plan's gate may name, means first."""
    common: dict[str, Any] = stamp(analysis, evidence)
    numbers = label_quantities(found, name="{who}: {what} {dimension}", **common)
    if found.alternative is not None:
        numbers += of_test(found.alternative, analysis, common, found.why_no_pass)
    return sorted(numbers, key=lambda one: not one.name.endswith(f" {ALL}"))


def _verdict(analysis: Agreement, evidence: Evidence, found: LabelAgreement) -> Verdict:
    """Return the verdict on the judges, and the items on which most people disagree with them."""
    large = evidence.plan.large
    verdict = label_verdict(
        found,
        large=large,
        everything=analysis.correction == "people_and_dimensions",
        panels=[one.id for one in evidence.plan.panels],
    )
    items = evidence.items
    texts = dict(zip(items["item_id"], items["text"], strict=True)) if "text" in items else {}
    return replace(verdict, disagreements=worst_labels(found, texts, shown=large.shown))
