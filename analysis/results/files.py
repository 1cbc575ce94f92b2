"""Writes results as files: `results.json`, each table as CSV, LaTeX and Markdown, each figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.results.blind import BLIND
from analysis.results.paper_tables import Form, paper_table
from analysis.results.quantities import Quantity, Results, ResultTable, to_frame
from prereg import files

# What `write_results` and `write_report` write into a results folder.
WRITTEN = ("results.json", "report.html", "tables", "figures")


# Where a study's results are; those of a blind run have a folder of their own.
RESULTS_FOLDER, BLIND_FOLDER = "results", "results-blind"

# Why results are shown although a gate does not pass: a key of `meta` and a column of every CSV.
DESPITE = "despite_gate"

PAPER_FORMS: dict[Form, str] = {"latex": "tex", "markdown": "md"}


def results_folder(*, blind: bool) -> str:
    """Return the name of the folder of a study's results."""
    return BLIND_FOLDER if blind else RESULTS_FOLDER


def numbers_name(analysis: str) -> str:
    """Return the name of the table that holds every number of an analysis."""
    return "numbers_" + re.sub(r"[^A-Za-z0-9_.-]", "_", analysis)


def quantity_table(
    analysis: str, quantities: Sequence[Quantity], *, of_study: bool = False
) -> ResultTable:
    """Return every number of one analysis as a table, `numbers_ANALYSIS`.

    Parameters
    ----------
    analysis : str
        Id of the analysis.
    quantities : sequence of Quantity
        Of this analysis; rows keep their order.
    of_study : bool
        Whether they are of a study, where a table says of each number that is not confirmatory
        that it is exploratory; in an audit nothing is registered.
    """
    methods = "; ".join(dict.fromkeys(q.method for q in quantities))
    levels = {q.level for q in quantities}
    registered = [q for q in quantities if q.status == "confirmatory"]
    frame = to_frame(quantities)[
        [
            "label",
            "estimate",
            "low",
            "high",
            "se",
            "p_value",
            "n",
            "unit_of_n",
            "clusters",
            "unit",
            "status",
            "note",
        ]
    ]
    if len(registered) == len(quantities) or not (registered or of_study):
        frame = frame.drop(columns="status")
    return ResultTable(
        name=numbers_name(analysis),
        title=f"Every number of {analysis.replace('_', ' ')}",
        caption=f"Methods: {methods}.",
        frame=frame,
        status="confirmatory" if len(registered) == len(quantities) else "exploratory",
        level=levels.pop() if len(levels) == 1 else None,
    )


def write_results(results: Results, folder: Path) -> None:
    """Write `results.json`, the tables and `figures/*.svg` into an existing folder.

    Each table is written as `tables/NAME.csv` with every digit, and as `NAME.tex` and `NAME.md`
    for a paper; the numbers of each analysis are the table `numbers_ANALYSIS`. The tables of a
    blind run are called `NAME.blind`, because a CSV file has no caption that could say so. For the
    same reason every CSV of results that are shown although a gate does not pass has a last column
    `despite_gate` with the reason.
    """
    files.write_json(folder / "results.json", results.to_json())
    blind = bool(results.meta.get("blind"))
    despite = str(results.meta.get(DESPITE) or "")
    note = " ".join(["Simulated raters."] * results.simulated + [BLIND] * blind)
    analyses = dict.fromkeys(q.analysis for q in results.quantities)
    numbers = [
        quantity_table(
            name,
            [q for q in results.quantities if q.analysis == name],
            of_study=results.kind == "study",
        )
        for name in analyses
    ]
    for table in [*results.tables, *numbers]:
        frame = table.frame.assign(**{DESPITE: despite}) if despite else table.frame
        text = frame.to_csv(index=False, lineterminator="\n")
        name = f"{table.name}.blind" if blind else table.name
        files.write_text(folder / "tables" / f"{name}.csv", text)
        for form, ending in PAPER_FORMS.items():
            paper = paper_table(table, form, note=note, no_result=results.simulated or blind)
            files.write_text(folder / "tables" / f"{name}.{ending}", paper)
    for figure in results.figures:
        files.write_text(folder / "figures" / f"{figure.name}.svg", figure.svg)
