"""The sizes of effects that a simulation assumes: what the plan says, or effects of medium size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from prereg.analyses.base import AnyAnalysis
from prereg.plan.model import Plan

# Half a standard deviation (Cohen 1988), also in log-odds (Chinn 2000), and a change of a share.
MEDIUM = 0.5
MEDIUM_LOG_ODDS = MEDIUM * math.pi / math.sqrt(3)
MEDIUM_SHARE = 0.15
_GIVEN = "as the plan says"
_MEDIUM = "of medium size, because the plan does not say"


def sizes(
    plan: Plan, analysis: AnyAnalysis, names: Sequence[str], medium: float
) -> dict[str, float]:
    """Return the size of each effect of an analysis.

    Parameters
    ----------
    plan : Plan
        Its assumptions may name some effects, and then the others are 0.
    analysis : AnyAnalysis
    names : sequence of str
        Effects by the names that `assumptions.effects` has for them.
    medium : float
        A medium size, in the unit of the effects; negative if the hypothesis expects that.
    """
    given = plan.assumptions.of(analysis.id).effect
    if given:
        return {name: given.get(name, 0.0) for name in names}
    return dict.fromkeys(names, sign_of(plan, analysis) * medium)


def sign_of(plan: Plan, analysis: AnyAnalysis) -> int:
    """Return -1 if the analysis serves a hypothesis that expects a negative effect, else 1."""
    expected = {h.id: h.direction for h in plan.hypotheses}
    return -1 if expected.get(analysis.hypothesis or "") == "negative" else 1


def source_of_sizes(plan: Plan, analysis: AnyAnalysis) -> str:
    """Return where the sizes of an analysis's effects are from, in words."""
    return _GIVEN if plan.assumptions.of(analysis.id).effect else _MEDIUM
