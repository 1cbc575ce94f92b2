"""If this failed, docs/validation.md would show figures that `make validate` did not write."""

from __future__ import annotations

import re
from importlib import import_module

from tests.validation.__main__ import PAGE, checks, name_of, seed_of

ROW = re.compile(r"^\| `(?P<function>[\w.]+)` \| (?P<rest>.*) \|$", re.MULTILINE)


def test_every_function_is_where_its_name_says() -> None:
    for check in checks():
        module, _, function = check.function.rpartition(".")
        found = getattr(import_module(module), function)
        assert found.__module__ == module, check.function


def test_every_check_has_a_name_and_a_seed_of_its_own() -> None:
    everything = checks()
    assert len({name_of(one) for one in everything}) == len(everything)
    assert len({seed_of(one) for one in everything}) == len(everything)


def test_the_page_has_one_row_per_check() -> None:
    rows = [(row["function"], *row["rest"].split(" | ")) for row in ROW.finditer(PAGE.read_text())]
    assert [row[:4] for row in rows] == [
        (one.function, one.what, one.design, f"{one.runs:,}") for one in checks()
    ]
    assert [row[8] if len(row) > 8 else "" for row in rows] == [one.note for one in checks()]
