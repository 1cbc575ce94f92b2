"""Makes a small study as its researcher hands it on: locked, collected, exported and analysed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from analysis.report.page import write_report
from analysis.run import analyze_study
from ratify.asking import ask_judges
from study.export.files import export
from study.folder import Study
from study.opening import lock_study, open_study
from study.store.database import open_store
from tests.conftest import make_study
from tests.support.collecting import open_places, take_part
from tests.support.plans import edited_plan

RATERS = 6


def verified_study(folder: Path) -> Path:
    """Make a study with answers of six people, one of whom stopped, and with results."""
    make_study(folder, raters=12, trials=3)
    with edited_plan(folder) as plan:
        plan["judges"] = [{"id": "length", "kind": "baseline"}]
        plan["analyses"] = [{"id": "same", "kind": "choice_agreement", "judges": ["length"]}]
        plan["hypotheses"], plan["gate"] = [], []
        plan["exclusions"] = []
    lock_study(folder)
    collect(folder, range(RATERS))
    analyze_study(folder, mode="live")
    write_report(folder / "results")
    return folder


def collect(folder: Path, raters: range) -> Study:
    """Let people answer the newest version of a study, and export it."""
    study = open_study(folder, must_be_locked=True)
    with contextlib.closing(open_store(folder, None)) as store:
        open_places(store, study, "live")
        for number in raters:
            trials = 2 if number == RATERS - 1 else 99
            take_part(store, study, "live", f"r{number}", trials=trials)
        ask_judges(study, store)
        export(store, study)
    return study
