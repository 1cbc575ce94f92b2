"""Checks of a tidy table of ratings: ids are text, values on the scale, no rating occurs twice."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.tables.columns import numbers, refuse, require_columns, require_rows, text_ids
from prereg.errors import RatifyError

# A reference that is not a single person: per item, the median of the humans who rated it.
MEDIAN = "median(humans)"
# Words of the tables that stand where the names of dimensions and annotators stand.
ALL, HUMANS, PEOPLE = "all", "humans", "people"
OTHERS, PERSON = "median(other humans)", "a single person"


def checked_ratings(ratings: pd.DataFrame, scale: tuple[float, float]) -> pd.DataFrame:
    """Return the ratings with ids as text and values as floats."""
    low, high = check_scale(scale)
    require_columns(ratings, "rater_id", "item_id", "dimension", "value")
    require_rows(ratings, "ratings")
    data = pd.DataFrame(
        {name: text_ids(ratings, name) for name in ("rater_id", "item_id", "dimension")}
    )
    data["rater_kind"] = ratings.get("rater_kind", "human")
    refuse(
        data,
        "rater_id",
        data["rater_id"] == MEDIAN,
        "is the name of the humans' median",
        allowed="any other name",
    )
    refuse(
        data,
        "rater_id",
        data["rater_id"].isin((OTHERS, PERSON))
        | (data["rater_id"].isin((HUMANS, PEOPLE)) & (data["rater_kind"] != "human")),
        "is a word of the tables for people together",
        allowed="any other name",
    )
    refuse(
        data,
        "dimension",
        data["dimension"] == ALL,
        "is the word of the tables for the mean over dimensions",
        allowed="any other name",
    )
    data["value"] = numbers(ratings, "value")
    outside = (data["value"] < low) | (data["value"] > high)
    refuse(data, "value", outside, "is outside the scale", allowed=scale_words(scale))
    twice = data.duplicated(["rater_id", "item_id", "dimension"])
    refuse(
        data,
        "item_id",
        twice,
        "is rated twice by one rater on one dimension",
        allowed="one rating of an item by a rater on a dimension",
    )
    return data


def check_scale(scale: tuple[float, float]) -> tuple[float, float]:
    """Return the ends of the scale; raise `RatifyError` unless the first is the lower one."""
    low, high = scale
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise RatifyError(
            "the ends of the scale are not valid",
            column="scale",
            value=f"{low:g} {high:g}",
            allowed="the lowest possible rating, then a higher one",
        )
    return float(low), float(high)


def scale_words(scale: tuple[float, float]) -> str:
    """Return the scale as a message names it: '1 to 5'."""
    return f"{scale[0]:g} to {scale[1]:g}"


def known(what: str, name: str, values: pd.Series[str]) -> None:
    """Raise `RatifyError` unless the name is among the values."""
    present = sorted(values.unique())
    if name not in present:
        raise RatifyError(f"there is no {what} '{name}'", allowed=", ".join(present))


def raters_of(data: pd.DataFrame, *, human: bool) -> list[str]:
    """Return the raters that are human, or those that are not, sorted."""
    chosen = data.loc[(data["rater_kind"] == "human") == human, "rater_id"]
    return sorted(chosen.unique())
