"""Writes a simulated study as the CSV tables of a study folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.planning.own_tables import in_file
from analysis.planning.simulated import SimulatedStudy
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.tables.contract import JUDGMENTS, RATINGS, WITHDRAWALS


def written_tables(plan: Plan, study: SimulatedStudy) -> dict[str, pd.DataFrame]:
    """Return the tables of a simulated study as files have them: all cells are text.

    Parameters
    ----------
    plan : Plan
    study : SimulatedStudy

    Returns
    -------
    dict of str to DataFrame
        By name, without items and sequences.
    """
    # an export has these tables even where they are empty
    empty = {each.name: pd.DataFrame(columns=list(each.names)) for each in (JUDGMENTS, WITHDRAWALS)}
    tables = empty | {"participants": study.participants, kind_of(plan).table: study.answers}
    if plan.judges or kind_of(plan).table == "ratings":
        tables["ratings"] = _named_labels(plan, study.ratings)
    found = {name: _as_text(table) for name, table in tables.items()}
    found |= {name: in_file(plan, name, table) for name, table in study.own.items()}
    return found


def write_tables(plan: Plan, study: SimulatedStudy, folder: Path) -> None:
    """Write the tables of a simulated study into a folder, which must exist."""
    for name, table in written_tables(plan, study).items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def _named_labels(plan: Plan, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return ratings with the names of labels instead of their places."""
    ratings = ratings.drop(columns="given_label", errors="ignore")
    if not plan.labels or ratings.empty:
        return ratings
    value = _cells(ratings["value"]).to_numpy(dtype=object)
    for dimension, names in plan.labels.items():
        mine = (ratings["dimension"] == dimension).to_numpy()
        value[mine] = np.array(names, dtype=object)[ratings.loc[mine, "value"].astype(int)]
    return ratings.assign(value=value)[list(RATINGS.names)]


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.apply(_cells)


def _cells(values: pd.Series) -> pd.Series:
    if values.dtype.kind == "f":
        return values.map(lambda x: "" if np.isnan(x) else f"{x:g}").astype(str)
    if values.dtype.kind == "b":
        return values.map({True: "true", False: "false"}).astype(str)
    return values.astype(str)
