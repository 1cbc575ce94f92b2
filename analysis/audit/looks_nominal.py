"""Finds names of categories in an audit of numbers, and points to the audit of labels.

Codes of categories (0 and 1, or 1 to 4 for four kinds) run through an audit of numbers without an
error, but distances, medians and biases of codes mean nothing, and the verdict may be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.audit.files import Annotator, Source, cells_of
from analysis.audit.label_columns import label_columns, labels_in
from analysis.results.verdict import Note
from analysis.results.words import listed
from prereg.tables.numbers import plain

OPTION = "--labels"
# With more codes than this, numbers are a scale or a count.
_FEW = 10
_NO_NUMBER = "is not a number"
_REPEAT = (
    f"If these are names, repeat the audit with {OPTION} instead of --scale: distances, medians "
    "and biases of codes mean nothing."
)


def refuse_words(sources: Sequence[Source], dimensions: Sequence[str]) -> None:
    """Raise `RatifyError` at a dimension whose cells are mostly words: they may be labels."""
    for name in dimensions:
        for source in sources:
            _refuse_words(source, name)


def _refuse_words(source: Source, dimension: str) -> None:
    words: dict[str, tuple[int, str]] = {}
    filled = wordy = 0
    for row, _, _, _, column in cells_of(source, [dimension]):
        cell = source.table.rows[row - 2][column].strip()
        numbers = source.table.numbers(column)
        if not cell:
            continue
        filled += 1
        if cell not in numbers.known and numbers.faults[cell][0] == _NO_NUMBER:
            wordy += 1
            words.setdefault(cell, (row, column))
    if not words or len(words) > _FEW or 2 * wordy <= filled:
        return
    cell, (row, column) = next(iter(words.items()))
    problem, allowed = source.table.numbers(column).fault(cell)
    raise source.table.error(
        row,
        column,
        problem,
        allowed=f"{allowed}; if they are names of categories: {OPTION} instead of --scale",
    )


def words_shared(sources: Sequence[Source]) -> str:
    """Return how an error points to labels, where files share columns of few words; or nothing."""
    names = [
        name
        for name in label_columns(sources)
        if any(plain(text) is None for source in sources for text in labels_in(source, name))
    ]
    if not names:
        return ""
    return f"; if the words of {listed(names)} are names of categories: {OPTION} instead of --scale"


def looks_nominal(
    sources: Sequence[Source], dimensions: Sequence[str], annotators: Sequence[Annotator]
) -> list[str]:
    """Return a sentence for each dimension whose numbers look like names of categories.

    Parameters
    ----------
    sources : sequence of Source
    dimensions : sequence of str
    annotators : sequence of Annotator
        With their values as numbers.

    Returns
    -------
    list of str
        Numbers look so if all of them are 0 or 1, if they come from words such as yes and no, or
        if a further column of a file has one word for each of them.
    """
    found = []
    for name in dimensions:
        values = {
            value
            for one in annotators
            for (_, of), value in one.ratings.items()
            if of == name and value is not None
        }
        why = _why(sources, name, values)
        if why:
            found.append(
                f"{name} looks like names of categories ({why}), and was compared as points of a "
                f"scale. {_REPEAT}"
            )
    return found


def nominal_notes(said: Sequence[str]) -> tuple[Note, ...]:
    """Return the findings on numbers that look like names of categories."""
    return tuple(
        Note(
            severity="critical", about="ratings", says=text.removesuffix(f" {_REPEAT}"), do=_REPEAT
        )
        for text in said
    )


def _why(sources: Sequence[Source], dimension: str, values: set[float]) -> str:
    flags = {
        source.table.numbers(column).kinds.get(source.table.rows[row - 2][column].strip())
        for source in sources
        for row, _, _, _, column in cells_of(source, [dimension])
    }
    if "flag" in flags:
        return "yes and no, or true and false"
    if values == {0.0, 1.0}:
        return "every number is 0 or 1"
    if 2 <= len(values) <= _FEW and all(value == int(value) for value in values):
        for source in sources:
            other = _words_beside(source, dimension)
            if other:
                return f"column {other} of {source.path.name} has one word for each number"
    return ""


def _words_beside(source: Source, dimension: str) -> str:
    """Return a further column with one word for each number of a dimension; empty if none has."""
    if source.rater_columns:
        return ""
    known = {source.id_column, source.rater_column, dimension, "rater_id", "rater_kind", "mode"}
    for name in source.table.columns:
        if name not in known and name and _one_for_one(_pairs(source, dimension, name)):
            return name
    return ""


def _pairs(source: Source, dimension: str, other: str) -> Mapping[str, set[str]]:
    """Return the words in another column by the number beside which they stand.

    Nothing, as soon as a number has a second word: this is asked of every two columns.
    """
    found: dict[str, set[str]] = {}
    for row, _, _, _, column in cells_of(source, [dimension]):
        record = source.table.rows[row - 2]
        number, word = record[column].strip(), record[other].strip()
        if number and (word or number in found):
            words = found.setdefault(number, set())
            words.add(word.casefold())
            if len(words) > 1:
                return {}
    return found


def _one_for_one(pairs: Mapping[str, set[str]]) -> bool:
    if not 2 <= len(pairs) <= _FEW or any(len(words) != 1 for words in pairs.values()):
        return False
    words = [next(iter(words)) for words in pairs.values()]
    return len(set(words)) == len(words) and all(word and plain(word) is None for word in words)
