"""Tests whether themes come up more or less often in texts after than before.

The usual test assumes that every text is by a different person. Two other tests allow for people
who wrote both before and after, or who wrote several texts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray, IntArray
from analysis.inference.crossed_errors import Estimate, crossed_ols
from analysis.inference.families import SHOWN, adjust
from analysis.inference.paired import coin_p, paired_difference
from analysis.inference.proportions import two_proportions, wilson
from analysis.tables import columns
from prereg.errors import RatifyError

Test = Literal["two_proportions", "paired", "clustered"]
TESTS = ("two_proportions", "paired", "clustered")
METHODS = {
    "two_proportions": "two-proportion z test, Newcombe's interval (texts taken as independent)",
    "paired": "McNemar's exact test, Tango's interval (people with texts at both times)",
    "clustered": "difference of shares, errors clustered by person, t interval",
}
SAME_PEOPLE = (
    "{pairs} of {people} people have texts at both times. The two-proportion z test assumes that "
    "all texts are independent, so it is not valid here (it usually rejects too rarely if people "
    "do not change, and too often if one person wrote many texts); the paired and the clustered "
    "test allow for this."
)


@dataclass(frozen=True, kw_only=True)
class ThemeChange:
    """How often each theme comes up before and after.

    Attributes
    ----------
    incidence : DataFrame
        `theme, time, estimate, low, high, texts, n, people`: share of the texts of a time that
        have the theme, with Wilson's interval; `texts` have it, of `n`.
    changes : DataFrame
        `theme, test, estimate, low, high, se, statistic, p, p_adjusted, n, people, note`: share
        after minus share before, by each test; Benjamini-Hochberg (or another) over the themes,
        within each test. `n` counts texts, for the paired test people with texts at both times.
    pairs : DataFrame
        `theme, both, gained, lost, neither`: people with texts at both times.
    registered : str
        The registered test.
    n_texts, n_people, n_pairs : int
    correction : str
    level : float
    unit : str
    notes : tuple of str
    """

    incidence: pd.DataFrame
    changes: pd.DataFrame
    pairs: pd.DataFrame
    registered: str
    n_texts: int
    n_people: int
    n_pairs: int
    correction: str
    level: float
    unit: str = "difference of proportions"
    notes: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The registered test and its correction."""
        return f"{METHODS[self.registered]}; {SHOWN[self.correction]} over the themes"

    def to_frame(self) -> pd.DataFrame:
        """Return the changes, one row per theme and test."""
        return self.changes.copy()


def theme_labels(
    table: pd.DataFrame, themes: Sequence[str], *, text: str = "text_id"
) -> pd.DataFrame:
    """Return labels, one row per text and theme, from a table with a 0/1 column per theme.

    Parameters
    ----------
    table : DataFrame
        One row per text: its id, and the columns named in `themes`, 0/1 or true/false.
    themes : sequence of str
    text : str
        Column of the text's id.

    Returns
    -------
    DataFrame
        The column `text` under its own name, and `theme`.

    Raises
    ------
    RatifyError
        On a missing column, and at a cell that is empty or neither 0 nor 1.
    """
    columns.require_columns(table, text, *themes)
    columns.require_filled(table, text, *themes)
    ids = columns.text_ids(table, text)
    parts = [
        pd.DataFrame({text: ids[columns.flags(table, theme)].to_numpy(), "theme": theme})
        for theme in themes
    ]
    return pd.concat(parts, ignore_index=True).astype({text: str, "theme": str})


