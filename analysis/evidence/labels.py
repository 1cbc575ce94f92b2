"""Turns the labels in a study's ratings into their places in the plan, and refuses other words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.tables.columns import refuse
from analysis.tables.tidy import naming
from prereg.plan.model import Plan


def coded_labels(ratings: pd.DataFrame, plan: Plan, path: Path) -> pd.DataFrame:
    """Return ratings with every label as its place in the plan, from 0, in `value`.

    Parameters
    ----------
    ratings : DataFrame
        From `analysis.tables.tidy.read_ratings`: `given_label` holds the value of a row without a
        scale.
    plan : Plan
    path : Path
        The file that errors name.

    Raises
    ------
    RatifyError
        At a label of a dimension with points, at points of a dimension with labels, and at a name
        that is not one of the plan's.
    """
    if ratings.empty or not ("given_label" in ratings or plan.labels):
        return ratings
    found = ratings.copy()
    if "given_label" not in found:
        found["given_label"] = ""
    has_label = found["given_label"] != ""
    known = found["dimension"].map(lambda name: name in plan.labels)
    with naming(path):
        written = found.assign(value=found["given_label"])
        refuse(
            written,
            "value",
            has_label & ~known,
            "has no scale, although the plan has no labels for this dimension",
            allowed="scale_min and scale_max, the two ends of the scale",
        )
        refuse(
            found,
            "value",
            known & found["value"].notna(),
            "is a point of a scale, but the plan has labels for this dimension",
            allowed="; ".join(f"{name}: {', '.join(of)}" for name, of in plan.labels.items()),
        )
        for name, labels in plan.labels.items():
            places = {label.casefold(): place for place, label in enumerate(labels)}
            mine = has_label & (found["dimension"] == name)
            given = found["given_label"].str.split().str.join(" ").str.casefold().map(places)
            refuse(
                written,
                "value",
                mine & given.isna(),
                f"is not one of the plan's labels of {name}",
                allowed=", ".join(labels),
            )
            found.loc[mine, "value"] = given[mine].astype(float)
    return found
