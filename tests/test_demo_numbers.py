"""If this failed, a number of the report would not follow from the exported tables.

Everything is computed again from the CSV files, with other code: scipy's optimiser for
Bradley-Terry, a plain loop for Elo, statsmodels for regressions, scikit-learn for kappa.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import optimize, stats
from sklearn.metrics import cohen_kappa_score

from analysis.evidence.evidence import gather
from analysis.registered.registry import RUNNERS
from analysis.run import analyze_study
from prereg.errors import RatifyError

ADDS = ["validating_emotions", "encouraging_elaboration", "demonstrating_understanding"]
SUBTRACTS = ["advice_giving", "self_oriented", "dismissing_emotions"]


def read(demo: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(demo / "data" / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def found(demo: Path) -> dict[tuple[str, str], dict[str, Any]]:
    content = json.loads((demo / "results" / "results.json").read_text())
    return {(q["analysis"], q["name"]): q for q in content["quantities"]}


@pytest.fixture(scope="module")
def methods(demo: Path) -> list[str]:
    content = json.loads((demo / "results" / "results.json").read_text())
    return [str(paragraph) for paragraph in content["methods"]]


@pytest.fixture(scope="module")
def people(demo: Path) -> pd.DataFrame:
    judgments = read(demo, "judgments")
    return judgments[judgments["rater_kind"] == "human"].reset_index(drop=True)


@pytest.fixture(scope="module")
def items(demo: Path, people: pd.DataFrame) -> pd.DataFrame:
    """Every score of every item: people's, the judge's Elo and overall, the planted quality."""
    table = read(demo, "items").set_index("item_id")
    ratings = read(demo, "ratings").query("rater_id == 'lexical'").astype({"value": float})
    wide = ratings.pivot_table(index="item_id", columns="dimension", values="value")
    table["overall"] = wide[ADDS].sum(axis=1) - wide[SUBTRACTS].sum(axis=1)
    asked = read(demo, "judgments").query("rater_id == 'lexical' and purpose == 'ranking'")
    rating: dict[str, float] = dict.fromkeys(table.index, 1000.0)
    for left, right, choice in asked[["left_id", "right_id", "choice"]].itertuples(index=False):
        expected = 1 / (1 + 10 ** ((rating[right] - rating[left]) / 400))
        change = 32 * ((choice == "left") - expected)
        rating[left] += change
        rating[right] -= change
    table["elo"] = pd.Series(rating)
    table["people"] = pd.concat([scores(part) for _, part in people.groupby("scenario")])
    return table


def scores(part: pd.DataFrame) -> pd.Series:
    """Return Bradley-Terry scores with a ridge of 0.02, by a general optimiser."""
    names = sorted(set(part["left_id"]) | set(part["right_id"]))
    place = {name: i for i, name in enumerate(names)}
    left, right = part["left_id"].map(place).to_numpy(), part["right_id"].map(place).to_numpy()
    sign = np.where(part["choice"] == "left", 1.0, -1.0)

    def loss(s: np.ndarray) -> float:
        return float(np.logaddexp(0, -sign * (s[left] - s[right])).sum() + 0.01 * s @ s)

    best = optimize.minimize(loss, np.zeros(len(names)), method="BFGS", options={"gtol": 1e-7})
    return pd.Series(best.x - best.x.mean(), index=names)


@pytest.mark.parametrize(
    ("analysis", "column"),
    [
        ("people_and_judge_elo", "elo"),
        ("people_and_judge_score", "overall"),
        ("people_and_planted_quality", "planted_quality"),
    ],
)
def test_rank_correlations(
    found: dict[Any, Any], items: pd.DataFrame, analysis: str, column: str
) -> None:
    expected = stats.spearmanr(items["people"], items[column].astype(float))
    got = found[analysis, "spearman"]
    assert got["estimate"] == pytest.approx(expected.statistic, abs=2e-4)
    assert got["p_value"] == pytest.approx(expected.pvalue, rel=0.05)
    half = 1.959964 * np.sqrt((1 + expected.statistic**2 / 2) / 147)
    ends = np.tanh(np.arctanh(expected.statistic) + np.array([-half, half]))
    # it includes the raters' errors too, so it is a little wider than the interval for items alone
    said = re.search(r"With the error of items only \[(.+?), (.+?)\]", got["note"])
    assert said
    assert [float(end) for end in said.groups()] == pytest.approx(ends, abs=5.1e-3)
    assert ends[0] - 0.1 < got["low"] < ends[0] + 0.005
    assert ends[1] - 0.005 < got["high"] < ends[1] + 0.1
    assert got["n"] == 150


def test_logits(
    found: dict[Any, Any], people: pd.DataFrame, items: pd.DataFrame, methods: list[str]
) -> None:
    gap = people["left_id"].map(items["overall"]) - people["right_id"].map(items["overall"])
    elo = people["left_id"].map(items["elo"]) - people["right_id"].map(items["elo"])
    left = people["choice"] == "left"
    data = people.assign(
        gap=gap.abs(),
        select_higher=((gap > 0) == left).astype(float).where(gap != 0),
        select_match=((elo > 0) == left).astype(float).where(elo != 0),
    )
    published = " ".join(methods)
    for name in ("select_higher", "select_match"):
        rows = data.dropna(subset=[name]).astype({"scenario": object})
        fit = smf.logit(f"{name} ~ gap + C(scenario)", rows).fit(
            disp=0, cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["rater_id"])[0]}
        )
        for term in fit.params.index:
            got = found[name, term]
            assert got["estimate"] == pytest.approx(fit.params[term], abs=1e-6)
            # by rater and by both items: no smaller than by rater alone, as published
            assert got["se"] > 0.99 * fit.bse[term]
            assert (got["n"], got["clusters"]) == (len(rows), 150)
        assert found[name, "gap"]["se"] > fit.bse["gap"]
        said = (
            rf"In {name}, clustered by rater_id alone as in published studies, the standard error "
            r"of gap would be (\S+),"
        )
        alone = re.search(said, published)
        assert alone
        assert float(alone[1]) == pytest.approx(fit.bse["gap"], abs=6e-5)


@pytest.mark.parametrize("judge", ["lexical", "length"])
def test_choices_on_the_same_trials(
    found: dict[Any, Any], demo: Path, people: pd.DataFrame, judge: str, methods: list[str]
) -> None:
    asked = read(demo, "judgments").query(f"rater_id == '{judge}' and purpose == 'trial'")
    answer = asked.set_index(["left_id", "right_id"])["choice"]
    theirs = answer.loc[pd.MultiIndex.from_frame(people[["left_id", "right_id"]])].to_numpy()
    same = (people["choice"].to_numpy() == theirs).astype(float)
    got = found["same_trials", f"{judge}: agreement"]
    fit = smf.ols("same ~ 1", pd.DataFrame({"same": same})).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(people["rater_id"])[0]}
    )
    assert got["estimate"] == pytest.approx(same.mean(), abs=1e-12)
    # every two trials that share their rater or an item count once
    ids = people[["left_id", "right_id"]].to_numpy()
    alike = people["rater_id"].to_numpy()[:, None] == people["rater_id"].to_numpy()
    for one in ids.T:
        for other in ids.T:
            alike |= one[:, None] == other
    pull = same - same.mean()
    assert got["se"] == pytest.approx(np.sqrt(pull @ alike @ pull) / len(same), rel=0.03)
    assert got["se"] > 1.1 * fit.bse.iloc[0]
    if judge == "lexical":
        said = r"In same_trials, clustered by rater_id alone .* would be (0\.\d+),"
        alone = re.search(said, " ".join(methods))
        assert alone
        assert float(alone[1]) == pytest.approx(fit.bse.iloc[0], abs=6e-5)
    kappa = cohen_kappa_score(people["choice"], theirs)
    assert found["same_trials", f"{judge}: kappa"]["estimate"] == pytest.approx(kappa, abs=1e-9)


def test_only_what_the_plan_asks_is_confirmatory(found: dict[Any, Any]) -> None:
    confirmed = {key for key, q in found.items() if q["status"] == "confirmatory"}
    assert ("select_higher", "gap") in confirmed
    assert ("people_and_judge_elo", "spearman") in confirmed
    assert not {key for key in confirmed if key[0] == "people" or "Intercept" in key[1]}
    assert not {key for key in confirmed if "C(scenario)" in key[1]}


Change = Callable[[pd.DataFrame], pd.DataFrame]


def first_human(table: pd.DataFrame) -> int:
    return int((table["rater_kind"] == "human").to_numpy().argmax())


def repeated(table: pd.DataFrame) -> pd.DataFrame:
    row = table.iloc[[first_human(table)]].assign(judgment_id="new")
    return pd.concat([table, row], ignore_index=True)


def put(table: pd.DataFrame, row: int, **values: str) -> pd.DataFrame:
    for column, value in values.items():
        table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("judgments", repeated, "answered this position already"),
        ("judgments", lambda t: put(t, first_human(t), position="99"), "not a trial of this"),
        ("judgments", lambda t: put(t, 0, plan_hash="0" * 64), "row 2.*another plan"),
        (
            "judgments",
            lambda t: put(t, 0, left_id="nobody"),
            "row 2.*left_id.*is not the id of an item",
        ),
        ("judgments", lambda t: put(t, 0, scenario="moon"), "row 2.*another scenario"),
        ("judgments", lambda t: put(t, 0, choice="tie"), "row 2.*choice.*'tie'"),
        ("ratings", lambda t: put(t, 3, plan_hash="0" * 64), "row 5.*another plan"),
        (
            "ratings",
            lambda t: put(t, 3, value="6"),
            r"row 5.*outside the scale, got 6.* \(allowed: 1 to 5\)",
        ),
        ("participants", lambda t: put(t, 1, plan_hash="0" * 64), "row 3.*another plan"),
        ("participants", lambda t: t.iloc[1:], "not among the participants|no row in"),
        ("items", lambda t: put(t, 0, planted_quality="9"), "not the table of items"),
    ],
)
def test_tables_that_were_changed_are_refused(
    short: Path, tmp_path: Path, name: str, change: Change, says: str
) -> None:
    copy = copied(short, tmp_path)
    change(read(copy, name)).to_csv(copy / "data" / f"{name}.csv", index=False)
    with pytest.raises(RatifyError, match=says):
        analyze_study(copy, mode="bot")
    assert not (copy / "results").exists()


@pytest.fixture(scope="module")
def short(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's tables, with only a few of the thousands of rows of its judges' rankings."""
    copy = copied(demo, tmp_path_factory.mktemp("short"))
    table = read(copy, "judgments")
    ranking = (table["purpose"] == "ranking").to_numpy()
    table[~ranking | (ranking.cumsum() <= 300)].to_csv(copy / "data" / "judgments.csv", index=False)
    return copy


