"""Runs the registered formulas on invented rows, to find bad formulas before the lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evidence.tables import TABLES_FOLDER
from analysis.inference.trial_errors import cluster_columns
from analysis.planning.conditions import changes_of, with_conditions
from analysis.planning.invented import Items, invented_ratings, invented_trials, with_shuffled
from analysis.planning.own_tables import simulated_tables
from analysis.registered.regression_parts import formula_of
from analysis.registered.regression_rows import with_numbers
from analysis.regression.contrasts import weights_among
from analysis.regression.fit import clustered_logit, clustered_ols, robust_ols
from analysis.regression.formula import columns_of
from analysis.regression.ordinal import clustered_ordinal
from analysis.tables.columns import numbers, require_columns
from analysis.tables.tidy import naming, table_path
from prereg.analyses.choices import Logit
from prereg.analyses.regression import JUDGE_RATINGS, RATINGS, TRIALS, Regression
from prereg.errors import RatifyError
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan
from prereg.streams import Stream, stream

# Rows of an own table may be so few that shuffled outcomes are separated by chance.
_BY_CHANCE = "separated"


def rehearsed(plan: Plan, items: Items, folder: Path | None = None) -> Iterator[RatifyError]:
    """Run every registered formula on invented rows of this plan, each by itself.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table.
    folder : Path, optional
        The study folder, whose own tables are used as they are, with shuffled outcomes. A table
        that is not there yet is simulated.

    Yields
    ------
    RatifyError
        If a formula cannot be read, computed or fitted, names a column that the study does not
        make, or does not have the terms that answer the hypothesis; it names the path of the field.
    """
    for number, analysis in enumerate(plan.analyses):
        where = f"analyses.{number}"
        if isinstance(analysis, Logit) and plan.measures is not None:
            yield from _logit(plan, items, analysis, where)
        if isinstance(analysis, Regression):
            yield from _regression(plan, items, analysis, where, folder)


def _logit(plan: Plan, items: Items, analysis: Logit, where: str) -> Iterator[RatifyError]:
    trials = invented_trials(plan, items, stream(plan.seed, Stream.REHEARSAL))
    try:
        fit = clustered_logit(trials, analysis.formula, cluster=analysis.cluster)
    except RatifyError as error:
        yield _fault(error, f"{where}.formula", analysis.formula)
        return
    if analysis.term not in fit.params.index:
        yield RatifyError(
            "is not a term of the fitted formula",
            file=PLAN_FILE,
            column=f"{where}.term",
            value=analysis.term,
            allowed=", ".join(fit.params.index),
        )


def _regression(
    plan: Plan, items: Items, analysis: Regression, where: str, folder: Path | None
) -> Iterator[RatifyError]:
    """Yield the faults of one regression; those of its terms only if it can be fitted."""
    try:
        rows = _rows(plan, items, analysis, folder)
    except RatifyError as error:
        of_table = error.file is not None and Path(error.file).name != PLAN_FILE
        yield error if of_table else _fault(error, f"{where}.predictors", analysis.predictors)
        return
    for number, outcome in enumerate(analysis.outcomes):
        data = rows.get(outcome)
        if data is None:
            continue
        if outcome not in data:
            yield _no_column(outcome, data, f"{where}.outcomes.{number}")
            continue
        named = {
            **{f"{where}.predictions.{name}": name for name in analysis.predictions},
            **{f"{where}.average_effects.{n}": x for n, x in enumerate(analysis.average_effects)},
        }
        if analysis.sd is not None and analysis.sd.column is not None:
            named[f"{where}.sd.column"] = analysis.sd.column
        missing = [(key, name) for key, name in named.items() if name not in data]
        clusters = cluster_columns(analysis.clustering) if analysis.clustering else []
        lost = [(f"{where}.cluster", name) for name in clusters if name not in data]
        yield from (_no_column(name, data, key) for key, name in missing + lost)
        if lost:
            return
        there = folder is not None and table_path(folder / TABLES_FOLDER, analysis.data).exists()
        for fault in _fitted(analysis, outcome, data, where):
            yield fault if there else with_conditions(plan, analysis, fault)
        return  # the other outcomes have the same terms


def _fitted(
    analysis: Regression, outcome: str, data: pd.DataFrame, where: str
) -> Iterator[RatifyError]:
    formula = formula_of(analysis, outcome)
    try:
        terms = _terms(analysis, formula, _without_empty(data, formula))
    except RatifyError as error:
        if _BY_CHANCE not in error.problem:
            yield _fault(error, f"{where}.predictors", analysis.predictors)
        return
    effects = [
        *((f"{where}.terms.{n}", text) for n, text in enumerate(analysis.terms)),
        *((f"{where}.contrasts.{name}", text) for name, text in analysis.contrasts.items()),
    ]
    for key, text in effects:
        try:
            weights_among(terms, text)
        except RatifyError as error:
            yield _fault(error, key, text)


def _without_empty(data: pd.DataFrame, formula: str) -> pd.DataFrame:
    """Return rows, unless the formula names a column that the study leaves empty."""
    for name in columns_of(data, formula):
        if data[name].eq("").all():
            raise RatifyError(
                f"the study leaves the column '{name}' empty", allowed="a column that is filled"
            )
    return data


def _terms(analysis: Regression, formula: str, data: pd.DataFrame) -> list[str]:
    """Return the names of the fitted coefficients."""
    cluster = analysis.clustering
    if cluster is None:
        fit = robust_ols(data, formula, distribution=analysis.distribution)
        return [str(name) for name in fit.params.index]
    if analysis.model == "ordinal":
        ordinal = clustered_ordinal(
            data,
            formula,
            cluster=cluster,
            categories=analysis.levels or None,
            distribution=analysis.distribution,
        )
        return [str(name) for name in ordinal.params.index]
    run = clustered_logit if analysis.model == "logit" else clustered_ols
    fit = run(data, formula, cluster=cluster, distribution=analysis.distribution)
    return [str(name) for name in fit.params.index]


def _rows(
    plan: Plan, items: Items, analysis: Regression, folder: Path | None
) -> Mapping[str, pd.DataFrame]:
    """Return the rows of each outcome, as far as they can be invented."""
    rng = stream(plan.seed, Stream.REHEARSAL)
    if analysis.data == TRIALS:
        if plan.measures is None:
            return {}
        return dict.fromkeys(analysis.outcomes, invented_trials(plan, items, rng))
    if analysis.data in {RATINGS, JUDGE_RATINGS}:
        judges = [analysis.judge] if analysis.judge else [judge.id for judge in plan.judges]
        raters = judges if analysis.data == JUDGE_RATINGS else []
        numbered = [one.id for one in plan.rated if not one.names]
        return {
            one: _read(invented_ratings(plan, items, one, rng, raters=raters), analysis)
            for one in analysis.outcomes
            if one in numbered
        }
    path, table = Path(f"{analysis.data}.csv"), None
    if folder is not None:
        path, table = with_shuffled(folder, plan, analysis.data, analysis.outcomes, rng)
    if table is None:
        table = _simulated(plan, items, analysis, rng)
    with naming(path):
        require_columns(table, *analysis.outcomes)
        own = table.assign(**{one: numbers(table, one) for one in analysis.outcomes})
        return dict.fromkeys(analysis.outcomes, _read(own, analysis))


def _simulated(
    plan: Plan, items: Items, analysis: Regression, rng: np.random.Generator
) -> pd.DataFrame:
    """Return an own table as it may be: an analysis of change says what its occasions are.

    Its outcomes have no effect: a wrong contrast is a fault of the fit, which names its key.
    """
    none = plan.assumptions.of(analysis.id).model_copy(update={"effect": {"": 0.0}})
    effects = {**plan.assumptions.effects, analysis.id: none}
    assumed = plan.assumptions.model_copy(update={"effects": effects})
    alone = plan.model_copy(
        update={"analyses": (*changes_of(plan, analysis), analysis), "assumptions": assumed}
    )
    return simulated_tables(alone, pd.DataFrame(items), rng)[analysis.data]


def _read(table: pd.DataFrame, analysis: Regression) -> pd.DataFrame:
    """Return a table whose columns of numbers are numbers, as `regression_rows` reads them."""
    names = [str(name) for name in table.columns]
    used = analysis.used(names)
    clusters = {analysis.cluster} if analysis.cluster else set[str]()
    surveyed = {name for name in names if name.startswith("survey_")}
    return with_numbers(
        table,
        used=frozenset(used - analysis.declared(names)),
        categories=frozenset(clusters | set(analysis.categories) | surveyed),
        numbers=frozenset(set(analysis.numbers) & used),
    )[0]


def _no_column(name: str, data: pd.DataFrame, where: str) -> RatifyError:
    return RatifyError(
        "the study makes no such column",
        file=PLAN_FILE,
        column=where,
        value=name,
        allowed=", ".join(map(str, data.columns)),
    )


def _fault(error: RatifyError, where: str, value: object) -> RatifyError:
    """Return a fault of a fit as one of the plan's key."""
    return RatifyError(
        error.problem, file=PLAN_FILE, column=where, value=value, allowed=error.allowed
    )
