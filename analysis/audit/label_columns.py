"""Says which columns of an audit's files hold labels: few different names, given repeatedly."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis.audit.files import Source, cells_of

# A column with more different cells than this is text, a number or an id, unless it is named.
MOST = 20
# Even where the dimension is named, more than this are no labels.
MOST_NAMED = 50
# A label has no more letters than this.
LONGEST = 60
_UNNAMED = re.compile(r"(Unnamed: \d.*)?")
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


def spelled(cell: str) -> str:
    """Return a label in one spelling: single spaces, and '1.0' as '1'."""
    text = " ".join(cell.split())
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def labels_in(source: Source, dimension: str) -> list[str]:
    """Return every label of a file on a dimension, in the order of its rows."""
    return [
        text
        for row, _, _, _, column in cells_of(source, [dimension])
        if (text := spelled(source.table.rows[row - 2][column]))
    ]


def label_columns(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return the dimensions that every file has as labels.

    Parameters
    ----------
    sources : sequence of Source
        Wide files have a column per dimension; long ones name their dimensions.

    Returns
    -------
    tuple of str
        Columns that hold few different cells, none long, of which at least one file has two.
    """
    found = [_columns(source) for source in sources]
    first = found[0] if found else []
    shared = [name for name in first if all(name in names for names in found)]
    return tuple(
        name
        for name in shared
        if len({text.casefold() for source in sources for text in labels_in(source, name)}) > 1
    )


def _columns(source: Source) -> list[str]:
    if source.rater_columns:
        return [source.dimension]
    if source.long:
        return list(dict.fromkeys(record["dimension"].strip() for _, record in source.records()))
    return [
        name
        for name in source.table.columns
        if name not in (source.id_column, source.rater_column)
        and not _UNNAMED.fullmatch(name)
        and _few(labels_in(source, name))
    ]


def _few(cells: Sequence[str]) -> bool:
    """Say whether the cells are few different short names, most of them given more than once."""
    different = {text.casefold() for text in cells}
    if not different or max(map(len, different)) > LONGEST:
        return False
    return len(different) <= MOST and (2 * len(different) <= len(cells) or len(different) == 1)
