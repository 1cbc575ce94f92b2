"""Finds the words for each kind of registered analysis: one line for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prereg.analyses.base import AnyAnalysis
from prereg.documents.analyses.choices import (
    choice_agreement,
    logit,
    rank_correlation,
    ranking,
    selection_by_gap,
)
from prereg.documents.analyses.ratings import (
    agreement,
    best_worst_shares,
    generalizability,
    many_facet,
    source_ratings,
)
from prereg.documents.analyses.tables import (
    change,
    equivalence,
    explained,
    regression,
    themes,
    trajectory,
)
from prereg.documents.prose import code, listed
from prereg.documents.settings import settings_table
from prereg.plan.model import Plan

WORDS: dict[str, Callable[[Any, Plan], list[str]]] = {
    "ranking": ranking,
    "rank_correlation": rank_correlation,
    "choice_agreement": choice_agreement,
    "logit": logit,
    "selection_by_gap": selection_by_gap,
    "agreement": agreement,
    "generalizability": generalizability,
    "many_facet": many_facet,
    "source_ratings": source_ratings,
    "best_worst_shares": best_worst_shares,
    "change": change,
    "regression": regression,
    "equivalence": equivalence,
    "themes": themes,
    "trajectory": trajectory,
    "explained": explained,
}
# So many names of numbers are worth reading in a sentence.
NAMED = 40


def in_words(analysis: AnyAnalysis, plan: Plan) -> list[str]:
    """Return an analysis as paragraphs; of a kind without words, its keys as a table."""
    words = WORDS.get(analysis.kind)
    if words is None:  # a kind that somebody else has registered
        return [f"An analysis of kind {code(analysis.kind)}.", settings_table(analysis)]
    return words(analysis, plan)


def numbers_of(analysis: AnyAnalysis, plan: Plan) -> str:
    """Return a sentence that names the numbers an analysis will report."""
    names = analysis.quantity_names(plan)
    if names is None:
        return "The names of its numbers depend on the data."
    if len(names) > NAMED:
        return f"It reports {len(names):,} numbers, among them {listed(names[:6])}."
    return f"It reports {listed(names)}."
