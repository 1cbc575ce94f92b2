"""Rankings of items from forced choices: `elo()` and `bradley_terry()`, and how two rankings agree.

Both return a `Ranking` with the same columns, so that a report treats them alike.
"""

from __future__ import annotations

from analysis.bradley_terry import bradley_terry
from analysis.elo import elo
from analysis.rank_correlation import RankCorrelation, rank_correlation
from analysis.ranking_result import Ranking

__all__ = ["RankCorrelation", "Ranking", "bradley_terry", "elo", "rank_correlation"]
