"""The units of numbers that the plan alone determines."""

from __future__ import annotations

from prereg.analyses.base import AnyAnalysis
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap
from prereg.analyses.explained import Explained
from prereg.analyses.facets import Generalizability
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.regression import Regression
from prereg.analyses.trajectory import Trajectory

_OF_FACETS = {"variance": "squared points of the scale", "raters": "raters per item"}


def unit_of(analysis: AnyAnalysis, quantity: str) -> str | None:
    """Return the unit of a number that an analysis reports; None if the plan does not tell.

    Parameters
    ----------
    analysis : AnyAnalysis
    quantity : str
        One of its `quantity_names`.
    """
    if isinstance(analysis, Logit):
        return "log-odds per point" if quantity == "gap" else "log-odds"
    if isinstance(analysis, SelectionByGap):
        return "proportion"
    if isinstance(analysis, ChoiceAgreement):
        return "kappa" if quantity.partition(": ")[2].startswith("kappa") else "proportion"
    if isinstance(analysis, RankCorrelation):
        return "correlation"
    if isinstance(analysis, Explained):
        return "proportion of variance"
    if isinstance(analysis, Trajectory):
        return "points of the outcome"
    if isinstance(analysis, Generalizability):
        return _OF_FACETS.get(quantity.partition("_")[0], "reliability")
    if isinstance(analysis, Regression):
        named = quantity.partition(": ")[0]
        return analysis.unit(named if len(analysis.outcomes) > 1 else analysis.outcomes[0])
    return None
