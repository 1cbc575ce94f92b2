"""Reads columns of numbers from the researcher's own tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.tables.columns import number_notes, numbers, require_columns
from analysis.tables.tidy import naming


def with_number_columns(evidence: Evidence, name: str, *columns: str) -> pd.DataFrame:
    """Return a table of the researcher's own with these columns as numbers.

    What was read in another way than as plain numbers is noted in the evidence.

    Raises
    ------
    RatifyError
        If there is no such table or column, or at a cell that is neither a number nor empty.
    """
    table, path = evidence.table(name), evidence.table_path(name)
    with naming(Path(path.name)):
        require_columns(table, *columns)
        values = {column: numbers(table, column) for column in columns}
    for column in columns:
        evidence.note(number_notes(table, column, path.name))
    return table.assign(**values)
