"""If these failed, `ratify power --causal` would say a number of labels that finds something else.

Or it would mix the studies of two plans.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.planning import label_powering
from analysis.planning.kept import key_of
from analysis.planning.label_files import write_label_power
from analysis.planning.label_power import LabelPower, at_labels, truth_of
from analysis.planning.label_powering import LabelWork, label_work_of
from analysis.planning.label_studies import Assumed, AtSize, Truth, label_study
from analysis.planning.label_words import (
    label_sentences,
    label_table,
    reach_words,
    which_to_believe,
)
from prereg.errors import RatifyError
from prereg.plan.assumptions import Assumptions
from prereg.plan.file import load_plan
from prereg.tables.items import read_items
from study.scaffold import new_study
from tests.support.plans import edited_plan

SMALL = {"units": 600, "users": 200, "effect": 0.5}


def planned(folder: Path, *, frame: bool = False, **assumed: Any) -> Path:
    """Make a study without a frame, whose studies are fast to simulate."""
    new_study(folder, worked="empathy_attachment")
    if not frame:
        (folder / "frame.csv").unlink(missing_ok=True)
    with edited_plan(folder) as plan:
        plan["assumptions"]["causal"] = SMALL | assumed
        plan["causal"]["labels"] |= {"stratified": 120, "random": 40, "floor": 3}
        plan["causal"]["gate"]["margin"] = 0.25
    return folder


@pytest.fixture(autouse=True)
def _fast_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_powering, "TRUTHS", 2)
    monkeypatch.setattr(label_powering, "TRUTH_UNITS", 2_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planned(tmp_path_factory.mktemp("planned") / "study")


def sure(folder: Path, reliability: float, effect: float = 0.75) -> Assumed:
    """Return what a plan assumes, with people of another reliability."""
    plan = load_plan(folder)
    causes = plan.assumptions.causal
    assert causes is not None
    assumed = plan.assumptions.model_copy(
        update={
            "raters": plan.assumptions.raters.model_copy(update={"reliability": reliability}),
            "causal": causes.model_copy(update={"effect": effect}),
        }
    )
    return Assumed(plan.model_copy(update={"assumptions": assumed}), 600, 200)


def record(low: float, high: float, *, gate: bool = False) -> dict[str, Any]:
    return {"labelled": 150, "treated": 9, "low": low, "high": high, "gate": gate}


def test_shares_are_of_the_right_studies(folder: Path) -> None:
    records = [
        record(0.1, 0.7, gate=True),
        record(-0.9, -0.1),
        record(-0.2, 0.2),
        {"failed": {"the study": "one arm is empty"}},
    ]
    found = at_labels(AtSize(sure(folder, 0.5), 120, 40), records, 0.3)
    assert found.width == pytest.approx((0.6 + 0.8 + 0.4) / 3)
    assert (found.coverage.hits, found.coverage.studies) == (1, 3)
    assert (found.power.hits, found.power.studies) == (2, 4)
    assert (found.gate.hits, found.gate.studies) == (1, 4)
    assert (found.failed, found.why) == (1, "one arm is empty")


def test_people_who_agree_estimate_the_assumed_effect_and_others_less(folder: Path) -> None:
    agreed, noisy = (
        truth_of([Truth(sure(folder, one), 20_000).once(number) for number in range(4)])
        for one in (0.999, 0.4)
    )
    assert agreed[0] == pytest.approx(0.75, abs=3 * agreed[1])
    assert agreed[2] == pytest.approx(0.08, abs=0.002)
    # a mean of three is rarely extreme, and a part of who is treated by it is not
    assert noisy[2] < 0.05
    assert noisy[0] < agreed[0] - 3 * np.hypot(agreed[1], noisy[1])


def test_a_study_labels_what_the_plan_draws(folder: Path) -> None:
    setup = AtSize(sure(folder, 0.6), 120, 40)
    found = [setup.once(number) for number in range(3)]
    assert found[0] != found[1]
    assert found == [setup.once(number) for number in range(3)]
    for one in found:
        # 40 of 600 at random: about 8 of them were drawn by strata, too
        assert 142 <= one["labelled"] <= 159
        assert 0 < one["treated"] < 60
        assert one["low"] < one["high"]


def test_what_cannot_be_estimated_is_kept_with_its_reason(folder: Path) -> None:
    found = label_study(AtSize(sure(folder, 0.6), 4, 0), 0)
    assert "labels" in found["failed"]["the study"]


def done(folder: Path, **options: Any) -> tuple[LabelWork, LabelPower]:
    work = label_work_of(folder, **options)
    work.finish(processes=1, told=lambda _: None)
    return work, work.power()


def test_files_say_what_was_found(folder: Path) -> None:
    work, found = done(folder, studies=3)
    assert [one.planned for one in found.sizes] == [80, 160, 240, 320, 480]
    assert found.own.planned == 160
    names = write_label_power(found, work.folder)
    assert all((work.folder / name).stat().st_size > 0 for name in names)
    table = pd.read_csv(work.folder / "causal.csv")
    assert table["labels"].tolist() == [80, 160, 240, 320, 480]
    content = json.loads((work.folder / "causal.json").read_text(encoding="utf-8"))
    assert content["wanted"]["width"] == 0.5  # twice the margin of the gate
    assert content["sentences"] == label_sentences(found)
    assert content["assumed"]["units"] == 600
    lines = label_table(found)
    assert [line.split()[0] for line in lines] == ["labels", "80", "160*", "240", "320", "480"]
    # finished studies stay, whatever width is wanted
    with edited_plan(folder) as plan:
        plan["assumptions"]["causal"] |= {"width": 1.1, "studies": 50}
    again = label_work_of(folder, studies=3)
    assert not again.left
    assert again.power().wanted == 1.1
    with edited_plan(folder) as plan:
        plan["assumptions"]["causal"] |= {"effect": 0.9}
    assert len(label_work_of(folder, studies=3).left) == 3 * 5 + 2


def test_what_is_out_of_reach_is_said(folder: Path) -> None:
    sizes = [
        at_labels(AtSize(sure(folder, 0.6), size, 0), [record(0, width)] * 2, 0.3)
        for size, width in ((120, 2.0), (240, 1.5))
    ]
    sizes = [replace(one, labelled=float(one.stratified)) for one in sizes]
    power = LabelPower(
        assumed=sure(folder, 0.6),
        key="",
        truth=0.3,
        truth_se=0.01,
        treated=0.03,
        sizes=tuple(sizes),
    )
    curve = power.curve
    assert curve is not None
    assert curve.width_at(120) == pytest.approx(2.0)
    told = {width: _reach(power, width) for width in (0.5, 1.3, 1.7)}
    narrowest = f"{curve.width_at(600):.2f}"
    assert "cannot be reached: with people's labels of all 600 units" in told[0.5]
    assert f"would still be about {narrowest} wide" in told[0.5]
    assert "takes about 350 labelled units of 600, by a curve beyond" in told[1.3]
    assert told[1.7].endswith("labelled units of 600.")


def test_a_width_that_was_not_simulated_says_what_to_run(folder: Path) -> None:
    [one, other] = [
        at_labels(AtSize(sure(folder, 0.6), size, 0), [record(0, width)] * 2, 0.3)
        for size, width in ((120, 1.4), (240, float("nan")))
    ]
    given: dict[str, Any] = {"key": "", "truth": 0.3, "truth_se": 0.01, "treated": 0.03}
    alone = LabelPower(assumed=sure(folder, 0.6), sizes=(one,), **given)
    assert next(reach_words(alone)).endswith("run without --no-curves.")
    both = LabelPower(assumed=sure(folder, 0.6), sizes=(one, other), **given)
    assert "gave an interval" in next(reach_words(both))
    assert "--no-curves" not in next(reach_words(both))


@pytest.mark.parametrize(
    ("treated", "simulated", "words"),
    [
        (60, False, "Plan with the second: it comes from this study's own people"),
        (19, False, "Plan with the first: people call 19 labelled units treated"),
        (60, True, "Simulated raters gave these ratings, so plan with the first"),
    ],
)
def test_of_two_predicted_widths_it_says_which_to_plan_with(
    folder: Path, treated: int, simulated: bool, words: str
) -> None:
    assumed = sure(folder, 0.6)
    plan = assumed.causal.labels
    size = AtSize(assumed, plan.stratified, plan.random)
    one = at_labels(size, [record(0, 1.41)] * 2, 0.3)
    power = LabelPower(
        assumed=assumed, key="", truth=0.3, truth_se=0.01, treated=0.03, sizes=(one,)
    )
    said = which_to_believe(power, 0.73, treated=treated, simulated=simulated)
    assert "1.41 from the simulation above, and 0.73 from these ratings" in said
    assert words in said


def _reach(power: LabelPower, width: float) -> str:
    causes = power.assumed.causes.model_copy(update={"width": width})
    assumed = power.assumed.plan.assumptions.model_copy(update={"causal": causes})
    plan = power.assumed.plan.model_copy(update={"assumptions": assumed})
    whole = replace(power, assumed=replace(power.assumed, plan=plan))
    return next(reach_words(whole))


def test_units_and_users_are_the_frames_where_it_is_there(tmp_path: Path) -> None:
    folder = planned(tmp_path / "study", frame=True, units=None, users=None)
    frame = pd.read_csv(folder / "frame.csv", dtype=str)
    assumed = label_work_of(folder, studies=20).assumed
    assert (assumed.units, assumed.users) == (len(frame), frame["user_id"].nunique())
    (folder / "frame.csv").unlink()
    assumed = label_work_of(folder, studies=20).assumed
    assert (assumed.units, assumed.users) == (6_000, 2_000)


def test_a_plan_that_cannot_be_simulated_is_refused(folder: Path, tmp_path: Path) -> None:
    def refused(match: str, **causal: Any) -> None:
        there = planned(tmp_path / match.split()[0])
        with edited_plan(there) as plan:
            plan["causal"]["labels"] |= causal.pop("labels", {})
            plan["assumptions"]["causal"] |= causal
            if "scale" in match:
                scale = next(one for one in plan["scales"] if one["id"] == "attachment")
                scale["max"] = 9
        with pytest.raises(RatifyError, match=match):
            label_work_of(there)

    refused("labels more units than there are", labels={"stratified": 700})
    refused("more users than units", units=300, users=400)
    refused("has other points .*|scale")


def test_an_old_plan_has_the_hash_that_it_had(folder: Path) -> None:
    assert "causal" not in Assumptions().model_dump(mode="json")
    # studies of the plan's other analyses do not follow from these assumptions
    plan = load_plan(folder)
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    without = plan.assumptions.model_copy(update={"causal": None})
    assert key_of(plan, items) == key_of(plan.model_copy(update={"assumptions": without}), items)
