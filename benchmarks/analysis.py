"""Times a registered analysis from a cold start: `ratify analyze`, then `ratify report`.

The study is the demo's: 150 raters with 10 trials each, and a judge that is asked 10,000 pairs in
each of five scenarios. Every run is its own process, imports included.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from ratify.asking import ask_judges
from study.export.files import export
from study.opening import lock_study, open_study
from study.scaffold import new_study
from study.simulation.raters import simulate_raters
from study.store.database import open_store

PAIRS = 10_000  # in each scenario
RUNS = 3


def main() -> None:
    """Print the seconds of a whole analysis and of `ratify --help`, with their goals."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        _collect(folder)
        print(f"\nThe whole analysis of 150 raters x 10 with 5 x {PAIRS:,} pairs of a judge, cold")
        analyze = [_seconds("analyze", str(folder), "--mode", "bot") for _ in range(RUNS)]
        report = [_seconds("report", str(folder)) for _ in range(RUNS)]
        whole = statistics.median(a + r for a, r in zip(analyze, report, strict=True))
        print(f"  analyze, median of {RUNS}          {statistics.median(analyze):6.2f} s")
        print(f"  report, median of {RUNS}           {statistics.median(report):6.2f} s")
        print(f"  both                        {whole:6.2f} s, goal under 15 s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"  peak memory of a process    {peak:6.0f} MB")
    helped = statistics.median(_seconds("--help") for _ in range(7))
    print(f"  ratify --help, median of 7  {helped:6.2f} s, goal under 0.3 s")


def _collect(folder: Path) -> None:
    """Collect the answers of simulated raters and the offline judges."""
    new_study(folder, demo=True)
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    for judge in plan["judges"]:
        if judge.get("pairs"):
            judge["pairs"]["per_scenario"] = PAIRS
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    lock_study(folder)
    study = open_study(folder, must_be_locked=True)
    simulate_raters(study, arrived=lambda: None)
    store = open_store(folder, None)
    try:
        ask_judges(study, store)
        export(store, study)
    finally:
        store.close()


def _seconds(*words: str) -> float:
    """Return the seconds that a command takes in a new process."""
    command = [sys.executable, "-P", "-c", "import ratify; ratify.main()", *words]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
