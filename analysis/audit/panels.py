"""Panels of an audit: the mean, the median or the majority of several judges as one more judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from analysis.audit.annotators import Annotators
from analysis.audit.chosen_files import TOGETHER
from analysis.audit.files import Annotator
from analysis.facets.combined import combined_ratings
from analysis.results.words import counted, listed
from prereg.errors import RatifyError

OPTION = "--panel NAME=JUDGE,JUDGE,..."


def read_panels(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the judges of each panel that the command line names, `NAME=JUDGE,JUDGE,...`.

    Raises
    ------
    RatifyError
        If a name or a judge is missing, fewer than two judges are named, or something is twice.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        name, equals, given = (part.strip() for part in word.partition("="))
        of = tuple(part.strip() for part in given.split(",") if part.strip())
        if not equals or not name:
            raise RatifyError("a panel has no name", value=word, allowed=OPTION)
        if len(of) < 2 or len(set(of)) < len(of):
            raise RatifyError(
                "a panel is made of two judges or more, each named once", value=word, allowed=OPTION
            )
        if name in found:
            raise RatifyError("two panels have one name", value=name, allowed="names that differ")
        found[name] = of
    return found


def with_panels(found: Annotators, panels: Mapping[str, Sequence[str]], *, rule: str) -> Annotators:
    """Return the annotators with every panel as one more judge.

    Parameters
    ----------
    found : Annotators
    panels : mapping of str to sequence of str
        By the panel's name, the names of its judges.
    rule : {'mean', 'median', 'majority'}
        How ratings become one; see `combined_ratings`.

    Raises
    ------
    RatifyError
        If a panel has somebody's name, or names a judge that there is not, or another panel.
    """
    if not panels:
        return found
    judges = {one.name: one for one in found.judges}
    taken = {*judges, *(one.name for one in found.humans), *TOGETHER}
    ratings = found.to_frame()
    ratings = ratings[ratings["rater_kind"] != "human"]
    made: list[Annotator] = []
    notes: list[str] = []
    for name, of in panels.items():
        if name in taken:
            raise RatifyError(
                "this name is taken", column="--panel", value=name, allowed="another name"
            )
        for judge in of:
            if judge not in judges:
                raise RatifyError(
                    "a panel cannot be part of a panel"
                    if judge in panels
                    else "there is no such judge",
                    column=f"--panel {name}",
                    value=judge,
                    allowed=", ".join(judges),
                )
        one, note = _made(name, tuple(of), rule, ratings)
        made.append(one)
        notes.append(note)
    return replace(
        found,
        judges=(*found.judges, *made),
        warnings=[*found.warnings, *notes],
        said=(*found.said, *notes),
    )


def _made(
    name: str, of: tuple[str, ...], rule: str, ratings: pd.DataFrame
) -> tuple[Annotator, str]:
    """Return a panel as an annotator, and how it was made."""
    combined = combined_ratings(ratings, of=of, rule=rule)
    rows = combined.frame
    if rows.empty:
        raise RatifyError(
            "the judges of this panel rated nothing in common",
            column="--panel",
            value=name,
            allowed="judges that rated the same items",
        )
    values = dict(
        zip(zip(rows["item_id"], rows["dimension"], strict=True), rows["value"], strict=True)
    )
    said = f"{name} is the {rule} of {listed(list(of))}"
    if combined.undecided:
        said += f"; {counted(combined.undecided, 'tie')} of {combined.asked:,} ratings undecided"
    if combined.lacking:
        said += f"; {combined.lacking:,} that half of them or fewer rated are left out"
    path = Path(f"{rule} of {', '.join(of)}".replace("/", "_").replace("\\", "_"))
    return Annotator(name, "judge", path, dict(values)), f"{said}."