def copied(demo: Path, place: Path) -> Path:
    left_out = shutil.ignore_patterns("results", "study.sqlite3*")
    return Path(shutil.copytree(demo, place / "copy", ignore=left_out))


def test_the_level_of_an_analysis_is_the_coverage_of_its_intervals(
    demo: Path, found: dict[Any, Any]
) -> None:
    evidence = gather(demo, mode="bot")
    kinds = {one.kind: one for one in evidence.plan.analyses}
    assert kinds.keys() >= {"rank_correlation", "logit", "selection_by_gap", "choice_agreement"}
    for kind, analysis in kinds.items():
        narrow = RUNNERS[kind](analysis.model_copy(update={"level": 0.8}), evidence)
        assert {t.level for t in narrow.tables if not t.name.endswith("_misfit")} <= {0.8}
        for q in narrow.quantities:
            if q.name == "misfit":  # a count of raters, which has no interval
                continue
            wide = found[q.analysis, q.name]
            assert (q.level, wide["level"]) == (0.8, 0.95)
            assert q.estimate == pytest.approx(wide["estimate"], abs=1e-9)
            assert wide["low"] < q.low < q.estimate < q.high < wide["high"]


def test_neither_the_order_of_the_rows_nor_the_date_of_one_changes_a_number(
    demo: Path, tmp_path: Path, found: dict[Any, Any]
) -> None:
    """If one answer is older than the lock, however, nothing is confirmatory."""
    copy = copied(demo, tmp_path)
    table = read(copy, "judgments").sample(frac=1, random_state=1, ignore_index=True)
    early = put(table, first_human(table), answered_at="2020-01-01T00:00:00.000Z")
    early.to_csv(copy / "data" / "judgments.csv", index=False)
    results = analyze_study(copy, mode="bot")
    assert {q.status for q in results.quantities} == {"exploratory"}
    assert any("older than the lock" in limit for limit in results.limits)
    for q in results.quantities:
        expected = found[q.analysis, q.name]["estimate"]
        assert q.estimate == pytest.approx(expected, abs=1e-9)


