"""The answers of simulated judges: scores, answers to people's trials, and pairs of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.planning.layout import Layout
from analysis.planning.population import places_of, points_of
from analysis.planning.qualities import draw_view, of_dimensions
from prereg.kinds.registry import kind_of
from prereg.plan.judging import AnyJudge
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge
from prereg.tables.contract import TIE

# A judge's own ranking is simulated with at most so many answers for each item: with more, the
# ranking of a judge that never contradicts itself hardly changes.
MOST_ANSWERS = 100


@dataclass(frozen=True)
class JudgeAnswers:
    """What one simulated judge said.

    Attributes
    ----------
    choices : DataFrame
        `scenario`, `left_id`, `right_id`, `choice`, `position`, `purpose`; pairwise plans only.
    ratings : DataFrame
        `item_id`, `dimension`, `value`, `scale_min`, `scale_max`.
    picks : DataFrame
        `scenario`, `trial`, `option`, `item_id`, `picked`, `position`; best-worst plans only.
    """

    choices: pd.DataFrame
    ratings: pd.DataFrame
    picks: pd.DataFrame


def judges_asked(plan: Plan) -> list[AnyJudge]:
    """Return the judges that answer themselves: all but panels."""
    return [judge for judge in plan.judges if not isinstance(judge, PanelJudge)]


def answers_of(
    plan: Plan,
    judge: AnyJudge,
    layout: Layout,
    quality: FloatArray,
    correlation: float,
    rng: np.random.Generator,
) -> JudgeAnswers:
    """Return the answers of a judge whose scores have a known correlation with quality.

    Parameters
    ----------
    plan : Plan
    judge : judge of the plan
    layout : Layout
    quality : float array of shape (n_items,)
    correlation : float
        Of what the judge thinks of an item with its quality, before it is rounded to points.
    rng : Generator
    """
    view = draw_view(quality, correlation, rng)
    kind = kind_of(plan)
    empty = pd.DataFrame()
    if not kind.compares:
        return JudgeAnswers(empty, _scores(plan, layout, quality, correlation, rng), empty)
    if not kind.asks_pairs:
        return JudgeAnswers(empty, empty, _picks(layout, view))
    scores, overall = _dimension_scores(plan, layout, view, rng)
    rated = not (isinstance(judge, TableJudge) and judge.ratings is None)
    choices = _choices(plan, layout, overall, view)
    own = _own_pairs(plan, judge, layout, view, rng)
    return JudgeAnswers(
        pd.concat([choices, own], ignore_index=True), scores if rated else empty, empty
    )


def _dimension_scores(
    plan: Plan, layout: Layout, view: FloatArray, rng: np.random.Generator
) -> tuple[pd.DataFrame, FloatArray]:
    """Return a rating of each item on each measure, and their signed sum."""
    assert plan.measures is not None
    rated = plan.rated
    signs = np.where([r.id in plan.measures.subtracts for r in rated], -1.0, 1.0)
    latent = of_dimensions(view, len(rated), rng)
    points = np.column_stack(
        [
            points_of(sign * latent[:, at], scale.min, scale.max)
            for at, (scale, sign) in enumerate(zip(rated, signs, strict=True))
        ]
    )
    table = pd.DataFrame(
        {
            "item_id": np.repeat(layout.items, len(rated)),
            "dimension": np.tile([scale.id for scale in rated], len(layout.items)),
            "value": points.ravel(),
            "scale_min": float(rated[0].min),
            "scale_max": float(rated[0].max),
        }
    )
    return table, points @ signs


def _scores(
    plan: Plan, layout: Layout, quality: FloatArray, correlation: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return a judge's rating, on every scale of the plan, of each item that people rate."""
    used = np.unique(layout.shown[layout.once, 0])
    parts = []
    for scale in plan.rated:
        latent = draw_view(quality, correlation, rng)[used]
        value = (
            places_of(latent, len(scale.names))
            if scale.names
            else points_of(latent, scale.min, scale.max)
        )
        parts.append(
            pd.DataFrame(
                {
                    "item_id": layout.items[used],
                    "dimension": scale.id,
                    "value": value,
                    "scale_min": np.nan if scale.names else float(scale.min),
                    "scale_max": np.nan if scale.names else float(scale.max),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _choices(plan: Plan, layout: Layout, overall: FloatArray, view: FloatArray) -> pd.DataFrame:
    """Return a judge's choices on people's trials: the higher score, then the better view."""
    shown = layout.shown[layout.once]
    return _chosen(layout, shown, overall, view, ties=plan.design.offers_ties, purpose="trial")


def _own_pairs(
    plan: Plan, judge: AnyJudge, layout: Layout, view: FloatArray, rng: np.random.Generator
) -> pd.DataFrame:
    """Return choices between random pairs of each scenario, if the judge has its own ranking."""
    compared = isinstance(judge, TableJudge) and judge.compared
    if judge.pairs is None and not compared:
        return pd.DataFrame()
    used = np.unique(layout.shown[layout.once])
    parts: list[IntArray] = []
    for scenario in dict.fromkeys(layout.scenarios[used].tolist()):
        items = used[layout.scenarios[used] == scenario]
        count = MOST_ANSWERS * len(items) // 2
        if judge.pairs is not None:
            count = min(count, judge.pairs.per_scenario)
        first = rng.integers(len(items), size=count)
        other = (first + rng.integers(1, len(items), size=count)) % len(items)
        parts.append(np.column_stack([items[first], items[other]]))
    shown = np.concatenate(parts)
    return _chosen(layout, shown, view, view, ties=False, purpose="ranking")


def _chosen(
    layout: Layout,
    shown: IntArray,
    score: FloatArray,
    view: FloatArray,
    *,
    ties: bool,
    purpose: str,
) -> pd.DataFrame:
    left, right = shown.T
    level = score[left] == score[right]
    better = np.where(level, view[left] > view[right], score[left] > score[right])
    choice = np.where(better, "left", "right").astype(object)
    if ties:
        choice[level] = TIE
    return pd.DataFrame(
        {
            "scenario": layout.scenarios[left],
            "left_id": layout.items[left],
            "right_id": layout.items[right],
            "choice": choice,
            "position": np.arange(1.0, len(shown) + 1),
            "purpose": purpose,
        }
    )


def _picks(layout: Layout, view: FloatArray) -> pd.DataFrame:
    """Return a judge's picks of best and worst on people's trials."""
    shown = layout.shown[layout.once]
    trials, options = shown.shape
    value = view[shown]
    option = np.tile(np.arange(options), trials)
    most, least = (np.repeat(each, options) for each in (value.argmax(1), value.argmin(1)))
    marks = np.where(option == most, "most", np.where(option == least, "least", ""))
    return pd.DataFrame(
        {
            "scenario": np.repeat(layout.scenarios[shown[:, 0]], options),
            "trial": np.repeat(np.arange(trials), options),
            "option": (option + 1).astype(np.float64),
            "item_id": layout.items[shown].ravel(),
            "picked": marks.astype(object),
            "position": np.repeat(np.arange(1.0, trials + 1), options),
        }
    )
