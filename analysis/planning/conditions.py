"""Says which analysis has the slip, where a regression and one of change name other conditions."""

from __future__ import annotations

import difflib
import re

from analysis.planning.table_terms import levels_in
from prereg.analyses.change import Change
from prereg.analyses.regression import Regression
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan

_OF_EFFECT = re.compile(r"^analyses\.\d+\.(terms|contrasts)\.")


def changes_of(plan: Plan, analysis: Regression) -> list[Change]:
    """Return the analyses of change that read the table of a regression."""
    return [one for one in plan.analyses if isinstance(one, Change) and one.table == analysis.data]


def with_conditions(plan: Plan, analysis: Regression, fault: RatifyError) -> RatifyError:
    """Return a fault of a term or contrast on a table that is not there yet, where the slip is.

    The simulated table has the conditions of an analysis of change. If one of its treatments is
    almost what the contrast names, and no regression and no assumed effect names it, it is rather
    the treatment that is misspelt. Otherwise the fault of the contrast also says which conditions
    there are.
    """
    if not _OF_EFFECT.match(fault.column or ""):
        return fault
    problem = fault.problem
    for change in changes_of(plan, analysis):
        if change.condition not in analysis.declared([change.condition]):
            continue
        slip = _misspelt_treatment(plan, analysis, change, str(fault.value))
        if slip is not None:
            return slip
        named = ", ".join(change.conditions)
        problem += f"; the conditions are those of analysis {change.id}: {named}"
    return RatifyError(
        problem, file=fault.file, column=fault.column, value=fault.value, allowed=fault.allowed
    )


def _misspelt_treatment(
    plan: Plan, analysis: Regression, change: Change, text: str
) -> RatifyError | None:
    """Return the fault of a treatment that a contrast spells in another way; None if there is none.

    Parameters
    ----------
    text : str
        The contrast.
    """
    elsewhere = {
        level
        for one in plan.analyses
        if isinstance(one, Regression) and one.data == change.table
        for effect in one.effects.values()
        for level in levels_in(effect, change.condition)
    }
    elsewhere |= set(plan.assumptions.of(change.id).effect)
    spare = [name for name in change.treatments if name not in elsewhere]
    for level in levels_in(text, change.condition):
        near = difflib.get_close_matches(level, spare, n=1, cutoff=0.6)
        if level not in change.conditions and near:
            return RatifyError(
                f"analysis {analysis.id} calls this condition '{level}'",
                file=PLAN_FILE,
                column=f"analyses.{plan.analyses.index(change)}.treatments."
                f"{change.treatments.index(near[0])}",
                value=near[0],
                allowed="one name for one condition, as in the table",
            )
    return None
