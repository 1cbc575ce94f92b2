"""Says which numeric columns of an audit's files are not ratings, and why.

Exports of annotation tools and of models carry numbers beside the ratings: a fold, an annotator's
number, a batch, a time, a version. A scale of 1 to 5 cannot tell them from a rating. They are told
by their names, and by what no rating does: each annotator has one value throughout, or all of them
have the same value on every item. `--dimension` overrides both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from analysis.audit.files import Source, cells_of

# Items that two annotators must share before equal values are more than chance.
_ENOUGH = 5
# Ratings of one annotator before a single value is more than chance.
_SEVERAL = 3
# Whole names of columns that count, number or date something.
_NAMES = frozenset(
    "annotator rater worker user participant subject assignment task hit trial trials page block "
    "position pos order sequence seq row rows line index idx id ids no nr num number counter count "
    "n fold folds split splits batch batches group cluster round wave run seed attempt attempts "
    "version ver revision rev release time timestamp ts date datetime created updated submitted "
    "started finished completed duration elapsed latency rt seconds secs sec ms millis minutes "
    "tokens cost price temperature year month day hour age".split()
)
# Endings of names that do so whatever stands before them: lead_time, item_nr, created_at.
_ENDINGS = frozenset(
    "id ids idx index nr num number counter fold split batch seed version timestamp ts time date "
    "datetime at ms secs seconds minutes duration latency tokens cost".split()
)
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


def not_ratings(sources: Sequence[Source], shared: Sequence[str]) -> dict[str, str]:
    """Return the columns that are not ratings, each with the reason.

    Parameters
    ----------
    sources : sequence of Source
    shared : sequence of str
        The numeric columns that all files have. Those of a long file are declared as dimensions, so
        only their values can speak against them.

    Returns
    -------
    dict
        If equal values speak against all columns that are left, they speak against the annotators,
        not against the columns, and no column is here for that reason.
    """
    declared = {
        name for source in sources if source.long or source.rater_columns for name in shared
    }
    found: dict[str, str] = {}
    alike: dict[str, str] = {}
    for name in shared:
        if name not in declared and _names_a_number(name):
            found[name] = "its name says that it counts, numbers or dates something"
            continue
        values = _values(sources, name)
        if _one_value_each(values):
            found[name] = "each annotator has one value throughout"
        elif _the_same(values):
            alike[name] = "all annotators have the same value on every item"
    return found if set(found) | set(alike) == set(shared) else found | alike


def _names_a_number(name: str) -> bool:
    """Say whether a column's name is that of an id, a counter, a time, a batch or a version."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    words = [part for part in parts if not part.isdecimal()]
    if not words:
        return True  # a column called 1 or 2024 names nothing that was rated
    return "_".join(words) in _NAMES or (len(words) > 1 and words[-1] in _ENDINGS)


def _values(sources: Sequence[Source], name: str) -> dict[tuple[int, str], dict[str, str]]:
    """Return what each annotator has for each item, numbers in one spelling."""
    found: dict[tuple[int, str], dict[str, str]] = {}
    for number, source in enumerate(sources):
        for row, rater, item, _, column in cells_of(source, [name]):
            cell = source.table.rows[row - 2][column].strip()
            if cell:
                value = source.table.numbers(column).known.get(cell)
                found.setdefault((number, rater), {})[item] = (
                    cell if value is None else f"{value!r}"
                )
    return found


def _one_value_each(values: Mapping[tuple[int, str], Mapping[str, str]]) -> bool:
    """Say whether each annotator has only one value, but not all the same: more than chance."""
    if any(len(set(of.values())) > 1 for of in values.values()):
        return False
    return len({next(iter(of.values())) for of in values.values() if len(of) >= _SEVERAL}) > 1


def _the_same(values: Mapping[tuple[int, str], Mapping[str, str]]) -> bool:
    """Say whether all annotators have the same value on every item: more than chance."""
    by_item: dict[str, list[str]] = {}
    for of in values.values():
        for item, value in of.items():
            by_item.setdefault(item, []).append(value)
    shared = [given for given in by_item.values() if len(given) > 1]
    return len(shared) >= _ENOUGH and all(len(set(given)) == 1 for given in shared)
