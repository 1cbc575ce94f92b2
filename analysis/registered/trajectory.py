"""A registered analysis of trajectories: means by condition and occasion, as tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.change.figures import plot_trajectories
from analysis.change.trajectories import METHOD, trajectories
from analysis.evidence.evidence import Evidence
from analysis.registered.finding import Finding, drawn, result_tables, stamp
from analysis.registered.own_tables import with_number_columns
from analysis.results.numbers import number
from analysis.results.quantities import Quantity, ResultFigure
from analysis.results.words import listed
from analysis.tables.tidy import naming
from prereg.analyses.trajectory import Trajectory


def run_trajectory(analysis: Trajectory, evidence: Evidence) -> Finding:
    """Run a registered analysis of trajectories.

    Parameters
    ----------
    analysis : Trajectory
    evidence : Evidence
        `evidence.table(analysis.table)` has one row per person and occasion.

    Returns
    -------
    Finding
        The mean of each condition on each occasion as quantities, a table and a figure for each
        outcome.

    Raises
    ------
    RatifyError
        As `analysis.change.trajectories.trajectories`, with the file named.
    """
    data = with_number_columns(evidence, analysis.table, *analysis.outcomes)
    with naming(Path(evidence.table_path(analysis.table).name)):
        found = {
            outcome: trajectories(
                data,
                value=outcome,
                person=analysis.person,
                occasion=analysis.occasion,
                condition=analysis.condition,
                conditions=analysis.conditions,
                occasions=analysis.occasions,
                level=analysis.level,
            )
            for outcome in analysis.outcomes
        }
    return Finding(
        sentence=_sentence(analysis, found),
        quantities=[
            _quantity(analysis, evidence, outcome, row)
            for outcome, table in found.items()
            for row in table.to_dict("records")
        ],
        tables=result_tables(
            analysis,
            evidence,
            [
                (
                    "means",
                    f"Means by {analysis.condition} and {analysis.occasion}",
                    f"Points of each outcome; {METHOD}. One row per condition and occasion.",
                    pd.concat(found, names=["outcome"]).reset_index("outcome", drop=False),
                )
            ],
            level=analysis.level,
        ),
        figures=[_figure(analysis, evidence, outcome, data) for outcome in analysis.outcomes],
    )


def _sentence(analysis: Trajectory, found: dict[str, pd.DataFrame]) -> str:
    """Return how the first outcome runs in every condition."""
    outcome = analysis.outcomes[0]
    table = found[outcome]
    told = [
        f"{name} " + ", ".join(number(mean, 2) for mean in rows["mean"])
        for name, rows in table.groupby("condition", sort=False)
    ]
    occasions = listed(list(analysis.occasions))
    return (
        f"Mean {outcome.replace('_', ' ')} on {analysis.occasion} {occasions}: {'; '.join(told)}."
    )


def _quantity(
    analysis: Trajectory, evidence: Evidence, outcome: str, row: dict[Any, Any]
) -> Quantity:
    there = row["people"] > 0
    return Quantity(
        name=analysis.quantity_name(outcome, row["condition"], row["occasion"]),
        label=f"{outcome}: {row['condition']}, {analysis.occasion} {row['occasion']}",
        estimate=row["mean"] if there else None,
        low=row["low"],
        high=row["high"],
        level=analysis.level,
        n=int(row["people"]),
        unit_of_n="people",
        clusters=int(row["people"]),
        method=METHOD,
        unit="points of the outcome",
        note="" if there else "Nobody of this condition has a value.",
        **stamp(analysis, evidence),
    )


def _figure(
    analysis: Trajectory, evidence: Evidence, outcome: str, data: pd.DataFrame
) -> ResultFigure:
    order = {name: at for at, name in enumerate(analysis.conditions)}
    places = {name: at for at, name in enumerate(analysis.occasions)}
    rows = data.assign(
        _condition=data[analysis.condition].astype(str).map(order),
        _occasion=data[analysis.occasion].astype(str).map(places),
    ).dropna(subset=["_condition", "_occasion"])
    rows = rows.sort_values(["_occasion", "_condition"], kind="stable")
    axes = plot_trajectories(
        rows,
        value=outcome,
        occasion=analysis.occasion,
        condition=analysis.condition,
        level=analysis.level,
    )
    words = outcome.replace("_", " ")
    return drawn(
        evidence,
        axes,
        name=f"{analysis.id}_{outcome}",
        title=f"Mean {words} by {analysis.condition} and {analysis.occasion}",
        caption=f"Means with {analysis.level:.0%} t intervals over people.",
        alt=f"Lines of the mean {words} of {listed(list(analysis.conditions))} from "
        f"{analysis.occasion} to {analysis.occasion}; the table of means has the numbers.",
    )