def test_a_missing_rating_drops_its_trials_and_a_sequence_given_twice_keeps_one_rater(
    demo: Path, tmp_path: Path
) -> None:
    copy = copied(demo, tmp_path)
    ratings = read(copy, "ratings")
    ratings.iloc[1:].to_csv(copy / "data" / "ratings.csv", index=False)
    judgments, participants = read(copy, "judgments"), read(copy, "participants")
    twin = participants.iloc[[0]].assign(session_id="twin", rater_id="twin")
    session = participants["session_id"].iloc[0]
    rows = judgments[judgments["session_id"] == session]
    rows = rows.assign(
        session_id="twin", rater_id="twin", judgment_id=[f"twin{i}" for i in range(len(rows))]
    )
    pd.concat([judgments, rows]).to_csv(copy / "data" / "judgments.csv", index=False)
    pd.concat([participants, twin]).to_csv(copy / "data" / "participants.csv", index=False)
    results = analyze_study(copy, mode="bot")
    (gap,) = [q for q in results.quantities if (q.analysis, q.name) == ("select_higher", "gap")]
    assert gap.estimate is not None
    assert 1300 < gap.n < 1400
    flow = {(f["rule"], f["unit"]): f for f in results.flow}
    assert flow["duplicate_sequence", "sessions"]["before"] == 151
    assert flow["duplicate_sequence", "sessions"]["excluded"] == 1
    assert flow["duplicate_sequence", "judgments"]["after"] == 1500
