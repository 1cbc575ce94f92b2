"""The study in which a causal plan's judges score every unit of its frame, before people do.

It is a folder of its own within the study's, with a lock of its own: the sample for people follows
from these scores, so the study itself cannot be locked before they are there. Nobody is recruited
for it.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import yaml

from prereg import files
from prereg.errors import RatifyError
from prereg.frame.reading import ID, TEXT, causal_of, read_units
from prereg.lock import LOCK_FILE
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.model import Plan
from prereg.tables.items import read_items
from prereg.tables.reader import Table, write_csv
from study.folder import Study
from study.opening import lock_study, open_study

SCORING = "scoring"
PROMPTS = "prompts"
# The most trials that a plan allows in a sequence.
_LONGEST = 1_000
# What only people need, or what reads people's answers.
_FOR_PEOPLE = (
    "causal",
    "hypotheses",
    "analyses",
    "gate",
    "exclusions",
    "sensitivity",
    "attention_checks",
    "comprehension",
    "practice",
    "survey",
    "assumptions",
)


def scoring_study(folder: Path) -> Study:
    """Return the locked study in which the judges of a causal plan score its frame.

    It is made in `scoring/` of the study folder, unless it is there: then it must be of the same
    units and of the same judges.

    Parameters
    ----------
    folder : Path
        Of a causal study.

    Raises
    ------
    RatifyError
        If the plan has no causal section or no LLM judge, the frame is wrong, or an earlier scoring
        is of other units or judges.
    """
    plan = load_plan(folder)
    causal = causal_of(plan, folder / PLAN_FILE)
    if not plan.llms:
        raise RatifyError(
            "the plan has no LLM judge that could score the frame",
            file=folder / PLAN_FILE,
            column="judges",
            allowed="a judge of kind llm, or scores by `ratify sample --scores`",
        )
    scores = tuple(part.score for part in causal.scores.values())
    units = read_units(folder, plan, without=scores)
    place = folder / SCORING
    if (place / LOCK_FILE).exists():
        _refuse_other(place, plan, units)
        return open_study(place, must_be_locked=True)
    with files.replaced_folder(place, ours=None) as beside:
        _write(folder, beside, plan, units)
        lock_study(beside)
    return open_study(place, must_be_locked=True)


def _write(folder: Path, place: Path, plan: Plan, units: Table) -> None:
    content: dict[str, Any] = yaml.safe_load((folder / PLAN_FILE).read_text(encoding="utf-8"))
    for key in _FOR_PEOPLE:
        content.pop(key, None)
    content["id"] = f"{plan.id[:48]}.{SCORING}"
    content["title"] = f"{plan.title} (the judge scores the frame)"
    content["recruitment"] = {"platform": "generic", "codes": {"completed": "NOBODY"}}
    content["materials"] = {"items": "items.csv", **_texts(plan)}
    content["judges"] = [one for one in content["judges"] if one.get("kind") == "llm"]
    content["design"] |= _design(plan, len(units.rows))
    files.write_text(place / PLAN_FILE, yaml.safe_dump(content, sort_keys=False))
    for name in _texts(plan).values():
        shutil.copyfile(folder / name, place / name)
    if (folder / PROMPTS).is_dir():
        shutil.copytree(folder / PROMPTS, place / PROMPTS)
    rows = [{"item_id": r[ID], "scenario": "all", "text": r[TEXT]} for r in units.rows]
    write_csv(place / "items.csv", ["item_id", "scenario", "text"], rows)


def _texts(plan: Plan) -> dict[str, str]:
    return {"consent": plan.materials.consent, "instructions": plan.materials.instructions}


def _design(plan: Plan, units: int) -> dict[str, Any]:
    """Return a design whose sequences have every unit, as judges rate what sequences show."""
    trials = min(units, _LONGEST)
    sequences = math.ceil(units / trials) * (len(plan.scales) if plan.design.apart else 1)
    return {"trials": trials, "raters": sequences, "raters_per_sequence": 1, "sample": None}


def _refuse_other(place: Path, plan: Plan, units: Table) -> None:
    """Refuse a scoring that was made of other units, or by other judges, than the plan has now."""
    before = load_plan(place)
    allowed = f"the folder {place.name}/ moved away, to score anew, or the plan as it was"
    if [one.model_dump() for one in before.llms] != [one.model_dump() for one in plan.llms]:
        raise RatifyError(
            "the frame was scored by other judges than the plan has now",
            file=place / PLAN_FILE,
            column="judges",
            allowed=allowed,
        )
    scored = {row[ID]: row[TEXT] for row in read_items(place / "items.csv").rows}
    if scored != {row[ID]: row[TEXT] for row in units.rows}:
        raise RatifyError(
            "these are not the units of the frame", file=place / "items.csv", allowed=allowed
        )
