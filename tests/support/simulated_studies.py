"""Study folders with simulated people and judges, from a plan alone and without the web app."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from analysis.planning.simulated import SimulatedStudy, simulated_study
from analysis.planning.simulated_files import write_tables
from prereg.design.sequences import Trial, generate_sequences
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.tables.items import read_items
from prereg.tables.reader import Table, write_csv
from study.opening import lock_study
from tests.support.paths import WORKED

SOURCES = ("first", "second", "third")
SCENARIOS = ("job", "loss")


def write_folder(
    folder: Path, worked: str, *, per_scenario: int = 8, **changes: Any
) -> tuple[Plan, Table]:
    """Write a study folder from a worked plan with other parts, and return its plan and items.

    Parameters
    ----------
    folder : Path
    worked : str
        Name of the worked plan.
    per_scenario : int
        Items in each of two scenarios, by three sources in turn.
    **changes
        Parts of the plan, at its top level; those of `design` are changed one by one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "item_id": f"{scenario}-{number}",
            "scenario": scenario,
            "text": f"Seeker: my {scenario}.\nSupporter: " + "I hear you. " * (1 + number % 4),
            "source": SOURCES[number % 3],
        }
        for scenario in SCENARIOS
        for number in range(per_scenario)
    ]
    write_csv(folder / "items.csv", list(rows[0]), rows)
    for name in ("consent.md", "instructions.md"):
        (folder / name).write_text((WORKED / worked / name).read_text())
    content = yaml.safe_load((WORKED / worked / "plan.yaml").read_text())
    design = content["design"] | changes.pop("design", {})
    content |= {"hypotheses": [], "judges": [], "analyses": [], "gate": []}
    content |= {**changes, "design": design}
    content = {name: part for name, part in content.items() if part is not None}
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return load_plan(folder), read_items(folder / "items.csv")


def frame_of(items: Table) -> pd.DataFrame:
    """Return a table of items as the analysis has it."""
    return pd.DataFrame(items.rows, columns=list(items.columns), dtype=str)


def simulate(
    plan: Plan,
    items: Table,
    rng: np.random.Generator,
    *,
    judge_quality: float | Mapping[str, float] | None = None,
    plan_hash: str = "",
) -> SimulatedStudy:
    """Return a simulated study of a plan with its own sequences."""
    sequences: list[Trial] = generate_sequences(plan, items)
    return simulated_study(
        plan,
        frame_of(items),
        sequences,
        plan.assumptions,
        rng,
        judge_quality=judge_quality,
        plan_hash=plan_hash,
    )


def collected(folder: Path, rng: np.random.Generator) -> SimulatedStudy:
    """Lock a folder, and write what simulated people and judges answer into its `data`."""
    _, lock = lock_study(folder)
    plan, items = load_plan(folder), read_items(folder / "items.csv")
    study = simulate(plan, items, rng, plan_hash=lock.plan_hash)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    (data / "items.csv").write_bytes((folder / "items.csv").read_bytes())
    (data / "sequences.csv").write_bytes((folder / "sequences.csv").read_bytes())
    write_tables(plan, study, data)
    return study
