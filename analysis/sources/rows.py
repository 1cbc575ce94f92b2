"""Turns ratings of sources' responses into arrays, and estimates into lines of tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.inference.crossed_errors import CrossedFit, Estimate, crossed_ols
from analysis.tables import columns
from prereg.errors import RatifyError

# The name for all domains together; no scenario has this name.
ALL = "(all)"


@dataclass(frozen=True)
class SourceRows:
    """Ratings of one dimension and domain, as arrays."""

    y: FloatArray
    source: IntArray
    rater: IntArray
    item: IntArray
    features: FloatArray
    sources: tuple[str, ...]

    def where(self, keep: Any) -> SourceRows:
        """Return the rows where a mask is true."""
        return SourceRows(
            self.y[keep],
            self.source[keep],
            self.rater[keep],
            self.item[keep],
            self.features[keep],
            self.sources,
        )

    def with_outcome(self, y: FloatArray) -> SourceRows:
        """Return the same rows with another outcome."""
        return replace(self, y=y)

    def fit(self, X: FloatArray, cluster: str) -> CrossedFit:
        """Fit the ratings on X with clustered errors."""
        codes = {"rater": self.rater, "item": self.item}
        wanted = codes if cluster == "rater_and_item" else {cluster: codes[cluster]}
        dense = {
            name: np.unique(each, return_inverse=True)[1].astype(np.int64)
            for name, each in wanted.items()
        }
        return crossed_ols(self.y, X, dense)


def joined(
    ratings: pd.DataFrame, items: pd.DataFrame, source: str, domain: str | None, item_cluster: str
) -> tuple[pd.DataFrame, int]:
    """Return the ratings with source, domain and clusters, and how many ratings lack a value."""
    columns.require_columns(ratings, "rater_id", "item_id", "dimension", "value")
    columns.require_rows(ratings, "ratings")
    about = {"source": source, "shared": item_cluster, **({"domain": domain} if domain else {})}
    columns.require_columns(items, "item_id", *about.values())
    known = items.assign(item_id=columns.text_ids(items, "item_id"))
    columns.refuse(
        known,
        "item_id",
        known["item_id"].duplicated(),
        "occurs more than once in the items table",
        allowed="each item once",
    )
    table = pd.DataFrame(
        {
            "rater": columns.text_ids(ratings, "rater_id").to_numpy(),
            "item_id": columns.text_ids(ratings, "item_id").to_numpy(),
            "dimension": columns.text_ids(ratings, "dimension").to_numpy(),
            "value": columns.numbers(ratings, "value"),
        }
    )
    at = pd.Index(known["item_id"]).get_indexer(pd.Index(table["item_id"]))
    columns.refuse(
        table, "item_id", at < 0, "is not in the items table", allowed="an item_id of the items"
    )
    for name, column in about.items():
        cells = known[column].to_numpy()[at]
        empty = columns.missing(known[column])[at]
        columns.refuse(
            table, "item_id", empty, f"has no {column} in the items table", allowed="any text"
        )
        table[name] = cells.astype(str)
    kept = table[~np.isnan(table["value"].to_numpy())].reset_index(drop=True)
    columns.require_rows(kept, "ratings with a value")
    return kept, len(table) - len(kept)


def features_of(style: pd.DataFrame | None, table: pd.DataFrame) -> pd.DataFrame:
    """Return the style features of each rating's item, in the order of the ratings."""
    if style is None:
        return pd.DataFrame(index=table.index)
    columns.require_columns(style, "item_id")
    known = style.assign(item_id=columns.text_ids(style, "item_id")).set_index("item_id")
    names = [str(name) for name in known.columns]
    numbers = {name: columns.numbers(known.reset_index(), name) for name in names}
    frame = pd.DataFrame(numbers, index=known.index)
    return frame.reindex(table["item_id"]).set_axis(table.index)


def rows_of(part: pd.DataFrame, names: Sequence[str], features: pd.DataFrame) -> SourceRows:
    """Return ratings from `joined` as arrays, with each source as its index in the names."""
    return SourceRows(
        part["value"].to_numpy(float),
        np.asarray(pd.Categorical(part["source"], categories=list(names)).codes, dtype=np.int64),
        pd.factorize(part["rater"])[0].astype(np.int64),
        pd.factorize(part["shared"])[0].astype(np.int64),
        features.loc[part.index].to_numpy(float),
        tuple(names),
    )


def cells_of(rows: SourceRows) -> tuple[FloatArray, list[int]]:
    """Return an indicator column for each source present, and the indices of these sources."""
    present = sorted(set(rows.source.tolist()))
    return (rows.source[:, None] == np.array(present)).astype(float), present


def line_of(found: Estimate, rows: SourceRows) -> dict[str, Any]:
    """Return an estimate and its numbers of ratings, raters and items, as columns."""
    return {
        "estimate": found.estimate,
        "se": found.se,
        "df": found.df,
        "low": found.low,
        "high": found.high,
        "p": found.p_value,
        "n": len(rows.y),
        "raters": len(np.unique(rows.rater)),
        "items": len(np.unique(rows.item)),
        "note": found.note,
    }


def names_of(source: str, reference: str) -> dict[str, str]:
    """Return the columns that name a contrast."""
    return {"contrast": f"{source} - {reference}", "source": source, "reference": reference}


def differences(pairs: list[tuple[int, int]], present: list[int], terms: int) -> FloatArray:
    """Return the combinations that give the differences of two sources' coefficients."""
    wanted = np.zeros((len(pairs), terms))
    for row, (one, other) in enumerate(pairs):
        wanted[row, present.index(one)] += 1
        wanted[row, present.index(other)] -= 1
    return wanted


def pairs_of(names: Sequence[str], reference: str | None, column: str) -> list[tuple[int, int]]:
    """Return which sources are compared: pairs (source, reference) of indices."""
    if len(names) < 2:
        raise RatifyError(
            "there is only one source, so nothing can be compared",
            column=column,
            value=names[0],
            allowed="two rated sources or more",
        )
    if reference is None:
        return list(itertools.combinations(range(len(names)), 2))
    if reference not in names:
        raise RatifyError(
            "is not a rated source", column=column, value=reference, allowed=", ".join(names)
        )
    at = names.index(reference)
    return [(place, at) for place in range(len(names)) if place != at]
