"""Checks what `ratify power` promises against whole studies, and its size with a judge of chance.

A data set of a row of kind power is one study as `ratify power` simulates and analyses it, and one
whole study with its own random numbers: its tables are written as CSV into a locked folder, where
`analyze_study` reads them and writes its results, without drawings.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from analysis.planning.one_study import simulate_once
from analysis.planning.points import Setup, points_of, setup_of
from analysis.planning.simulated import simulated_study
from analysis.planning.simulated_files import write_tables
from analysis.registered.hypotheses import SUPPORTED
from analysis.results.figure_style import nothing_drawn
from analysis.run import analyze_study
from prereg.lock import verify_lock
from prereg.plan.file import load_plan
from prereg.tables.items import read_items
from study.opening import lock_study
from tests.support.simulated_studies import write_folder
from tests.validation.check import Check

AREA = "power"
FUNCTION = "analysis.planning.one_study.simulate_once"
# A kind of its own; see `outcome.PAIRED`.
POWER: Any = "power"
STUDIES = 400
NULL_STUDIES = 1000
NOTE_OF_NULL = "The test is two-sided at 5%, and only a positive effect supports the hypothesis."

_DIMENSIONS = {
    "scale": {"min": 1, "max": 5},
    "adds": ["validating_emotions", "encouraging_elaboration"],
    "subtracts": ["advice_giving"],
}
_AT_TWO = "C(condition, Treatment('none'))[T.coach]:C(round)[T.2.0]"
_HOLD = tempfile.TemporaryDirectory()  # for as long as the process lives
_JUDGE = [{"id": "lexical", "kind": "baseline"}]
_PAIRS: dict[str, Any] = {
    "design": {"raters": 30, "trials": 8},
    "hypotheses": [
        {"id": "H1", "text": "The judge ranks the items as people do."},
        {"id": "H2", "text": "The larger the judge's gap, the more often people choose its side."},
    ],
    "exclusions": [{"rule": "incomplete_session"}],
    "measures": _DIMENSIONS,
    "judges": _JUDGE,
    "analyses": [
        {"id": "ranks", "kind": "rank_correlation", "judge": "lexical", "score": "overall"}
        | {"hypothesis": "H1", "resamples": 400, "draws": 200},
        {"id": "gap", "kind": "logit", "judge": "lexical", "hypothesis": "H2"}
        | {"formula": "select_higher ~ gap", "term": "gap"},
    ],
}
PLANS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "pairs": (
        "pairwise_preference",
        "30 raters x 8 pairs, 2 scenarios of 12 items, a judge of correlation .6, 10% careless, "
        "10% leave",
        _PAIRS
        | {"assumptions": {"judges": {"good": 0.6}, "raters": {"careless": 0.1, "drop_out": 0.1}}},
    ),
    "ratings": (
        "empathy_rating",
        "40 raters x 8 texts of 3 sources, the third 1.2 sd above, 24 items, reliability .5",
        {
            "design": {"raters": 40, "trials": 8},
            "hypotheses": [{"id": "H1", "text": "The third source is rated higher."}],
            "scales": [
                {"id": "warm", "question": "Warm?", "min": 1, "max": 7, "labels": {1: "a", 7: "b"}}
            ],
            "comprehension": None,
            "attention_checks": [],
            "recruitment": {"platform": "generic", "codes": {"completed": "DONE-1"}},
            "exclusions": [{"rule": "incomplete_session"}],
            "analyses": [
                {"id": "sources", "kind": "source_ratings", "hypothesis": "H1"}
                | {"sources": ["first", "third"], "reference": "first"}
            ],
            "assumptions": {"effects": {"sources": {"effect": {"third": 1.2}}}},
        },
    ),
    "change": (
        "pairwise_preference",
        "60 people in 2 conditions, measured 3 times, a change of .7 at variances 1 and 1",
        {
            "design": {"raters": 6, "trials": 2},
            "hypotheses": [{"id": "H1", "text": "More people improve with a coach."}],
            "measures": _DIMENSIONS,
            "analyses": [
                {"id": "change", "kind": "change", "table": "scores", "value": "score"}
                | {"control": "none", "treatments": ["coach"], "baseline_rounds": [1]}
                | {"post_rounds": [2, 3]},
                {"id": "slope", "kind": "regression", "model": "ols", "data": "scores"}
                | {"outcomes": ["score"], "cluster": "person_id", "hypothesis": "H1"}
                | {"predictors": "C(condition, Treatment('none')) * C(round)"}
                | {"contrasts": {"coach": _AT_TWO}},
            ],
            "assumptions": {
                "effects": {
                    "change": {"people": 60, "between": 1, "within": 1, "effect": {"coach": 0.7}}
                }
            },
        },
    ),
}


@cache
def template(name: str) -> tuple[Path, Setup]:
    """Return a locked folder of a plan, made once in each process, and its set-up for power."""
    worked, _, changes = PLANS[name]
    folder = Path(_HOLD.name) / name
    write_folder(folder, worked, per_scenario=12, **changes)
    lock_study(folder)
    plan, items = load_plan(folder), read_items(folder / "items.csv")
    return folder, setup_of(plan, items, points_of(plan, items, curves=False)[0])


def whole_study(name: str, rng: np.random.Generator) -> dict[str, str]:
    """Simulate a study, write its tables, analyse them as a study's, and return the verdicts."""
    folder, setup = template(name)
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "study"
        shutil.copytree(folder, copy)
        plan = load_plan(copy)
        lock = verify_lock(copy, plan)
        study = simulated_study(
            plan, setup.items, setup.layout, plan.assumptions, rng, plan_hash=lock.plan_hash
        )
        data = copy / "data"
        data.mkdir()
        for table in ("items.csv", "sequences.csv"):
            shutil.copy(copy / table, data / table)
        write_tables(plan, study, data)
        with nothing_drawn():
            results = analyze_study(copy, mode="live")
    return {one.id: one.verdict for one in results.verdict.hypotheses}


