"""Leaves out standard errors of a table's ranking that mean nothing, and says which are small."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.ranking.result import Ranking
from analysis.results.words import counted

# Below so many raters a note says that clustered errors are too small; below the other, none.
FEW_RATERS = 10
NO_ERRORS = 3
# Intervals narrower than this have no width.
NO_WIDTH = 1e-9


def honest(people: Ranking, judgments: pd.DataFrame) -> tuple[Ranking, bool]:
    """Return the ranking without errors that mean nothing, and whether all raters answered alike.

    Parameters
    ----------
    people : Ranking
    judgments : DataFrame
        Those that were ranked.

    Notes
    -----
    Errors clustered by rater say how raters differ. If all of a connected group gave the same
    answers to the same pairs, what is left of the error is the pull of the ridge.
    """
    frame = people.frame.copy()
    alike = _alike(judgments, frame)
    few = 1 < people.n_clusters < NO_ERRORS and "rater_id" in judgments
    ties = frame["score"].notna() & (frame["high"] - frame["low"] < NO_WIDTH)
    same = frame["component"].isin(alike[alike].index) & frame["low"].notna()
    for lacking, why in (
        (frame["low"].notna() & few, f"no standard error: fewer than {NO_ERRORS} raters"),
        (ties & (not few), "no standard error: the judgments do not differ"),
        (same & ~ties & (not few), "no standard error: all raters gave the same answers"),
    ):
        frame.loc[lacking, ["se", "low", "high"]] = np.nan
        before = frame.loc[lacking, "note"]
        frame.loc[lacking, "note"] = [f"{note}; {why}" if note else why for note in before]
    return replace(people, frame=frame), bool(len(alike) and alike.all())


def _alike(judgments: pd.DataFrame, frame: pd.DataFrame) -> pd.Series[bool]:
    """Return of each connected group whether its raters, two or more, all answered alike."""
    if "rater_id" not in judgments:
        return pd.Series(dtype=bool)
    items = frame[["scenario", "item_id", "component"]].rename(columns={"item_id": "left_id"})
    rows = judgments if "scenario" in judgments else judgments.assign(scenario="")
    rows = rows.merge(items, on=["scenario", "left_id"])
    answer = ["component", "left_id", "right_id", "choice"]
    times = rows.groupby([*answer, "rater_id"]).size().rename("times").reset_index()
    raters = times.groupby([*answer, "times"])["rater_id"].nunique().groupby("component").min()
    of = times.groupby("component")["rater_id"].nunique()
    return (raters == of) & (of > 1)


def cautions(people: Ranking, *, clustered: bool, alike: bool) -> list[str]:
    """Return notes on intervals of few raters, and of raters who all gave the same answers."""
    if alike and people.n_clusters >= NO_ERRORS:
        return ["caution: no standard errors, because all raters gave the same answers"]
    if not clustered or people.n_clusters >= FEW_RATERS:
        return []
    raters = counted(people.n_clusters, "rater")
    verb = "is" if people.n_clusters == 1 else "are"
    if people.n_clusters < NO_ERRORS:
        return [f"caution: no standard errors, because {raters} {verb} too few to cluster them by"]
    return [
        f"caution: standard errors clustered by only {raters} are too small, and so are their "
        f"intervals; from {FEW_RATERS} raters they can be read"
    ]