def theme_change(
    texts: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    themes: Sequence[str] | None = None,
    text: str = "text_id",
    person: str = "person_id",
    time: str = "time",
    before: str = "before",
    after: str = "after",
    test: Test = "two_proportions",
    correction: str = "benjamini_hochberg",
    level: float = 0.95,
) -> ThemeChange:
    """Compare how often themes come up before and after.

    Parameters
    ----------
    texts : DataFrame
        One row per text, with or without themes: `text`, `person`, `time`. Texts of other times
        are counted but not used.
    labels : DataFrame
        One row per theme of a text: `theme`, and either `text` or, if nobody has two texts at one
        time, `person` and `time`. Repeated labels count once.
    themes : sequence of str, optional
        All themes of the code book, including those that nobody mentioned; by default those in
        `labels`.
    text, person, time : str
        Names of the columns. `texts` may lack `text` if nobody has two texts at one time.
    before, after : str
        The two values of `time` that are compared.
    test : {'two_proportions', 'paired', 'clustered'}
        The registered test; all three are reported.
    correction : str
        As in `families.adjust`.
    level : float

    Returns
    -------
    ThemeChange
        After minus before. In the paired test, a person has a theme at a time if any of their
        texts of that time has it.

    Raises
    ------
    RatifyError
        On missing columns and ids, texts that occur more than once, labels of unknown texts or
        themes, and a time without texts.

    Notes
    -----
    Two proportions: `proportions.two_proportions`. Paired: McNemar's exact test and the interval of
    Tango (1998). Clustered: least squares on time with errors clustered by person, bias-reduced,
    Satterthwaite's t (`crossed_errors.crossed_ols`); valid for any number of texts per person.
    """
    columns.one_of("test", test, TESTS)
    columns.proportion("level", level)
    every, compared = _texts(texts, text, person, time, (before, after))
    has, names = _labelled(every, labels, themes, text, person, time)
    known, has = every[compared], has[compared]
    later = (known["time"] == after).to_numpy()
    people = pd.factorize(known["person"])[0].astype(np.int64)
    once, twice = (np.unique(people[later == side]) for side in (False, True))
    pairs = np.intersect1d(once, twice)
    lines: list[dict[str, Any]] = []
    incidence: list[dict[str, Any]] = []
    tables: list[dict[str, Any]] = []
    n_people = len(np.unique(people))
    for at, name in enumerate(names):
        mine = has[:, at]
        incidence += _incidence(name, mine, later, people, (before, after), level)
        table = _pair_table(mine, later, people, pairs)
        tables.append({"theme": name, **table})
        found = (
            _independent(mine, later, level),
            _paired(table, level),
            _clustered(mine, later, people, level),
        )
        lines += [{"theme": name, "n": len(mine), "people": n_people, **line} for line in found]
    changes = pd.DataFrame(lines)[
        "theme test estimate low high se statistic p n people note".split()
    ]
    corrected = pd.Series(np.nan, index=changes.index)
    for _, part in changes.groupby("test"):
        corrected[part.index] = adjust(part["p"].to_numpy(float), correction)
    changes.insert(list(changes.columns).index("p") + 1, "p_adjusted", corrected)
    return ThemeChange(
        incidence=pd.DataFrame(incidence),
        changes=changes,
        pairs=pd.DataFrame(tables),
        registered=test,
        n_texts=len(known),
        n_people=n_people,
        n_pairs=len(pairs),
        correction=correction,
        level=level,
        notes=_notes(len(pairs), n_people, len(known), len(every) - len(known)),
    )


def _texts(
    texts: pd.DataFrame, text: str, person: str, time: str, times: tuple[str, str]
) -> tuple[pd.DataFrame, Any]:
    """Return `text`, `person`, `time` of all texts, and a mask of those to compare."""
    columns.require_columns(texts, person, time)
    columns.require_rows(texts, "texts")
    people = columns.text_ids(texts, person).to_numpy()
    when = columns.text_ids(texts, time).to_numpy()
    known = pd.DataFrame({"person": people, "time": when})
    known["text"] = columns.text_ids(texts, text).to_numpy() if text in texts else _place(known)
    if text in texts:
        twice, where = known["text"].duplicated(), text
        allowed = "each text once"
    else:
        twice, where = known["text"].duplicated(), person
        allowed = f"one text per person and time, or a column {text}"
    columns.refuse(texts, where, twice, "occurs more than once", allowed=allowed)
    for value in times:
        if not (known["time"] == value).any():
            shown = ", ".join(sorted(map(str, known["time"].unique())))
            raise RatifyError("no text is of this time", column=time, value=value, allowed=shown)
    return known, known["time"].isin(times).to_numpy()


def _place(frame: pd.DataFrame) -> Any:
    """Return person and time as one key."""
    return (frame["person"].astype(str) + "\x1f" + frame["time"].astype(str)).to_numpy()


