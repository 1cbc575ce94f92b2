"""Writes the tables of data/README.md from the contract: `python -m docs.codebook`."""

from __future__ import annotations

import re
from pathlib import Path

from prereg.files import write_text
from prereg.tables.chat_contract import CHAT_PARTICIPANTS, CHAT_TABLES
from prereg.tables.contract import TABLES, Column, Contract

PAGE = Path(__file__).parents[1] / "data" / "README.md"
# Every table by the heading of its section; a chat's participants are another table.
SECTIONS = {**CHAT_TABLES, **TABLES, "participants (chat)": CHAT_PARTICIPANTS}
HEAD = "| column | type | unit, allowed values | missing |\n|---|---|---|---|\n"


def codebook_table(table: Contract) -> str:
    """Return the columns of a tidy table as a table of the codebook."""
    return HEAD + "".join(
        f"| `{c.name}` | {c.type} | {_values(c)} | {_missing(c)} |\n" for c in table.columns
    )


def page(text: str) -> str:
    """Return the codebook with headings and tables from the contract and its prose unchanged."""
    for name, table in SECTIONS.items():
        section = rf"(?m)^## {re.escape(name)}: .*\n((?:(?!## |\|).*\n)*)(?:\|.*\n)+"
        rendered = rf"## {name}: {table.row}\n\g<1>{codebook_table(table)}"
        text, found = re.subn(section, rendered, text)
        if found != 1:
            raise ValueError(f"the codebook has no section with a table of {name}")
    return text


def _values(column: Column) -> str:
    words = ", ".join(
        f"`{word}` ({meaning})" if meaning else f"`{word}`"
        for word, meaning in column.words.items()
    )
    return ": ".join(part for part in (column.meaning, words) if part)


def _missing(column: Column) -> str:
    if column.empty is None:
        return "required where the column exists" if column.optional else "required"
    return f"empty: {column.empty}" + ("; column may be absent" if column.optional else "")


if __name__ == "__main__":
    write_text(PAGE, page(PAGE.read_text(encoding="utf-8")))
