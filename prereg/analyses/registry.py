"""The kinds of analysis a plan may register: one line for each kind and its model."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from prereg.analyses.agreement import Agreement
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Change
from prereg.analyses.choices import ChoiceAgreement, Logit, SelectionByGap
from prereg.analyses.equivalence import Equivalence
from prereg.analyses.explained import Explained
from prereg.analyses.facets import Generalizability, ManyFacet
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.analyses.regression import Regression
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.analyses.trajectory import Trajectory

ANALYSES: dict[str, type[AnyAnalysis]] = {
    "ranking": RankingAnalysis,
    "rank_correlation": RankCorrelation,
    "choice_agreement": ChoiceAgreement,
    "logit": Logit,
    "selection_by_gap": SelectionByGap,
    "agreement": Agreement,
    "generalizability": Generalizability,
    "many_facet": ManyFacet,
    "source_ratings": SourceRatings,
    "best_worst_shares": BestWorstShares,
    "change": Change,
    "regression": Regression,
    "equivalence": Equivalence,
    "themes": Themes,
    "trajectory": Trajectory,
    "explained": Explained,
}


class _OneOfTheKinds:
    """Tells pydantic that an analysis is one of the models of `ANALYSES`, found by its kind.

    A kind that is added later is known only after `Plan.model_rebuild(force=True)`.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        models = {kind: handler.generate_schema(model) for kind, model in ANALYSES.items()}
        return core_schema.tagged_union_schema(models, discriminator="kind")


Analysis = Annotated[AnyAnalysis, _OneOfTheKinds()]
