"""If this failed, the ratings of a newcomer's first audit would change, or hide their faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.demo import ratings as demo
from prereg.tables.reader import csv_text, read_table

FOLDER = Path(demo.__file__).parent / "ratings"


def test_simulating_again_gives_the_committed_bytes() -> None:
    for rater, rows in demo.simulate(np.random.default_rng(demo.SEED)).items():
        text = csv_text(("item_id", *demo.DIMENSIONS), rows)
        assert text.encode() == (FOLDER / f"{rater}.csv").read_bytes()


def test_the_judge_has_the_faults_that_were_planted() -> None:
    scores = {
        rater: {
            dimension: np.array([float(row[dimension]) for row in table.rows])
            for dimension in demo.DIMENSIONS
        }
        for rater in (*demo.PEOPLE, demo.JUDGE)
        for table in [read_table(FOLDER / f"{rater}.csv")]
    }
    people = {d: np.mean([scores[p][d] for p in demo.PEOPLE], axis=0) for d in demo.DIMENSIONS}
    judge = scores[demo.JUDGE]
    assert np.corrcoef(judge["warmth"], people["warmth"])[0, 1] > 0.8
    assert abs(np.corrcoef(judge["understanding"], people["understanding"])[0, 1]) < 0.3
    assert 0.7 < np.mean(judge["dismissing"] - people["dismissing"]) < 1.5
