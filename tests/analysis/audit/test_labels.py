"""If this fails, `ratify audit --labels` says something else about labels than the files do."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.audit.label_files import read_labelled
from analysis.audit.label_values import declared_values
from analysis.results.verdict import EXCHANGED, OTHER_SHARES, REPLACES
from prereg.errors import RatifyError
from ratify.command_line import main

WORDS = np.array(["pass", "fail"])
ITEMS = 60


def truth(share=0.4, seed=1):
    return (np.random.default_rng(seed).random(ITEMS) < share).astype(int)


def answers(right, seed, of=None):
    rng = np.random.default_rng(seed)
    of = truth() if of is None else of
    return np.where(rng.random(ITEMS) < right, of, 1 - of)


def write(path: Path, given, **more) -> str:
    columns = {"item_id": [f"t {n}" for n in range(ITEMS)], "verdict": given, **more}
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows(zip(*columns.values(), strict=True))
    return str(path)


@pytest.fixture
def people(tmp_path: Path) -> list[str]:
    return [
        write(tmp_path / f"{name}.csv", WORDS[answers(0.93, seed)])
        for seed, name in enumerate(("ann", "ben", "eva"), start=10)
    ]


def read(humans, judges, **settings):
    return read_labelled(humans, judges, id_column="item_id", **settings)


def refused(humans, judges, **settings):
    with pytest.raises(RatifyError) as caught:
        read(humans, judges, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def run(humans, judges, out, *more, code=0):
    named = [w for path in humans for w in ("--human", path)]
    named += [w for path in judges for w in ("--judge", path)]
    done = CliRunner().invoke(main, ["audit", *named, "--out", str(out), *more])
    assert done.exit_code == code, done.output
    return done.output


def results(out: Path):
    return json.loads((out / "results.json").read_text())


def test_an_audit_of_labels_reports_what_was_asked_for(tmp_path, people):
    bot = write(tmp_path / "bot.csv", WORDS[answers(0.9, 5)])
    said = run(people, [bot], tmp_path / "out", "--labels", "--metric", "accuracy")
    found = results(tmp_path / "out")
    assert "within" not in said
    assert "points" not in said
    tables = {table["name"]: table for table in found["tables"]}
    assert [*tables][:5] == ["summary", "pooled", "pairs", "labels", "confusion"]
    assert "alternative_annotator" in tables
    assert "accuracy" not in tables["alternative_annotator"]["caption"]
    assert "same rating" in tables["alternative_annotator"]["caption"]
    for name in ("kappa", "alpha_nominal", "ac1", "exact"):
        assert {name, f"{name}_low", f"{name}_high"} <= set(tables["pairs"]["columns"])
    quantities = {one["name"]: one for one in found["quantities"]}
    for name in ("humans:kappa:verdict", "bot:difference:all", "bot:ac1:verdict"):
        assert quantities[name]["low"] < quantities[name]["estimate"] < quantities[name]["high"]
    assert [figure["name"] for figure in found["figures"]] == ["beside_people", "confusion_1"]
    assert "Another person gives the same label" in found["figures"][1]["alt"]
    assert (tmp_path / "out" / "figures" / "confusion_1.svg").exists()
    assert found["headline"][2].startswith("The yardstick: two of 3 people give an item")
    assert found["verdict"]["cells"][0]["word"] == REPLACES
    assert found["meta"]["labels"] == {"verdict": ["fail", "pass"]}
    assert any("labels have no order" in gap["why"] for gap in found["verdict"]["not_run"])
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'class="drawing narrow"' in page


def test_a_judge_that_overuses_a_label_is_not_said_to_agree(tmp_path, people):
    given = answers(0.97, 6)
    given[:25] = 1
    run(people, [write(tmp_path / "bot.csv", WORDS[given])], tmp_path / "out", "--labels")
    found = results(tmp_path / "out")
    cell = found["verdict"]["cells"][0]
    assert cell["word"] == OTHER_SHARES
    assert "gives labels in other shares than people: 'fail' on verdict" in found["headline"][0]
    (note,) = [one for one in found["findings"] if "more often than people" in one["says"]]
    assert "percentage points" in note["says"]


def test_a_judge_that_exchanges_the_names_is_told_so(tmp_path, people):
    bot = write(tmp_path / "bot.csv", WORDS[1 - answers(0.95, 7)])
    run(people, [bot], tmp_path / "out", "--labels")
    found = results(tmp_path / "out")
    assert found["verdict"]["cells"][0]["word"] == EXCHANGED
    assert "seems to exchange the labels of verdict" in found["headline"][0]
    assert found["findings"][0]["severity"] == "critical"


def test_where_one_label_is_rare_passing_like_a_constant_judge_is_no_pass(tmp_path):
    rare = truth(0.1, seed=3)
    humans = [
        write(tmp_path / f"{name}.csv", WORDS[answers(0.985, seed, rare)])
        for seed, name in enumerate("abc", start=30)
    ]
    bot = write(tmp_path / "bot.csv", WORDS[answers(0.985, 40, rare)])
    said = run(humans, [bot], tmp_path / "out", "--labels", "--values", "pass,fail")
    assert "Passing means nothing on verdict ('pass')" in said
    found = results(tmp_path / "out")
    assert found["verdict"]["cells"][0]["word"] != REPLACES
    assert "would pass the test too" in found["verdict"]["cells"][0]["why"]
    assert any("so would a judge" in one["says"] for one in found["findings"])


def test_a_person_missed_by_the_judge_is_found_in_the_table_of_labels(tmp_path, people):
    given = answers(0.99, 6)
    of = truth()
    given[np.flatnonzero(of)[:14]] = 0
    run(people, [write(tmp_path / "bot.csv", WORDS[given])], tmp_path / "out", "--labels")
    says = [one["says"] for one in results(tmp_path / "out")["findings"]]
    assert any("of the cases to which a person gave 'fail', bot finds" in one for one in says)


def test_several_dimensions_and_the_worst_disagreements_with_their_texts(tmp_path):
    kinds = np.array(["billing", "technical", "other"])
    rng = np.random.default_rng(8)
    topic = rng.integers(0, 3, ITEMS)

    def topics():
        wrong = rng.random(ITEMS) > 0.85
        return kinds[np.where(wrong, (topic + 1) % 3, topic)]

    names = ("ann", "ben", "eva", "bot")
    paths = [
        write(tmp_path / f"{name}.csv", WORDS[answers(0.9, seed)], topic=topics())
        for seed, name in enumerate(names)
    ]
    texts = write(tmp_path / "items.csv", ["x"] * ITEMS, text=[f"Text {n}" for n in range(ITEMS)])
    run(paths[:3], paths[3:], tmp_path / "out", "--labels", "--items", texts)
    found = results(tmp_path / "out")
    assert found["meta"]["dimensions"] == ["verdict", "topic"]
    assert [one["dimension"] for one in found["verdict"]["cells"]] == ["verdict", "topic"]
    (first, *_) = found["verdict"]["disagreements"]
    assert first["texts"][0][1].startswith("Text ")
    assert first["people"].endswith("(3)")
    assert first["said"] in {*WORDS, *kinds}
    assert "most frequent label" in found["limits"][0]


def test_a_crowd_is_compared_though_no_two_share_many_items(tmp_path):
    rng = np.random.default_rng(9)
    of = truth()
    path = tmp_path / "crowd.csv"
    rows = []
    for n in range(ITEMS):
        for rater in rng.choice(40, 3, replace=False):
            given = of[n] if rng.random() < 0.9 else 1 - of[n]
            rows.append(f"r{rater},t {n},verdict,{WORDS[given]}")
    path.write_text("\n".join(["rater_id,item_id,dimension,value", *rows]) + "\n")
    bot = write(tmp_path / "bot.csv", WORDS[answers(0.6, 4)])
    said = run([str(path)], [bot], tmp_path / "out", "--labels")
    assert "By Krippendorff's nominal alpha, pooled over people, bot agrees less" in said


# --- what the files may hold


def test_letter_case_spaces_and_points_do_not_make_another_label(tmp_path, people):
    given = [f" {word.upper()} " if n % 2 else word for n, word in enumerate(WORDS[truth()])]
    found = read(people, [write(tmp_path / "bot.csv", given)])
    assert found.classes == {"verdict": ("fail", "pass")}
    assert any("were read as one label" in note for note in found.annotators.said)
    numbers = write(tmp_path / "h.csv", [f"{value}.0" for value in truth()])
    found = read([numbers], [write(tmp_path / "j.csv", answers(0.9, 3))])
    assert found.classes == {"verdict": ("0", "1")}


def test_values_say_which_labels_there_are_and_what_stands_for_them(tmp_path, people):
    bot = write(tmp_path / "bot.csv", truth())
    said = refused(people, [bot], dimensions=["verdict"])
    assert "bot and the people have no label of verdict in common" in said
    assert "--values" in said
    found = read(people, [bot], dimensions=["verdict"], values=["pass=0,fail=1"])
    assert found.classes == {"verdict": ("pass", "fail")}
    judge = found.annotators.judges[0]
    assert [judge.ratings[f"t {n}", "verdict"] for n in range(ITEMS)] == truth().tolist()
    said = refused(people, [bot], dimensions=["verdict"], values=["verdict: pass, fail"])
    assert "bot.csv, row 2, column verdict: is not one of the labels of verdict" in said
    assert said.endswith("(allowed: pass, fail)")
    said = refused(people, [bot], values=["tone:warm,cold"], dimensions=["verdict"])
    assert "--values names a dimension that is not compared, got 'tone'" in said


def test_a_missing_value_word_is_a_label_where_it_is_declared(tmp_path):
    given = ["None" if value else "some" for value in truth()]
    paths = [write(tmp_path / f"{name}.csv", given) for name in ("h", "j")]
    assert "has one label only" in refused([paths[0]], [paths[1]], dimensions=["verdict"])
    found = read([paths[0]], [paths[1]], dimensions=["verdict"], values=["None,some"])
    assert found.classes["verdict"] == ("None", "some")
    assert found.annotators.humans[0].missing == 0


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["pass"], "names one label only"),
        (["pass,,fail"], "holds an empty label"),
        (["pass=1,fail=1"], "names '1' twice"),
        (["a,b", "c,d"], "given twice for the same dimension"),
    ],
)
def test_a_wrong_declaration_is_refused(given, problem):
    with pytest.raises(RatifyError, match=problem):
        declared_values(given)


@pytest.mark.parametrize(
    ("given", "labels", "spellings"),
    [
        ('"yes, fully",no', ("yes, fully", "no"), {}),
        ('pass, "no: a=b, c" = 0', ("pass", "no: a=b, c"), {"0": "no: a=b, c"}),
        ('"say ""a, b""",no', ('say "a, b"', "no"), {}),
        ('5",6"', ('5"', '6"'), {}),
    ],
)
def test_a_label_with_a_comma_is_declared_in_double_quotes(given, labels, spellings):
    found = declared_values([given])[""]
    assert found.labels == labels
    assert {key: label for key, label in found.spellings.items() if key != label} == spellings


