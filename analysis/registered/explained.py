"""A registered analysis of explained variance: how much of an outcome each predictor explains."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.registered.finding import Finding, result_tables, stamp
from analysis.registered.own_tables import with_number_columns
from analysis.regression.explained import METHOD, ExplainedVariance, explained_variance
from analysis.results.numbers import with_interval
from analysis.results.quantities import Quantity
from analysis.tables import columns
from analysis.tables.tidy import naming
from prereg.analyses.explained import Explained
from prereg.errors import RatifyError


def run_explained(analysis: Explained, evidence: Evidence) -> Finding:
    """Run a registered analysis of explained variance.

    Parameters
    ----------
    analysis : Explained
    evidence : Evidence

    Returns
    -------
    Finding
        R squared of every predictor by itself, as quantities and a table.

    Raises
    ------
    RatifyError
        If there is no such column, no row is left, or a number does not vary.
    """
    names = list(dict.fromkeys([analysis.outcome, *analysis.predictors.values()]))
    data = with_number_columns(evidence, analysis.table, *names)
    file = Path(evidence.table_path(analysis.table).name)
    with naming(file):
        columns.require_columns(data, analysis.cluster, *analysis.only)
        rows = _only(data, analysis)
        found = {
            name: explained_variance(
                rows[column], rows[analysis.outcome], rows[analysis.cluster], level=analysis.level
            )
            for name, column in analysis.predictors.items()
        }
    frame = pd.DataFrame([{"predictor": name, **asdict(one)} for name, one in found.items()])
    caption = (
        f"Proportion of the variance of {analysis.outcome}; {METHOD}. Clusters: "
        f"{analysis.cluster}. r: the correlation; slope: points of {analysis.outcome} for one of "
        "the predictor."
    )
    shown = [("r2", f"What explains {analysis.outcome}", caption + _used(analysis), frame)]
    return Finding(
        sentence=_sentence(analysis, found),
        quantities=[_quantity(analysis, evidence, name, one) for name, one in found.items()],
        tables=result_tables(analysis, evidence, shown, level=analysis.level),
    )


def _only(data: pd.DataFrame, analysis: Explained) -> pd.DataFrame:
    for column, values in analysis.only.items():
        data = data[data[column].astype(str).isin(values)]
        if data.empty:
            raise RatifyError(
                "no row has one of these values", column=column, value=", ".join(values)
            )
    return data


def _used(analysis: Explained) -> str:
    said = [f"{column} {' or '.join(values)}" for column, values in analysis.only.items()]
    return f" Rows with {' and '.join(said)}." if said else ""


def _sentence(analysis: Explained, found: dict[str, ExplainedVariance]) -> str:
    told = [
        f"{name} explains {with_interval(one.r2, one.low, one.high, percent=True)}"
        for name, one in found.items()
    ]
    return f"Of the variance of {analysis.outcome.replace('_', ' ')}, {'; '.join(told)}."


def _quantity(
    analysis: Explained, evidence: Evidence, name: str, one: ExplainedVariance
) -> Quantity:
    return Quantity(
        name=name,
        label=f"Variance of {analysis.outcome} that {name} explains",
        estimate=one.r2,
        low=one.low,
        high=one.high,
        level=analysis.level,
        n=one.n,
        unit_of_n=f"rows of {analysis.table}",
        clusters=one.clusters,
        method=METHOD,
        unit="proportion of variance",
        **stamp(analysis, evidence),
    )
