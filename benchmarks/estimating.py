"""Measures `ratify causal` at the size of the published study: seconds and peak memory.

`python -m benchmarks.estimating` makes a study folder of 144,439 turn-pairs with a judge's scores,
embeddings of 400 components and people's ratings of 500 of them, and runs the whole command on it,
with the figures from the judge's scores alone. `python -m benchmarks.estimating 6000` makes fewer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.causal.worlds import make_world
from prereg.frame.reading import read_frame
from prereg.frame.sampling import draw_sample, item_rows
from prereg.plan.file import load_plan
from prereg.tables.reader import write_csv
from study.scaffold import new_study
from tests.support.answered_causal_study import write_answers
from tests.support.plans import edited_plan

UNITS, USERS_SHARE, COMPONENTS = 144_439, 0.33, 400
GOAL = 8.0  # GB


def main(units: int = UNITS) -> None:
    """Print what the command takes."""
    print(f"\n`ratify causal` on {units:,} turn-pairs, embeddings of {COMPONENTS} components")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        make_study(folder, units)
        command = [sys.executable, "-m", "ratify", "causal", str(folder), "--mode", "bot"]
        began = time.monotonic()
        process = subprocess.Popen(
            [*command, "--despite-gate", "a benchmark"], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    print(
        f"  {wall:.0f} s by the clock, {used.ru_utime:.0f} s of processor time, peak "
        f"{used.ru_maxrss / 1e6:.1f} GB (goal: {GOAL:g} GB); exit code "
        f"{os.waitstatus_to_exitcode(status)}"
    )


def make_study(folder: Path, units: int) -> None:
    """Make a study folder with everything that the command reads."""
    world = make_world(
        np.random.default_rng(0),
        effect=0.3,
        units=units,
        users=int(USERS_SHARE * units),
        components=COMPONENTS,
    )
    new_study(folder, worked="empathy_attachment")
    with edited_plan(folder) as plan:
        plan["causal"] |= {"frame": "frame.parquet"}
        plan["causal"]["confounders"] |= {"components": COMPONENTS}
        plan["causal"]["labels"] = {"raters": 3, "stratified": 400, "random": 100}
        plan["design"] |= {"raters": 216, "trials": 14}
        plan["attention_checks"], plan["exclusions"] = [], []
        plan["recruitment"].pop("replace", None)
        plan["recruitment"]["codes"].pop("failed_attention")
        plan["analyses"], plan["gate"], plan["judges"] = [], [], []
    rng = np.random.default_rng(1)
    frame, ids = world.frame, [f"unit-{number:06d}" for number in range(units)]
    texts = [f"User: question {at}\nAssistant: reply {at}\nUser: thanks {at}" for at in ids]
    columns = {
        "item_id": ids,
        "text": texts,
        "prompt": [f"question {at}" for at in ids],
        "user_id": [f"u{code}" for code in frame.user.tolist()],
        "model": rng.choice(["larch-small", "larch-large"], units).tolist(),
        "turn": rng.integers(1, 9, units).tolist(),
        "local_hour": rng.integers(0, 24, units).tolist(),
        "judge_empathy": frame.treatment.tolist(),
        "judge_attachment": frame.outcome.tolist(),
        "planted_empathy": world.treatment.tolist(),
        "planted_attachment": world.outcome.tolist(),
    }
    pq.write_table(pa.table(columns), folder / "frame.parquet")
    vectors = {f"e{at}": frame.covariates[:, at].astype(np.float32) for at in range(COMPONENTS)}
    pq.write_table(pa.table({"item_id": ids, **vectors}), folder / "embeddings.parquet")
    written = load_plan(folder)
    read = read_frame(folder, written)
    items = item_rows(written, read, draw_sample(written, read))
    write_csv(folder / "items.csv", list(items[0]), items)
    write_answers(folder, noise=0.6)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
