"""Draws how good the items of a simulated study are, and what judges think of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.planning.effect_sizes import MEDIUM, sizes
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.sources import BestWorstShares, SourceRatings
from prereg.plan.model import Plan
from prereg.tables.numbers import numbers_of

# The part of a judge's view of one dimension that is its view of the whole item.
_WHOLE = 0.6


def draw_quality(plan: Plan, items: pd.DataFrame, rng: np.random.Generator) -> FloatArray:
    """Return the quality of every item: standard normal, and shifted by what the plan expects.

    Parameters
    ----------
    plan : Plan
        If it compares sources, each has its own mean. If it correlates people's ranking with a
        column of the items, quality has this correlation with the column within scenarios.
    items : DataFrame
        `scenario`, and the columns that the analyses name.
    rng : Generator

    Returns
    -------
    array of shape (n_items,)
        In standard deviations of items of one source.
    """
    quality = rng.normal(size=len(items))
    for analysis in plan.analyses:
        if isinstance(analysis, RankCorrelation) and analysis.column in items.columns:
            name = str(analysis.column)
            given = plan.assumptions.of(analysis.id).effect
            share = float(np.clip(given.get(name, plan.assumptions.judges.good), -1, 1))
            known = _standardised(items, name)
            quality = share * known + np.sqrt(1 - share**2) * quality
            break
    for analysis in plan.analyses:
        if isinstance(analysis, SourceRatings | BestWorstShares):
            quality = quality + _of_sources(plan, analysis, items)
            break
    return np.asarray(quality)


def draw_view(quality: FloatArray, correlation: float, rng: np.random.Generator) -> FloatArray:
    """Return what a judge thinks of every item, which has this correlation with quality."""
    mean, sd = quality.mean(), quality.std() or 1.0
    noise = rng.normal(size=len(quality))
    return np.asarray(correlation * (quality - mean) / sd + np.sqrt(1 - correlation**2) * noise)


def of_dimensions(view: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Return what a judge thinks of every dimension of every item; their mean is its view.

    Returns
    -------
    array of shape (n_items, count)
        Each of variance 1; the mean of a row is in proportion to the view.
    """
    if count == 1:
        return view[:, None]
    own = rng.normal(size=(len(view), count))
    own -= own.mean(axis=1, keepdims=True)
    rest = (1 - _WHOLE) / (1 - 1 / count)
    return np.asarray(_WHOLE**0.5 * view[:, None] + rest**0.5 * own)


def _standardised(items: pd.DataFrame, column: str) -> FloatArray:
    """Return a column of the items as standard scores within scenarios; 0 where it has none."""
    cells = items[column].astype(str)
    known = numbers_of(cells[cells != ""].unique()).known
    values = cells.map(known).astype(float)
    within = values.groupby(items["scenario"].to_numpy())
    spread = within.transform("std", ddof=0).replace(0.0, np.nan)
    scores = (values - within.transform("mean")) / spread
    return np.asarray(scores.fillna(0.0), dtype=np.float64)


def _of_sources(
    plan: Plan, analysis: SourceRatings | BestWorstShares, items: pd.DataFrame
) -> FloatArray:
    """Return how far each item's source is above the others, in standard deviations."""
    if analysis.source not in items.columns:
        return np.zeros(len(items))
    source = items[analysis.source].astype(str)
    names = sorted(analysis.sources or set(source))
    others = [name for name in names if name != analysis.reference]
    given = plan.assumptions.of(analysis.id).effect
    if given or analysis.reference is not None:
        size = sizes(plan, analysis, others if not given else names, MEDIUM)
    else:  # evenly apart, the last above the first by a medium size
        steps = np.linspace(0.0, MEDIUM, len(names))
        size = dict(zip(names, steps.tolist(), strict=True))
    return np.asarray(source.map(size).fillna(0.0), dtype=np.float64)
