"""Compares every promise with simulated truth and writes `docs/validation.md`: `make validate`."""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module, metadata
from itertools import groupby

from tests.support.paths import ROOT
from tests.validation.check import ALLOWED_ERRORS, Check, Outcome, run

AREAS = ("ranking", "agreement", "facets", "change", "regression", "sources")
PAGE = ROOT / "docs" / "validation.md"
PACKAGES = ("ratify-eval", "numpy", "scipy", "pandas", "statsmodels")
WORDS = ("holds", "cautious", "misses")
COLUMNS = (
    "| function | what | simulated | data sets | promised | found | error | verdict | known |",
    "|---|---|---|--:|--:|--:|--:|---|---|",
)
HEAD = """# How the intervals and the tests were validated

`make validate` writes this page; do not edit it. Each row simulates data sets whose truth is known,
as large as those of a real study. It counts how many of the 95% intervals held the truth, or how
many of the tests at 5% rejected a null hypothesis that was true. *Error* is the standard error of
the simulation. A row **holds** if the share is within {allowed:g} such errors of what is promised.
*Cautious* intervals hold the truth more often than promised, and cautious tests reject less often:
they claim less than they could. If a row **misses**, the last column and the function's docstring
say what is known about it.

Every row has its own seed, made from its name. So a run gives the same digits again with the same
versions: {versions}.
"""


def checks() -> list[Check]:
    """Return all checks of all areas."""
    return [one for area in AREAS for one in import_module(f"tests.validation.{area}").checks()]


def name_of(check: Check) -> str:
    """Return the name of a check, which no other check has."""
    return f"{check.area}: {check.function}: {check.what}: {check.design}"


def seed_of(check: Check) -> int:
    """Return the seed of a check, which stays the same if its function moves to another module."""
    function = check.function.rpartition(".")[2]
    name = f"{check.area}: {function}: {check.what}: {check.design}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def try_one(name: str) -> tuple[float, float, float]:
    """Try the check with this name; return its share, error and seconds."""
    check = next(one for one in checks() if name_of(one) == name)
    began = time.perf_counter()
    outcome = run(check, seed=seed_of(check))
    return outcome.share, outcome.error, time.perf_counter() - began


def page(outcomes: Sequence[Outcome]) -> str:
    """Return the page with the outcomes of all checks, area by area."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in PACKAGES)
    lines = [HEAD.format(allowed=ALLOWED_ERRORS, versions=versions)]
    counts = Counter(one.verdict for one in outcomes)
    lines.append(", ".join(f"{counts[word]} {word}" for word in WORDS) + ".")
    for area, part in groupby(outcomes, key=lambda one: one.check.area):
        lines += ["", f"## {area[0].upper()}{area[1:]}", "", *COLUMNS]
        for one in part:
            check, word = one.check, one.verdict
            lines.append(
                f"| `{check.function}` | {check.what} | {check.design} | {check.runs:,} "
                f"| {check.kind} {check.promised:g} | {one.share:.3f} | {one.error:.3f} "
                f"| {'**misses**' if word == 'misses' else word} | {check.note} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the checks, several at once, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="text that the name of a check must contain")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    given = parser.parse_args()
    wanted = [one for one in checks() if given.only in name_of(one)]
    found = []
    with ProcessPoolExecutor(given.processes) as pool:
        tried = pool.map(try_one, [name_of(one) for one in wanted])
        for check, (share, error, seconds) in zip(wanted, tried, strict=True):
            outcome = Outcome(check=check, share=share, error=error)
            found.append(outcome)
            print(
                f"{outcome.verdict:<9}{outcome.share:.3f} "
                f"(± {outcome.error:.3f}, promised {check.promised:g}) {seconds:5.0f} s  "
                f"{name_of(check)}",
                flush=True,
            )
    if not given.only:
        PAGE.write_text(page(found), encoding="utf-8")
        print(f"wrote {PAGE.name}")


if __name__ == "__main__":
    main()
