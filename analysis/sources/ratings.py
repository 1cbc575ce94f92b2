"""Compares sources by people's ratings of their responses: means, contrasts and style.

Ratings of one response, and ratings by one person, depend on each other; the errors allow for it.
In simulations (5 sources, 20 responses each, 5 ratings per response, 10 ratings per person) where
both mattered, 95% intervals of means contained the truth 79 to 90 times in 100 with errors
clustered by person, 88 to 93 times clustered by response, and 95 to 97 times clustered both ways.
So both ways is the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.inference.crossed_errors import no_estimate
from analysis.inference.families import SHOWN, adjust
from analysis.sources.rows import (
    ALL,
    SourceRows,
    cells_of,
    differences,
    features_of,
    joined,
    line_of,
    names_of,
    pairs_of,
    rows_of,
)
from analysis.sources.style import CHANGE, RAW, adjusted
from analysis.tables import columns

CLUSTERS = ("rater_and_item", "rater", "item")
CLUSTER_WORDS = {
    "rater_and_item": "errors clustered two ways, by rater and by item",
    "rater": "errors clustered by rater (responses taken as the only ones)",
    "item": "errors clustered by item (raters taken as the only ones)",
}
Cluster = Literal["rater_and_item", "rater", "item"]


@dataclass(frozen=True, kw_only=True)
class SourceRatings:
    """How people rate the responses of several sources.

    Attributes
    ----------
    means : DataFrame
        `dimension, domain, source, estimate, se, df, low, high, n, raters, items, note`: mean
        rating in points of the dimension's scale; domain '(all)' is every rating.
    contrasts : DataFrame
        `dimension, domain, contrast, source, reference, model, estimate, se, df, low, high, p,
        p_adjusted, n, raters, items, note`: the source's mean minus the reference's, in points.
        `model` is 'raw'; with style features also 'adjusted' and 'change' (adjusted minus raw, on
        the ratings that have all features; domain '(all)' only).
    style : DataFrame
        `dimension, feature, estimate, se, df, low, high, p, n, raters, items, note`: points per
        unit of the feature, between responses of one source. Empty without style features.
    n : int
        Ratings that were used.
    n_dropped : int
        Ratings without a value.
    n_raters, n_items : int
    cluster, correction, family : str
    level : float
    method, unit : str
    notes : tuple of str
    """

    means: pd.DataFrame
    contrasts: pd.DataFrame
    style: pd.DataFrame
    n: int
    n_dropped: int
    n_raters: int
    n_items: int
    cluster: str
    correction: str
    family: str
    level: float
    method: str
    unit: str = "points"
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return the means, one row per dimension, domain and source."""
        return self.means.copy()


