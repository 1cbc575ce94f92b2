"""Studies whose judge is a table, with people who answer in the store and know the better item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from prereg.lock import utc_now
from prereg.plan.table_judge import TableJudge
from prereg.tables.reader import write_csv
from study.export.files import export
from study.folder import Study
from study.judges.given.answers import store_given
from study.opening import lock_study
from study.scaffold import new_study
from study.store.database import open_store
from study.visits.answers import Given, answer
from study.visits.claims import Arrival, claim
from tests.support.collecting import open_places
from tests.support.plans import edited_plan

PER_SCENARIO = 10
SCENARIOS = ("job", "home")
Row = Mapping[str, Any]


def quality(item_id: str) -> int:
    """Return the number by which everybody orders the items."""
    return int(item_id.rpartition("-")[2])


def ids() -> list[str]:
    """Return the ids of all items."""
    return [f"{name}-{n}" for name in SCENARIOS for n in range(1, PER_SCENARIO + 1)]


def make_given_study(
    folder: Path,
    tables: Mapping[str, Sequence[Row]],
    judge: Mapping[str, Any],
    *,
    raters: int = 20,
    trials: int = 5,
    analyses: Sequence[Row] = (),
    gate: Sequence[Row] = (),
    **parts: Any,
) -> Path:
    """Make a study with a judge of kind table, and write its tables into the folder."""
    items = [
        {
            "item_id": one,
            "scenario": one.partition("-")[0],
            "text": f"Seeker: {one}.\nSupporter: Yes.",
        }
        for one in ids()
    ]
    pool = folder.parent / f"{folder.name}-pool.csv"
    write_csv(pool, list(items[0]), items)
    new_study(folder, items=pool, scenario_column="scenario")
    for name, rows in tables.items():
        write_csv(folder / name, list(rows[0]), rows)
    with edited_plan(folder) as plan:
        plan["design"] |= {"raters": raters, "trials": trials}
        plan["judges"] = [{"id": "gpt", "kind": "table", **judge}]
        plan["hypotheses"], plan["analyses"], plan["gate"] = [], list(analyses), list(gate)
        plan |= parts
    return folder


def collect(folder: Path, *, wrong: float = 0.25) -> Study:
    """Lock a study, let people answer (some choices are wrong), store its judge, and export."""
    study, _ = lock_study(folder)
    rng = np.random.default_rng(3)
    store = open_store(folder, None)
    try:
        open_places(store, study, "live")
        for number in range(study.plan.design.raters):
            place = claim(store, study, "live", Arrival(f"rater-{number}"))
            assert place is not None
            for trial in study.sequences[place.sequence_id]:
                left, right = (quality(name) for name in trial.item_ids)
                choice = "left" if (left > right) != (rng.random() < wrong) else "right"
                given = Given(trial.position, {"choice": choice}, 9, 1, shown_at=utc_now())
                outcome = answer(store, study, "live", place.session_id, given)
                assert outcome is not None
                place = outcome.place
        for judge in study.plan.judges:
            if isinstance(judge, TableJudge):
                store_given(store, study, judge)
        export(store, study)
    finally:
        store.close()
    return study