def _against_whole_studies(name: str, hypothesis: str) -> Check:
    def once(rng: np.random.Generator) -> list[bool]:
        by_power, whole = rng.spawn(2)
        _, setup = template(name)
        record = simulate_once(setup, by_power)
        promised = record.get("verdicts", {}).get(hypothesis) == SUPPORTED
        found = whole_study(name, whole)[hypothesis] == SUPPORTED
        # the found one counts twice, so that the number of hits says which of them it was
        return [promised, found, found]

    return Check(
        area=AREA,
        function=FUNCTION,
        what=f"power of {hypothesis}, {name}",
        design=PLANS[name][1],
        kind=POWER,
        promised=float("nan"),
        once=once,
        runs=STUDIES,
    )


def _null_judge(hypothesis: str) -> Check:
    """Return the check that a judge whose scores are chance is supported as often as promised."""

    def once(rng: np.random.Generator) -> list[bool]:
        _, setup = template("pairs")
        assumed = setup.plan.assumptions
        judges = assumed.judges.model_copy(update={"good": 0.0})
        plan = setup.plan.model_copy(
            update={"assumptions": assumed.model_copy(update={"judges": judges})}
        )
        record = simulate_once(Setup(setup.point, plan, setup.items, setup.layout), rng)
        return [record["verdicts"][hypothesis] == SUPPORTED]

    return Check(
        area=AREA,
        function=FUNCTION,
        what=f"power of {hypothesis} with a judge of correlation 0, pairs",
        design=PLANS["pairs"][1].replace("correlation .6", "correlation 0"),
        kind="size",
        promised=0.025,
        once=once,
        runs=NULL_STUDIES,
        note=NOTE_OF_NULL,
    )


def checks() -> list[Check]:
    """Return the checks of power."""
    return [
        _against_whole_studies("ratings", "H1"),
        _against_whole_studies("change", "H1"),
        _against_whole_studies("pairs", "H1"),
        _null_judge("H1"),
        _null_judge("H2"),
        _against_whole_studies("pairs", "H2"),
    ]