def test_labels_with_commas_are_compared_where_they_are_declared(tmp_path):
    given = ["yes, fully" if value else "no" for value in truth()]
    paths = [write(tmp_path / f"{name}.csv", given) for name in ("h", "j")]
    one = {"dimensions": ["verdict"], "values": ['verdict:"yes, fully",no']}
    assert read([paths[0]], [paths[1]], **one).classes["verdict"] == ("yes, fully", "no")
    said = refused([paths[0]], [paths[1]], dimensions=["verdict"], values=["yes,fully,no"])
    assert "is not one of the labels" in said
    other = write(tmp_path / "o.csv", ["perhaps", *given[1:]])
    assert '(allowed: "yes, fully", no)' in refused([paths[0]], [other], **one)


def test_letter_case_counts_where_two_declared_labels_differ_by_it():
    found = declared_values(["A,a,b"])[""]
    assert found.codes == {"A": 0, "a": 1, "b": 2}


def test_texts_are_no_labels(tmp_path):
    given = [f"a text about {n}" for n in range(ITEMS)]
    paths = [write(tmp_path / f"{name}.csv", given) for name in ("h", "j")]
    assert "share no column of labels" in refused([paths[0]], [paths[1]])
    said = refused([paths[0]], [paths[1]], dimensions=["verdict"])
    assert "has 60 different labels" in said


