"""Between which values a number of an analysis always lies, where its definition says so."""

from __future__ import annotations

import math

from prereg.analyses.agreement import Agreement
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Change
from prereg.analyses.choices import ChoiceAgreement, SelectionByGap
from prereg.analyses.facets import OF_COEFFICIENTS, Generalizability, ManyFacet
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.plan.model import Plan

Range = tuple[float, float]
_SHARE, _BOTH_SIDES, _TWICE = (0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0)
# A reliability that is estimated from errors has no smallest value.
_RELIABILITY = (-math.inf, 1.0)
# By the first word of a number's name, without the judge that it is about.
_OF_AGREEMENT: dict[str, Range] = {
    **dict.fromkeys(("kappa", "kappa_single", "kappa_median", "kappa_majority"), _BOTH_SIDES),
    **dict.fromkeys(("alpha", "ac1", "exact_difference"), _BOTH_SIDES),
    **dict.fromkeys(("difference", "crowd_difference"), _TWICE),
    **dict.fromkeys(("alpha_difference", "ac1_difference"), _TWICE),
    **dict.fromkeys(("exact", "winning_rate", "advantage"), _SHARE),
}
_BY_WORD: tuple[tuple[type[AnyAnalysis], dict[str, Range]], ...] = (
    (Agreement, _OF_AGREEMENT),
    (Generalizability, dict.fromkeys(OF_COEFFICIENTS, _SHARE)),
    (ManyFacet, {"fair_reliability": _RELIABILITY, "fair_correlation": _BOTH_SIDES}),
    (RankCorrelation, dict.fromkeys(("spearman", "spearman_within"), _BOTH_SIDES)),
    (RankingAnalysis, {"reliability": _RELIABILITY}),
    (ChoiceAgreement, {"agreement": _SHARE, "kappa": _BOTH_SIDES}),
)


def range_of(analysis: AnyAnalysis | None, quantity: str, plan: Plan) -> Range | None:
    """Return the least and the greatest that a number can be; None if that is not known.

    Parameters
    ----------
    analysis : AnyAnalysis or None
    quantity : str
        One of its `quantity_names`.
    plan : Plan
    """
    if analysis is None:
        return None
    if quantity in analysis.coverage_names(plan) or isinstance(analysis, SelectionByGap):
        return _SHARE
    whose, _, rest = quantity.rpartition(": ")
    word = rest.partition(" ")[0]
    for kind, known in _BY_WORD:
        if isinstance(analysis, kind):
            return known.get(word)
    if isinstance(analysis, Change):
        return _of_change(analysis, whose, word)
    if isinstance(analysis, BestWorstShares | SourceRatings):
        return _of_sources(analysis, whose, rest, plan)
    return _BOTH_SIDES if isinstance(analysis, Themes) else None


def _of_change(analysis: Change, whose: str, word: str) -> Range | None:
    """Return the range of a share of people, of a difference of two, or of a reliability."""
    if word in {"improved", "declined"}:
        return _SHARE if whose in analysis.conditions else _BOTH_SIDES
    return _SHARE if word == "reliability" else None


def _of_sources(
    analysis: BestWorstShares | SourceRatings, whose: str, rest: str, plan: Plan
) -> Range | None:
    """Return the range of a mean rating or share of one source, or of a difference of two."""
    of_one = rest in (analysis.sources or ())
    if isinstance(analysis, BestWorstShares):
        ends = _BOTH_SIDES if whose == "net" else _SHARE
    else:
        scale = next((one for one in plan.scales if one.id == whose), None)
        if scale is None or analysis.sources is None or ", adjusted" in rest:
            return None
        ends = (float(scale.min), float(scale.max))
    return ends if of_one else (ends[0] - ends[1], ends[1] - ends[0])
