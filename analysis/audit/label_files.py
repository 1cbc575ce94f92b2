"""Reads the files of an audit of labels: names of categories, such as pass and fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.agreement.confusion import ANOTHER
from analysis.agreement.label_classes import PERSON
from analysis.agreement.nominal_pairs import MAJORITY
from analysis.audit.annotators import NOT_COMPARED, Annotators, assembled
from analysis.audit.chosen_files import read_sources, refuse_reserved
from analysis.audit.files import Annotator, Source, annotators_with, require_dimensions
from analysis.audit.label_columns import MOST_NAMED, label_columns, labels_in, spelled
from analysis.audit.label_values import Values, declared_values, quoted
from analysis.audit.not_rated import not_ratings
from analysis.audit.twins import constant_says
from analysis.results.words import listed
from prereg.errors import RatifyError
from prereg.tables.numbers import plain
from prereg.tables.reading import Reading

# Two annotators with fewer items than this may well give all items the same labels.
_ALIKE = 30


@dataclass(frozen=True)
class Labelled:
    """All annotators of an audit of labels.

    Attributes
    ----------
    annotators : Annotators
        Their values are codes of labels, from 0.
    classes : dict of str to tuple of str
        The labels of each dimension, in the order of their codes.
    declared : bool
        Whether somebody said which labels there are; otherwise they are all that occur.
    """

    annotators: Annotators
    classes: dict[str, tuple[str, ...]]
    declared: bool

    def to_frame(self) -> pd.DataFrame:
        """Return the tidy table of codes."""
        return self.annotators.to_frame()


def read_labelled(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    dimensions: Sequence[str] | None = None,
    values: Sequence[str] = (),
    mode: str | None = None,
    rater_column: str = "rater_id",
    reading: Reading = Reading(),  # noqa: B008 - frozen
    human_columns: Sequence[str] = (),
    judge_columns: Sequence[str] = (),
) -> Labelled:
    """Read and check the files of an audit of labels.

    Parameters
    ----------
    humans, judges, id_column, mode, rater_column, reading, human_columns, judge_columns
        As in `annotators.read_annotators`.
    dimensions : sequence of str, optional
        What to compare; by default every column with few different names that all files share.
    values : sequence of str
        The labels, as `[DIMENSION:]LABEL[=OTHER],...`; see `label_values.declared_values`. By
        default all that occur. Letter case and spaces do not make a label another one.

    Returns
    -------
    Labelled

    Raises
    ------
    RatifyError
        If a file is unusable, a label is not one of those declared, people and a judge have no
        label in common, or a dimension has too many different ones.
    """
    declared = declared_values(values)
    known = {word for of in declared.values() for word in of.spellings}
    sources, counted = read_sources(
        humans,
        judges,
        id_column=id_column,
        dimensions=dimensions,
        mode=mode,
        rater_column=rater_column,
        # a word that is declared as a label is no missing value
        reading=replace(reading, missing=tuple(w for w in reading.missing if w not in known)),
        human_columns=human_columns,
        judge_columns=judge_columns,
    )
    chosen, notes = _dimensions(sources, dimensions, id_column)
    refuse_reserved(sources, chosen)
    _refuse_unknown_dimensions(declared, chosen)
    classes: dict[str, tuple[str, ...]] = {}
    codes: dict[str, dict[str, int]] = {}
    for name in chosen:
        of = declared.get(name) or declared.get("")
        if of is None:
            of, merged = _all_that_occur(sources, name)
            notes += merged
        classes[name] = of.labels
        codes[name] = of.codes
    annotators: list[Annotator] = []
    for source in sources:
        annotators += _annotators(source, chosen, codes, classes, declared=bool(declared))
    _refuse_words_of_tables(annotators)
    notes += _one_sided(annotators, classes)
    few = max((len(one.items) for one in annotators), default=0) < _ALIKE
    found = assembled(
        sources,
        counted,
        annotators,
        chosen,
        id_column=id_column,
        named=bool(dimensions) or few,
        said=[
            *dict.fromkeys(note for source in sources for note in _as_read(source, chosen)),
            *notes,
        ],
        constant=_never_varying(annotators, classes),
    )
    return Labelled(found, classes, bool(declared))


def _as_read(source: Source, dimensions: Sequence[str]) -> list[str]:
    """Return what was changed while a file was read; letter case is said where labels are read."""
    own = ("value",) if source.long else source.rater_columns or dimensions
    return [
        note
        for note in source.table.notes
        if not any(f"column {name} has values that differ only" in note for name in own)
    ]


def _dimensions(
    sources: Sequence[Source], wanted: Sequence[str] | None, id_column: str
) -> tuple[tuple[str, ...], list[str]]:
    """Return the dimensions to compare, and a note on columns that were passed over."""
    if wanted:
        for source in sources:
            require_dimensions(source, wanted, id_column)
        return tuple(dict.fromkeys(wanted)), []
    shared = label_columns(sources)
    if not shared:
        raise RatifyError(
            "the files share no column of labels: few different names, given again and again",
            file=sources[0].path,
            allowed="columns with the same name in every file, or name what was labelled with "
            "--dimension",
        )
    reasons = not_ratings(sources, shared)
    rated = tuple(name for name in shared if name not in reasons)
    said = listed([f"{name} ({why})" for name, why in reasons.items()] or [""])
    if not rated:
        raise RatifyError(
            f"no column looks like labels: {said}",
            file=sources[0].path,
            allowed="name what was labelled with --dimension",
        )
    note = f"{NOT_COMPARED}{said}. Name what was labelled with --dimension to compare it."
    return rated, [note] if reasons else []


def _refuse_unknown_dimensions(declared: Mapping[str, Values], chosen: Sequence[str]) -> None:
    for name in declared:
        if name and name not in chosen:
            raise RatifyError(
                "--values names a dimension that is not compared",
                value=name,
                allowed=", ".join(chosen),
            )


def _all_that_occur(sources: Sequence[Source], dimension: str) -> tuple[Values, list[str]]:
    """Return all labels of a dimension, and a note on spellings that were read as one."""
    spellings: dict[str, Counter[str]] = {}
    for source in sources:
        for text in labels_in(source, dimension):
            spellings.setdefault(text.casefold(), Counter())[text] += 1
    if len(spellings) > MOST_NAMED:
        raise RatifyError(
            f"has {len(spellings)} different labels",
            file=sources[0].path,
            column=dimension,
            allowed=f"at most {MOST_NAMED} names of categories; numbers and texts are no labels",
        )
    usual = {
        key: min(of, key=lambda text, of=of: (-of[text], text))  # type: ignore[misc]
        for key, of in spellings.items()
    }
    numeric = {key: plain(key) for key in usual}
    keys = sorted(usual, key=lambda k: (numeric[k] is None, numeric[k] or 0.0, k))
    if len(keys) < 2:
        raise RatifyError(
            "has one label only" if keys else "holds no label",
            file=sources[0].path,
            column=dimension,
            value=usual[keys[0]] if keys else None,
            allowed="two labels or more; --values names those that could have been given",
        )
    merged = [
        f"{dimension}: {listed([repr(text) for text in sorted(of)])} were read as one label."
        for of in spellings.values()
        if len(of) > 1
    ]
    return Values(tuple(usual[key] for key in keys), {usual[key]: usual[key] for key in keys}), (
        merged
    )


def _annotators(
    source: Source,
    dimensions: Sequence[str],
    codes: Mapping[str, Mapping[str, int]],
    classes: Mapping[str, tuple[str, ...]],
    *,
    declared: bool,
) -> list[Annotator]:
    """Return the annotators of one file, every label checked and coded."""

    def value(row: int, column: str, dimension: str) -> float | None:
        cell = spelled(source.table.rows[row - 2][column])
        if not cell:
            return source.table.number(row, column)  # None; a formula without a value is refused
        own = codes[dimension]
        code = own.get(cell, own.get(cell.casefold()))
        if code is None:
            raise source.table.error(
                row,
                column,
                f"is not one of the labels of {dimension}" if declared else "is not a label",
                allowed=quoted(classes[dimension]),
            )
        return float(code)

    found = annotators_with(source, dimensions, value)
    silent = [one for one in found if not one.items]
    if silent and (source.kind == "judge" or len(silent) == len(found)):
        raise RatifyError(
            f"holds no label by '{silent[0].name}': every cell is empty or a missing-value word",
            file=source.path,
            column="value" if source.long else listed(list(dimensions)),
            allowed="; ".join(quoted(classes[name]) for name in dimensions),
        )
    return found


def _refuse_words_of_tables(annotators: Sequence[Annotator]) -> None:
    for one in annotators:
        if one.name in (MAJORITY, PERSON, ANOTHER):
            raise RatifyError(
                f"a {one.kind} cannot be called '{one.name}', which is a word of the report",
                file=one.path,
                allowed=f"another name: --{one.kind} NAME=FILE",
            )


def _one_sided(
    annotators: Sequence[Annotator], classes: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Return a note on labels that only people or only a judge give; refuse if none is shared."""
    notes = []
    for dimension, labels in classes.items():
        people = _given([one for one in annotators if one.kind == "human"], dimension)
        for one in annotators:
            if one.kind != "judge":
                continue
            mine = _given([one], dimension)
            if mine and people and not mine & people:
                raise RatifyError(
                    f"{one.name} and the people have no label of {dimension} in common: they gave "
                    f"{listed([labels[code] for code in sorted(people)])}",
                    file=one.path,
                    value=", ".join(labels[code] for code in sorted(mine)),
                    allowed="the same names on both sides; --values 'pass=1,fail=0' says which "
                    "other names mean a label",
                )
            alone = [labels[code] for code in sorted(mine - people)]
            if alone:
                notes.append(
                    f"{dimension}: no person gave {listed([repr(x) for x in alone])}, which "
                    f"{one.name} gave. If it is another name of a label, say so: --values "
                    "'LABEL=OTHER,...'."
                )
    return notes


def _given(annotators: Sequence[Annotator], dimension: str) -> set[int]:
    return {
        int(value)
        for one in annotators
        for (_, of), value in one.ratings.items()
        if of == dimension and value is not None
    }


def _never_varying(
    annotators: Sequence[Annotator], classes: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Return a warning for each judge with one and the same label for all items."""
    people = [one for one in annotators if one.kind == "human"]
    return [
        f"{one.name} gave every item the same label of {name} "
        f"({classes[name][next(iter(given))]!r}), "
        f"{constant_says(given, _given(people, name))}."
        for one in annotators
        if one.kind == "judge"
        for name in classes
        if len(given := _given([one], name)) == 1
    ]
