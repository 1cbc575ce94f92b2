"""Reads the files of all annotators of an audit, and checks them against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from analysis.agreement.rating_table import check_scale
from analysis.audit.chosen_files import TOGETHER, cannot_be_called, read_sources, refuse_reserved
from analysis.audit.files import (
    Annotator,
    Source,
    annotators_of,
    rated_dimensions,
    require_dimensions,
)
from analysis.audit.labels import refuse_two_keys
from analysis.audit.looks_nominal import looks_nominal, refuse_words
from analysis.audit.no_ratings import nothing_shared, refuse_silent
from analysis.audit.not_rated import not_ratings
from analysis.audit.rows import Chosen
from analysis.audit.twins import nearly_the_same, never_varying, row_numbers_as_ids, the_same_twice
from analysis.results.words import counted, listed
from prereg.errors import RatifyError
from prereg.tables.chosen_sheet import file_and_sheet
from prereg.tables.reading import Reading

# How the note on columns that are not ratings begins.
NOT_COMPARED = "Not compared, because it does not look like a rating: "
# With more annotators than this a warning refers to the table instead of naming each one.
_SPELLED_OUT = 12


@dataclass(frozen=True)
class Annotators:
    """All annotators of an audit.

    Attributes
    ----------
    humans, judges : tuple of Annotator
        In the order of the command line.
    dimensions : tuple of str
        What is compared.
    files : tuple of Path
        Every file read, once each.
    warnings : list of str
        What a reader must know before trusting the numbers: items and columns that are left out.
    mode : str or None
        The kind of data of people's ratings, if a table says: live, pilot or bot.
    said : tuple of str
        Those of the warnings that are said at once: how the files were read, and which columns are
        not compared.
    nominal : tuple of str
        Sentences on numbers that look like names of categories.
    """

    humans: tuple[Annotator, ...]
    judges: tuple[Annotator, ...]
    dimensions: tuple[str, ...]
    files: tuple[Path, ...]
    warnings: list[str]
    mode: str | None = None
    said: tuple[str, ...] = ()
    nominal: tuple[str, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether the people are bots."""
        return self.mode == "bot"

    def common(self, one: Annotator) -> tuple[int, int]:
        """Return how many of an annotator's items are used in a comparison, and how many are not.

        People are compared with everybody else, a judge with people only.
        """
        others = self.humans if one.kind == "judge" else (*self.humans, *self.judges)
        rated = set[str]().union(*(other.items for other in others if other is not one))
        return len(one.items & rated), len(one.items - rated)

    def to_frame(self) -> pd.DataFrame:
        """Return the tidy table of ratings; a judge's `rater_kind` is `llm`."""
        return pd.DataFrame(
            [
                (one.name, "human" if one.kind == "human" else "llm", item, dimension, value)
                for one in (*self.humans, *self.judges)
                for (item, dimension), value in one.ratings.items()
                if value is not None
            ],
            columns=["rater_id", "rater_kind", "item_id", "dimension", "value"],
        )


