"""If these fail, `ratify embed` embeds other texts than the plan names, or ends in a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from analysis.causal.covariates import covariates
from analysis.causal.embeddings import read_embeddings
from ratify import main
from tests.support.encoders import make_frame, paraphrases
from tests.support.paths import ROOT
from tests.support.plans import edited_plan

CAUSAL: dict[str, Any] = {
    "frame": "frame.csv",
    "treatment": {"scale": "empathy", "score": "judge_empathy"},
    "outcome": {"scale": "attachment", "score": "judge_attachment"},
}


def make(folder: Path, texts: list[str], **confounders: Any) -> Path:
    """Write a plan with a causal section, and a frame with these texts."""
    make_frame(folder, texts)
    plan = (ROOT / "prereg/worked/empathy_attachment/plan.yaml").read_text(encoding="utf-8")
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    with edited_plan(folder) as edited:
        edited["causal"] = CAUSAL | ({"confounders": confounders} if confounders else {})
    return folder


def run(folder: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["embed", str(folder), *words])
    return done.exit_code, done.stdout, done.stderr


def test_the_plans_column_becomes_the_table_that_covariates_read(tmp_path: Path) -> None:
    first, second = paraphrases()
    texts = [*first, *second, first[0], "None", " spaces are kept "]
    folder = make(tmp_path / "study", texts)
    code, out, err = run(folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "encoder lexical: 83 units, 82 different texts",
        "the encoder is lexical: it matches words, not meaning",
        f"wrote 81 components of 83 units to {folder / 'embeddings.parquet'}",
    ]
    read = read_embeddings(folder / "embeddings.parquet")
    assert (read.encoder, read.lexical) == ("lexical", True)
    assert read.table["item_id"].tolist() == [f"unit-{at}" for at in range(83)]
    values = read.table.drop(columns="item_id").to_numpy()
    np.testing.assert_array_equal(values[0], values[80])
    assert np.abs(values[81:]).sum(axis=1).min() > 0
    metadata = pq.read_schema(folder / "embeddings.parquet").metadata
    assert json.loads(metadata[b"ratify.encoder"])["text"] == "prompt"
    frame = pd.DataFrame({"item_id": [f"unit-{at}" for at in range(83)]})
    found = covariates(
        frame, read.table, components=5, columns=[], user="", user_buckets=0, time_bins=0
    )
    assert found.values.shape == (83, 5)
    before = (folder / "embeddings.parquet").read_bytes()
    code, out, _ = run(folder)
    assert code == 0
    assert "82 different texts, 82 of them kept from before" in out
    assert (folder / "embeddings.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("texts", "confounders", "said"),
    [
        (["one", " "], {}, "frame.csv, row 3, column prompt: unit unit-1: there is no text to em"),
        (["one", "two"], {"text": "reply"}, "there is no column 'reply'"),
        (["one", "two"], {"encoder": "bert"}, "plan.yaml"),
    ],
)
def test_a_wrong_input_is_one_line(
    tmp_path: Path, texts: list[str], confounders: dict[str, Any], said: str
) -> None:
    folder = make(tmp_path / "study", texts, **confounders)
    code, _, err = run(folder)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert said in err
    assert not (folder / "embeddings.parquet").exists()


def test_a_plan_without_the_section_and_a_missing_frame_are_one_line(tmp_path: Path) -> None:
    folder = make(tmp_path / "study", ["one"])
    (folder / "frame.csv").unlink()
    code, _, err = run(folder)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "frame.csv" in err
    with edited_plan(folder) as plan:
        del plan["causal"]
    code, _, err = run(folder)
    assert code == 2
    assert "the plan has no causal section, so there is nothing to embed" in err


@pytest.mark.parametrize("ids", [["a", "a"], ["", "b"], ["a", "2.02E+19"]])
def test_ids_that_cannot_be_are_refused(tmp_path: Path, ids: list[str]) -> None:
    folder = make(tmp_path / "study", ["one", "two"])
    rows = "".join(f"{each},some text\n" for each in ids)
    (folder / "frame.csv").write_text(f"item_id,prompt\n{rows}", encoding="utf-8")
    code, _, err = run(folder)
    assert (code, len(err.splitlines())) == (2, 1)
    assert "column item_id: " in err


def test_a_frame_is_read_as_the_plan_says(tmp_path: Path) -> None:
    folder = make(tmp_path / "study", ["one thing", "two things"])
    frame = folder / "frame.csv"
    frame.write_text(
        frame.read_text(encoding="utf-8").replace("prompt", "Frage", 1), encoding="utf-8"
    )
    with edited_plan(folder) as plan:
        plan["data"] = {"columns": {"frame": {"prompt": "Frage"}}}
    code, _, err = run(folder)
    assert (code, err) == (0, "")
    assert (folder / "embeddings.parquet").exists()