def test_an_annotator_is_not_called_like_a_word_of_the_tables(people):
    for name in ("a person", "majority(humans)", "another person"):
        said = refused(people[:1], [f"{name}={people[1]}"])
        assert f"a judge cannot be called '{name}'" in said


def test_a_judge_of_one_label_is_named(tmp_path, people):
    found = read(people, [write(tmp_path / "bot.csv", ["pass"] * ITEMS)])
    (said,) = [one for one in found.annotators.warnings if one.startswith("bot gave every item")]
    assert said.endswith("so its kappa with people is 0 by construction there.")
    same = write(tmp_path / "same.csv", ["pass"] * ITEMS)
    found = read(
        [same],
        [write(tmp_path / "bot.csv", ["pass"] * ITEMS)],
        values=["verdict:pass,fail"],
        dimensions=["verdict"],
    )
    (said,) = [one for one in found.annotators.warnings if one.startswith("bot gave every item")]
    assert said.endswith("and so did people: kappa with them is not defined there.")


# --- an audit of numbers points here


def test_words_without_labels_are_refused_with_the_option_named(tmp_path, people):
    bot = write(tmp_path / "bot.csv", WORDS[truth()])
    said = run(people, [bot], tmp_path / "out", "--scale", "1", "5", code=2)
    assert "if the words of verdict are names of categories: --labels" in said
    more = ("--scale", "1", "5", "--dimension", "verdict")
    said = run(people, [bot], tmp_path / "out", *more, code=2)
    assert "ann.csv, row 2, column verdict: is not a number" in said
    assert "if they are names of categories: --labels instead of --scale" in said


