"""Times errors of trials by rater and items, a large audit, and validation in two processes.

`python -m benchmarks.trials_and_audit trials audit` measures only the rows named.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.agreement.choices import choice_agreement
from analysis.audit.audit import audit
from tests.validation.rows import checks, name_of
from tests.validation.store import Store
from tests.validation.trials_truth import Design, Law, study
from tests.validation.work import finish, rows_of

ROUNDS = 5
# Raters, trials of each in every scenario, scenarios, items of each.
TRIALS = {
    1_500: Design(raters=150, trials=2, scenarios=5, items=30),
    200_000: Design(raters=4_000, trials=10, scenarios=5, items=400),
}
PEOPLE, JUDGES, DIMENSIONS, ITEMS = 8, 2, 20, 2_000
AUDIT_GOAL = 20.0
# Some rows of the validation, so few that they must be split.
VALIDATED = "analysis.regression.contrasts"


def trials() -> None:
    """Print the time of choice agreement with errors by rater and items, and by rater alone."""
    print(f"\nAgreement of choices with its errors, median of {ROUNDS}")
    for count, design in TRIALS.items():
        one = study(np.random.default_rng(1), Law(), design)
        people, judge = one.people, one.judge

        def by(cluster: str, people: pd.DataFrame = people, judge: pd.DataFrame = judge) -> float:
            return _seconds(lambda: choice_agreement(people, judge, cluster=cluster))

        both, rater = [], []
        for _ in range(ROUNDS):  # alternately, so that both meet the same machine
            both.append(by("rater_and_items"))
            rater.append(by("rater_id"))
        ours, alone = statistics.median(both), statistics.median(rater)
        print(
            f"  {count:>7,} trials: rater and items {1000 * ours:8.1f} ms, "
            f"rater alone {1000 * alone:8.1f} ms, {ours / alone:4.1f} x"
        )


def large_audit() -> None:
    """Print the time of an audit of many dimensions, annotators and items."""
    with tempfile.TemporaryDirectory() as place:
        humans, judges = _ratings(Path(place))
        taken = _seconds(lambda: audit(humans, judges, id_column="item_id", scale=(1, 5)))
    print(
        f"\nAudit of {DIMENSIONS} dimensions, {PEOPLE} people, {JUDGES} judges, {ITEMS:,} items\n"
        f"  {taken:6.1f} s of this process (goal: under {AUDIT_GOAL:g} s)"
    )


def _ratings(folder: Path) -> tuple[list[str], list[str]]:
    """Write the ratings of people and judges, a file each."""
    rng = np.random.default_rng(1)
    names = [f"dimension {n:02d}" for n in range(DIMENSIONS)]
    common = rng.normal(size=(ITEMS, 1))
    truth = 3 + 0.6 * common + 0.8 * rng.normal(size=(ITEMS, DIMENSIONS))
    files = []
    for n in range(PEOPLE + JUDGES):
        values = np.clip(np.round(truth + 0.7 * rng.normal(size=truth.shape)), 1, 5).astype(int)
        table = pd.DataFrame(values, columns=names)
        table.insert(0, "item_id", [f"item {n:04d}" for n in range(ITEMS)])
        files.append(folder / f"annotator-{n}.csv")
        table.to_csv(files[-1], index=False)
    given = [str(file) for file in files]
    return given[:PEOPLE], given[PEOPLE:]


def validation() -> None:
    """Print the time of the same rows of `make validate` by one and by two processes."""
    wanted = [one for one in checks() if VALIDATED in name_of(one)]
    taken, at_work, results = [], [], []
    with tempfile.TemporaryDirectory() as place:
        for processes in (1, 2):
            kept = Store(Path(place) / f"{processes}.jsonl")
            rows = rows_of(wanted, kept)
            began = time.perf_counter()
            finish(rows, kept, processes=processes, told=lambda *_: None)
            taken.append(time.perf_counter() - began)
            at_work.append(sum(one.seconds for one in kept.slices) / processes / taken[-1])
            results.append([(row.results.tolist(), row.hits.tolist()) for row in rows])
    same = "the same digits" if results[0] == results[1] else "OTHER DIGITS"
    print(
        f"\n{len(wanted)} rows of make validate, processes started anew\n"
        f"  one {taken[0]:6.1f} s, two {taken[1]:6.1f} s: "
        f"{taken[0] / taken[1]:4.2f} x as fast, {same};\n"
        f"  each of the two was at work {at_work[1]:.0%} of the time (the rest is its start)"
    )


def _seconds(work: Callable[[], object]) -> float:
    """Return the seconds of this process that work takes; other people's work does not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


ROWS = {"trials": trials, "audit": large_audit, "validation": validation}


def main(names: list[str] | None = None) -> None:
    """Print every row, or those named."""
    for name, row in ROWS.items():
        if not names or name in names:
            row()


if __name__ == "__main__":
    main(sys.argv[1:])
