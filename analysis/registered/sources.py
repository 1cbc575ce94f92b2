"""The registered comparison of sources by people's ratings of their responses."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.registered.finding import Finding, drawn, result_tables, stamp
from analysis.results.numbers import number, p_value, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.results.words import counted
from analysis.sources.figures import plot_source_means
from analysis.sources.ratings import CLUSTER_WORDS, source_ratings
from analysis.sources.ratings import SourceRatings as Found
from analysis.sources.rows import ALL
from analysis.sources.style import ADJUSTED, CAUTION, RAW
from analysis.tables import columns
from analysis.texts.features import per_hundred_words, style_features
from prereg.analyses.sources import BestWorstShares, SourceRatings
from prereg.errors import RatifyError

TOLD = 2  # dimensions that the sentence names; the table has all


def run_source_ratings(analysis: SourceRatings, evidence: Evidence) -> Finding:
    """Run a registered comparison of sources by people's ratings.

    Parameters
    ----------
    analysis : SourceRatings
    evidence : Evidence
        `ratings` and `items` are used.

    Returns
    -------
    Finding
        Means and contrasts by dimension, as quantities; the same within domains and the style
        coefficients, as tables; the means, as a figure.

    Raises
    ------
    RatifyError
        As `source_ratings`, and where a source or dimension of the plan was not rated.
    """
    items = _named_sources(analysis, evidence.items)
    rated = evidence.ratings[evidence.ratings["item_id"].isin(items["item_id"])]
    if analysis.dimensions is not None:
        there = set(rated["dimension"])
        for dimension in analysis.dimensions:
            if dimension not in there:
                raise RatifyError(
                    "nobody rated this dimension",
                    column="dimension",
                    value=dimension,
                    allowed=", ".join(sorted(there)) or "a dimension with ratings",
                )
        rated = rated[rated["dimension"].isin(analysis.dimensions)]
    found = source_ratings(
        rated.reset_index(drop=True),
        items,
        source=analysis.source,
        reference=analysis.reference,
        domain=analysis.domain,
        item_cluster=analysis.item_cluster,
        cluster=analysis.cluster,
        style=_style(analysis, evidence, items),
        correction=analysis.correction,
        family=analysis.family,
        level=analysis.level,
    )
    require_seen(analysis, found.means["source"])
    quantities = [*_mean_quantities(analysis, evidence, found)]
    quantities += _contrast_quantities(analysis, evidence, found)
    return Finding(
        sentence=_sentence(found, evidence),
        quantities=quantities,
        tables=_rating_tables(analysis, evidence, found),
        figures=[_mean_figure(analysis, evidence, found)],
    )


def _named_sources(analysis: SourceRatings, items: pd.DataFrame) -> pd.DataFrame:
    """Return the items of the plan's sources; all items where it names none."""
    columns.require_columns(items, analysis.source)
    if analysis.sources is None:
        return items
    return items[items[analysis.source].isin(analysis.sources)].reset_index(drop=True)


def require_seen(analysis: SourceRatings | BestWorstShares, there: pd.Series[Any]) -> None:
    """Refuse a plan with a source that people never saw.

    Parameters
    ----------
    analysis : SourceRatings or BestWorstShares
    there : Series
        The sources that people saw.

    Raises
    ------
    RatifyError
        At the first source of the plan that is missing.
    """
    known = set(there)
    for name in analysis.sources or ():
        if name not in known:
            raise RatifyError(
                "people saw no response of this source",
                column=analysis.source,
                value=name,
                allowed=", ".join(sorted(known)),
            )


def _style(analysis: SourceRatings, evidence: Evidence, items: pd.DataFrame) -> pd.DataFrame | None:
    """Return the plan's style features of every item; None where it names none."""
    if not analysis.style:
        return None
    columns.require_columns(items, analysis.text)
    language = analysis.language or evidence.plan.language
    features = style_features(items[analysis.text], language=language)
    if analysis.style_unit == "per_100_words":
        features = per_hundred_words(features, analysis.style)
    return features[list(analysis.style)].assign(item_id=items["item_id"])


def source_quantity(
    analysis: SourceRatings | BestWorstShares,
    evidence: Evidence,
    row: dict[Any, Any],
    *,
    note: str = "",
    **words: Any,
) -> Quantity:
    """Return one row of a table as a quantity; its p value is the corrected one.

    Parameters
    ----------
    analysis : SourceRatings or BestWorstShares
    evidence : Evidence
    row : dict
        Of means, shares or contrasts.
    note : str
        Text to put before the row's own note.
    **words
        `name`, `label`, `unit`, `unit_of_n` and `method` of the quantity.
    """
    said = [row["note"].capitalize() + "."] if row["note"] else []
    if "p_adjusted" in row and not pd.isna(row["p"]):
        said.append(f"p uncorrected {p_value(row['p'])}.")
    clusters = {"rater": row["raters"], "item": row["items"]}
    used = clusters.get(analysis.cluster, min(clusters.values()))
    return Quantity(
        estimate=row["estimate"],
        low=row["low"],
        high=row["high"],
        se=row["se"],
        p_value=row.get("p_adjusted"),
        n=int(row["n"]),
        clusters=int(used),
        level=analysis.level,
        note=" ".join([note, *said]).strip(),
        **words,
        **stamp(analysis, evidence),
    )


