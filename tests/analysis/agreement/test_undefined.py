"""If this failed, 40 items that two people rated would be reported as 0, with guesses why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.audit.audit import audit
from analysis.audit.label_audit import audit_labels
from analysis.results.quantities import Quantity, Results

VARIED = [1 + n % 5 for n in range(40)]
SAME = "Not defined: people gave every item the same rating."


def audited(folder: Path, *columns: Sequence[object], labels: bool = False) -> Results:
    """Return the audit of the last column as the judge."""
    paths = []
    for n, values in enumerate(columns):
        frame = pd.DataFrame({"item_id": [f"i{at:02}" for at in range(len(values))]})
        frame["warm"] = pd.Series(list(values), dtype=object)
        frame.to_csv(folder / f"a{n}.csv", index=False)
        paths.append(str(folder / f"a{n}.csv"))
    if labels:
        return audit_labels(
            paths[:-1], paths[-1:], id_column="item_id", values=["pass,fail"], dimensions=["warm"]
        )
    return audit(paths[:-1], paths[-1:], id_column="item_id", scale=(1, 5), dimensions=["warm"])


def undefined(found: Results) -> dict[str, Quantity]:
    return {
        one.name: one
        for one in found.quantities
        if one.estimate is None or math.isnan(one.estimate)
    }


def test_people_of_one_answer_are_counted_and_are_the_reason(tmp_path: Path) -> None:
    found = audited(tmp_path, [2] * 40, [2] * 40, VARIED)
    lacking = undefined(found)
    for name in ("humans:kappa:all", "humans:kappa:warm", "humans:alpha:all", "a2:difference:warm"):
        assert (lacking[name].n, lacking[name].note) == (40, SAME)
    said = " ".join(found.headline)
    assert "cannot be said: people gave every item the same rating." in said
    assert "There is no yardstick: people gave every item the same rating, so" in said
    assert "too few" not in said


def test_people_who_share_few_items_are_not_said_to_be_alike(tmp_path: Path) -> None:
    first = [*VARIED[:22], *[None] * 18]
    second = [*[None] * 18, *VARIED[18:]]
    lacking = undefined(audited(tmp_path, first, second, VARIED))
    assert lacking["humans:kappa:warm"].n == 4
    assert lacking["humans:kappa:warm"].note == (
        "Not defined: two people rated only 4 items in common."
    )


def test_labels_that_are_all_alike_are_counted_and_are_the_reason(tmp_path: Path) -> None:
    varied = np.where(np.arange(40) % 7, "pass", "fail").tolist()
    found = audited(tmp_path, ["pass"] * 40, ["pass"] * 40, varied, labels=True)
    lacking = undefined(found)
    for name in ("humans:kappa:warm", "humans:alpha:all", "a2:difference:warm"):
        assert lacking[name].n == 40
        assert lacking[name].note == "Not defined: people gave every item the same label."
    assert "cannot be said: people gave every item the same label." in " ".join(found.headline)


def test_a_judge_that_says_what_all_people_say_is_the_reason(tmp_path: Path) -> None:
    lacking = undefined(audited(tmp_path, ["pass"] * 40, ["pass"] * 40, ["pass"] * 40, labels=True))
    assert lacking["a2:kappa_single:warm"].n == 40
    assert lacking["a2:kappa_single:warm"].note == (
        "Not defined: a2 and people gave every item the same label."
    )