def read_annotators(
    humans: Sequence[str],
    judges: Sequence[str],
    *,
    id_column: str,
    scale: tuple[float, float],
    dimensions: Sequence[str] | None = None,
    mode: str | None = None,
    rater_column: str = "rater_id",
    reading: Reading = Reading(),  # noqa: B008 - frozen
    human_columns: Sequence[str] = (),
    judge_columns: Sequence[str] = (),
) -> Annotators:
    """Read and check the files of an audit.

    Parameters
    ----------
    humans, judges : sequence of str
        Each `FILE` or `NAME=FILE`; `FILE#SHEET` is one sheet of a workbook. Without a name, the
        annotator of a wide file has the file's name without its extension. Those of a long file
        have their `rater_id`, after `NAME:` if a name is given and there are several. If a long
        file has a column `rater_kind`, only people are read from it as humans, and only others as
        judges.
    id_column : str
        The column of item ids; a long file may call it `item_id` instead.
    scale : tuple of float
        Lowest and highest possible rating.
    dimensions : sequence of str, optional
        What to compare; by default the numeric columns that all files share.
    mode : {'live', 'pilot', 'bot'}, optional
        Which of people's ratings to take from long files with a column `mode`; by default the only
        mode there, or live if there are several. Ratings of attention checks are left out.
    rater_column : str
        The column of people's wide files that says who rated; a file without it is by one person.
        It counts in a judges' file too if an id occurs there more than once.
    reading : Reading
        How cells are read, and what the files call our columns; a file may lack a name that another
        file has.
    human_columns, judge_columns : sequence of str
        In files with one column per rater, all of one dimension: those of people and of judges.

    Returns
    -------
    Annotators

    Raises
    ------
    RatifyError
        If a file is unusable; the message names file, row, column, value and what is allowed.
    """
    check_scale(scale)
    sources, counted = read_sources(
        humans,
        judges,
        id_column=id_column,
        dimensions=dimensions,
        mode=mode,
        rater_column=rater_column,
        reading=reading,
        human_columns=human_columns,
        judge_columns=judge_columns,
    )
    chosen, warnings = _dimensions(sources, dimensions, id_column, check_scale(scale))
    refuse_reserved(sources, chosen)
    refuse_words(sources, chosen)
    hint = (
        "" if dimensions else "; if this column is not a rating, name the ratings with --dimension"
    )
    annotators: list[Annotator] = []
    for source in sources:
        found_there = annotators_of(source, chosen, check_scale(scale), hint)
        refuse_silent(source, found_there, chosen, scale)
        annotators += found_there
    refuse_two_keys(sources, chosen)
    return assembled(
        sources,
        counted,
        annotators,
        chosen,
        id_column=id_column,
        named=bool(dimensions),
        said=[*as_read(sources, chosen), *warnings],
        constant=never_varying(annotators, chosen),
        nominal=looks_nominal(sources, chosen, annotators),
    )


def assembled(
    sources: Sequence[Source],
    counted: Chosen,
    annotators: list[Annotator],
    dimensions: tuple[str, ...],
    *,
    id_column: str,
    named: bool,
    said: Sequence[str],
    constant: Sequence[str],
    nominal: Sequence[str] = (),
) -> Annotators:
    """Check the annotators of all files against each other, and return them.

    Parameters
    ----------
    sources, counted
        From `read_sources`.
    annotators : list of Annotator
    dimensions : tuple of str
    id_column : str
    named : bool
        Whether somebody named the dimensions, and so says that these are ratings.
    said, constant, nominal : sequence of str
        Notes on how the files were read, which are said at once, on judges that never vary, and on
        numbers that look like names of categories.
    """
    _names_differ(annotators)
    _items_overlap(annotators, id_column)
    twins = the_same_twice(annotators, named=named)
    at_once = (*said, *nearly_the_same(annotators), *row_numbers_as_ids(annotators))
    warnings = [*at_once, *counted.notes, *constant]
    silent = [one.name for one in annotators if not one.items]
    if silent:
        warnings.append(f"Left out, because they gave no ratings: {listed(silent)}.")
        annotators = [one for one in annotators if one.items]
    found = Annotators(
        humans=tuple(one for one in annotators if one.kind == "human"),
        judges=tuple(one for one in annotators if one.kind == "judge"),
        dimensions=dimensions,
        files=tuple(dict.fromkeys(file_and_sheet(source.path)[0] for source in sources)),
        warnings=warnings,
        mode=counted.mode,
        said=at_once,
        nominal=tuple(nominal),
    )
    warnings += [*twins, *_partial_overlap(found)]
    return found


def as_read(sources: Sequence[Source], dimensions: Sequence[str]) -> list[str]:
    """Return what was changed while the files were read, each sentence once."""
    notes: dict[str, None] = {}
    for source in sources:
        own = ("value",) if source.long else source.rater_columns or dimensions
        numbers = source.table.number_notes(*own)
        notes.update(dict.fromkeys([*source.table.notes, *numbers]))
    return list(notes)


