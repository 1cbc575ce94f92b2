"""If these fail, a run of `ratify power` is lost by a stop, mixes two plans, or says other numbers.

Or what goes wrong in a simulated study is hidden.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.inference.proportions import two_proportions
from analysis.planning import analysed, working
from analysis.planning.kept import STUDIES_FILE
from analysis.planning.one_study import STUDY, simulate_once
from analysis.planning.points import points_of, setup_of
from analysis.planning.power import Power
from analysis.planning.power_files import write_power
from analysis.planning.power_words import sentences
from analysis.planning.powering import Work, work_of
from analysis.registered.hypotheses import SUPPORTED
from prereg.errors import RatifyError
from prereg.executor import Here
from tests.support.simulated_studies import write_folder
from tests.validation.power import PLANS, Setup, template, whole_study

GATE = {"analysis": "ranks", "quantity": "spearman", "field": "estimate", "at_least": 0.15}
TINY: dict[str, Any] = {
    **PLANS["ratings"][2],
    "design": {"raters": 12, "trials": 3},
    "assumptions": {"effects": {"sources": {"effect": {"third": 2.5}}}},
}


def tiny(folder: Path, **changes: Any) -> Path:
    write_folder(folder, "empathy_rating", per_scenario=6, **TINY | changes)
    return folder


def done(folder: Path, studies: int = 4, *, curves: bool = False, processes: int = 1) -> Work:
    work = work_of(folder, studies=studies, curves=curves)
    work.finish(processes=processes, told=lambda task: None)
    return work


def written(work: Work) -> dict[str, bytes]:
    names = write_power(work.power(), work.folder)
    return {name: (work.folder / name).read_bytes() for name in names}


def test_the_same_bytes_however_many_processes(tmp_path: Path) -> None:
    one = written(done(tiny(tmp_path / "one"), 2))
    two = written(done(tiny(tmp_path / "two"), 2, processes=2))
    assert one == two


def test_an_executor_simulates_the_same_studies(tmp_path: Path) -> None:
    """What the workers of a scheduler get is all that they need, also when it has been pickled."""

    class Elsewhere(Here):
        def map(self, function: Any, chunks: Any) -> Any:
            return super().map(
                pickle.loads(pickle.dumps(function)),
                [(key, pickle.loads(pickle.dumps(chunk))) for key, chunk in reversed(list(chunks))],
            )

    one = written(done(tiny(tmp_path / "one"), 2))
    work = work_of(tiny(tmp_path / "two"), studies=2, curves=False)
    told: list[working.Task] = []
    work.finish(processes=1, told=told.append, executor=Elsewhere())
    assert [number for _, number in told] == [1, 0]
    assert written(work) == one


def test_a_stopped_run_goes_on_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = written(done(tiny(tmp_path / "whole"), 5))
    folder = tiny(tmp_path / "stopped")
    work, heard = work_of(folder, studies=5, curves=False), []

    def told(task: object) -> None:
        heard.append(task)
        if len(heard) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.finish(processes=1, told=told)
    path = folder / "power" / STUDIES_FILE
    path.write_text(path.read_text() + '{"point": "plan", "stu')  # cut off while writing
    again = work_of(folder, studies=5, curves=False)
    assert [number for _, number in again.left] == [3, 4]
    again.finish(processes=1, told=lambda task: None)
    assert written(again) == whole


def test_power_does_not_run_with_an_effect_that_nothing_reads(tmp_path: Path) -> None:
    folder = tiny(tmp_path, assumptions={"effects": {"sources": {"effect": {"thrid": 2.5}}}})
    with pytest.raises(RatifyError, match=r"effect\.thrid: no simulation reads .* third"):
        work_of(folder, studies=2, curves=False)


def test_more_studies_keep_those_that_are_there_and_another_plan_does_not(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "study")
    done(folder, 3)
    more = work_of(folder, studies=5, curves=False)
    assert (len(more.left), more.kept.replaced) == (2, False)
    tiny(folder, seed=5)
    anew = work_of(folder, studies=5, curves=False)
    assert (len(anew.left), anew.kept.replaced) == (5, True)
    tiny(folder, assumptions=TINY["assumptions"] | {"raters": {"careless": 0.5}})
    assert work_of(folder, studies=5, curves=False).kept.replaced
    (folder / "power" / STUDIES_FILE).write_text("my notes\n")
    with pytest.raises(RatifyError, match="is not a file of simulated studies"):
        work_of(folder, studies=5)
    assert (folder / "power" / STUDIES_FILE).read_text() == "my notes\n"


def test_curves_have_the_sizes_that_they_say(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "study")
    work = work_of(folder, studies=40)
    sizes = {s.point.key: (s.layout.trials.size, len(s.items)) for s in work.setups}
    assert sizes == {
        "plan": (12, 12),
        "raters 6": (6, 12),
        "raters 24": (24, 12),
        "raters 62": (62, 12),
        "trials 2": (12, 12),
        "trials 6": (12, 12),
        "items 6": (12, 6),
        "items 24": (12, 24),
    }
    assert set(work.wanted.values()) == {40, 20}
    twice = next(s for s in work.setups if s.point.key == "items 24")
    assert twice.items["item_id"].is_unique
    assert set(np.bincount(twice.layout.shown[:, 0], minlength=24)) <= {1, 2}


def test_a_size_that_cannot_be_is_named_and_the_plans_own_is_refused(tmp_path: Path) -> None:
    folder = tiny(tmp_path / "study", design={"raters": 12, "trials": 8})
    work = work_of(folder, studies=20)
    assert [point.key for point in work.skipped] == ["trials 16", "items 6"]
    assert "too few" in next(iter(work.skipped.values()))
    with pytest.raises(RatifyError, match="too few"):
        work_of(tiny(tmp_path / "more", design={"raters": 12, "trials": 40}), studies=20)


def test_a_plan_without_hypotheses_judges_and_gate(tmp_path: Path) -> None:
    analyses = [{k: v for k, v in TINY["analyses"][0].items() if k != "hypothesis"}]
    folder = tiny(tmp_path / "study", hypotheses=[], analyses=analyses)
    found = done(folder, 2).power()
    assert (found.own.power, found.own.gate, found.own.gate_bad) == ({}, None, None)
    assert found.own.widths
    assert "no hypotheses" in sentences(found)[0]
    assert "power.svg" not in write_power(found, folder / "power")


def test_a_gate_tells_a_good_judge_from_a_bad_one(tmp_path: Path) -> None:
    changes = PLANS["pairs"][2] | {
        "gate": [GATE],
        "assumptions": {"judges": {"good": 0.95, "bad": -0.5}},
    }
    write_folder(tmp_path / "study", "pairwise_preference", per_scenario=8, **changes)
    found = done(tmp_path / "study", 4).power()
    assert found.own.gate is not None
    assert found.own.gate_bad is not None
    assert (found.own.gate.hits, found.own.gate_bad.hits) == (4, 0)
    assert [one.expected.hits for one in found.own.conditions] == [4]
    assert "and in 0% [0%" in " ".join(sentences(found))


def test_what_fails_is_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise ZeroDivisionError("of nothing")

    monkeypatch.setattr(analysed, "run_registered", broken)
    found = done(tiny(tmp_path / "study"), 3).power()
    (failure,) = found.own.failures
    assert (failure.analysis, failure.studies) == ("sources", 3)
    assert failure.why == "ZeroDivisionError: of nothing"
    assert found.own.power["H1"].hits == 0
    assert any("In 3 of 3 studies sources could not" in said for said in sentences(found))


def test_a_study_of_nobody_is_counted_and_named(tmp_path: Path) -> None:
    nobody = {"raters": {"no_shows": 0.999}}
    found = done(tiny(tmp_path / "study", assumptions=nobody), 2).power()
    assert found.own.failures[0].analysis == STUDY
    assert "nobody answers" in found.own.failures[0].why
    json.dumps(found.to_json(), allow_nan=False)


def test_a_fault_of_the_simulation_itself_is_counted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise ValueError("unforeseen")

    monkeypatch.setattr(working, "simulate_once", broken)
    assert done(tiny(tmp_path / "study"), 2).power().own.failures[0].why == "ValueError: unforeseen"


def test_the_assumptions_stand_in_the_output(tmp_path: Path) -> None:
    found: Power = done(tiny(tmp_path / "study"), 2).power()
    content = found.to_json()
    assert content["assumptions"]["raters"]["reliability"] == 0.5
    assert content["assumptions"]["effects"]["sources"]["effect"] == {"third": 2.5}
    assert content["sizes_of_effects"] == {"sources": "as the plan says"}
    assert "reliability of one rating of 0.5" in sentences(found)[-1]
    frame = found.to_frame()
    assert set(frame["what"]) == {"power", "undecided", "width"}
    assert (frame["studies"] == 2).all()


def test_power_is_the_share_of_whole_studies() -> None:
    """A small version of the rows of kind power in docs/validation.md."""
    _, setup = template("ratings")
    records = [simulate_once(setup, np.random.default_rng([1, n])) for n in range(14)]
    promised = sum(one["verdicts"]["H1"] == SUPPORTED for one in records)
    found = sum(
        whole_study("ratings", np.random.default_rng([2, n]))["H1"] == SUPPORTED for n in range(6)
    )
    assert 0 < promised < 14
    difference = two_proportions(promised, 14, found, 6, level=0.999)
    assert difference.low <= 0
    assert difference.high >= 0


def test_a_judge_of_chance_is_seldom_supported() -> None:
    _, setup = template("pairs")
    assumed = setup.plan.assumptions
    judges = assumed.judges.model_copy(update={"good": 0.0})
    plan = setup.plan.model_copy(
        update={"assumptions": assumed.model_copy(update={"judges": judges})}
    )
    null = Setup(setup.point, plan, setup.items, setup.layout)
    records = [simulate_once(null, np.random.default_rng([3, n])) for n in range(14)]
    supported = sum(one["verdicts"]["H1"] == SUPPORTED for one in records)
    assert supported <= 3  # at 2.5%, four or more of fourteen come once in 3,000 runs


def test_points_of_a_sample_are_of_the_items_that_it_draws(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    plan, items = write_folder(folder, "empathy_rating", per_scenario=6, **TINY)
    for row, record in enumerate(items.rows):
        record["elo"] = str(row)
    items = replace(items, columns=(*items.columns, "elo"))
    sampled = plan.model_copy(
        update={
            "design": plan.design.model_copy(
                update={
                    "sample": type(plan.design)
                    .model_validate(
                        plan.design.model_dump()
                        | {"sample": {"by": "elo", "bins": 2, "per_bin": 2}}
                    )
                    .sample
                }
            )
        }
    )
    points = points_of(sampled, items, curves=True)
    assert points[0].items == 8
    assert sorted(p.items for p in points if p.curve == "items") == [4, 16]
    assert len(setup_of(sampled, items, points[-1]).items) == 16
