"""The audit of labels: turns labels that people and judges gave into `Results` on who agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from analysis.agreement.alternative_annotator import EPSILON, Metric
from analysis.agreement.label_agreement import LabelAgreement, label_agreement
from analysis.agreement.label_quantities import label_quantities
from analysis.agreement.label_sentences import (
    frequent_sentence,
    label_answer,
    label_judge_sentence,
    label_test_sentences,
    label_yardstick_sentence,
    low_sentence,
)
from analysis.agreement.label_tables import label_tables
from analysis.agreement.yardstick import FEWEST
from analysis.audit.label_disagreements import worst_labels
from analysis.audit.label_figures import label_figures
from analysis.audit.label_files import Labelled, read_labelled
from analysis.audit.label_methods import label_limits, label_methods
from analysis.audit.label_verdict import label_verdict
from analysis.audit.panels import with_panels
from analysis.audit.sentences import CROWD
from analysis.audit.tables import annotators_table
from analysis.results.provenance import provenance
from analysis.results.quantities import Quantity, Results
from analysis.results.verdict import NotRun, Verdict, joined
from analysis.results.words import listed
from prereg.plan.reporting import Large
from prereg.tables.reading import Reading

NAME = "summary"
QUESTION = "How far does each judge give the same labels as people?"


def audit_labels(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    dimensions: Sequence[str] | None = None,
    values: Sequence[str] = (),
    metric: Metric = "accuracy",
    mode: str | None = None,
    rater_column: str = "rater_id",
    reading: Reading = Reading(),  # noqa: B008 - frozen
    human_columns: Sequence[str] = (),
    judge_columns: Sequence[str] = (),
    epsilon: float = EPSILON["experts"],
    texts: Mapping[str, str] | None = None,
    large: Large | None = None,
    panels: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Results:
    """Return how far each judge gives the same labels as people, and people as each other.

    Parameters
    ----------
    humans, judges, id_column, mode, rater_column, reading, human_columns, judge_columns
        As in `analysis.audit.audit.audit`.
    dimensions, values
        What was labelled, and which labels there are; see `label_files.read_labelled`.
    metric : {'accuracy'}
        How close a label is to the other people's, for the alternative-annotator test.
    epsilon : float
        People's handicap in that test.
    texts : mapping, optional
        The items' texts by id; the worst disagreements are then shown with them.
    large : Large, optional
        What the verdict calls large.
    panels : mapping of str to sequence of str
        By the name of a panel, the judges whose majority it is; one more judge.

    Returns
    -------
    Results
        Tables `summary` (mean kappas: people, then each judge), `pooled` (exact, alpha and AC1),
        `pairs`, `labels` (sensitivity, specificity, predictive values and prevalence by label),
        `confusion`, those of the alternative-annotator test, and `annotators`.

    Raises
    ------
    RatifyError
        If a file is unusable; the message names file, row, column, value and what is allowed.
    """
    read = read_labelled(
        humans,
        judges,
        id_column=id_column,
        dimensions=dimensions,
        values=values,
        mode=mode,
        rater_column=rater_column,
        reading=reading,
        human_columns=human_columns,
        judge_columns=judge_columns,
    )
    people = with_panels(read.annotators, panels, rule="majority")
    fewest = FEWEST if len(people.humans) > CROWD else 1
    large = Large() if large is None else large
    found = label_agreement(
        people.to_frame(),
        read.classes,
        humans=[one.name for one in people.humans],
        judges=[one.name for one in people.judges],
        dimensions=people.dimensions,
        epsilon=epsilon,
        metric=metric,
        fewest=fewest,
    )
    verdict = joined(
        [
            label_verdict(found, large=large, everything=True, panels=panels),
            _further(found, texts, large),
        ]
    )
    return Results(
        kind="audit",
        title=f"Audit of {listed([one.name for one in people.judges])}",
        question=QUESTION,
        headline=[*verdict.sentences, *_headline(found)],
        verdict=verdict,
        simulated=people.simulated,
        meta=_meta(
            replace(read, annotators=people), id_column=id_column, epsilon=epsilon, metric=metric
        ),
        quantities=_quantities(found),
        tables=[*label_tables(found, name=NAME, fewest=fewest), annotators_table(people)],
        figures=label_figures(found, simulated=people.simulated),
        methods=label_methods(found, declared=read.declared),
        limits=[*label_limits(found, people), *verdict.limits],
    )


def _headline(found: LabelAgreement) -> list[str]:
    """Return the answer in plain sentences, people's own agreement before the judges'."""
    return [
        label_answer(found),
        label_yardstick_sentence(found),
        *(label_judge_sentence(found, judge) for judge in found.table.judges),
        frequent_sentence(found),
        *low_sentence(found),
        *label_test_sentences(found, found.table.judges),
        "No single coefficient decides: where one label is rare, kappa and alpha are low although "
        "nearly all labels are equal, and AC1 is high although the rare label is often missed. "
        "Read them beside the table of each label.",
    ]


def _further(found: LabelAgreement, texts: Mapping[str, str] | None, large: Large) -> Verdict:
    """Return the worst disagreements, and what files of labels cannot tell."""
    gaps = [
        NotRun(
            check="Speed of people, and which side they choose",
            why="files of labels have no times and no choices",
        )
    ]
    if texts is None:
        gaps.append(
            NotRun(
                check="The worst disagreements with their texts",
                why="the items' texts were not given (--items)",
            )
        )
    return Verdict(
        not_run=tuple(gaps), disagreements=worst_labels(found, texts or {}, shown=large.shown)
    )


def _meta(read: Labelled, **settings: float | str) -> dict[str, Any]:
    """Return where the numbers come from; only file names, so that no folder is disclosed."""
    people = read.annotators
    return {
        **settings,
        "labels": {name: list(labels) for name, labels in read.classes.items()},
        "dimensions": list(people.dimensions),
        "notes": list(people.said),
        **({} if people.mode is None else {"mode": people.mode}),
        **provenance(people.files),
    }


def _quantities(found: LabelAgreement) -> list[Quantity]:
    """Return people's own agreement and each judge's: means first, then each dimension."""
    alone = "A single person has nobody to agree with." if len(found.table.humans) == 1 else ""
    return label_quantities(found, name="{who}:{what}:{dimension}", undefined=alone, analysis=NAME)
