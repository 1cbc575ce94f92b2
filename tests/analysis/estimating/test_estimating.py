"""If this failed, `ratify causal` would show numbers it must not, or numbers of other labels."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis.estimating.effect import effect_finding
from analysis.estimating.examined import examine
from analysis.estimating.reading import read_inputs
from analysis.estimating.run import Estimated, estimate_effect
from analysis.gate import CAUSAL_FOLDER
from analysis.report.page import write_report
from data.demo.turn_pairs import EFFECT
from prereg.errors import RatifyError
from ratify import main
from tests.support.answered_causal_study import RANDOM, STRATIFIED, make_causal_study
from tests.support.plans import edited_plan

AT = "2026-01-02T00:00:00Z"
REASON = "a rehearsal of the pipeline"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # with this margin the few labels of a test are enough for a verdict on the estimand
    return make_causal_study(tmp_path_factory.mktemp("causal") / "study", gate={"margin": 0.25})


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "study"))


@pytest.fixture(scope="module")
def ran(made: Path) -> Estimated:
    return estimate_effect(made, mode="bot", despite=REASON, at=AT)


def number(found: Estimated, name: str) -> Any:
    return next(one for one in found.results.quantities if one.name == name)


def test_labels_are_means_of_the_plans_number_of_raters(made: Path) -> None:
    inputs = read_inputs(made, mode="bot")
    ratings = pd.read_csv(made / "data" / "ratings.csv", dtype={"item_id": str})
    items = pd.read_csv(made / "items.csv", dtype={"item_id": str}).set_index("item_id")
    labelled = inputs.labels.labelled
    assert set(inputs.frame.unit[labelled]) == set(items.index)
    assert len(items) <= STRATIFIED + RANDOM
    for scale, values in (
        ("empathy", inputs.labels.treatment),
        ("attachment", inputs.labels.outcome),
    ):
        rows = ratings[ratings["dimension"] == scale].groupby("item_id")["value"]
        for name, score in zip(inputs.frame.unit[labelled], values[labelled], strict=True):
            said = rows.get_group(name)
            if len(said) == 3:
                assert score == pytest.approx(said.mean())
            else:  # three of them, in an order that no rater chose
                assert said.min() <= score <= said.max()
    stored = items.loc[inputs.frame.unit[labelled], "inclusion_probability"]
    np.testing.assert_allclose(inputs.labels.inclusion[labelled], stored)


def test_a_unit_with_too_few_ratings_is_no_label_and_its_stratum_is_rarer(study: Path) -> None:
    path = study / "data" / "ratings.csv"
    ratings = pd.read_csv(path, dtype=str, keep_default_na=False)
    before = read_inputs(study, mode="bot")
    lost = str(before.frame.unit[before.labels.labelled][0])
    gone = (ratings["item_id"] == lost) & (ratings["dimension"] == "empathy")
    ratings.drop(ratings[gone].index[1:]).to_csv(path, index=False)
    after = read_inputs(study, mode="bot")
    assert lost not in set(after.frame.unit[after.labels.labelled])
    at = int(np.flatnonzero(after.frame.unit == lost)[0])
    stratum = after.labels.stratum == after.labels.stratum[at]
    kept = after.labels.labelled[stratum].sum() / before.labels.labelled[stratum].sum()
    np.testing.assert_allclose(
        after.labels.inclusion[stratum], kept * before.labels.inclusion[stratum]
    )
    np.testing.assert_array_equal(
        after.labels.inclusion[~stratum], before.labels.inclusion[~stratum]
    )
    assert any("1 drawn unit of" in note for note in after.notes)


def test_every_unit_has_as_many_ratings_as_the_rows_by_raters_say(study: Path) -> None:
    path = study / "data" / "ratings.csv"
    ratings = pd.read_csv(path, dtype=str, keep_default_na=False)
    before = read_inputs(study, mode="bot")
    for name in before.frame.unit[before.labels.labelled][:12]:  # two ratings instead of three
        gone = (ratings["item_id"] == str(name)) & (ratings["dimension"] == "attachment")
        ratings = ratings.drop(ratings[gone].index[2:])
    ratings.to_csv(path, index=False)
    inputs = read_inputs(study, mode="bot")
    labelled = inputs.labels.labelled
    assert 0 < labelled.sum() <= before.labels.labelled.sum() - 8
    for given in inputs.ratings.values():
        assert (~np.isnan(given[labelled])).sum(axis=1).min() == 3
    found = estimate_effect(study, mode="bot", despite=REASON, at=AT)
    [table] = [one for one in found.results.tables if one.name == "effect_raters"]
    assert table.frame["raters"].tolist() == [1, 2, 3]
    assert table.frame["estimate"].iloc[-1] == pytest.approx(number(found, "corrected").estimate)
    [sample] = [one for one in found.results.tables if one.name == "units_sample"]
    assert sample.frame["labelled"].sum() == labelled.sum() < sample.frame["drawn"].sum()


def test_the_effect_with_other_raters_than_the_plans_is_exploratory(
    ran: Estimated, made: Path
) -> None:
    inputs = read_inputs(made, mode="bot")
    locked = replace(inputs, evidence=replace(inputs.evidence, status="confirmatory"))
    shown = effect_finding(locked, examine(inputs), ran.proof)
    status = {one.name: one.status for one in shown.quantities}
    assert status["corrected"] == "confirmatory"
    assert "raters_3" not in status  # it is the corrected effect
    assert status["raters_1"] == status["raters_2"] == "exploratory"
    [table] = [one for one in shown.tables if one.name == "effect_raters"]
    assert table.status == "exploratory"
    assert "The plan registers 3 raters; the other rows are exploratory." in table.caption


def test_neither_the_order_of_rows_nor_the_names_of_visits_matter(study: Path) -> None:
    before = read_inputs(study, mode="bot")
    for name in ("ratings", "participants"):
        path = study / "data" / f"{name}.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table["session_id"] = [hash_of(one) for one in table["session_id"]]
        table.iloc[::-1].to_csv(path, index=False)
    after = read_inputs(study, mode="bot")
    np.testing.assert_array_equal(after.labels.treatment, before.labels.treatment)
    np.testing.assert_array_equal(after.labels.outcome, before.labels.outcome)


def hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def test_one_person_on_both_scores_is_refused(study: Path) -> None:
    path = study / "data" / "ratings.csv"
    ratings = pd.read_csv(path, dtype=str, keep_default_na=False)
    first = ratings.iloc[0]
    other = "attachment" if first["dimension"] == "empathy" else "empathy"
    ratings.loc[len(ratings)] = pd.Series({**first, "dimension": other})
    ratings.to_csv(path, index=False)
    with pytest.raises(RatifyError, match=f"rater '{first['rater_id']}' rated item"):
        read_inputs(study, mode="bot")


def test_the_planted_effect_is_found_and_the_judges_own_is_not_believed(ran: Estimated) -> None:
    corrected, naive = number(ran, "corrected"), number(ran, "naive")
    assert corrected.low <= EFFECT <= corrected.high
    assert naive.low > EFFECT  # errors that go together
    assert number(ran, "error_part").low > 0
    parts = number(ran, "error_part").estimate + number(ran, "people_part").estimate
    assert parts == pytest.approx(naive.estimate)
    assert ran.gate.room("estimand").verdict == "FAIL"
    assert ran.results.headline[0].startswith("Corrected by people's labels")
    rows = next(one for one in ran.results.tables if one.name == "effect_raters").frame
    three = rows.loc[rows["raters"] == 3, "estimate"].item()
    assert three == pytest.approx(corrected.estimate)
    # the headline is that row, so it is not listed twice
    names = [one.name for one in ran.results.quantities if one.name.startswith("raters_")]
    assert names == ["raters_1", "raters_2"]


def test_without_a_pass_only_a_reason_shows_figures_from_the_judge_alone(
    made: Path, ran: Estimated, study: Path
) -> None:
    alone = [one for one in ran.results.quantities if one.analysis == "judge_alone"]
    assert {"matched_greedy", "matched_optimal"} <= {one.name for one in alone}
    for one in ran.results.quantities:
        assert REASON in one.note
    for shown in [*ran.results.figures, *ran.results.tables]:
        assert REASON in shown.caption
    for drawing in (made / CAUSAL_FOLDER / "figures").glob("*.svg"):
        lines = ElementTree.parse(drawing).getroot().itertext()
        assert REASON in " ".join(" ".join(lines).split()), drawing.name
    tables = list((made / CAUSAL_FOLDER / "tables").glob("*.csv"))
    assert len(tables) > len(ran.results.tables)
    for table in tables:
        assert set(pd.read_csv(table)["despite_gate"]) == {REASON}, table.name
    done = CliRunner().invoke(main, ["causal", str(study), "--mode", "bot"])
    assert done.exit_code == 3, done.output
    audit = json.loads((study / CAUSAL_FOLDER / "results.json").read_text(encoding="utf-8"))
    assert not any(one["analysis"] == "judge_alone" for one in audit["quantities"])
    assert not any(one["name"].startswith("judge_alone") for one in audit["figures"])
    assert REASON not in json.dumps(audit)
    for written in (study / CAUSAL_FOLDER).rglob("*.*"):
        said = written.read_text(encoding="utf-8")
        assert REASON not in said
        assert "despite_gate" not in said or written.suffix != ".csv"
    assert any(one["name"] == "corrected" for one in audit["quantities"])


def test_a_broken_proof_prints_no_headline(study: Path) -> None:
    with edited_plan(study) as plan:
        # what the judge scored as treatment differs between its arms, of course
        plan["causal"]["negative_control"] = "planted_empathy"
    found = estimate_effect(study, mode="bot")
    assert not found.proof.holds
    shown = {one.name for one in found.results.quantities if one.analysis == "effect"}
    assert shown == {"error_part", "halo"}  # from these nobody can work out the judge's own number
    assert not any(one.name.startswith("effect_") for one in found.results.tables)
    assert not any(one.name == "effect_three_estimates" for one in found.results.figures)
    assert found.results.headline[0].startswith("No headline is printed")
    assert not any("would have said" in said for said in found.results.headline)
    assert "negative" in found.proof.sentence or "cannot be moved" in found.proof.sentence


def test_the_results_are_a_report(made: Path, ran: Estimated) -> None:
    page = write_report(made / CAUSAL_FOLDER).read_text(encoding="utf-8")
    assert "the judge&#39;s own effect" in page or "the judge's own effect" in page
    kept = json.loads((made / CAUSAL_FOLDER / "results.json").read_text(encoding="utf-8"))
    assert kept["meta"]["gate"]["verdict"] == ran.gate.verdict
    assert kept["meta"]["despite_gate"] == REASON
    assert {"frame.csv", "embeddings.parquet", "ratings.csv"} <= set(kept["meta"]["inputs"])


def test_the_same_data_give_the_same_bytes(made: Path, ran: Estimated, study: Path) -> None:
    (study / CAUSAL_FOLDER / "results.json").unlink()
    estimate_effect(study, mode="bot", despite=REASON, at=AT)
    written = [(place / CAUSAL_FOLDER / "results.json").read_bytes() for place in (made, study)]
    assert written[0] == written[1]


def test_an_empty_reason_is_refused(study: Path) -> None:
    done = CliRunner().invoke(main, ["causal", str(study), "--despite-gate", " "])
    assert done.exit_code == 2
    assert "--despite-gate" in done.output


def test_the_terminal_says_why_they_are_printed_all_the_same(study: Path) -> None:
    words = ["causal", str(study), "--mode", "bot", "--despite-gate", REASON]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0
    said = done.output
    refused, given = (said.index(one) for one in ("may not be printed", f"reason given: {REASON}"))
    assert refused < given


def test_missing_embeddings_are_one_line(study: Path) -> None:
    (study / "embeddings.parquet").unlink()
    done = CliRunner().invoke(main, ["causal", str(study), "--mode", "bot"])
    assert done.exit_code == 2
    assert "ratify embed" in done.output
    assert "Traceback" not in done.output
