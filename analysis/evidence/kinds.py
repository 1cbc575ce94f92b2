"""How the answers to each kind of task become evidence, and what a report says about them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import pandas as pd

from analysis.ranking.best_worst import comparisons_from_best_worst
from analysis.tables.columns import is_tie
from prereg.kinds.best_worst import BEST_WORST
from prereg.kinds.pairwise import PAIRWISE
from prereg.kinds.rating import RATING
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan


class KindEvidence(ABC):
    """One kind of task, as the analysis sees it.

    Attributes
    ----------
    read_as : str
        A sentence on how an answer becomes several forced choices, or empty.
    """

    read_as = ""

    def choices(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return the forced choices that answers are or imply; none if nothing is compared."""
        return answers.iloc[:0]

    @abstractmethod
    def counted(self, answers: pd.DataFrame) -> str:
        """Return how many answers there are, in words."""

    @abstractmethod
    def asked(self, plan: Plan) -> str:
        """Return what each rater was asked, to go between "Raters answered" and the sequences."""


class PairwiseEvidence(KindEvidence):
    """Choices between two, as they are."""

    def choices(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return the answers themselves."""
        return answers

    def counted(self, answers: pd.DataFrame) -> str:
        """Count choices."""
        ties = int(is_tie(answers).sum())
        return f"{len(answers):,} choices" + (f" ({ties:,} of them ties)" if ties else "")

    def asked(self, plan: Plan) -> str:
        """Say how many pairs."""
        third = ""
        if plan.design.offers_ties:
            words = f" (“{plan.design.tie_answer}”)" if plan.design.tie_answer else ""
            third = f" with a third answer for ties{words}"
        return f"about {plan.design.trials} pairs each{third}. Pairs lie within one scenario; "


class RatingEvidence(KindEvidence):
    """Ratings: one row for each scale."""

    def counted(self, answers: pd.DataFrame) -> str:
        """Count ratings."""
        return f"{len(answers):,} ratings"

    def asked(self, plan: Plan) -> str:
        """Say how many texts, and on how many scales."""
        if plan.design.apart:
            on = f"each rater on one of {len(plan.scales)} scales"
        else:
            on = f"on {len(plan.scales)} {'scale' if len(plan.scales) == 1 else 'scales'}"
        return f"about {plan.design.trials} texts each, {on}; "


class BestWorstEvidence(KindEvidence):
    """Picks of best and worst: one row for each option."""

    read_as = (
        "Each pick is read as comparisons: the best text wins against every other text of its set, "
        "and every other text wins against the worst. "
    )

    def choices(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Return the comparisons that the picks imply."""
        return comparisons_from_best_worst(answers)

    def counted(self, answers: pd.DataFrame) -> str:
        """Count trials."""
        return f"{answers['trial_id'].nunique():,} picks of best and worst"

    def asked(self, plan: Plan) -> str:
        """Say how many sets, and how large."""
        return (
            f"about {plan.design.trials} sets of {plan.design.options} each, of which they picked "
            "the most and the least. Sets lie within one scenario; "
        )


EVIDENCE: dict[str, KindEvidence] = {
    PAIRWISE.name: PairwiseEvidence(),
    RATING.name: RatingEvidence(),
    BEST_WORST.name: BestWorstEvidence(),
}


def evidence_of(plan: Plan) -> KindEvidence:
    """Return how the answers to a plan of this kind are read."""
    return EVIDENCE[kind_of(plan).name]
