"""Makes small causal studies: a frame with a judge's scores, and a plan that draws from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from prereg.tables.reader import write_csv
from study.scaffold import new_study
from tests.support.plans import edited_plan

UNITS = 240


def units(count: int = UNITS, *, seed: int = 3) -> list[dict[str, Any]]:
    """Return the rows of a frame; ids are long numbers, and three units share a user."""
    rng = np.random.default_rng(seed)
    empathy = rng.choice([1, 2, 3, 4, 5, 6, 7], count, p=[0.3, 0.2, 0.2, 0.12, 0.1, 0.05, 0.03])
    attachment = np.clip(np.round(rng.normal(2 + 0.3 * empathy, 1)), 1, 7).astype(int)
    return [
        {
            "item_id": f"{10**19 + number}",
            "text": f"User: It is day {number}.\nAssistant: I hear you.\nUser: Thanks, {number}.",
            "prompt": f"It is day {number}.",
            "reply": "I hear you.",
            "next_turn": f"Thanks, {number}.",
            "user_id": f"u{number // 3}",
            "model": ("small", "large")[number % 2],
            "turn": number % 5 + 1,
            "timestamp": "2024-03-01T10:00:00Z",
            "local_hour": number % 24 if number % 10 else "",
            "judge_empathy": int(empathy[number]),
            "judge_attachment": int(attachment[number]),
        }
        for number in range(count)
    ]


def write_frame(folder: Path, rows: list[dict[str, Any]], name: str = "frame.csv") -> None:
    write_csv(folder / name, list(rows[0]), rows)


def causal_study(folder: Path, rows: list[dict[str, Any]] | None = None, **labels: Any) -> Path:
    """Make a study with a frame of `rows`; its items are still the demo's.

    `labels` are keys of the plan's causal.labels.
    """
    new_study(folder, worked="empathy_attachment")
    with edited_plan(folder) as plan:
        small = {"stratified": 60, "random": 20, "raters": 3, "floor": 3}
        plan["causal"]["labels"] = small | labels
    write_frame(folder, units() if rows is None else rows)
    return folder
