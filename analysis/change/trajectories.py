"""The mean of each condition on each occasion, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.results.figure_style import mean_half_width
from analysis.tables import columns

METHOD = "mean over people, t interval"


def trajectories(
    data: pd.DataFrame,
    *,
    value: str,
    person: str,
    occasion: str,
    condition: str,
    conditions: Sequence[str],
    occasions: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Return one row for each condition and occasion.

    Parameters
    ----------
    data : DataFrame
        One row per person and occasion, `value` as numbers.
    value, person, occasion, condition : str
        Its columns.
    conditions, occasions : sequence of str
        Which are wanted, in this order.
    level : float

    Returns
    -------
    DataFrame
        condition, occasion, mean, low, high, sd, people. People who have no value are not counted;
        with one person the interval is missing, and without anybody the mean, too.

    Raises
    ------
    RatifyError
        If a person has two rows for an occasion: the interval takes people as independent.
    """
    columns.require_columns(data, value, person, occasion, condition)
    rows = pd.DataFrame(
        {
            "person": data[person].astype(str),
            "occasion": data[occasion].astype(str),
            "condition": data[condition].astype(str),
            "value": columns.numbers(data, value),
        },
        index=data.index,
    )
    rows = rows[rows["occasion"].isin(occasions) & rows["condition"].isin(conditions)]
    columns.refuse(
        data.loc[rows.index],
        person,
        rows.duplicated(["person", "occasion"]).to_numpy(),
        "has two rows for one occasion",
        allowed="one row per person and occasion",
    )
    cells = {key: cell["value"].dropna() for key, cell in rows.groupby(["condition", "occasion"])}
    found = []
    for name in conditions:
        for at in occasions:
            values = cells.get((name, at), pd.Series(dtype=float)).to_numpy(dtype=float)
            n = len(values)
            mean = float(values.mean()) if n else np.nan
            half = float(mean_half_width(values, level)) if n > 1 else np.nan
            found.append(
                {
                    "condition": name,
                    "occasion": at,
                    "mean": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "sd": float(values.std(ddof=1)) if n > 1 else np.nan,
                    "people": n,
                }
            )
    return pd.DataFrame(found)
