"""Simulates the researcher's own tables that a plan's analyses read."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.planning.effect_sizes import MEDIUM, MEDIUM_SHARE, sizes
from analysis.planning.table_outcomes import of_regression
from analysis.planning.table_people import OwnTable, of_change, people_and_turns, people_of
from prereg.analyses.change import Change
from prereg.analyses.explained import Explained
from prereg.analyses.regression import Regression
from prereg.analyses.sources import Themes
from prereg.analyses.trajectory import Trajectory
from prereg.plan.model import Plan

_THEMES = ("theme_1", "theme_2", "theme_3")
# How many texts have a theme before.
_SHARE = 0.4
_NUMBER = re.compile(r"^-?\d+\.\d+(e-?\d+)?$")


def simulated_tables(
    plan: Plan, items: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return every table of the researcher's own that the plan's analyses read.

    Parameters
    ----------
    plan : Plan
        Its assumptions say how large the effects are.
    items : DataFrame
        The items table. If a formula names one of its columns, each row is about one item.
    rng : Generator

    Returns
    -------
    dict of str to DataFrame
        By the table's name, with the columns that the plan calls them; all cells are text, as in a
        file. `in_file` gives them the names and the decimal mark that the plan's `data` says.

    Raises
    ------
    RatifyError
        If a formula cannot be computed, or has not the terms that the plan names.
    """
    made: dict[str, OwnTable] = {}
    found: dict[str, pd.DataFrame] = {}
    # an analysis of change says more about its table than a formula does, so it comes first
    order = sorted(
        plan.analyses,
        key=lambda one: (not isinstance(one, Change), isinstance(one, Trajectory | Explained)),
    )
    for analysis in order:
        if isinstance(analysis, Themes):
            for name, frame in _theme_tables(plan, analysis, rng).items():
                found.setdefault(name, frame)
        elif isinstance(analysis, Change):
            made[analysis.table] = _of_change(plan, analysis, made.get(analysis.table), rng)
        elif isinstance(analysis, Regression) and analysis.tables():
            made[analysis.data] = of_regression(plan, analysis, made.get(analysis.data), items, rng)
        elif isinstance(analysis, Trajectory | Explained):
            made[analysis.table] = _of_numbers(plan, analysis, made.get(analysis.table), rng)
    return {**{name: table.as_text() for name, table in made.items()}, **found}


def in_file(plan: Plan, name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a simulated table with the column names and the decimal mark of the plan's `data`."""
    reading = plan.data.reading(name)
    if reading.decimal != ".":
        table = table.map(lambda cell: _with_mark(cell, reading.decimal))
    return table.rename(columns=dict(reading.columns))


def _with_mark(cell: str, mark: str) -> str:
    return cell.replace(".", mark) if _NUMBER.match(cell) else cell


def _of_change(
    plan: Plan, analysis: Change, table: OwnTable | None, rng: np.random.Generator
) -> OwnTable:
    """Return scores of people before and after; whoever leaves has no score after."""
    assumed = plan.assumptions.of(analysis.id)
    turns = len(analysis.baseline_rounds) + len(analysis.post_rounds)
    if table is None:
        table = people_and_turns(people_of(plan, assumed), turns)
    of_change(table, analysis)
    sd = (assumed.between + assumed.within) ** 0.5
    better = -1 if analysis.better == "lower" else 1
    effect = sizes(plan, analysis, analysis.treatments, MEDIUM * sd)
    if not assumed.effect:
        effect = {name: better * abs(size) for name, size in effect.items()}
    changed = table.columns[analysis.condition].map(effect).fillna(0.0).to_numpy(float)
    after = table.columns[analysis.occasion].isin(analysis.post_rounds).to_numpy()
    own = table.per_person(rng.normal(0.0, assumed.between**0.5, table.people))
    error = rng.normal(0.0, assumed.within**0.5, table.rows)
    table.add(analysis.value, own + error + changed * after)
    left = table.per_person(rng.random(table.people) < plan.assumptions.raters.drop_out)
    return table.where(~(left & after)) if left.any() else table


def _of_numbers(
    plan: Plan, analysis: Trajectory | Explained, table: OwnTable | None, rng: np.random.Generator
) -> OwnTable:
    """Return a table with the columns of an analysis that tests nothing: numbers without effects.

    Columns that another analysis has made stay as they are.
    """
    people = people_of(plan, plan.assumptions.of(analysis.id))
    if isinstance(analysis, Trajectory):
        table = people_and_turns(people, len(analysis.occasions)) if table is None else table
        table.add(analysis.person, table.ids())
        occasions, conditions = np.array(analysis.occasions), np.array(analysis.conditions)
        table.add(analysis.occasion, occasions[table.turn % len(occasions)])
        table.add(analysis.condition, conditions[table.person % len(conditions)])
        numbers = analysis.outcomes
    else:
        table = people_and_turns(people, 1) if table is None else table
        table.add(analysis.cluster, table.ids())
        for column, values in analysis.only.items():
            table.add(column, np.array(values)[table.turn % len(values)])
        numbers = (analysis.outcome, *analysis.predictors.values())
    for name in numbers:
        table.add(name, rng.normal(0.0, 1.0, table.rows))
    return table


def _theme_tables(
    plan: Plan, analysis: Themes, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return texts of the same people before and after, and the themes in them."""
    assumed = plan.assumptions.of(analysis.id)
    table = people_and_turns(people_of(plan, assumed), 2)
    people = table.ids()
    times = np.array([analysis.before, analysis.after])[table.turn]
    texts = np.char.add(np.char.add(people, "-"), (table.turn + 1).astype(str))
    themes = analysis.named or tuple(assumed.effect) or _THEMES
    more = sizes(plan, analysis, themes, MEDIUM_SHARE)
    has = {}
    for theme in themes:
        shares = np.clip(np.array([_SHARE, _SHARE + more[theme]]), 0.01, 0.99)
        own = rng.normal(0.0, assumed.between**0.5, table.people)
        # a person's own log-odds pull a mean share to one half, by this factor (Zeger 1988)
        odds = logit(shares) * np.sqrt(1 + 0.346 * assumed.between)
        has[theme] = rng.random(table.rows) < expit(odds[table.turn] + own[table.person])
    frame = pd.DataFrame({analysis.text: texts, analysis.person: people, analysis.time: times})
    if analysis.labels is None:
        marks = {theme: np.where(found, "1", "0") for theme, found in has.items()}
        return {analysis.texts: frame.assign(**marks).astype(str)}
    labels = pd.concat(
        [pd.DataFrame({analysis.text: texts[found], "theme": t}) for t, found in has.items()],
        ignore_index=True,
    )
    return {analysis.texts: frame.astype(str), analysis.labels: labels.astype(str)}