def _labelled(
    known: pd.DataFrame,
    labels: pd.DataFrame,
    themes: Sequence[str] | None,
    text: str,
    person: str,
    time: str,
) -> tuple[Any, list[str]]:
    """Return which texts have which themes, shape (n_texts, n_themes), and the themes."""
    columns.require_columns(labels, "theme")
    said = columns.text_ids(labels, "theme")
    names = sorted(said.unique()) if themes is None else list(dict.fromkeys(themes))
    if not names:
        raise RatifyError("there are no themes", allowed="labels, or a list of themes")
    columns.refuse(labels, "theme", ~said.isin(names), "is not a theme", allowed=", ".join(names))
    if text in labels.columns:
        keys, where = columns.text_ids(labels, text).to_numpy(), text
        ours = known["text"]
    else:
        columns.require_columns(labels, person, time)
        place = {"person": columns.text_ids(labels, person), "time": columns.text_ids(labels, time)}
        keys, where = _place(pd.DataFrame(place)), person
        ours = pd.Series(_place(known))
        if ours.duplicated().any():
            raise RatifyError(
                "somebody has several texts at one time",
                column=text,
                allowed=f"labels with the column {text}",
            )
    at = pd.Index(ours).get_indexer(pd.Index(keys))
    columns.refuse(labels, where, at < 0, "has no text in the table of texts", allowed="its texts")
    has = np.zeros((len(known), len(names)), dtype=bool)
    column = pd.Index(names).get_indexer(pd.Index(said))
    has[at, column] = True
    return has, [str(name) for name in names]


def _incidence(
    theme: str, has: Any, later: Any, people: IntArray, times: tuple[str, str], level: float
) -> list[dict[str, Any]]:
    rows = []
    for side, name in zip((False, True), times, strict=True):
        here = later == side
        found = wilson(int(has[here].sum()), int(here.sum()), level)
        rows.append(
            {
                "theme": theme,
                "time": name,
                "estimate": found.estimate,
                "low": found.low,
                "high": found.high,
                "texts": found.successes,
                "n": found.n,
                "people": len(np.unique(people[here])),
            }
        )
    return rows


def _independent(has: Any, later: Any, level: float) -> dict[str, Any]:
    found = two_proportions(
        int(has[later].sum()),
        int(later.sum()),
        int(has[~later].sum()),
        int((~later).sum()),
        level=level,
    )
    return {
        "test": "two_proportions",
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "se": math.nan,
        "statistic": found.z,
        "p": found.p_value,
        "note": found.note,
    }


def _pair_table(has: Any, later: Any, people: IntArray, pairs: IntArray) -> dict[str, int]:
    first = np.isin(pairs, people[has & ~later])
    second = np.isin(pairs, people[has & later])
    return {
        "both": int((first & second).sum()),
        "gained": int((~first & second).sum()),
        "lost": int((first & ~second).sum()),
        "neither": int((~first & ~second).sum()),
    }


def _paired(table: dict[str, int], level: float) -> dict[str, Any]:
    n = sum(table.values())
    found = paired_difference(table["gained"], table["lost"], n, level=level)
    return {
        "test": "paired",
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "se": math.nan,
        "statistic": math.nan,
        "n": n,
        "people": n,
        "p": coin_p(table["gained"], table["gained"] + table["lost"]) if n else math.nan,
        "note": "" if n else "nobody has texts at both times",
    }


def _clustered(has: Any, later: Any, people: IntArray, level: float) -> dict[str, Any]:
    y: FloatArray = has.astype(float)
    X = np.column_stack([~later, later]).astype(float)
    fit = crossed_ols(y, X, {"person": people})
    found: Estimate = fit.estimates(np.array([[-1.0, 1.0]]), level=level)[0]
    return {
        "test": "clustered",
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "se": found.se,
        "statistic": found.estimate / found.se,
        "p": found.p_value,
        "note": found.note,
    }


def _notes(pairs: int, people: int, texts: int, skipped: int) -> tuple[str, ...]:
    notes = []
    if pairs:
        notes.append(SAME_PEOPLE.format(pairs=f"{pairs:,}", people=f"{people:,}"))
    elif texts > people:
        notes.append(
            f"{texts:,} texts are by {people:,} people: the two-proportion z test assumes that "
            "they are independent; the clustered test allows for this."
        )
    if skipped:
        notes.append(f"{skipped:,} texts of other times are left out.")
    return tuple(notes)
