"""Rankings of items from forced choices by `elo()` or `bradley_terry()`, and their correlation.

Both return a `Ranking` with the same columns, so that a report can treat them alike.
"""

from __future__ import annotations

from analysis.ranking.bradley_terry import bradley_terry
from analysis.ranking.elo import elo
from analysis.ranking.rank_correlation import RankCorrelation, rank_correlation
from analysis.ranking.result import Ranking

__all__ = ["RankCorrelation", "Ranking", "bradley_terry", "elo", "rank_correlation"]
