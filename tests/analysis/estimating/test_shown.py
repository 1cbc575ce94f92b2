"""If this failed, a figure would claim to be registered, or to hold at looks where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.causal.confounding import e_value_of
from analysis.causal.correction.decomposition import Tipping
from analysis.estimating import run
from analysis.estimating.alone import alone_finding
from analysis.estimating.effect import effect_finding
from analysis.estimating.examined import Examined, examine
from analysis.estimating.limits import limits
from analysis.estimating.parts import gate_finding, units_finding
from analysis.estimating.proving import proof_of
from analysis.estimating.reading import Inputs, read_inputs
from analysis.estimating.sentences import effect_sentence, gate_sentence, judge_sentence
from analysis.gate import CAUSAL_FOLDER
from analysis.results.numbers import number
from analysis.verify.again import check_effect
from prereg.analyses.agreement import Agreement
from prereg.simulated import SIMULATION_MARK, mark_simulated
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
    # a first estimate has two digits, in the table too
    long = replace(first, conditions=(replace(few, more=11_121),))
    told = gate_finding(inputs, replace(once.gate, rooms=(long, *rest)))
    assert "11,000 more labels" in told.verdict.notes[0].do
    assert told.tables[0].frame["more"].iloc[0] == 11_000
    assert "11,000 more labels" in " ".join(replace(few, more=11_121).further())
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


def test_what_only_labels_say_has_the_users_of_labelled_units_as_clusters(
    inputs: Inputs, once: Examined
) -> None:
    users = set(inputs.frame.user[inputs.labels.labelled])
    every = set(inputs.frame.user)
    assert len(users) < len(every)
    found = effect_finding(inputs, once, proof_of(inputs))
    for one in found.quantities:
        expected = users if one.n == once.three.labels else every
        assert one.clusters == len(expected), one.name
    parts, estimates = (table.frame for table in found.tables[:2])
    for frame in (parts, estimates):
        for n, clusters in zip(frame["n"], frame["clusters"], strict=True):
            assert clusters == len(users if n == once.three.labels else every)
        assert set(frame["n"]) == {once.three.labels, len(inputs.frame)}


def around(once: Examined, low: float, high: float) -> Examined:
    """The same, with another interval of the corrected effect."""
    corrected = replace(once.three.corrected, value=(low + high) / 2, low=low, high=high)
    return replace(
        once, three=replace(once.three, corrected=corrected), confounding=e_value_of(corrected, 1.0)
    )


def test_an_interval_with_0_needs_no_confounder_and_shows_no_absence_of_an_effect(
    inputs: Inputs, once: Examined
) -> None:
    wide, narrow = around(once, -0.1, 0.9), around(once, 0.1, 0.7)
    first = limits(inputs, wide)[0]
    assert "already includes 0" in first
    assert "no confounder is needed" in first
    assert "explain" not in first
    assert number(narrow.confounding.near, 2) in limits(inputs, narrow)[0]
    assert "the data do not rule out that there is no effect" in effect_sentence(inputs, wide)
    assert "0, so" not in effect_sentence(inputs, narrow)


def test_what_is_withheld_is_named(once: Examined) -> None:
    said = gate_sentence(once.gate)
    for what in ("atching", "oubly robust rows", "redicted effects"):
        assert what in said
        assert what in once.gate.lines()[-1]
    assert "withheld" in said
    assert "igures from the judge's scores alone" not in said


def test_parts_that_do_not_add_up_as_shown_are_called_rounded(once: Examined) -> None:
    def sentence(error: float, people: float) -> str:
        parts = once.parts
        made = replace(
            parts,
            naive=replace(parts.naive, value=error + people),
            error_part=replace(parts.error_part, value=error),
            people_part=replace(parts.people_part, value=people),
        )
        return judge_sentence(replace(once, parts=made))

    assert "(rounded)" in sentence(1.016, 0.126)  # 1.02, 0.13 and 1.14
    assert "(rounded)" not in sentence(1.01, 0.12)


@pytest.mark.parametrize(
    ("halo", "tipping", "words"),
    [
        (0.48, 0.54, "The closer 0.48 is to 0.54, the less is left."),
        (0.481, 0.484, "hardly anything is left."),
        (
            0.6,
            0.5,
            "The measured correlation is larger, so the errors are more than the whole of it.",
        ),
        (0.5, 1.4, ""),
    ],
)
def test_both_error_correlations_have_an_interval_and_a_way_to_read_them(
    once: Examined, halo: float, tipping: float, words: str
) -> None:
    parts = replace(
        once.parts,
        halo=replace(once.parts.halo, value=halo, low=halo - 0.1, high=halo + 0.1),
        tipping=Tipping(tipping, tipping - 0.11, tipping + 0.14, 0.95),
    )
    said = judge_sentence(replace(once, parts=parts))
    assert f"{halo:.2f} [{halo - 0.1:.2f}, {halo + 0.1:.2f}]" in said
    assert words in said
    shown = f"{tipping:.2f} [{tipping - 0.11:.2f}, {tipping + 0.14:.2f}]"
    assert (shown in said) == bool(words)
    assert said.endswith(".")
    endless = replace(parts, tipping=replace(parts.tipping, high=np.inf))
    assert "would be error" not in judge_sentence(replace(once, parts=endless))


def test_a_registered_test_of_the_same_name_is_told_from_the_gates(
    inputs: Inputs, once: Examined
) -> None:
    def told(*analyses: Agreement) -> list[str]:
        plan = inputs.evidence.plan.model_copy(update={"analyses": list(analyses)})
        given = replace(inputs, evidence=replace(inputs.evidence, plan=plan))
        notes = gate_finding(given, once.gate).verdict.notes
        return [one.says for one in notes if "alternative-annotator test" in one.says]

    assert told() == []
    [said] = told(Agreement(id="as_people", kind="agreement", judges=("m",)))
    assert "as_people" in said
    assert "results/report.html" in said


def test_what_is_planted_in_a_simulation_is_in_its_report(study: Path) -> None:
    truth = "An effect of 9.87 points is planted."
    mark = study / SIMULATION_MARK
    mark_simulated(study, ["one note"], truth=truth)
    try:
        found = run.estimate_effect(study, mode="bot")
    finally:
        mark.unlink()
    assert truth in found.results.headline
    assert truth not in found.results.verdict.sentences  # it is beside the answer, not in it
