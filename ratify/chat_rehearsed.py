"""Rehearses the formulas of a chat's plan on invented conversations, before anybody has had one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from prereg.chat.model import ChatPlan

# Invented participants, so that every condition and every answer comes with some others.
_PEOPLE, _ITEMS = 240, 8


def rehearsed_chat(plan: ChatPlan, file: Path) -> Iterator[RatifyError]:
    """Yield a fault for each formula that does not run, or lacks the terms that it should test.

    Parameters
    ----------
    plan : ChatPlan
    file : Path
        Named in the faults.
    """
    from analysis.evidence.tables import TABLES_FOLDER
    from analysis.planning.rehearsal import rehearsed
    from prereg import files
    from prereg.chat.invented import invented_tables
    from prereg.chat.stages import judging_plan
    from prereg.plan.model import Plan
    from prereg.tables.reader import csv_text

    if not plan.analyses or plan.measures is None:
        return
    judging = Plan.model_validate({**judging_plan(plan), "gate": []})
    items = [
        {"item_id": f"{scenario.id}-{number}", "scenario": scenario.id, "text": "x"}
        for scenario in plan.scenarios
        for number in range(_ITEMS)
    ]
    with tempfile.TemporaryDirectory() as place:
        for name, rows in invented_tables(plan, _PEOPLE).items():
            path = Path(place) / TABLES_FOLDER / f"{name}.csv"
            files.write_text(path, csv_text(list(rows[0]), rows))
        for number, analysis in enumerate(judging.analyses):
            alone = judging.model_copy(update={"analyses": (analysis,)})
            for fault in rehearsed(alone, items, Path(place)):
                yield RatifyError(
                    fault.problem,
                    file=file,
                    column=(fault.column or "").replace("analyses.0", f"analyses.{number}", 1),
                    value=fault.value,
                    allowed=fault.allowed,
                    part=analysis.id,
                )
