"""If this failed, a figure would claim to be registered, or to hold at looks where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.estimating import run
from analysis.estimating.alone import alone_finding
from analysis.estimating.effect import effect_finding
from analysis.estimating.examined import Examined, examine
from analysis.estimating.limits import limits
from analysis.estimating.parts import gate_finding, units_finding
from analysis.estimating.proving import proof_of
from analysis.estimating.reading import Inputs, read_inputs
from analysis.gate import CAUSAL_FOLDER
from analysis.verify.again import check_effect
from ratify.causal import run_causal
from tests.support.answered_causal_study import make_causal_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_causal_study(tmp_path_factory.mktemp("shown") / "study")


@pytest.fixture(scope="module")
def inputs(study: Path) -> Inputs:
    return read_inputs(study, mode="bot")


@pytest.fixture(scope="module")
def once(inputs: Inputs) -> Examined:
    return examine(inputs)


def test_figures_despite_the_gate_are_not_registered(inputs: Inputs) -> None:
    locked = replace(inputs, evidence=replace(inputs.evidence, status="confirmatory"))
    shown = alone_finding(locked, "for a talk")
    every = [*shown.quantities, *shown.tables, *shown.figures]
    assert {one.status for one in every} == {"exploratory"}


def test_where_looks_are_allowed_every_interval_from_labels_holds_at_them(
    inputs: Inputs, once: Examined
) -> None:
    causal = inputs.causal.model_copy(update={"sequential": True})
    looked = examine(replace(inputs, causal=causal))
    corrected = looked.three.corrected
    last = looked.raters[-1].corrected
    assert (last.low, last.high) == pytest.approx((corrected.low, corrected.high))
    for name in ("slope", "contrast", "people_part", "error_part", "halo"):
        wide, narrow = getattr(looked.parts, name), getattr(once.parts, name)
        assert wide.value == narrow.value
        assert wide.width > 1.2 * narrow.width
    assert looked.parts.naive.width == once.parts.naive.width  # from no label
    assert looked.parts.tipping.value == once.parts.tipping.value
    assert looked.parts.tipping.low != looked.parts.tipping.low  # none that holds is known


def test_the_graph_names_users_and_the_encoder(inputs: Inputs) -> None:
    graph = units_finding(inputs).figures[0]
    assert "user (16 groups)" in graph.alt
    assert "prompt (lexical)" in graph.alt
    assert "user_id" not in graph.svg + graph.alt


def test_effects_by_raters_that_cannot_be_given_are_named_as_a_limit(
    inputs: Inputs, once: Examined
) -> None:
    # nobody alone puts a unit into the treated arm; the mean of three does
    ratings = {**inputs.ratings}
    three = np.full_like(ratings["treatment"], np.nan)
    three[inputs.labels.labelled, :3] = np.where(
        inputs.cuts.arms(inputs.labels.treatment)[inputs.labels.labelled, None] == 1,
        [7.0, 7.0, 1.0],
        [1.0, 1.0, 1.0],
    )
    found = examine(replace(inputs, ratings=ratings | {"treatment": three}))
    assert found.raters == ()
    assert any("by the number of raters is not given" in one for one in limits(inputs, found))
    assert not any("by the number of raters" in one for one in limits(inputs, once))
    names = {one.name for one in effect_finding(inputs, found, proof_of(inputs)).tables}
    assert names == {"effect_parts", "effect_estimates"}


def test_a_pass_without_a_proof_shows_no_figure_of_the_judge_alone(
    study: Path, inputs: Inputs, once: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = proof_of(inputs)
    broken = replace(proof, checks=tuple(replace(one, passed=False) for one in proof.checks))
    assert not broken.holds
    rooms = tuple(
        replace(room, conditions=tuple(replace(one, verdict="PASS") for one in room.conditions))
        for room in once.gate.rooms
    )
    passed = replace(once, gate=replace(once.gate, rooms=rooms))
    assert passed.gate.passed
    monkeypatch.setattr(run, "examine", lambda _: passed)
    monkeypatch.setattr(run, "proof_of", lambda *_: broken)
    found = run.estimate_effect(study, mode="bot")
    assert not any(one.analysis == "judge_alone" for one in found.results.quantities)
    assert "also need the proof" in " ".join(found.results.headline)


def test_a_finding_says_what_to_do_and_never_to_label_more_than_there_is(
    inputs: Inputs, once: Examined
) -> None:
    units = len(inputs.frame)
    first, *rest = once.gate.rooms
    few = replace(first.conditions[0], verdict="NOT ENOUGH DATA", more=units - once.gate.n)
    many = replace(few, more=units - once.gate.n + 1)
    room = replace(first, conditions=(few, many))
    found = gate_finding(inputs, replace(once.gate, rooms=(room, *rest)))
    notes = found.verdict.notes
    assert notes[0].do == few.labels_needed()
    assert f"the frame has {units - once.gate.n:,} units without labels" in notes[1].do
    failed = [one.do for one in notes if one.severity == "critical"]
    assert failed
    assert all(said.startswith("Rely on the corrected estimate") for said in failed)


def test_missing_ratings_are_a_limit(inputs: Inputs, once: Examined) -> None:
    assert not any("too few ratings" in one for one in limits(inputs, once))
    three = replace(once.three, labels=once.three.labels - 2)
    said = " ".join(limits(inputs, replace(once, three=three)))
    assert f"2 of {len(inputs.sample.units):,} drawn units have too few ratings" in said


def test_verify_makes_the_effect_again(study: Path, tmp_path: Path) -> None:
    assert check_effect(tmp_path, None) == []
    run_causal(study, mode="bot")
    assert [one.answer for one in check_effect(study, None)] == ["yes", "yes"]
    page = study / CAUSAL_FOLDER / "tables" / "effect_estimates.csv"
    before = page.read_bytes()
    page.write_text(page.read_text(encoding="utf-8").replace("0.", "7.", 1), encoding="utf-8")
    effect, report = check_effect(study, None)
    assert (effect.answer, report.answer) == ("no", "yes")
    assert "effect_estimates.csv has been edited" in effect.line()
    kept = study / CAUSAL_FOLDER / "results.json"
    written = json.loads(kept.read_text(encoding="utf-8"))
    first = written["quantities"][0]
    edited = page.read_bytes()
    for change, table, answer in (
        (3e-10, before, "same digits"),
        (3e-10, edited, "no"),
        (1e-3, before, "no"),
    ):
        changed = [
            first | {"estimate": first["estimate"] * (1 + change)},
            *written["quantities"][1:],
        ]
        kept.write_text(json.dumps(written | {"quantities": changed}), encoding="utf-8")
        page.write_bytes(table)
        effect = check_effect(study, None)[0]
        assert effect.answer == answer
        if answer == "same digits":
            assert "the same numbers to 9 digits when it is run again" in effect.line()
    with (study / "frame.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert "frame.csv" in check_effect(study, None)[0].line()
