"""What an audit says about facets: the reliability of people's mean, and what more people buy."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from analysis.facets import by_dimension as facets
from analysis.facets.figures import plot_decision
from analysis.results.figure_style import stamp, svg
from analysis.results.quantities import Quantity, ResultFigure, ResultTable


@dataclass(frozen=True, kw_only=True)
class AuditFacets:
    """The parts of an audit's report about facets; all are empty where nothing can be said."""

    headline: list[str] = field(default_factory=list)
    quantities: list[Quantity] = field(default_factory=list)
    tables: list[ResultTable] = field(default_factory=list)
    figures: list[ResultFigure] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)


def audit_facets(
    ratings: pd.DataFrame,
    *,
    humans: list[str],
    dimensions: list[str],
    analysis: str,
    simulated: bool = False,
) -> AuditFacets:
    """Return what the ratings of an audit say about facets.

    Parameters
    ----------
    ratings : DataFrame
        `rater_id, rater_kind, item_id, dimension, value`.
    humans, dimensions : list of str
    analysis : str
        The name under which numbers are stored.
    simulated : bool
        Whether the people are bots; the figure then says so.
    """
    if len(humans) < 2:
        return AuditFacets()
    people = ratings[ratings["rater_kind"] == "human"]
    found = facets.by_dimension(people, raters=humans, dimensions=dimensions)
    if not found.found:
        return AuditFacets(limits=facets.limits(found))
    return AuditFacets(
        headline=facets.overview(found),
        quantities=list(
            facets.quantities(
                found, name="humans:{what}:{dimension}", who="People's", analysis=analysis
            )
        ),
        tables=facets.tables(found),
        figures=[_figure(found, simulated)],
        methods=[*facets.methods(found), *facets.sentences(found)],
        limits=facets.limits(found),
    )


def _figure(found: facets.ByDimension, simulated: bool) -> ResultFigure:
    now = {name: one.per_item for name, one in found.found.items()}
    axes = plot_decision(found.decision_frame(), now=now, target=found.target)
    return ResultFigure(
        name="decision",
        title="What another rater buys",
        caption=facets.FIGURE.format(level=found.level) + (" Simulated raters." * simulated),
        alt=" ".join(facets.overview(found)) or "No dimension tells items apart.",
        svg=svg(stamp(axes) if simulated else axes),
    )
