"""If these failed, a judge would be audited alone: nobody would see that counting does as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from prereg.tables.reader import write_csv
from ratify import main
from study.items import Item
from study.judges.baseline import baseline

WARM = "validating_emotions"
TEXTS = {
    str(n): f"Seeker: I lost it {n}.\nSupporter: {'That sounds so hard. ' * n}How are you?"
    for n in range(1, 13)
}


def ratings(path: Path, name: str, values: dict[str, float], dimension: str = WARM) -> str:
    rows = [{"item_id": item, dimension: str(value)} for item, value in values.items()]
    write_csv(path / f"{name}.csv", ["item_id", dimension], rows)
    return f"{name}={path / f'{name}.csv'}"


def audit(path: Path, *more: str, dimension: str = WARM, scale: str = "5") -> Result:
    people = [
        ratings(path, f"p{k}", {i: 1 + (int(i) + k) % 5 for i in TEXTS}, dimension) for k in (1, 2)
    ]
    judge = ratings(path, "gpt", {i: 1 + int(i) % 5 for i in TEXTS}, dimension)
    return CliRunner().invoke(
        main,
        [
            "audit",
            "--human",
            people[0],
            "--human",
            people[1],
            "--judge",
            judge,
            "--scale",
            "1",
            scale,
            "--out",
            str(path / "out"),
            *more,
        ],
    )


def results(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((path / "out" / "results.json").read_text())
    return content


@pytest.fixture
def items(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    write_csv(path, ["item_id", "words"], [{"item_id": i, "words": t} for i, t in TEXTS.items()])
    return path


def test_both_baselines_stand_in_every_table_of_agreement(tmp_path: Path, items: Path) -> None:
    done = audit(tmp_path, "--items", str(items), "--text", "words")
    assert done.exit_code == 0, done.output
    found = results(tmp_path)
    tables = {table["name"]: table for table in found["tables"]}
    for name in ("summary", "agreement", "annotators"):
        cells = {str(cell) for row in tables[name]["rows"] for cell in row}
        assert {"gpt", "length", "lexical"} <= cells, name
    assert not any("not compared with the judge" in limit for limit in found["limits"])


def test_they_rate_as_the_judges_of_a_study_do(tmp_path: Path, items: Path) -> None:
    """The same words give the same agreement, whichever way the baseline's ratings come in."""
    judge = baseline("lexical")
    own = {i: judge.rate(Item(i, "", t), [WARM])[WARM] for i, t in TEXTS.items()}
    assert audit(tmp_path, "--items", str(items), "--text", "words").exit_code == 0
    beside = results(tmp_path)
    assert audit(tmp_path, "--judge", ratings(tmp_path, "lexical", own)).exit_code == 0
    given = results(tmp_path)
    pick = lambda found: [  # noqa: E731
        (q["name"], q["estimate"]) for q in found["quantities"] if q["name"].startswith("lexical:")
    ]
    assert pick(beside) == pick(given) != []


@pytest.mark.parametrize(
    ("change", "words"),
    [({}, "--items"), ({"dimension": "sparkle"}, "rate"), ({"scale": "7"}, "from 1 to 5")],
)
def test_why_they_are_not_there_is_said(
    tmp_path: Path, items: Path, change: dict[str, str], words: str
) -> None:
    more = ["--items", str(items), "--text", "words"] if change else []
    done = audit(tmp_path, *more, **change)
    assert done.exit_code == 0, done.output
    found = results(tmp_path)
    assert words in next(
        limit for limit in found["limits"] if "not compared with the judge" in limit
    )
    assert "length" not in {q["name"].split(":")[0] for q in found["quantities"]}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--items", "ITEMS"], "there is no column 'text'"),
        (["--items", "lost.csv"], "lost.csv"),
        (["--habits", "."], "--habits cannot be combined"),
        (["--habits", ".", "--check"], "--habits cannot be combined"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, items: Path, more: list[str], words: str
) -> None:
    done = audit(tmp_path, *(str(items) if word == "ITEMS" else word for word in more))
    assert done.exit_code == 2
    assert words in done.output
    assert done.output.count("\n") == 1


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
def test_the_coefficients_are_checked_where_it_is_asked(tmp_path: Path) -> None:
    said = "Compared with pingouin on the same ratings of"
    assert said not in audit(tmp_path).output
    plain = results(tmp_path)["methods"]
    done = audit(tmp_path, "--check")
    assert done.exit_code == 0, done.output
    *others, last = results(tmp_path)["methods"]
    assert others == plain
    assert last.startswith(said)
    assert last in done.output


@pytest.mark.parametrize(
    ("lacking", "unless"),
    [("--human", "--habits"), ("--judge", "--habits"), ("--scale", "--labels or --habits")],
)
def test_a_missing_option_is_named_and_the_help_says_when_it_is_required(
    lacking: str, unless: str
) -> None:
    given = {"--human": ["h.csv"], "--judge": ["j.csv"], "--scale": ["1", "5"]}
    words = [word for name, values in given.items() if name != lacking for word in (name, *values)]
    done = CliRunner().invoke(main, ["audit", "--out", "x", *words])
    assert (done.exit_code, done.output.strip()) == (
        2,
        f"main audit: Missing option '{lacking}': it is required, unless {unless} is given.",
    )
    option = next(one for one in main.commands["audit"].params if lacking in one.opts)
    assert isinstance(option, click.Option)
    assert f"Required, unless {unless} is given." in (option.help or "")


def test_on_real_ratings_counting_words_is_no_judge(real_data: Path, tmp_path: Path) -> None:
    place = real_data / "lend_an_ear_reliability"
    people = [
        word for n in (1, 2, 3) for word in ("--human", str(place / f"expert{n}_ratings.csv"))
    ]
    done = CliRunner().invoke(
        main,
        [
            "audit",
            *people,
            "--judge",
            f"gpt={place / 'gpt_ratings.csv'}",
            "--id",
            "conversation_id",
            "--items",
            str(place / "sample_lend_an_ear_conversations.csv"),
            "--text",
            "full_conversation",
            "--scale",
            "1",
            "5",
            "--out",
            str(tmp_path / "out"),
        ],
    )
    assert done.exit_code == 0, done.output
    found = {q["name"]: q["estimate"] for q in results(tmp_path)["quantities"]}
    gpt, lexical, length = (
        found[f"{judge}:kappa_single:all"] for judge in ("gpt", "lexical", "length")
    )
    assert gpt > lexical > length
