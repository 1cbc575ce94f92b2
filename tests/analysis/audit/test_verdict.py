"""If this failed, an audit would not say first who may replace a person, and where it may not."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.agreement.cut import OTHERS, PERSON
from analysis.audit.audit import audit
from analysis.audit.findings import cut_notes
from analysis.report.page import write_report
from analysis.results.files import write_results
from analysis.results.verdict import (
    AGREES,
    BIASED,
    NO_YARDSTICK,
    REPLACES,
    REVERSED,
    SHORT,
    TOO_FEW,
)
from analysis.results.words import part_of
from prereg.errors import RatifyError
from prereg.plan.reporting import Large, large_of

DIMENSIONS = ("warmth", "advice", "humour", "detail", "clarity")
# what the judge does on each dimension
WORDS = dict(zip(DIMENSIONS, (REPLACES, BIASED, REVERSED, SHORT, TOO_FEW), strict=True))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three people who agree, and a judge that is good, harsh, reversed, blind and absent."""
    folder, rng = tmp_path_factory.mktemp("verdict"), np.random.default_rng(4)
    items = [f"i{n:03}" for n in range(80)]
    truth = rng.integers(1, 6, (80, len(DIMENSIONS))).astype(float)
    paths = []
    for name in ("anna", "ben", "cleo"):
        noise = rng.choice([-1, 0, 0, 0, 1], truth.shape)
        frame = pd.DataFrame(np.clip(truth + noise, 1, 5), columns=list(DIMENSIONS))
        frame.insert(0, "item_id", items)
        paths.append(folder / f"{name}.csv")
        frame.to_csv(paths[-1], index=False)
    judge = pd.DataFrame(truth, columns=list(DIMENSIONS))
    judge["advice"] = np.clip(judge["advice"] + 2, 1, 5)
    judge["humour"] = 6 - judge["humour"]
    judge["detail"] = rng.permutation(judge["detail"])
    judge.loc[6:, "clarity"] = np.nan
    judge.insert(0, "item_id", items)
    judge.to_csv(folder / "model.csv", index=False)
    flat = judge.assign(**dict.fromkeys(DIMENSIONS, 3.0))
    flat.to_csv(folder / "length.csv", index=False)
    return paths, folder


@pytest.fixture(scope="module")
def found(files):
    people, folder = files
    return audit(
        [str(path) for path in people],
        [f"length={folder / 'length.csv'}", f"model={folder / 'model.csv'}"],
        id_column="item_id",
        scale=(1, 5),
        texts={f"i{n:03}": f"text <b>{n}</b>" for n in range(80)},
    )


def test_each_dimension_has_the_word_for_what_the_judge_does(found):
    words = {c.dimension: c.word for c in found.verdict.cells if c.judge == "model"}
    assert words == WORDS


def test_the_audited_judge_comes_before_its_baselines(found):
    assert [sentence.split()[0] for sentence in found.headline[:2]] == ["model", "length"]
    assert found.title == "Audit of model, compared with length"
    assert list(dict.fromkeys(c.judge for c in found.verdict.cells)) == ["model", "length"]
    assert all(note.about in {"model", "people"} for note in found.verdict.notes)


def test_a_judge_has_one_sentence_in_plain_words(found):
    said = found.verdict.sentences[0]
    assert said.startswith("model can stand in for a person on 1 of 5 dimensions (warmth)")
    assert "scores humour the other way round from people" in said
    assert "advice 1." in said
    assert "too high (scale 1 to 5)" in said
    assert "falls short of people on detail" in said
    assert said.endswith("the data do not decide about clarity.")


def test_findings_come_by_severity_with_a_number_and_what_to_do(found):
    notes = found.to_json()["findings"]
    order = ["critical", "warning", "note"]
    assert [order.index(n["severity"]) for n in notes] == sorted(
        order.index(n["severity"]) for n in notes
    )
    text = json.dumps(notes, ensure_ascii=False)
    assert "with the scale turned round it would be 0.9" in text
    assert "gave no rating for 18.5% of the items" in text
    assert all(note["do"] and any(c.isdigit() for c in note["says"]) for note in notes)


def test_checks_that_could_not_run_are_named_with_the_reason(found, files):
    assert {"What happens at a cut"} <= {gap.check for gap in found.verdict.not_run}
    people, folder = files
    alone = audit([str(people[0])], [str(folder / "model.csv")], id_column="item_id", scale=(1, 5))
    gaps = {gap.check: gap.why for gap in alone.verdict.not_run}
    assert "one person" in gaps["People's agreement with each other"]
    assert "--items" in gaps["The worst disagreements with their texts"]
    assert {c.word for c in alone.verdict.cells} <= {TOO_FEW, BIASED, REVERSED}


def test_a_baseline_is_explained_where_it_stands(found, tmp_path):
    assert found.headline[1].startswith("length (a baseline that only measures how long a text is)")
    write_results(found, tmp_path)
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert "length<small>a baseline that only measures how long a text is</small></th>" in page
    assert '<th scope="col">model</th>' in page


def test_one_dimension_is_not_counted(files):
    people, folder = files
    judge = [str(folder / "model.csv")]
    for dimension in ("warmth", "detail"):
        one = audit(
            [str(path) for path in people],
            judge,
            id_column="item_id",
            scale=(1, 5),
            dimensions=[dimension],
        )
        said = " ".join(one.headline)
        assert "1 dimension" not in said
        assert "By mean quadratic kappa, " in said
        assert ("model passes" if dimension == "warmth" else "model does not pass") in said
    assert part_of(1, 1, "pair") == "the one pair"
    assert part_of(1, 3, "pair") == "1 of 3 pairs"


