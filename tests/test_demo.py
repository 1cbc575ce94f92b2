"""If this failed, a newcomer's first command would not show the product, or show it wrongly."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from analysis.ranking import bradley_terry, rank_correlation
from study.bots import Bot, Page, Population, fingerprint
from study.opening import open_study
from tests.conftest import DASHBOARD_PASSWORD, Serve


@pytest.fixture(scope="module")
def results(demo: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((demo / "results" / "results.json").read_text())
    return content


def table(demo: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(demo / "data" / f"{name}.csv", dtype=str, keep_default_na=False)


def quantity(results: dict[str, Any], analysis: str, name: str) -> dict[str, Any]:
    return next(q for q in results["quantities"] if (q["analysis"], q["name"]) == (analysis, name))


def test_it_is_the_published_design_at_full_size(demo: Path) -> None:
    judgments = table(demo, "judgments")
    people = judgments[judgments["rater_kind"] == "human"]
    assert len(people) == 1500
    assert set(people["mode"]) == {"bot"}
    assert people["rater_id"].nunique() == people["session_id"].nunique() == 150
    participants = table(demo, "participants")
    assert Counter(participants["status"]) == {"finished": 150}
    assert participants["sequence_id"].is_unique
    asked = judgments[(judgments["rater_id"] == "lexical") & (judgments["purpose"] == "ranking")]
    assert set(Counter(asked["scenario"]).values()) == {10_000}
    assert set(judgments["plan_hash"]) == {
        json.loads((demo / "plan.lock.json").read_text())["plan_hash"]
    }


def test_every_bot_answered_the_trials_that_were_locked(demo: Path) -> None:
    judgments = table(demo, "judgments")
    people = judgments[judgments["rater_kind"] == "human"]
    sequence_of = table(demo, "participants").set_index("session_id")["sequence_id"]
    shown = people.assign(sequence_id=people["session_id"].map(sequence_of))
    columns = ["sequence_id", "position", "left_id", "right_id"]
    locked = table(demo, "sequences")
    assert set(map(tuple, shown[columns].to_numpy())) == set(map(tuple, locked[columns].to_numpy()))


def test_people_find_the_planted_quality_as_the_simulation_implies(
    demo: Path, results: dict[str, Any]
) -> None:
    """Simulate the same design and the same population without any web pages."""
    study = open_study(demo)
    quality = {fingerprint(row["text"]): float(row["planted_quality"]) for row in study.table.rows}
    truth = pd.DataFrame(study.table.rows).astype({"planted_quality": float})
    implied = []
    for run in range(12):
        rows = []
        for number, trials in enumerate(study.sequences.values()):
            bot = Bot(quality, Population(), np.random.default_rng([99, run, number]))
            for trial in trials:
                left, right = (study.items[item_id] for item_id in trial.item_ids)
                choice = bot.choose(left.text, right.text)
                rows.append((number, left.scenario, *trial.item_ids, choice))
        simulated = pd.DataFrame(
            rows, columns=["rater_id", "scenario", "left_id", "right_id", "choice"]
        )
        found = rank_correlation(
            bradley_terry(simulated).frame, truth, y_score="planted_quality", bootstrap=0
        )
        implied.append(found.estimate)
    here = quantity(results, "people_and_planted_quality", "spearman")["estimate"]
    spread = max(float(np.std(implied, ddof=1)), 0.005)
    assert abs(here - np.mean(implied)) < 4 * spread
    assert np.mean(implied) > 0.8


def test_every_number_is_complete(results: dict[str, Any]) -> None:
    assert results["simulated"] is True
    assert len(results["quantities"]) > 20
    for q in results["quantities"]:
        assert q["status"] in {"confirmatory", "exploratory"}
        assert q["method"]
        assert q["unit"]
        assert q["n"] > 0
        assert q["estimate"] is not None or q["note"]
        if q["low"] is not None:
            assert q["low"] <= q["estimate"] <= q["high"]
    assert quantity(results, "select_higher", "gap")["clusters"] == 150
    assert quantity(results, "people", "left_side")["status"] == "exploratory"


def test_the_judge_is_read_from_its_own_answers(demo: Path, results: dict[str, Any]) -> None:
    """Recompute the selection rates from the exported tables alone."""
    ratings = table(demo, "ratings").astype({"value": float})
    wide = ratings[ratings["rater_id"] == "lexical"].pivot_table(
        index="item_id", columns="dimension", values="value"
    )
    adds = ["validating_emotions", "encouraging_elaboration", "demonstrating_understanding"]
    overall = wide[adds].sum(axis=1) - wide.drop(columns=adds).sum(axis=1)
    people = table(demo, "judgments").query("rater_kind == 'human'")
    gap = people["left_id"].map(overall) - people["right_id"].map(overall)
    higher = (gap > 0) == (people["choice"] == "left")
    for low, high in [(1, 3), (4, 6), (7, 9)]:
        inside = gap.abs().between(low, high)
        found = quantity(results, "selection_by_gap", f"gap {low}-{high}")
        assert found["n"] == inside.sum()
        assert found["estimate"] == pytest.approx(higher[inside].mean(), abs=1e-12)


def test_the_report_says_what_it_is(demo: Path) -> None:
    page = (demo / "results" / "report.html").read_text()
    assert "Simulated raters" in page
    assert "<script" not in page
    for figure in (demo / "results" / "figures").iterdir():
        assert "Simulated raters" in figure.read_text()
    said = (demo.parent / "said.txt").read_text()
    assert "simulated raters" in said
    assert len(said.splitlines()) < 40, "the findings fit on a screen"


def test_a_simulation_opens_no_gate(demo: Path, ratify: Any) -> None:
    done = ratify("gate", demo)
    assert done.returncode == 1
    assert "NOT PASSED" in done.stdout
    assert "raters are simulated" in done.stdout


def test_it_is_served_with_its_report(demo: Path, serve: Serve) -> None:
    server = serve(demo, "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        assert "I agree" in client.get("/", params={"rater": "me"}).text
        form = Page()
        form.feed(client.get("/dashboard/").text)
        page = client.post(form.action, data={**form.fields, "password": DASHBOARD_PASSWORD})
        assert "150 of 150" in page.text
        assert "simulated raters" in page.text
        assert "Simulated raters" in client.get("/dashboard/report").text


def test_it_replaces_a_demo_but_nothing_else(tmp_path: Path, ratify: Any) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    done = ratify("demo", tmp_path / "mine", "--no-serve")
    assert done.returncode == 2
    assert "holds files that `ratify demo` did not make" in done.stderr
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine"


def test_every_exported_column_is_in_the_codebook(demo: Path) -> None:
    book = (demo / "data" / "CODEBOOK.md").read_text()
    for name in ("items", "judgments", "ratings", "participants", "sequences"):
        with (demo / "data" / f"{name}.csv").open() as stream:
            for column in next(csv.reader(stream)):
                assert f"`{column}`" in book, f"{name}.{column}"