@pytest.mark.parametrize(
    ("cells", "more", "why"),
    [
        (lambda value: value, {}, "every number is 0 or 1"),
        (lambda value: ["no", "yes"][value], {}, "yes and no"),
        (lambda value: value + 2, {"word": WORDS[truth()]}, "column word of ann.csv"),
    ],
)
def test_numbers_that_look_like_names_are_said_first(tmp_path, cells, more, why):
    paths = [
        write(tmp_path / f"{name}.csv", [cells(value) for value in given], **more)
        for name, given in (("ann", truth()), ("ben", answers(0.9, 2)), ("bot", answers(0.9, 3)))
    ]
    if more:
        paths[1:] = [
            write(tmp_path / f"{name}.csv", [cells(value) for value in answers(0.9, seed)])
            for seed, name in ((2, "ben"), (3, "bot"))
        ]
    given = ("--scale", "0", "5", "--dimension", "verdict")
    run(paths[:2], paths[2:], tmp_path / "out", *given)
    said = results(tmp_path / "out")["headline"][0]
    assert said.startswith("verdict looks like names of categories")
    assert why in said
    assert "--labels" in said
    finding = results(tmp_path / "out")["findings"][0]
    assert (finding["severity"], finding["about"]) == ("critical", "ratings")


def test_a_scale_with_labelled_points_does_not_look_like_names(tmp_path):
    rng = np.random.default_rng(2)
    paths = [write(tmp_path / f"{n}.csv", rng.integers(1, 6, ITEMS)) for n in "abc"]
    said = run(paths[:2], paths[2:], tmp_path / "out", "--scale", "1", "5")
    assert "looks like names" not in said


@pytest.mark.parametrize(
    "more",
    [
        ("--scale", "1", "5"),
        ("--cut", ">=1"),
        ("--check",),
        ("--metric", "rmse"),
        ("--interval", "bootstrap"),
    ],
)
def test_options_that_need_a_distance_are_refused(tmp_path, people, more):
    said = run(people, people[:1], tmp_path / "out", "--labels", *more, code=2)
    assert f"{more[0]}" in said
    assert "cannot be combined with --labels" in said


def test_values_need_labels(tmp_path, people):
    given = ("--values", "pass,fail", "--scale", "0", "1")
    assert "--values needs --labels" in run(people, people[:1], tmp_path / "out", *given, code=2)


def test_a_panel_of_labels_is_their_majority(people, tmp_path):
    given = {name: answers(0.8, seed) for seed, name in enumerate(("gpt", "glm", "yi"), start=30)}
    judges = [write(tmp_path / f"{name}.csv", WORDS[codes]) for name, codes in given.items()]
    output = run(people, judges, tmp_path / "out", "--labels", "--panel", "trio=gpt,glm,yi")
    assert "trio is the majority of gpt, glm and yi." in output
    votes = WORDS[(np.sum(list(given.values()), axis=0) >= 2).astype(int)]
    alone = write(tmp_path / "trio.csv", votes)
    run(people, [alone], tmp_path / "alone", "--labels")
    one, other = (
        {q["name"]: q["estimate"] for q in results(tmp_path / out)["quantities"]}
        for out in ("out", "alone")
    )
    of_trio = {name: value for name, value in other.items() if name.startswith("trio:")}
    assert of_trio
    assert {name: one[name] for name in of_trio} == of_trio
    panel = ("--panel", "trio=gpt,glm,yi", "--panel-rule", "mean")
    why = run(people, judges, tmp_path / "no", "--labels", *panel, code=2)
    assert "--panel-rule mean cannot be combined with --labels" in why
    assert "--panel-rule needs --panel" in run(people, judges, tmp_path / "no", *panel[2:], code=2)
