"""If this failed, docs/validation.md would show figures that `make validate` did not write."""

from __future__ import annotations

import csv
import re
from importlib import import_module

from tests.validation.finished import TABLE
from tests.validation.outcome import FEWEST
from tests.validation.page import PAGE
from tests.validation.rows import checks, name_of, seed_of

ROW = re.compile(r"^\| `(?P<function>[\w.]+)` \| (?P<rest>.*) \|$", re.MULTILINE)
KNOWN = 9


def test_every_function_is_where_its_name_says() -> None:
    for check in checks():
        module, _, function = check.function.rpartition(".")
        found = getattr(import_module(module), function)
        assert found.__module__ == module, check.function


def test_every_check_has_a_name_and_a_seed_of_its_own() -> None:
    everything = checks()
    assert len({name_of(one) for one in everything}) == len(everything)
    assert len({seed_of(one) for one in everything}) == len(everything)


def test_every_row_has_enough_data_sets() -> None:
    few = [name_of(one) for one in checks() if one.runs < FEWEST[one.kind]]
    assert not few, f"at least {FEWEST}"


def test_the_page_has_one_row_per_check() -> None:
    rows = [(row["function"], *row["rest"].split(" | ")) for row in ROW.finditer(PAGE.read_text())]
    sets = [row[3].partition(" (")[0].rpartition(" of ")[2] for row in rows]
    assert [(*row[:3], n) for row, n in zip(rows, sets, strict=True)] == [
        (one.function, one.what, one.design, f"{one.runs:,}") for one in checks()
    ]
    known = [row[KNOWN] if len(row) > KNOWN else "" for row in rows]
    assert known == [one.note for one in checks()]


def test_the_page_shows_what_the_table_says() -> None:
    lines = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
    rows = [row["rest"].split(" | ") for row in ROW.finditer(PAGE.read_text())]
    shown = [tuple(row[at] for at in (0, 1, 4, 5)) for row in rows if row[4].strip()]
    assert shown == [
        (one["what"], one["design"], f"{float(one['share']):.3f}", f"{float(one['error']):.3f}")
        for one in lines
    ]
