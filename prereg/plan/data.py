"""How the plan says that the tables of a study are read: missing values, decimals, column names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from prereg.strict import Strict, Text, added
from prereg.tables.reading import MISSING_WORDS, Decimal, Reading, missing_words


def _as_word(value: Any) -> Any:
    """Return a word of a list as it would be in a table: YAML reads -99, null and .nan itself."""
    if value is None:
        return "null"
    if isinstance(value, float) and value != value:
        return "nan"
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Word = Annotated[Text, BeforeValidator(_as_word, json_schema_input_type=str | int | float | None)]


class Data(Strict):
    """How the researcher's own tables and the further columns of the study's tables are read.

    Attributes
    ----------
    missing : tuple of str
        Words that mean a missing value; an empty cell always does. After a first `+` they are added
        to the default, see `missing_words`.
    decimal : {'.', ','}
        The decimal mark of numbers.
    columns : mapping
        For each table, our names of columns to the names that the file has.
    """

    missing: tuple[Word, ...] = added(MISSING_WORDS)
    decimal: Decimal = added(".")
    columns: Mapping[Text, Mapping[Text, Text]] = added({})

    def reading(self, table: str) -> Reading:
        """Return how a table of the researcher's own is read."""
        return Reading(
            missing=missing_words(self.missing),
            decimal=self.decimal,
            columns=dict(self.columns.get(table, {})),
        )
