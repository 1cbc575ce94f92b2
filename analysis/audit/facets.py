"""What an audit says about facets: how reliable people's mean is, and judges' shared errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.agreement.panel import Panel
from analysis.facets import by_dimension as facets
from analysis.facets import independence_words as independence
from analysis.facets import many_facet_words as models
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
    people: Panel,
    *,
    judges: Sequence[str],
    panels: Mapping[str, Sequence[str]],
    analysis: str,
    simulated: bool = False,
) -> AuditFacets:
    """Return what the ratings of an audit say about facets.

    Parameters
    ----------
    ratings : DataFrame
        `rater_id, rater_kind, item_id, dimension, value`.
    people : Panel
        The same as arrays.
    judges : sequence of str
        The audited judges, with the panels.
    panels : mapping of str to sequence of str
        The judges of each panel.
    analysis : str
        The name under which numbers are stored.
    simulated : bool
        Whether the people are bots; the figure then says so.
    """
    if len(people.humans) < 2:
        return AuditFacets()
    own = ratings[ratings["rater_kind"] == "human"]
    found = facets.by_dimension(own, raters=people.humans, dimensions=people.dimensions)
    shared = independence.in_groups(
        people.judged,
        people.people,
        judges=people.judges,
        groups=independence.groups_of(judges, panels),
    )
    numbers = facets.quantities(
        found, name="humans:{what}:{dimension}", who="People's", analysis=analysis
    )
    severe = models.severities(
        ratings,
        humans=people.humans,
        judges=people.judges,
        dimensions=people.dimensions,
        most=models.MOST_RATINGS,
    )
    return AuditFacets(
        headline=[
            *facets.overview(found),
            *independence.sentences(shared),
            *models.overview(severe, judges),
        ],
        quantities=list(numbers),
        tables=[
            *facets.tables(found),
            *independence.tables(shared),
            *models.tables(severe, fair=False),
        ],
        figures=[_figure(found, simulated)] if found.found else [],
        methods=[
            *facets.methods(found),
            *facets.sentences(found),
            *independence.methods(shared),
            *models.methods(severe),
            *models.sentences(severe, judges),
        ],
        limits=[*facets.limits(found), *independence.limits(shared), *models.limits(severe)],
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