def source_ratings(
    ratings: pd.DataFrame,
    items: pd.DataFrame,
    *,
    source: str = "source",
    reference: str | None = None,
    domain: str | None = None,
    item_cluster: str = "item_id",
    cluster: Cluster = "rater_and_item",
    style: pd.DataFrame | None = None,
    correction: str = "holm",
    family: Literal["all", "dimension"] = "all",
    level: float = 0.95,
) -> SourceRatings:
    """Compare the ratings of responses by several sources.

    Parameters
    ----------
    ratings : DataFrame
        `rater_id`, `item_id`, `dimension`, `value`: one row per rating, in points of a scale.
    items : DataFrame
        `item_id`, unique, and the columns named below.
    source : str
        Column of `items`: who wrote the response.
    reference : str, optional
        The source the others are compared with; without one, every pair is compared.
    domain : str, optional
        Column of `items`: means and contrasts are given within each domain too.
    item_cluster : str
        Column of `items` whose ratings share an error: the response, or the prompt where several
        sources answered the same prompt.
    cluster : {'rater_and_item', 'rater', 'item'}
        What is a sample from a larger population: both raters and items, or only one of them.
    style : DataFrame, optional
        `item_id` and one column per feature (see `analysis.texts.features.style_features`):
        contrasts are also given adjusted for these.
    correction : str
        As in `families.adjust`.
    family : {'all', 'dimension'}
        What is corrected together: the contrasts of all dimensions or those of one. Contrasts over
        all domains are one family, those within domains another, the adjusted ones a third.
    level : float

    Returns
    -------
    SourceRatings

    Raises
    ------
    RatifyError
        On missing columns, values that are not numbers, rated items that the items table lacks or
        whose source or domain is empty, an unknown reference and fewer than two rated sources.

    Notes
    -----
    A mean is over ratings: an item with twice the ratings has twice the weight. Errors: see
    `crossed_ols`.
    `change` comes from the two fits' cluster contributions jointly (stacked estimating equations).
    A feature is left out, with a note, if it does not vary between responses of one source, cannot
    be computed in the texts' language, or is determined by other features.
    """
    columns.one_of("cluster", cluster, CLUSTERS)
    columns.one_of("family", family, ("all", "dimension"))
    columns.proportion("level", level)
    table, dropped = joined(ratings, items, source, domain, item_cluster)
    names = tuple(sorted(table["source"].unique()))
    pairs = pairs_of(names, reference, source)
    features = features_of(style, table)
    means: list[dict[str, Any]] = []
    contrasts: list[dict[str, Any]] = []
    coefficients: list[dict[str, Any]] = []
    notes: list[str] = []
    for dimension, part in table.groupby("dimension", sort=True):
        place: dict[str, Any] = {"dimension": str(dimension)}
        for name, rows in _by_domain(part, names, features, domain):
            about = {**place, "domain": name}
            of_sources, of_pairs = _compared(rows, pairs, cluster, level, about)
            means += of_sources
            contrasts += of_pairs
        if features.columns.size:
            about = {**place, "domain": ALL}
            rows = rows_of(part, names, features)
            equal, found, said = adjusted(rows, pairs, cluster, level, features, about)
            contrasts += equal
            coefficients += found
            notes += said
    compared = pd.DataFrame(contrasts)
    after_p = list(compared.columns).index("p") + 1
    compared.insert(after_p, "p_adjusted", _corrected(compared, correction, family))
    return SourceRatings(
        means=pd.DataFrame(means).drop(columns="p"),
        contrasts=compared,
        style=pd.DataFrame(coefficients),
        n=len(table),
        n_dropped=dropped,
        n_raters=table["rater"].nunique(),
        n_items=table["item_id"].nunique(),
        cluster=cluster,
        correction=correction,
        family=family,
        level=level,
        notes=tuple(dict.fromkeys(notes)),
        method=f"mean of ratings, {CLUSTER_WORDS[cluster]}, t interval; {SHOWN[correction]}",
    )


def _by_domain(
    part: pd.DataFrame, names: Sequence[str], features: pd.DataFrame, domain: str | None
) -> list[tuple[str, SourceRows]]:
    """Return all ratings of a dimension, then those of each domain."""
    found = [(ALL, rows_of(part, names, features))]
    if domain is not None:
        groups = part.groupby("domain", sort=True)
        found += [(str(name), rows_of(group, names, features)) for name, group in groups]
    return found


def _compared(
    rows: SourceRows,
    pairs: list[tuple[int, int]],
    cluster: str,
    level: float,
    about: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return one line per source and one per pair, from one fit of the sources' means."""
    X, present = cells_of(rows)
    there = [pair for pair in pairs if set(pair) <= set(present)]
    wanted = np.vstack([np.eye(len(present)), differences(there, present, len(present))])
    found = rows.fit(X, cluster).estimates(wanted, level=level)
    of_source = dict(zip(present, found, strict=False))
    of_pair = dict(zip(there, found[len(present) :], strict=True))
    names = rows.sources
    means = [
        {
            **about,
            "source": name,
            **line_of(
                of_source.get(at, no_estimate(f"no ratings of {name} here")),
                rows.where(rows.source == at),
            ),
        }
        for at, name in enumerate(names)
    ]
    contrasts = []
    for one, other in pairs:
        lacking = " and ".join(names[at] for at in (one, other) if at not in present)
        estimate = of_pair.get((one, other), no_estimate(f"no ratings of {lacking} here"))
        both = rows.where(np.isin(rows.source, (one, other)))
        line = {**about, **names_of(names[one], names[other]), "model": RAW}
        contrasts.append({**line, **line_of(estimate, both)})
    return means, contrasts


def _corrected(contrasts: pd.DataFrame, correction: str, family: str) -> pd.Series[float]:
    """Return corrected p values; rows of model 'change' are only descriptive, so have none."""
    tested = contrasts[contrasts["model"] != CHANGE]
    keys: list[Any] = [tested["model"], tested["domain"] == ALL]
    if family == "dimension":
        keys.append(tested["dimension"])
    result = pd.Series(np.nan, index=contrasts.index)
    for _, part in tested.groupby(keys):
        result[part.index] = adjust(part["p"].to_numpy(float), correction)
    return result
