"""If this fails, an audit computes with numbers or ids that mean something else in another file."""

from __future__ import annotations

import pytest

from analysis.audit.annotators import read_annotators
from prereg.errors import RatifyError
from prereg.tables.reading import Reading


def table(path, values, *, ids=None, between=","):
    ids = ids or [f"talk {n}" for n in range(len(values))]
    rows = [f"{name}{between}{value}" for name, value in zip(ids, values, strict=True)]
    path.write_text("\n".join([f"item_id{between}warmth", *rows]) + "\n")
    return str(path)


@pytest.fixture
def people(tmp_path):
    return [
        table(tmp_path / "ann.csv", [1, 2, 3, 4, 5, 4]),
        table(tmp_path / "ben.csv", [2, 2, 3, 5, 5, 3]),
    ]


def read(humans, judges, **settings):
    return read_annotators(humans, judges, id_column="item_id", **({"scale": (1, 5)} | settings))


def refused(humans, judges, **settings):
    with pytest.raises(RatifyError) as caught:
        read(humans, judges, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_label_has_one_number_in_and_between_files(tmp_path):
    key = ["1 - never", "2 - Rarely", "3", "4 - often", "5 - always", "3"]
    turned = ["5 - never", "4 - rarely", "3", "2 - often", "1 - always", "3"]
    ann = table(tmp_path / "ann.csv", key)
    said = refused([ann], [table(tmp_path / "bot.csv", turned)])
    assert "bot.csv, row 2, column warmth" in said and "'5 - never'" in said
    assert "ann.csv, row 2, column warmth: '1 - never'" in said
    within = table(tmp_path / "ben.csv", ["2 - rarely", "Rarely (4)", "3", "3", "5 - always", "1"])
    said = refused([within], [table(tmp_path / "bot.csv", [1, 2, 3, 4, 4, 5])])
    assert "row 3" in said and "row 2" in said


def test_a_word_beside_every_number_is_a_unit(tmp_path):
    ann = table(tmp_path / "ann.csv", ["1: point", *(f"{n}: points" for n in (2, 3, 4, 5, 4))])
    bot = table(tmp_path / "bot.csv", [f"{n} (points)" for n in (2, 2, 3, 4, 5, 3)])
    assert read([ann], [bot]).humans[0].ratings["talk 4", "warmth"] == 5


COMMA = {"reading": Reading(decimal=","), "scale": (0, 2000)}


@pytest.mark.parametrize("cells", [["0.325", "0.250"], ["3.5", "3.333"], ["3,25", "3.5"]])
def test_a_decimal_point_beside_decimal_commas_is_refused(tmp_path, cells):
    ann = table(tmp_path / "ann.csv", [*cells, "1", "2"], between=";")
    bot = table(tmp_path / "bot.csv", ["1,5", "2,5", "1", "2"], between=";")
    said = refused([ann], [bot], **COMMA)
    assert "ann.csv, row" in said and "not between thousands" in said


def test_groups_and_commas_are_counted_apart(tmp_path):
    ann = table(tmp_path / "ann.csv", ["1.234", "1.100", "7,5", "2"], between=";")
    bot = table(tmp_path / "bot.csv", ["1,5", "2,5", "1", "2"], between=";")
    found = read([ann], [bot], **COMMA)
    assert found.humans[0].ratings["talk 0", "warmth"] == 1234
    said = "\n".join(found.said)
    assert "ann.csv: 1 cell of column warmth: decimal commas" in said
    assert "ann.csv: 2 cells of column warmth: points were read as marks between thousands" in said


@pytest.mark.parametrize(
    ("change", "way"),
    [
        (lambda name: f"0{name}", "leading zeros"),
        (lambda name: f"T{name}", "letter case"),
        (lambda name: f"a  {name}", "spaces inside"),
    ],
)
def test_ids_that_nearly_match_are_told_and_kept_apart(tmp_path, change, way):
    plain = {"leading zeros": "", "letter case": "t", "spaces inside": "a "}[way]
    ids = [f"{plain}{n}" for n in range(1, 7)]
    ann = table(tmp_path / "ann.csv", [1, 2, 3, 4, 5, 4], ids=ids)
    other = [*ids[:3], *(change(str(n)) for n in range(4, 7))]
    bot = table(tmp_path / "bot.csv", [1, 2, 3, 4, 4, 4], ids=other)
    found = read([ann], [bot])
    told = [note for note in found.said if "differ from other files' ids" in note]
    assert len(told) == 1 and told[0].startswith("3 ids of bot.csv") and way in told[0]
    assert repr(other[3]) in told[0]
    assert len(found.humans[0].items | found.judges[0].items) == 9


def test_ids_that_match_are_not_told(tmp_path, people):
    bot = table(tmp_path / "bot.csv", [1, 2, 3, 4, 4, 4])
    assert not [note for note in read(people, [bot]).said if "ids" in note]


def test_a_person_or_judge_named_twice_is_refused_unless_dimensions_are_named(tmp_path, people):
    bot = table(tmp_path / "bot.csv", [1, 2, 3, 4, 4, 4])
    twice = [*people, f"again={people[0]}"]
    assert "two people" in refused(twice, [bot])
    assert "two judges" in refused(people, [bot, f"again={bot}"])
    named = read(twice, [bot], dimensions=["warmth"])
    assert any("ann and again gave exactly the same" in note for note in named.warnings)
