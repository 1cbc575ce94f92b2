"""Invents rows of trials, ratings and own tables, with the columns that a study will have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evidence.judges import measures_of
from analysis.evidence.tables import TABLES_FOLDER
from analysis.tables import tidy as tables
from prereg.plan.model import Plan
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion

ROWS = 2000
Items = Sequence[Mapping[str, str]]


def invented_trials(plan: Plan, items: Items, rng: np.random.Generator) -> pd.DataFrame:
    """Return people's trials with a judge's scores, as `regression_rows` makes them.

    Parameters
    ----------
    plan : Plan
        With measures.
    items : sequence of mapping
        Rows of the items table.
    rng : numpy.random.Generator
    """
    measures = measures_of(plan)
    span = measures.scale.max - measures.scale.min
    names = np.array([row["item_id"] for row in items])
    left = rng.integers(len(names), size=ROWS)
    columns: dict[str, object] = {
        "gap": rng.integers(1, span * len(measures.dimensions) + 1, size=ROWS),
        "scenario": np.array([row["scenario"] for row in items])[left],
        "left_id": names[left],
        "right_id": names[(left + rng.integers(1, max(len(names), 2), size=ROWS)) % len(names)],
        "choice": rng.choice(["left", "right"], size=ROWS),
        "select_higher": rng.integers(2, size=ROWS),
        "select_match": rng.integers(2, size=ROWS),
        "chose_left": rng.integers(2, size=ROWS),
    }
    for dimension in measures.dimensions:
        columns[f"diff_{dimension}"] = rng.integers(-span, span + 1, size=ROWS)
    return _with_visits(pd.DataFrame(columns), plan, rng)


def invented_ratings(
    plan: Plan, items: Items, dimension: str, rng: np.random.Generator, *, raters: Sequence[str]
) -> pd.DataFrame:
    """Return ratings on one dimension beside the items, as `regression_rows` makes them.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table.
    dimension : str
        The name of a rated dimension, which becomes the column of the values.
    rng : numpy.random.Generator
    raters : sequence of str
        The judges; empty: people, who have visits.
    """
    rated = next(one for one in plan.rated if one.id == dimension)
    place = rng.integers(len(items), size=ROWS)
    rows = pd.DataFrame(
        {
            "item_id": np.array([row["item_id"] for row in items])[place],
            "dimension": dimension,
            dimension: rng.integers(rated.min, rated.max + 1, size=ROWS).astype(float),
            "scale_min": float(rated.min),
            "scale_max": float(rated.max),
        }
    )
    if raters:
        rows["rater_id"] = rng.choice(list(raters), size=ROWS)
        rows["rater_kind"] = "llm"
    else:
        rows["scenario"] = np.array([row["scenario"] for row in items])[place]
        rows = _with_visits(rows, plan, rng)
    for name in items[0]:
        if name not in {"item_id", "text"}:
            taken = f"item_{name}" if name in rows else name
            rows[taken] = np.array([row[name] for row in items], dtype=object)[place]
    return rows


def _with_visits(rows: pd.DataFrame, plan: Plan, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with the columns of a visit and of its place; what no study fills is empty."""
    visit = rng.integers(max(plan.design.raters, 2), size=len(rows))
    sequence = visit // plan.design.raters_per_sequence
    added: dict[str, object] = {
        "position": rng.integers(1, plan.design.trials + 1, size=len(rows)),
        "response_ms": rng.integers(1_000, 100_000, size=len(rows)),
        "hidden_ms": rng.integers(0, 10_000, size=len(rows)),
        "rater_id": visit.astype(str),
        "rater_kind": "human",
        "session_id": visit.astype(str),
        "sequence_id": sequence.astype(str),
        "condition": "",
        "status": "finished",
        "slot": (visit % plan.design.raters_per_sequence + 1).astype(float),
    }
    if plan.comprehension is not None:
        added["comprehension_attempts"] = rng.integers(1, 3, size=len(rows))
    for question in plan.survey:
        column = question.column
        if isinstance(question, ChoiceQuestion):
            added[column] = np.array(question.options)[visit % len(question.options)]
        elif isinstance(question, ScaleQuestion):
            added[column] = np.array(question.points)[visit % len(question.points)].astype(float)
        else:
            added[column] = "in their own words"
    return pd.concat([rows, pd.DataFrame(added, index=rows.index)], axis=1)


def with_shuffled(
    folder: Path, plan: Plan, name: str, outcomes: Sequence[str], rng: np.random.Generator
) -> tuple[Path, pd.DataFrame | None]:
    """Return the path of an own table of the study, and its rows with shuffled outcomes.

    What the outcomes depend on cannot be learned from it. The rows are None if the table is not
    there yet.

    Raises
    ------
    RatifyError
        When the table cannot be read.
    """
    path = tables.table_path(folder / TABLES_FOLDER, name)
    if not path.exists():
        return path, None
    table = tables.read_other(path, plan.data.reading(name))
    order = rng.permutation(len(table))
    shuffled = {one: table[one].to_numpy()[order] for one in outcomes if one in table}
    return path, table.assign(**shuffled)
