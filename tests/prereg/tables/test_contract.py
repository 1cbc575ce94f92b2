"""If this failed, the codebook or an option would differ from the tables' contract."""

from __future__ import annotations

import re
from typing import get_args

import click
import pytest

from docs.codebook import PAGE, page
from prereg.plan.judging import Perturbation
from prereg.tables.contract import MODES, TABLES
from ratify import main

CODEBOOK = PAGE.read_text(encoding="utf-8")


def test_the_codebook_is_what_the_contract_says() -> None:
    assert page(CODEBOOK) == CODEBOOK, "run `python -m docs.codebook`"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_its_section_in_the_codebook(name: str) -> None:
    missing = re.sub(rf"(?m)^## {name}: ", "## another: ", CODEBOOK)
    with pytest.raises(ValueError, match=name):
        page(missing)


def test_a_column_of_the_codebook_that_is_wrong_is_mended() -> None:
    for wrong in (
        CODEBOOK.replace("`bot` (simulated)", "`robot`"),
        CODEBOOK.replace("| time |", ""),
    ):
        assert wrong != CODEBOOK
        assert page(wrong) == CODEBOOK


def test_the_codebook_names_every_rewrite_of_a_text() -> None:
    section = CODEBOOK.partition("\n## perturbed: ")[2].partition("\n## ")[0]
    assert set(get_args(Perturbation)) <= set(re.findall(r"`(\w+)`", section))


def test_the_commands_know_the_modes() -> None:
    options = [
        option
        for command in main.commands.values()
        for option in command.params
        if "--mode" in option.opts
    ]
    assert len(options) >= 2
    for option in options:
        assert isinstance(option.type, click.Choice)
        assert tuple(option.type.choices) == tuple(MODES)