def test_ratings_that_never_vary_have_no_interval_and_it_is_said(files, tmp_path):
    """A judge exactly a point lower than every person differs by the same number everywhere."""
    people, _ = files
    lower = pd.read_csv(people[0])[["item_id", "warmth"]].assign(warmth=3)
    paths = [tmp_path / f"{name}.csv" for name in ("p", "q", "judge")]
    for path, value in zip(paths, (3, 3, 2), strict=True):
        lower.assign(warmth=value).to_csv(path, index=False)
    found = audit(
        [str(path) for path in paths[:2]],
        [str(paths[2])],
        id_column="item_id",
        scale=(1, 5),
        dimensions=["warmth"],
    )
    assert found.verdict.cells[0].why == ("always says 2\n−1.00 [no interval: never varies] points")
    bias = next(q for q in found.quantities if ":bias:" in q.name)
    assert (bias.estimate, bias.low, bias.high) == (-1.0, None, None)
    assert bias.note == "No interval: never varies."
    write_results(found, tmp_path / "out")
    page = write_report(tmp_path / "out").read_text(encoding="utf-8")
    words = re.sub("<[^>]+>", "", re.sub("<svg.*?</svg>", "", page, flags=re.DOTALL))
    assert not re.findall(r"\[([−\d.]+), \1\]", words)


def test_the_worst_disagreements_name_nobody(found):
    worst = found.verdict.disagreements
    assert len(worst) == Large().shown
    assert [one.size for one in worst] == sorted((one.size for one in worst), reverse=True)
    assert worst[0].texts[0][1].startswith("text <b>")
    assert not any(name in json.dumps(str(worst)) for name in ("anna", "ben", "cleo"))


def test_the_limits_can_be_set_and_are_stated(files):
    people, folder = files
    lenient = audit(
        [str(path) for path in people],
        [str(folder / "model.csv")],
        id_column="item_id",
        scale=(1, 5),
        dimensions=["advice"],
        large=large_of(["bias=0.9"]),
    )
    assert [c.word for c in lenient.verdict.cells] != [BIASED]
    assert "bias is large from 3.60 points" in lenient.limits[-1]
    assert lenient.verdict.cells[0].word in {AGREES, SHORT, TOO_FEW}


@pytest.mark.parametrize("word", ["bais=0.1", "bias", "bias=much", "bias=7"])
def test_a_limit_that_is_none_is_refused(word):
    with pytest.raises(RatifyError):
        large_of([word])


def test_straight_lines_are_flagged(tmp_path):
    rng = np.random.default_rng(1)
    for name in ("a", "b", "lazy", "m"):
        frame = pd.DataFrame(rng.integers(1, 6, (20, 3)), columns=["x", "y", "z"])
        if name == "lazy":
            frame["y"] = frame["z"] = frame["x"]
        frame.insert(0, "item_id", [f"i{n}" for n in range(20)])
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    humans = [str(tmp_path / f"{name}.csv") for name in ("a", "b", "lazy")]
    found = audit(humans, [str(tmp_path / "m.csv")], id_column="item_id", scale=(1, 5))
    assert [one.who for one in found.verdict.people] == ["lazy"]
    assert "100% of the items" in found.verdict.people[0].reason


def test_where_people_agree_only_at_chance_no_judge_agrees(tmp_path):
    rng = np.random.default_rng(11)
    paths = []
    for name in ("anna", "ben", "cleo", "model"):
        frame = pd.DataFrame({"item_id": [f"i{n}" for n in range(60)]})
        frame = frame.assign(warmth=rng.integers(1, 6, 60))
        paths.append(tmp_path / f"{name}.csv")
        frame.to_csv(paths[-1], index=False)
    *people, judge = map(str, paths)
    verdict = audit(people, [judge], id_column="item_id", scale=(1, 5)).verdict
    assert [cell.word for cell in verdict.cells] == [NO_YARDSTICK]
    assert "no yardstick" in verdict.sentences[0]
    (note,) = [note for note in verdict.notes if note.severity == "critical"]
    assert "do not agree with each other beyond chance on warmth" in note.says


def test_a_dimension_that_is_biased_and_falls_short_is_said_to_be_both(tmp_path):
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 6, 80)
    noise = [rng.choice([-1, 0, 0, 0, 1], 80) for _ in range(3)]
    answers = [np.clip(truth + one, 1, 5) for one in noise]
    answers.append(np.clip(rng.permutation(truth) + 2, 1, 5))
    paths = []
    for name, values in zip(("anna", "ben", "cleo", "model"), answers, strict=True):
        frame = pd.DataFrame({"item_id": [f"i{n}" for n in range(80)], "warmth": values})
        paths.append(tmp_path / f"{name}.csv")
        frame.to_csv(paths[-1], index=False)
    *people, judge = map(str, paths)
    verdict = audit(people, [judge], id_column="item_id", scale=(1, 5)).verdict
    (cell,) = verdict.cells
    assert cell.word == BIASED
    assert re.search(r"points\nand falls short: kappa −\S+ \[", cell.why)
    assert "too high (scale 1 to 5) and falls short of people there." in verdict.sentences[0]


def test_a_judge_that_calls_too_many_cases_is_described_in_plain_words():
    rows = [
        SimpleNamespace(
            cut=">= 4",
            dimension="warmth",
            measure="specificity",
            annotator=who,
            reference=OTHERS,
            estimate=value,
            low=value - 0.1,
            high=value + 0.1,
        )
        for who, value in (("gpt", 0.47), (PERSON, 0.8))
    ]
    (note,) = cut_notes("gpt", SimpleNamespace(cuts=rows), Large())
    assert (
        "gpt rightly finds no case in 47% [37%, 57%] of the items that are not cases" in note.says
    )
