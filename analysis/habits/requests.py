"""The requests to each judge: how many were answered, at what cost, and by which models."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from analysis.habits.answers import judges_of, of_judge
from analysis.habits.measure import Habit, Measure
from analysis.inference.proportions import wilson_interval
from analysis.tables import columns
from prereg.tables.contract import PURPOSES, REASONS


def requests_table(requests: pd.DataFrame) -> pd.DataFrame:
    """Return the requests of every judge by purpose, and over all purposes where it has several.

    Parameters
    ----------
    requests : DataFrame
        Tidy requests.

    Returns
    -------
    DataFrame
        `judge`, `purpose`, `asked`, `answered`, one column per reason for no answer
        (only reasons that occur), tokens, `cost` (empty without prices), the median and the 95th
        percentile of the latency in milliseconds (answered requests), and every `model` and
        `fingerprint` that the server named.
    """
    rows = []
    for judge in judges_of(requests):
        mine = of_judge(requests, judge)
        parts = [(purpose, mine[mine["purpose"] == purpose]) for purpose in PURPOSES]
        parts = [(purpose, part) for purpose, part in parts if len(part)]
        if len(parts) > 1:
            parts.append(("all", mine))
        rows += [_row(judge, purpose, part) for purpose, part in parts]
    names = [
        "judge",
        "purpose",
        "asked",
        "answered",
        *REASONS,
        "input_tokens",
        "output_tokens",
        "cost",
        "latency_p50",
        "latency_p95",
        "models",
        "fingerprints",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return frame.drop(columns=[name for name in REASONS if not frame[name].any()])


def answered(requests: pd.DataFrame, *, judge: str) -> Habit:
    """Return the share of a judge's requests that stayed unanswered, with notes.

    Returns
    -------
    Habit
        `unanswered`; its note says why, and warns if more than one model or fingerprint answered,
        because the answers may then be those of two judges.
    """
    mine = of_judge(requests, judge)
    n = len(mine)
    lacking = int((mine["status"] == "unanswered").sum()) if n else 0
    low, high = wilson_interval(lacking, n)
    return Habit(
        judge,
        "requests",
        (
            Measure(
                judge=judge,
                habit="requests",
                what="unanswered",
                label=f"Requests to {judge} that stayed unanswered",
                estimate=lacking / n if n else math.nan,
                low=low,
                high=high,
                n=n,
                unit_of_n="requests",
                unit="proportion",
                note=" ".join(_said(mine)),
                method="share of requests; Wilson's interval",
            ),
        ),
    )


def _said(mine: pd.DataFrame) -> list[str]:
    """Return notes on a judge's requests."""
    if mine.empty:
        return ["No requests were recorded."]
    lacking = mine.loc[mine["status"] == "unanswered", "reason"].value_counts()
    said = []
    if len(lacking):
        reasons = ", ".join(f"{n:,} {str(why).replace('_', ' ')}" for why, n in lacking.items())
        said.append(f"Unanswered: {reasons}.")
        said += _words(mine)
    for column, what in (("model", "models"), ("fingerprint", "fingerprints")):
        names = _names(mine, column)
        if len(names) > 1:
            said.append(f"Warning: answers came from {len(names)} {what}: {', '.join(names)}.")
    return said


def _words(mine: pd.DataFrame) -> list[str]:
    """Return an example of the server's words for each reason, if the table has them."""
    if "note" not in mine:
        return []
    lacking = mine[(mine["status"] == "unanswered") & ~columns.missing(mine["note"])]
    most = lacking.groupby("reason", observed=True)["note"].agg(lambda notes: notes.mode().iloc[0])
    return [f'{str(why).replace("_", " ").capitalize()}: "{note}".' for why, note in most.items()]


def _names(mine: pd.DataFrame, column: str) -> list[str]:
    return sorted(set(mine.loc[~columns.missing(mine[column]), column].astype(str)))


def _row(judge: str, purpose: str, part: pd.DataFrame) -> dict[str, object]:
    latency = part.loc[part["status"] == "answered", "latency_ms"].dropna().to_numpy(dtype=float)
    p50, p95 = np.percentile(latency, [50, 95]) if len(latency) else (math.nan, math.nan)
    return {
        "judge": judge,
        "purpose": purpose,
        "asked": len(part),
        "answered": int((part["status"] == "answered").sum()),
        **{reason: int((part["reason"] == reason).sum()) for reason in REASONS},
        **{name: _total(part[name]) for name in ("input_tokens", "output_tokens", "cost")},
        "latency_p50": float(p50),
        "latency_p95": float(p95),
        "models": ", ".join(_names(part, "model")),
        "fingerprints": ", ".join(_names(part, "fingerprint")),
    }


def _total(values: pd.Series[float]) -> float:
    """Return a sum, NaN where nothing was counted."""
    return float(values.sum(min_count=1))
