"""Studies whose two scales are asked apart, and raters who try to answer both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from study.folder import Study
from study.opening import open_study
from tests.support.collecting import SCALES, study_of_kind
from tests.support.plans import edited_plan

# What only the raters of a scale may read: its question, and what they alone are told.
OWN = {
    "warmth": ("How warm?", "Only the tone counts."),
    "depth": ("How deep?", "Only the thought counts."),
}
# The right answer of the attention check on each scale; also a form that answers both.
BOTH: dict[str, int | str] = {"warmth": 2, "depth": 0}


def apart_study(folder: Path, *, per_sequence: int = 1, raters: int = 6, **parts: Any) -> Study:
    """Make a rating study with two scales, three trials and a check, that asks them apart.

    Parameters
    ----------
    folder : Path
    per_sequence, raters : int
        Of its design.
    **parts
        Parts of the plan, at its top level.
    """
    study_of_kind(folder, "rating")
    with edited_plan(folder) as plan:
        plan["design"] |= {"apart": True, "raters": raters, "raters_per_sequence": per_sequence}
        plan["scales"] = [scale | {"instructions": OWN[str(scale["id"])][1]} for scale in SCALES]
        plan["attention_checks"][0]["expected"] = dict(BOTH)
        plan |= parts
    return open_study(folder)
