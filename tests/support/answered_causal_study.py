"""A causal study whose people answered: turn-pairs with a planted effect, and their ratings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data.demo.turn_pairs import turn_pairs
from prereg.frame.reading import read_frame
from prereg.frame.sampling import draw_sample, item_rows
from prereg.plan.file import load_plan
from prereg.tables.reader import write_csv
from ratify.embed import embed_plan
from study.opening import open_study
from study.scaffold import new_study
from tests.support.plans import edited_plan

PAIRS, STRATIFIED, RANDOM = 700, 170, 50
Row = dict[str, Any]


def make_causal_study(
    folder: Path,
    *,
    noise: float = 0.6,
    frame: Callable[[Row], Row] = lambda row: row,
    **causal: Any,
) -> Path:
    """Make a folder with everything that `ratify causal` reads, in mode bot and without a lock.

    Parameters
    ----------
    folder : Path
    noise : float
        Standard deviation of a rating around what is planted, in points.
    frame : callable
        Changes a row of the frame before the sample is drawn.
    **causal
        Keys of the plan's causal section that differ from the worked plan's.
    """
    new_study(folder, worked="empathy_attachment")
    units = [frame(row) for row in turn_pairs(np.random.default_rng(5), PAIRS)]
    write_csv(folder / "frame.csv", list(units[0]), units)
    with edited_plan(folder) as plan:
        labels = {"raters": 3, "stratified": STRATIFIED, "random": RANDOM, "floor": 3}
        plan["causal"] |= {"labels": labels} | causal
        plan["design"] |= {"raters": 180, "trials": 10}
        plan["attention_checks"] = []
        plan["exclusions"] = []
        plan["recruitment"].pop("replace", None)
        plan["recruitment"]["codes"].pop("failed_attention")
        plan["analyses"], plan["gate"], plan["judges"] = [], [], []
    written = load_plan(folder)
    read = read_frame(folder, written)
    items = item_rows(written, read, draw_sample(written, read))
    write_csv(folder / "items.csv", list(items[0]), items)
    write_answers(folder, noise=noise)
    embed_plan(folder, written)
    return folder


def write_answers(folder: Path, *, noise: float) -> None:
    """Write the tables of a study in which every place was filled."""
    study = open_study(folder)
    planted = {row["item_id"]: row for row in study.table.rows}
    ends = {scale.id: (scale.min, scale.max) for scale in study.plan.rated}
    rng = np.random.default_rng(11)
    visits: list[Row] = []
    ratings: list[Row] = []
    for name, trials in study.sequences.items():
        for place in range(study.plan.design.raters_per_sequence):
            who = f"bot-{name}-{place}"
            visits.append(
                {
                    "session_id": who,
                    "rater_id": who,
                    "condition": "",
                    "sequence_id": name,
                    "consented_at": "2026-01-01T10:00:00Z",
                    "finished_at": "2026-01-01T11:00:00Z",
                    "status": "finished",
                    "mode": "bot",
                    "plan_hash": "",
                    "slot": place + 1,
                }
            )
            for trial in trials:
                item, scale = trial.item_ids[0], trial.dimension
                low, high = ends[scale]
                said = float(planted[item][f"planted_{scale}"]) + noise * rng.normal()
                ratings.append(
                    {
                        "rater_id": who,
                        "rater_kind": "human",
                        "item_id": item,
                        "dimension": scale,
                        "value": min(max(round(said), low), high),
                        "scale_min": low,
                        "scale_max": high,
                        "plan_hash": "",
                        "mode": "bot",
                        "session_id": who,
                        "scenario": "all",
                        "position": trial.position,
                        "is_attention_check": "false",
                        "answered_at": "2026-01-01T10:30:00Z",
                    }
                )
    (folder / "data").mkdir()
    for name, rows in (("participants", visits), ("ratings", ratings)):
        write_csv(folder / "data" / f"{name}.csv", list(rows[0]), rows)
    items = study.table
    write_csv(folder / "data" / "items.csv", items.columns, items.rows)