def _mean_quantities(analysis: SourceRatings, evidence: Evidence, found: Found) -> list[Quantity]:
    rows = found.means[found.means["domain"] == ALL].to_dict("records")
    return [
        source_quantity(
            analysis,
            evidence,
            row,
            name=f"{row['dimension']}: {row['source']}",
            label=f"Mean {_words(row['dimension'])} of {row['source']}",
            unit="points",
            unit_of_n="ratings",
            method=f"mean of ratings, {CLUSTER_WORDS[found.cluster]}, t interval",
        )
        for row in rows
    ]


def _contrast_quantities(
    analysis: SourceRatings, evidence: Evidence, found: Found
) -> list[Quantity]:
    """Return the contrasts over all domains, raw and at equal style."""
    table = found.contrasts
    rows = table[(table["domain"] == ALL) & table["model"].isin([RAW, ADJUSTED])]
    quantities = []
    for row in rows.to_dict("records"):
        adjusted = row["model"] == ADJUSTED
        family = rows[rows["model"] == row["model"]]
        if found.family == "dimension":
            family = family[family["dimension"] == row["dimension"]]
        quantities.append(
            source_quantity(
                analysis,
                evidence,
                row,
                name=f"{row['dimension']}: {row['contrast']}"
                + (", adjusted for style" if adjusted else ""),
                label=f"{_words(row['dimension'])}: {row['source']} minus {row['reference']}"
                + (", at equal style" if adjusted else ""),
                unit="points",
                unit_of_n="ratings",
                note=CAUTION if adjusted else "",
                method=f"difference of means, {CLUSTER_WORDS[found.cluster]}, t; "
                f"{SHOWN[found.correction]} over {len(family)}",
            )
        )
    return quantities


def _sentence(found: Found, evidence: Evidence) -> str:
    whole = found.means[found.means["domain"] == ALL].dropna(subset=["estimate"])
    raw = found.contrasts[(found.contrasts["domain"] == ALL) & (found.contrasts["model"] == RAW)]
    told = []
    shown = list(whole.groupby("dimension", sort=False))
    for dimension, rows in shown[:TOLD]:
        order = rows.sort_values("estimate", ascending=False, kind="stable")
        ends = [order.iloc[0], order.iloc[-1]]
        best, worst = (
            f"{r['source']} ({with_interval(r['estimate'], r['low'], r['high'])})" for r in ends
        )
        tests = raw[raw["dimension"] == dimension]
        clear = int((tests["p_adjusted"] <= 1 - found.level).sum())
        told.append(
            f"on {_words(str(dimension))}, {best} highest and {worst} lowest, {clear} of "
            f"{counted(len(tests), 'difference')} beyond chance"
        )
    more = f"; {len(shown) - TOLD} more dimensions are in the table" if len(shown) > TOLD else ""
    return f"{evidence.raters.capitalize()} rated: {'; '.join(told)}{more}."


def _rating_tables(analysis: SourceRatings, evidence: Evidence, found: Found) -> list[ResultTable]:
    family = "all dimensions" if found.family == "all" else "each dimension"
    notes = " ".join(found.notes)
    shown = [
        (
            "means",
            "Mean ratings by source",
            f"Points; {found.method}. {found.n:,} ratings.",
            found.means,
        ),
        (
            "contrasts",
            "Differences between sources",
            f"Points, source minus reference; {SHOWN[found.correction]} over {family}. Contrasts "
            "over all domains, within domains and at equal style are separate families. "
            + (f"{CAUTION} Change: adjusted minus raw. {notes}" if analysis.style else ""),
            found.contrasts,
        ),
    ]
    if len(found.style):
        unit = "per 100 words" if analysis.style_unit == "per_100_words" else "in the text"
        shown.append(
            (
                "style",
                "How style relates to the ratings",
                f"Points for one more {unit}, between responses of one source. {notes}",
                found.style,
            )
        )
    return result_tables(analysis, evidence, shown, level=found.level)


def _mean_figure(analysis: SourceRatings, evidence: Evidence, found: Found) -> ResultFigure:
    told = "; ".join(
        f"{_words(r['dimension'])}, {r['source']}: {number(r['estimate'], 2)}"
        for r in found.means[found.means["domain"] == ALL].to_dict("records")
    )
    return drawn(
        evidence,
        plot_source_means(found.means, sources=analysis.sources),
        name=analysis.id,
        title="Mean ratings by source",
        caption=f"Means with {found.level:.0%} intervals, {CLUSTER_WORDS[found.cluster]}; "
        f"{found.n:,} ratings of {found.n_items:,} responses by {found.n_raters:,} "
        f"{evidence.raters}.",
        alt=f"Mean ratings: {told}.",
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
