"""Simulates the table of a registered regression: predictors, and outcomes with known effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
from patsy import PatsyError, dmatrix
from scipy.special import expit

from analysis.arrays import FloatArray
from analysis.planning.effect_names import regressions_alike, sizes_of_outcome
from analysis.planning.effect_sizes import MEDIUM, MEDIUM_LOG_ODDS, sizes
from analysis.planning.table_people import OwnTable, people_and_turns, people_of
from analysis.planning.table_terms import (
    is_category,
    levels_of,
    names_in,
    numbers_of,
    varies_within,
)
from analysis.regression.contrasts import weights_among
from analysis.regression.formula import columns_of
from prereg.analyses.regression import Regression
from prereg.errors import RatifyError
from prereg.plan.model import Plan

_CATEGORIES = (1.0, 2.0, 3.0, 4.0, 5.0)


def of_regression(
    plan: Plan,
    analysis: Regression,
    table: OwnTable | None,
    items: pd.DataFrame,
    rng: np.random.Generator,
) -> OwnTable:
    """Return the table of a regression; columns that an earlier analysis made stay.

    Raises
    ------
    RatifyError
        If the formula cannot be computed or would run code, or has not the terms that the plan
        names.
    """
    assumed = plan.assumptions.of(analysis.id)
    if table is None:
        # without clusters, rows are taken as independent: one for each person
        told = analysis.clustering is not None or "rows" in assumed.model_fields_set
        table = people_and_turns(people_of(plan, assumed), assumed.rows if told else 1)
    if analysis.clustering is not None:
        table.add(analysis.clustering, table.ids())
    _add_predictors(_naming_all_levels(plan, analysis), table, items, plan, rng)
    for outcome in analysis.outcomes:
        if outcome not in table.columns:
            table.add(outcome, _outcome(plan, analysis, outcome, table, rng))
    return table


def _naming_all_levels(plan: Plan, analysis: Regression) -> Regression:
    """Return a regression that names the categories of others of its formula, too."""
    others = {
        one.id: one for name in analysis.outcomes for one in regressions_alike(plan, analysis, name)
    }
    contrasts = dict(analysis.contrasts)
    for one in others.values():
        contrasts |= {f"{one.id}: {name}": text for name, text in one.effects.items()}
    return analysis.model_copy(update={"contrasts": contrasts})


def _add_predictors(
    analysis: Regression, table: OwnTable, items: pd.DataFrame, plan: Plan, rng: np.random.Generator
) -> None:
    assumed = plan.assumptions.of(analysis.id)
    shown = rng.integers(len(items), size=table.rows) if len(items) else np.zeros(table.rows, int)
    cells = 1  # so that columns of the same people are crossed
    names = names_in(analysis.predictors)
    if analysis.sd is not None and analysis.sd.column is not None:
        names.append(analysis.sd.column)
    for name in names:
        if name in table.columns or name in analysis.outcomes:
            continue
        category = is_category(analysis, name)
        known: tuple[object, ...] = (
            levels_of(analysis, name, assumed) if category else numbers_of(analysis, name, assumed)
        )
        within = varies_within(analysis, name, assumed)
        if name in items.columns and name not in assumed.levels:
            table.add(name, items[name].astype(str).to_numpy()[shown])
        elif known and within:
            table.add(name, np.array(known)[table.turn % len(known)])
        elif known:
            table.add(name, np.array(known)[table.person // cells % len(known)])
            cells *= len(known)
        else:
            table.add(name, rng.normal(size=table.rows))


def _outcome(
    plan: Plan, analysis: Regression, outcome: str, table: OwnTable, rng: np.random.Generator
) -> FloatArray:
    assumed = plan.assumptions.of(analysis.id)
    mean = _mean(plan, analysis, outcome, table)
    mean = mean + table.per_person(rng.normal(0.0, assumed.between**0.5, table.people))
    if analysis.model == "ols":
        return np.asarray(mean + rng.normal(0.0, assumed.within**0.5, table.rows))
    if analysis.model == "logit":
        return np.asarray(rng.random(table.rows) < expit(mean), dtype=np.float64)
    levels = np.sort(np.array(analysis.levels or _CATEGORIES))
    shares = np.arange(1, len(levels)) / len(levels)
    cuts = np.log(shares / (1 - shares))
    return np.asarray(levels[np.searchsorted(cuts, mean + rng.logistic(size=table.rows))])


def _mean(plan: Plan, analysis: Regression, outcome: str, table: OwnTable) -> FloatArray:
    """Return the expected outcome of each row, without the person's own part.

    The coefficients are the smallest that give every term and contrast its assumed size.
    """
    assumed = plan.assumptions.of(analysis.id)
    frame = _typed(table)
    columns_of(frame, analysis.predictors)  # refuses a formula that runs code
    try:
        design = dmatrix(analysis.predictors, frame)
    except (PatsyError, NameError, ValueError, TypeError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise RatifyError(
            f"the formula cannot be computed on simulated data: {reason}",
            column=f"{analysis.id}: predictors",
            value=analysis.predictors,
        ) from error
    terms = [str(name) for name in design.design_info.column_names]
    medium = MEDIUM_LOG_ODDS
    if analysis.model == "ols":
        medium = MEDIUM * (assumed.between + assumed.within) ** 0.5
    given = _sizes(plan, analysis, outcome, medium)
    if not given:
        return np.zeros(table.rows)
    weights = np.array([weights_among(terms, text) for text in given])
    wanted = np.array(list(given.values()))
    return np.asarray(np.asarray(design) @ np.linalg.lstsq(weights, wanted, rcond=None)[0])


def _sizes(plan: Plan, analysis: Regression, outcome: str, medium: float) -> dict[str, float]:
    """Return the size of each term and contrast of an outcome, by its text.

    Another regression of the same formula may say more about the outcome.
    """
    found = {}
    for one in (analysis, *regressions_alike(plan, analysis, outcome)):
        given = sizes_of_outcome(plan, one, outcome)
        if one is analysis and not plan.assumptions.of(one.id).effect:
            given = sizes(plan, one, list(one.effects), medium)
        for name, size in given.items():
            found[one.effects[name]] = size
    return found


def _typed(table: OwnTable) -> pd.DataFrame:
    """Return the columns as a regression reads them: text that is a number is a number."""
    frame = pd.DataFrame(table.columns)
    for name in frame.columns:
        if frame[name].dtype.kind in "fi" or str(name).endswith("_id"):
            continue
        numbers = pd.to_numeric(frame[name], errors="coerce")
        if numbers.notna().all():
            frame[name] = numbers.astype(float)
        else:
            frame[name] = frame[name].astype(object)
    return frame
