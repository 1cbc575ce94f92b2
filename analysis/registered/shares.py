"""The registered comparison of sources by people's picks of best and worst."""

from __future__ import annotations

from typing import Any

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.registered.finding import Finding, drawn, result_tables
from analysis.registered.sources import require_seen, source_quantity
from analysis.results.numbers import number, percent, with_interval
from analysis.results.quantities import Quantity, ResultTable
from analysis.results.words import counted
from analysis.sources.figures import plot_best_worst_shares
from analysis.sources.ratings import CLUSTER_WORDS
from analysis.sources.shares import MOST, best_worst_shares
from analysis.sources.shares import BestWorstShares as Found
from analysis.tables import columns
from prereg.analyses.sources import BestWorstShares
from prereg.errors import RatifyError


def run_best_worst_shares(analysis: BestWorstShares, evidence: Evidence) -> Finding:
    """Run a registered comparison of sources by people's picks of best and worst.

    Parameters
    ----------
    analysis : BestWorstShares
    evidence : Evidence
        `best_worst` and `items` are used.

    Returns
    -------
    Finding
        Shares by source and contrasts, as quantities and tables; the shares, as a figure.

    Raises
    ------
    RatifyError
        As `analysis.sources.shares.best_worst_shares`, and where trials show sources that the plan
        does not name: a pick depends on all options of a trial, so none can be left out.
    """
    items = evidence.items
    columns.require_columns(items, analysis.source)
    shown = items[items["item_id"].isin(set(evidence.best_worst["item_id"]))]
    if analysis.sources is not None:
        for name in sorted(set(shown[analysis.source]) - set(analysis.sources)):
            raise RatifyError(
                "is shown in trials, but is not one of the plan's sources",
                column=analysis.source,
                value=name,
                allowed=", ".join(analysis.sources),
            )
    found = best_worst_shares(
        evidence.best_worst.reset_index(drop=True),
        items,
        source=analysis.source,
        reference=analysis.reference,
        item_cluster=analysis.item_cluster,
        cluster=analysis.cluster,
        correction=analysis.correction,
        level=analysis.level,
    )
    require_seen(analysis, found.shares["source"])
    most = found.shares[found.shares["picked"] == MOST].sort_values("estimate", ascending=False)
    told = "; ".join(
        f"{r['source']} {with_interval(r['estimate'], r['low'], r['high'], percent=True)} "
        f"(by chance {percent(r['chance'])})"
        for r in most.to_dict("records")
    )
    about = f"{counted(found.n_trials, 'trial')} by {found.n_raters:,} {evidence.raters}"
    figure = drawn(
        evidence,
        plot_best_worst_shares(found.shares, sources=analysis.sources),
        name=analysis.id,
        title="How often each source was picked as best and as worst",
        caption=f"Share of the times a source was shown, with {found.level:.0%} intervals, "
        f"{CLUSTER_WORDS[found.cluster]}; {about}. The dashed line is chance.",
        alt=f"Shares picked as best: {told}.",
    )
    return Finding(
        sentence=f"How often {evidence.raters} picked each source as best, as a share of the times "
        f"it was shown: {told}.",
        quantities=_share_quantities(analysis, evidence, found),
        tables=_share_tables(analysis, evidence, found, about),
        figures=[figure],
    )


def _share_quantities(
    analysis: BestWorstShares, evidence: Evidence, found: Found
) -> list[Quantity]:
    """Return each source's shares, then their differences."""
    words = {"most": "picked as best", "least": "picked as worst", "net": "best minus worst"}
    quantities = [
        source_quantity(
            analysis,
            evidence,
            row,
            name=f"{row['picked']}: {row['source']}",
            label=f"{row['source']}: {words[row['picked']]}",
            unit=_unit(row),
            method=found.method,
            unit_of_n="showings",
            note=f"By chance {number(row['chance'], 3)}; p tests chance." if row["chance"] else "",
        )
        for row in found.shares.to_dict("records")
    ]
    return quantities + [
        source_quantity(
            analysis,
            evidence,
            row,
            name=f"{row['picked']}: {row['contrast']}",
            label=f"{words[row['picked']]}: {row['source']} minus {row['reference']}",
            unit="difference of proportions",
            unit_of_n="showings",
            method=f"difference of shares, {CLUSTER_WORDS[found.cluster]}, t interval; "
            f"{SHOWN[found.correction]}",
        )
        for row in found.contrasts.to_dict("records")
    ]


def _share_tables(
    analysis: BestWorstShares, evidence: Evidence, found: Found, about: str
) -> list[ResultTable]:
    shown = (
        (
            "shares",
            "How often each source was picked as best and as worst",
            f"{found.method[0].upper()}{found.method[1:]}; {about}.",
            found.shares,
        ),
        (
            "contrasts",
            "Differences between sources",
            f"Source minus reference; {SHOWN[found.correction]} within each kind of pick; {about}.",
            found.contrasts,
        ),
    )
    return result_tables(analysis, evidence, shown, level=found.level)


def _unit(row: dict[Any, Any]) -> str:
    return "difference of proportions" if row["picked"] == "net" else "proportion"