def _dimensions(
    sources: Sequence[Source],
    wanted: Sequence[str] | None,
    id_column: str,
    scale: tuple[float, float],
) -> tuple[tuple[str, ...], list[str]]:
    """Return the dimensions to compare, and a warning on other columns that look like ratings."""
    if wanted:
        for source in sources:
            require_dimensions(source, wanted, id_column)
        return tuple(dict.fromkeys(wanted)), []
    found = [(file_label(source, sources), rated_dimensions(source, scale)) for source in sources]
    (_, first), *others = found
    shared = tuple(name for name in first if all(name in names for _, names in others))
    if not shared:
        raise nothing_shared(sources, found, scale)
    left_out = [
        f"{name} (only in {listed([where for where, names in found if name in names])})"
        for name in dict.fromkeys(name for _, names in found for name in names)
        if name not in shared
    ]
    reasons = not_ratings(sources, shared)
    rated = tuple(name for name in shared if name not in reasons)
    said = listed([f"{name} ({why})" for name, why in reasons.items()] or [""])
    if not rated:
        raise RatifyError(
            f"no numeric column looks like a rating: {said}",
            file=sources[0].path,
            allowed="name what was rated with --dimension",
        )
    warnings = [f"{NOT_COMPARED}{said}. Name what was rated with --dimension to compare it."]
    warnings = warnings if reasons else []
    if left_out:
        warnings.append(f"Left out, because not every file has it as numbers: {listed(left_out)}.")
    return rated, warnings


def file_label(source: Source, sources: Sequence[Source]) -> str:
    """Return the name of a file, with its side if the other side reads the same file."""
    both = any(one.path == source.path and one.kind != source.kind for one in sources)
    if not both:
        return source.path.name
    return f"{source.path.name} by {'people' if source.kind == 'human' else 'judges'}"


def _names_differ(annotators: Sequence[Annotator]) -> None:
    """Raise `RatifyError` if two annotators have the same name."""
    seen: dict[str, Annotator] = {}
    for one in annotators:
        other = seen.setdefault(one.name, one)
        if one.name in TOGETHER:
            raise RatifyError(
                cannot_be_called(one.kind, one.name),
                file=one.path,
                allowed=f"another name: --{one.kind} NAME=FILE",
            )
        if other is not one:
            raise RatifyError(
                f"two annotators are called '{one.name}'",
                file=one.path,
                allowed=f"names that differ: --{one.kind} NAME=FILE",
            )


def _items_overlap(annotators: Sequence[Annotator], id_column: str) -> None:
    """Raise `RatifyError` if two files, or a judge and all people, share no rated item."""
    by_file: dict[Path, set[str]] = {}
    for one in annotators:
        by_file.setdefault(one.path, set()).update(one.items)
    for (path, items), (other, others) in combinations(by_file.items(), 2):
        if not items & others:
            raise _no_overlap(other, others, path.name, items, id_column)
    people = set[str]().union(*(one.items for one in annotators if one.kind == "human"))
    for one in annotators:
        if one.kind == "judge" and not one.items & people:
            raise _no_overlap(one.path, one.items, "the people", people, id_column)


def _no_overlap(
    path: Path, items: set[str], other: str, others: set[str], id_column: str
) -> RatifyError:
    """Return the error that shows an id of each side."""
    return RatifyError(
        f"shares no rated {id_column} with {other}",
        file=path,
        column=id_column,
        value=min(items, default=""),
        allowed=f"the same ids, such as {min(others, default='none: it has no ratings')!r}",
    )


def _partial_overlap(found: Annotators) -> list[str]:
    """Return a warning if annotators rated different items, and one for each who did."""
    everyone = [*found.humans, *found.judges]
    everybodys = set[str].intersection(*(one.items for one in everyone))
    uneven = [one for one in everyone if one.items != everybodys]
    if not uneven:
        return []
    first = (
        f"Not everybody rated the same items: {len(everybodys)} were rated by all "
        f"{len(everyone)} annotators ({counted(len(found.humans), 'person', 'people')} and "
        f"{counted(len(found.judges), 'judge')}). Each pair is compared on the items that "
        "both rated"
    )
    if len(uneven) > _SPELLED_OUT:
        return [f"{first}; the table of annotators says how many those are for each."]
    sentences = [f"{first}."]
    for one in uneven:
        common, dropped = found.common(one)
        sentences.append(
            f"{one.name}: {len(one.items)} items, {common} in common with somebody it is compared "
            f"with, {dropped} dropped."
        )
    return sentences
