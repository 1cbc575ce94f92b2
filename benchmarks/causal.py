"""Doubly robust effects with many confounders, beside econml's LinearDRLearner.

econml wants other versions of packages than Ratify, so it is run in an environment of its own:
`RATIFY_ECONML=/path/to/that/python python -m benchmarks.causal`. Without it, the benchmark says so
and measures ours alone. `python -m benchmarks.causal --full` measures the size of the published
study, 144,439 turn-pairs.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis.causal.doubly_robust import doubly_robust
from analysis.causal.worlds import World, make_world

PEER = Path(__file__).with_name("causal_peer.py")
EFFECT = 0.75
COVARIATES = 430
WORLDS = 3
GOAL = 15.0  # seconds


def main() -> None:
    """Print processor seconds and errors of ours and of the peer on the same planted effects."""
    print(
        f"\nDoubly robust effects, 6,000 pairs x {COVARIATES} confounders, true effect {EFFECT:g}"
    )
    peer = os.environ.get("RATIFY_ECONML", sys.executable)
    there = subprocess.run([peer, "-c", "import econml"], capture_output=True, check=False)
    found: dict[str, list[tuple[float, float]]] = {"ours, all rows": [], "ours, DR-learner": []}
    for seed in range(WORLDS):
        world = make_world(np.random.default_rng(seed), effect=EFFECT, components=COVARIATES)
        seconds, headline, learned = _ours(world)
        found["ours, all rows"].append((seconds, headline))
        found["ours, DR-learner"].append((seconds, learned))
        if there.returncode == 0:
            found.setdefault("econml LinearDRLearner", []).append(_peers(world, peer))
    for name, pairs in found.items():
        seconds, effect = np.array(pairs).T
        print(
            f"  {name:<24}{np.median(seconds):8.1f} s   mean effect {effect.mean():.3f}, "
            f"mean distance from the truth {np.abs(effect - EFFECT).mean():.3f}",
            flush=True,
        )
    if there.returncode:
        print("  econml is not installed: name a Python that has it in RATIFY_ECONML")
    print(f"  goal: ours under {GOAL:g} s, nearer to the truth than econml")


def full() -> None:
    """Print seconds and memory at the size of the published study."""
    world = make_world(
        np.random.default_rng(0), effect=EFFECT, units=144_439, users=47_000, components=COVARIATES
    )
    seconds, headline, _ = _ours(world)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"\nDoubly robust effects, 144,439 pairs x {COVARIATES} confounders")
    print(f"  {seconds:.1f} s, peak of the process {peak:.1f} GB (goal: 8), effect {headline:.3f}")


def _ours(world: World) -> tuple[float, float, float]:
    """Return processor seconds, the headline, and the mean of the DR-learner's predictions."""
    began = time.process_time()
    found = doubly_robust(
        world.frame,
        world.cuts,
        treatment=world.treatment,
        outcome=world.outcome,
        rng=np.random.default_rng(0),
    )
    seconds = time.process_time() - began
    assert found.headline.estimate is not None
    return seconds, found.headline.estimate.value, float(found.effects[0].effect.mean())


def _peers(world: World, python: str) -> tuple[float, float]:
    """Return seconds and the average effect by econml, on the units of both arms."""
    arm = world.cuts.arms(world.treatment)
    rows = ~np.isnan(arm)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "units.npz"
        covariates = world.frame.covariates[rows]
        np.savez(path, arm=arm[rows], outcome=world.outcome[rows], covariates=covariates)
        command = [python, str(PEER), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return float(found["seconds"]), float(found["effect"])


if __name__ == "__main__":
    full() if sys.argv[1:] == ["--full"] else main()
