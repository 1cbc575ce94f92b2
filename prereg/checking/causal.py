"""What is wrong or unwise in the sample of a causal study, before the lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from prereg.checking.remark import Remark, note, warning
from prereg.design.sequences import Trial
from prereg.errors import RatifyError
from prereg.frame.labelled import Labelled, labelled
from prereg.frame.reading import between_points, no_clusters, read_frame
from prereg.plan.causal import Causal
from prereg.plan.model import Plan
from prereg.tables.reader import Table


def sample_of(folder: Path, plan: Plan, items: Table) -> tuple[Labelled | None, list[RatifyError]]:
    """Return the items as a probability sample of the frame, or what is wrong with them.

    Parameters
    ----------
    folder : Path
    plan : Plan
    items : Table
        The table of items.

    Returns
    -------
    (Labelled or None, list of RatifyError)
        Neither, if the plan has no causal section.
    """
    if plan.causal is None:
        return None, []
    try:
        return labelled(items, plan, read_frame(folder, plan)), []
    except RatifyError as error:
        return None, [error]


def of_sample(
    plan: Plan, sample: Labelled, sequences: Mapping[str, Sequence[Trial]]
) -> list[Remark]:
    """Return remarks about the sample and about how people are asked about it.

    Parameters
    ----------
    plan : Plan
        With a causal section.
    sample : Labelled
    sequences : mapping
        The trials of each sequence.
    """
    one = plan.causal
    if one is None:
        return []
    return [
        *_of_apart(plan),
        *_of_raters(plan, one, sequences),
        *_of_counts(one, sample),
        *_of_users(one, sample),
        *_of_scores(one, sample),
    ]


def _of_apart(plan: Plan) -> list[Remark]:
    """Warn if one person rates both scores of a unit."""
    # a release without this key cannot ask apart
    if getattr(plan.design, "apart", None) is not False:
        return []
    return [
        warning(
            "each rater answers both scales of an item, so the errors of one person are in both "
            "scores and look like an effect.",
            "Write design.apart: true, so that nobody rates both.",
            "design.apart",
        )
    ]


def _of_raters(plan: Plan, one: Causal, sequences: Mapping[str, Sequence[Trial]]) -> list[Remark]:
    """Compare the ratings of each score of an item with the number that the estimand has."""
    counts: Counter[tuple[str, str]] = Counter()
    scales = [part.scale for part in one.scores.values()]
    for trials in sequences.values():
        for trial in trials:
            if not trial.is_attention_check:
                asked = getattr(trial, "dimension", "")
                for scale in [asked] if asked else scales:
                    counts[trial.item_ids[0], scale] += plan.design.raters_per_sequence
    wanted = one.labels.raters
    few = sum(n < wanted for n in counts.values())
    many = sum(n > wanted for n in counts.values())
    if few:
        return [
            warning(
                f"{few:,} of {len(counts):,} scores get fewer than the {wanted} ratings of "
                "causal.labels.raters, which belong to the estimand.",
                "Plan more raters or trials, or fewer labels.",
                "causal.labels.raters",
            )
        ]
    if many:
        return [
            note(
                f"{many:,} of {len(counts):,} scores get more than the {wanted} ratings of "
                "causal.labels.raters.",
                key="causal.labels.raters",
            )
        ]
    return []


def _of_counts(one: Causal, sample: Labelled) -> list[Remark]:
    """Warn if the gate cannot be decided with so few labels."""
    found = []
    if len(sample.units) < one.gate.items:
        found.append(
            warning(
                f"{len(sample.units):,} units are labelled, and the gate needs {one.gate.items:,}: "
                "it cannot pass.",
                "Plan more labels.",
                "causal.gate.items",
            )
        )
    arms = np.array(sample.strata.arms)[sample.strata.of_unit[sample.units]]
    treated = int((arms == "treated").sum())
    if treated < one.gate.treated:
        found.append(
            warning(
                f"{treated:,} of the labelled units are treated by the judge's score, and the gate "
                f"needs {one.gate.treated:,} that people call treated: that arm may be empty.",
                "Plan more labels, or a larger share for the treated.",
                "causal.labels.shares",
            )
        )
    return found


def _of_users(one: Causal, sample: Labelled) -> list[Remark]:
    """Warn if no two units have a user in common."""
    said = no_clusters(sample.frame, one)
    if said is None:
        return []
    do = "Give the units of one person the same id, or go on if nobody has two units."
    return [warning(f"{said}.", do, "causal.user")]


def _of_scores(one: Causal, sample: Labelled) -> list[Remark]:
    """Say how many units the judge has not scored, and where a score is no whole point."""
    rows, left = len(sample.frame.table.rows), sample.frame.unscored
    found = []
    if left:
        have, they = ("has", "it is") if left == 1 else ("have", "they are")
        found.append(
            f"{left:,} of {rows:,} units of {one.frame} {have} not both scores of the judge, so "
            f"{they} left out"
        )
    found += filter(None, [between_points(sample.frame, one)])
    return [note(f"{said}.", key="causal.frame") for said in found]
