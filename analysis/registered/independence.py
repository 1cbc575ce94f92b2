"""How many independent judges a plan's panels, and the judges of an analysis, amount to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from analysis.agreement.panel import panel
from analysis.evidence.evidence import Evidence
from analysis.facets.independence import ALL
from analysis.facets.independence_words import Groups, groups_of, in_groups, note_of
from analysis.results.quantities import Quantity
from prereg.analyses.agreement import Agreement
from prereg.plan.judging import BASELINES


def shared_errors_of(
    analysis: Agreement, evidence: Evidence, dimensions: Sequence[str], scale: tuple[float, float]
) -> Groups:
    """Return the errors that judges share: those of each panel, and those that are no panel.

    Parameters
    ----------
    analysis : Agreement
        Its judges without baselines; a panel's judges need not be among them.
    evidence : Evidence
    dimensions : sequence of str
    scale : tuple of float
    """
    silent = evidence.silent if evidence.plan.panels else ()
    panels = {
        one.id: tuple(name for name in one.of if name not in silent)
        for one in evidence.plan.panels
        if one.id in analysis.judges
    }
    named = [name for name in analysis.judges if name not in BASELINES]
    groups = {name: of for name, of in groups_of(named, panels).items() if len(of) > 1}
    if not groups or evidence.ratings["rater_id"].nunique() < 2:
        return Groups(level=analysis.level)
    members = sorted({name for of in groups.values() for name in of})
    names = ["rater_id", "item_id", "dimension", "value"]
    people, judged = evidence.ratings, evidence.judge_ratings
    both = pd.concat(
        [
            people[names].assign(rater_kind="human"),
            judged.loc[judged["rater_id"].isin(members), names].assign(rater_kind="llm"),
        ],
        ignore_index=True,
    )
    grid = panel(
        both,
        scale=scale,
        humans=sorted(people["rater_id"].unique()),
        judges=members,
        dimensions=dimensions,
    )
    return in_groups(
        grid.judged, grid.people, judges=grid.judges, groups=groups, level=analysis.level
    )


def quantities(
    analysis: Agreement, evidence: Evidence, found: Groups, common: dict[str, Any]
) -> Iterator[Quantity]:
    """Yield the effective number of judges of each panel, over all dimensions and on each."""
    for one in evidence.plan.panels:
        if one.id not in analysis.judges:
            continue
        known = {row.dimension: row for row in found.found.get(one.id, [])}
        if len(known) == 1:
            known[ALL] = next(iter(known.values()))
        wanted = analysis.dimensions or tuple(scale.id for scale in evidence.plan.scales)
        for dimension in (ALL, *wanted):
            row = known.get(dimension)
            value, low, high = (None, None, None) if row is None else row.effective
            yield Quantity(
                name=f"{one.id}: effective_judges {dimension}",
                label=f"Independent judges that the {len(one.of)} of {one.id} amount to, "
                + ("all dimensions" if dimension == ALL else dimension),
                estimate=value,
                low=low,
                high=high,
                level=found.level,
                n=None if row is None else row.n,
                unit_of_n="items that all of them and two people rated",
                method="k / (1 + (k - 1) r) from the covariance of errors against people; "
                "jackknife over items, log scale",
                unit="judges",
                note=found.why_lacking(one.id, dimension)
                if row is None
                else " ".join(filter(None, (note_of(row), *found.left_out(one.id)))),
                **common,
            )
