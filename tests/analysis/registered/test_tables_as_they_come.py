"""If this failed, a space, an NA or a semicolon in a table would change a registered number."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.evidence.evidence import Evidence
from analysis.registered.own_tables import with_number_columns
from analysis.registered.registry import run_registered
from analysis.registered.regression_rows import regression_rows
from analysis.regression.fit import clustered_ols
from analysis.tables import tidy
from analysis.texts.themes import theme_change
from prereg.analyses.regression import Regression
from prereg.errors import RatifyError
from prereg.plan.data import Data

PLAN: dict[str, Any] = {
    "id": "r",
    "kind": "regression",
    "model": "ols",
    "data": "people",
    "outcomes": ["score"],
    "predictors": "arm + age",
    "cluster": "person_id",
    "terms": ["arm[T.wait]"],
}


class Own:
    """As much of the evidence as an analysis of the researcher's own tables needs."""

    status, plan, nobody = "exploratory", None, False

    def __init__(self, folder: Path, data: Data | None = None) -> None:
        self.folder, self.data, self.notes = folder, data or Data(), list[str]()

    def table_path(self, name: str) -> Path:
        return self.folder / f"{name}.csv"

    def table(self, name: str) -> pd.DataFrame:
        frame = tidy.read_other(self.table_path(name), self.data.reading(name))
        self.note(tidy.notes_of(frame))
        return frame

    def note(self, sentences: Any) -> None:
        self.notes.extend(sentences)


def people() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (f"p{n // 2}", ["wait", "coach"][n % 2], int(rng.integers(20, 25)), round(rng.normal(4), 2))
        for n in range(40)
    ]
    frame = pd.DataFrame(rows, columns=["person_id", "arm", "age", "score"]).astype(str)
    frame.loc[[5, 17], "age"] = ""
    frame.loc[8, "person_id"] = ""
    return frame


def fitted(evidence: Own, **changes: Any) -> tuple[float, float, int, int]:
    plan = Regression(**{**PLAN, **changes})
    rows = regression_rows(plan, cast(Evidence, evidence))["score"]
    fit = clustered_ols(rows, f"score ~ {plan.predictors}", cluster="person_id")
    assert fit.n_clusters is not None
    term = plan.terms[0]
    return float(fit.params[term]), float(fit.bse[term]), fit.n, fit.n_clusters


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float, int, int]:
    folder = tmp_path_factory.mktemp("right")
    people().to_csv(folder / "people.csv", index=False)
    found = fitted(Own(folder))
    assert found[2:] == (37, 20)
    return found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_nobody_sees_changes_no_number(
    tmp_path: Path, right: tuple[float, float, int, int], data: st.DataObject
) -> None:
    unseen = st.text(st.sampled_from(" \t\u00a0\u200b\u200e\ufeff\u2009"), max_size=2)
    missing = st.sampled_from(["", " ", "NA", "n/a", "NaN", "-", "-99", "#N/A", "null", "\u00a0"])
    frame = people()
    for row in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=8)):
        for column in frame.columns:
            cell = str(frame.loc[row, column])
            around = data.draw(unseen), data.draw(unseen)
            inside = cell[:1] + data.draw(st.sampled_from(["", "\u200b", "\u2060"])) + cell[1:]
            frame.loc[row, column] = f"{around[0]}{inside}{around[1]}" if cell else cell
    frame = frame.map(lambda cell: cell or data.draw(missing))
    frame = frame[data.draw(st.permutations(list(frame.columns)))]
    frame.columns = [data.draw(unseen) + name + data.draw(unseen) for name in frame.columns]
    separator = data.draw(st.sampled_from(",;\t|"))
    comma = separator != "," and data.draw(st.booleans())
    if comma:
        score = next(name for name in frame.columns if "score" in name)
        frame[score] = frame[score].str.replace(".", ",")
    text = io.StringIO()
    frame.to_csv(
        text, index=False, sep=separator, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"]))
    )
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    (tmp_path / "people.csv").write_bytes(text.getvalue().encode(encoding))
    evidence = Own(tmp_path, Data(decimal="," if comma else "."))
    assert fitted(evidence) == pytest.approx(right)
    if comma:
        with pytest.raises(RatifyError, match=r"people\.csv, row \d+, column score: .*decimal"):
            fitted(Own(tmp_path))


@pytest.mark.parametrize("word", ["old", "3,5", "?", "34 years"])
def test_a_word_among_numbers_is_refused_unless_it_is_declared(tmp_path: Path, word: str) -> None:
    frame = people()
    frame.loc[10, "age"] = word
    frame.to_csv(tmp_path / "people.csv", index=False)
    with pytest.raises(RatifyError, match=r"people\.csv, row 12, column age: ") as caught:
        fitted(Own(tmp_path))
    assert word in str(caught.value)
    fitted(Own(tmp_path), predictors="arm")  # an analysis that does not use the column
    assert fitted(Own(tmp_path), predictors="arm + C(age)")[2] == 37
    assert fitted(Own(tmp_path, Data(missing=(word,))))[2] == 36


@pytest.mark.parametrize("column", ["3,5", "{0} - agree", "{0} years"])
def test_a_column_that_looks_like_numbers_is_no_category_by_accident(
    tmp_path: Path, column: str
) -> None:
    frame = people()
    frame["age"] = [column.format(20 + n % 3) for n in range(len(frame))]
    frame.to_csv(tmp_path / "people.csv", index=False)
    with pytest.raises(RatifyError, match=r"people\.csv, row 2, column age"):
        fitted(Own(tmp_path))
    if "agree" in column:
        evidence = Own(tmp_path)
        fitted(evidence, numbers=["age"])
        assert any("the number before the label was read" in note for note in evidence.notes)
        fitted(Own(tmp_path), categories=["age"])


def test_age_bands_and_arms_are_categories_and_flags_are_outcomes(tmp_path: Path) -> None:
    frame = people()
    frame["age"] = np.where(np.arange(40) % 3 == 0, "18-24", "65+")
    frame["score"] = np.where(np.arange(40) % 4 > 1, "TRUE", "FALSE")
    frame.to_csv(tmp_path / "people.csv", index=False)
    rows = with_number_columns(cast(Evidence, Own(tmp_path)), "people", "score")
    assert rows["score"].tolist()[:4] == [0.0, 0.0, 1.0, 1.0]
    assert fitted(Own(tmp_path), terms=["age[T.65+]"])[2] == 39


def test_a_theme_with_a_space_is_the_same_theme(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text(
        "text_id,person_id,time\n"
        + "".join(f"t{n},p{n // 2},{['before', 'after'][n % 2]}\n" for n in range(12))
    )
    (tmp_path / "labels.csv").write_text(
        "text_id,theme\n" + "".join(f"t{n},hope{' ' * (n % 3)}\n" for n in range(1, 12, 2))
    )
    evidence = Own(tmp_path)
    found = theme_change(evidence.table("texts"), evidence.table("labels"))
    assert found.changes["theme"].unique().tolist() == ["hope"]
    assert "4 cells of column theme" in " ".join(evidence.notes)


def test_an_analysis_that_cannot_be_computed_has_no_n_of_another_table(tmp_path: Path) -> None:
    frame = people()
    frame.loc[3, "score"] = "many"
    frame.to_csv(tmp_path / "people.csv", index=False)
    finding = run_registered(Regression(**PLAN), cast(Evidence, Own(tmp_path)))
    assert [(q.n, q.clusters, q.estimate) for q in finding.quantities] == [(None, None, None)]
    assert "people.csv, row 5, column score" in finding.sentence
