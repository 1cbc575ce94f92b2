"""Runs analyses without a formula on one simulated study, to see whether they find numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.planning.analysed import analysed, evidence_of_study
from analysis.planning.invented import Items
from analysis.planning.simulated import simulated_study
from prereg.analyses.change import Change
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.checking.remark import Remark, warning
from prereg.design.sequences import Trial
from prereg.errors import RatifyError
from prereg.plan.model import Plan
from prereg.streams import Stream, stream

# Kinds whose numbers depend on columns and values that the plan names.
_BY_COLUMNS = (SourceRatings, BestWorstShares, Change, Themes)


def without_numbers(plan: Plan, items: Items, trials: Sequence[Trial]) -> Iterator[Remark]:
    """Yield a warning for each analysis that finds no number in a simulated study.

    Parameters
    ----------
    plan : Plan
        Analyses whose numbers depend on columns that the plan names are run, and what asks about
        them. The others take longer, and nothing that a plan says keeps them from a number.
    items : sequence of mapping
        Rows of the items table.
    trials : sequence of Trial
        Of all sequences.
    """
    named = {one.id for one in plan.analyses if isinstance(one, _BY_COLUMNS)}
    asking = {
        one.id for one in plan.analyses if isinstance(one, Equivalence) and one.of.analysis in named
    }
    if not named:
        return
    kept = tuple(one for one in plan.analyses if one.id in named | asking)
    alone = plan.model_copy(update={"analyses": kept, "gate": ()})
    table = pd.DataFrame(items)
    rng = stream(plan.seed, Stream.REHEARSAL, "whole")
    try:
        study = simulated_study(alone, table, list(trials), plan.assumptions, rng)
        failed = analysed(alone, evidence_of_study(alone, table, study)).failed
    except RatifyError as error:
        key = error.column if error.column and error.column.startswith("assumptions") else None
        yield warning(f"the plan cannot be simulated: {error.problem}.", "Change it.", key)
        return
    for number, analysis in enumerate(plan.analyses):
        if analysis.id in failed:
            yield warning(
                f"analysis '{analysis.id}' finds no number in a simulated study: "
                f"{failed[analysis.id]}.",
                "Check the columns and values that it names.",
                f"analyses.{number}.id",
            )
