"""A registered analysis of themes: from tables of texts and labels to a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.inference.families import SHOWN
from analysis.registered.finding import Finding, drawn, result_tables, stamp
from analysis.results.numbers import p_value, with_interval
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.tables.tidy import naming
from analysis.texts.figures import plot_themes
from analysis.texts.themes import METHODS, ThemeChange, theme_change, theme_labels
from prereg.analyses.sources import Themes


def run_themes(analysis: Themes, evidence: Evidence) -> Finding:
    """Run a registered comparison of themes before and after.

    Parameters
    ----------
    analysis : Themes
    evidence : Evidence
        `evidence.table` gives the tables that the plan names.

    Returns
    -------
    Finding
        The change of every theme by the registered test, as quantities; all three tests, shares
        and people with both texts, as tables; one dumbbell per theme, as a figure.

    Raises
    ------
    RatifyError
        As `analysis.texts.themes.theme_change`, with the file named.
    """
    texts = evidence.table(analysis.texts)
    files = [evidence.table_path(name).name for name in dict.fromkeys(analysis.tables())]
    with naming(Path(" or ".join(files))):
        if analysis.labels is None:
            labels = theme_labels(texts, analysis.columns, text=analysis.text)
        else:
            labels = evidence.table(analysis.labels)
        found = theme_change(
            texts,
            labels,
            themes=analysis.named,
            text=analysis.text,
            person=analysis.person,
            time=analysis.time,
            before=analysis.before,
            after=analysis.after,
            test=analysis.test,
            correction=analysis.correction,
            level=analysis.level,
        )
    main = found.changes[found.changes["test"] == analysis.test]
    return Finding(
        sentence=_sentence(analysis, found, main),
        quantities=[_quantity(analysis, evidence, found, row) for row in main.to_dict("records")],
        tables=_tables(analysis, evidence, found),
        figures=[_figure(analysis, evidence, found, main)],
    )


def _sentence(analysis: Themes, found: ThemeChange, main: pd.DataFrame) -> str:
    changed = main[main["p_adjusted"] <= 1 - found.level].sort_values("estimate", ascending=False)
    told = [
        f"{row['theme']} "
        + with_interval(*(100 * row[end] for end in ("estimate", "low", "high")), sign=True)
        + " percentage points"
        for row in changed.to_dict("records")
    ]
    which = f": {'; '.join(told)}" if told else ""
    caution = ""
    if found.n_pairs and analysis.test == "two_proportions":
        caution = (
            " Many of the texts before and after are by the same people. This test ignores that; "
            "the table has tests that allow for it."
        )
    return (
        f"From {analysis.before} to {analysis.after}, the share of texts changed by more than "
        f"chance explains in {len(changed)} of {len(main)} themes{which}.{caution}"
    )


def _quantity(
    analysis: Themes, evidence: Evidence, found: ThemeChange, row: dict[Any, Any]
) -> Quantity:
    note = row["note"][:1].upper() + row["note"][1:]
    note = note if not note or note.endswith(".") else note + "."
    uncorrected = "" if pd.isna(row["p"]) else f"p uncorrected {p_value(row['p'])}."
    return Quantity(
        name=str(row["theme"]),
        label=f"Share of texts with {row['theme']}: {analysis.after} minus {analysis.before}",
        estimate=row["estimate"],
        low=row["low"],
        high=row["high"],
        se=row["se"],
        p_value=row["p_adjusted"],
        n=int(row["n"]),
        unit_of_n="people" if analysis.test == "paired" else "texts",
        clusters=None if analysis.test == "two_proportions" else int(row["people"]),
        method=found.method,
        unit="difference of proportions",
        level=found.level,
        note=" ".join(filter(None, [note, uncorrected, *found.notes])),
        **stamp(analysis, evidence),
    )


def _tables(analysis: Themes, evidence: Evidence, found: ThemeChange) -> list[ResultTable]:
    said = "; ".join(f"{name}: {words}" for name, words in METHODS.items())
    about = " ".join(found.notes)
    shown = [
        (
            "changes",
            "Change of each theme, by three tests",
            f"Share {analysis.after} minus share {analysis.before}; {said}. The registered test "
            f"is {analysis.test}. {SHOWN[found.correction]} over the themes, within each test. "
            f"{about}",
            found.changes,
        ),
        (
            "incidence",
            "How often each theme comes up",
            "Share of texts, Wilson's interval (texts taken as independent).",
            found.incidence,
        ),
        (
            "people",
            "People with texts at both times",
            "Counts of people whose texts have the theme at both times, only after (gained), only "
            "before (lost), or at neither time.",
            found.pairs,
        ),
    ]
    return result_tables(analysis, evidence, shown, level=found.level)


def _figure(
    analysis: Themes, evidence: Evidence, found: ThemeChange, main: pd.DataFrame
) -> ResultFigure:
    changed = list(main.loc[main["p_adjusted"] <= 1 - found.level, "theme"])
    axes = plot_themes(
        found.incidence, before=analysis.before, after=analysis.after, changed=changed
    )
    caption = (
        f"Share of {found.n_texts:,} texts by {found.n_people:,} people, Wilson intervals. A dark "
        f"line marks a theme that changed by the registered test ({found.method})."
    )
    told = "; ".join(
        f"{row['theme']} {with_interval(row['estimate'], row['low'], row['high'], sign=True)}"
        for row in main.to_dict("records")
    )
    return drawn(
        evidence,
        axes,
        caption=caption,
        name=analysis.id,
        title=f"Themes {analysis.before} and {analysis.after}",
        alt=f"Change of each theme's share: {told}.",
    )
