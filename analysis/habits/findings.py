"""Collects the habits of all judges: numbers, tables, a figure and sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.arrays import FloatArray
from analysis.habits import sentences as text
from analysis.habits.answers import answers_to, judges_of, people_of, questions
from analysis.habits.figures import habits_figures
from analysis.habits.measure import FOUND, Habit, Measure, judged, measures_frame
from analysis.habits.order import letter, position, repeatability, wording
from analysis.habits.ratings import halo, shift
from analysis.habits.requests import answered, requests_table
from analysis.habits.tables import HabitTables
from analysis.habits.traits import doublings_of, length, own
from analysis.habits.votes import Votes, votes_of
from analysis.results.factors import BEYOND
from analysis.results.quantities import Quantity, ResultFigure, ResultTable
from analysis.tables.columns import is_tie
from prereg.errors import RatifyError
from prereg.streams import Stream, stream

# A column of the items, and its values for items that the judge's own model wrote.
OwnTexts = tuple[str, Collection[str]]

# How many items are shown with their rewrites, and how many letters of each text.
SHOWN_ITEMS = 2
CUT = 280


@dataclass(frozen=True, kw_only=True)
class HabitFindings:
    """What was found about the habits of the judges.

    Attributes
    ----------
    measures : tuple of Measure
        Every number, with its reading.
    quantities, tables, figures
        As in `Results`; names of tables and figures are unique within a study.
    sentences : list of str
        For each judge, which habits were found.
    details : list of str
        For each judge, how steady it is, what could not be tested, and its unanswered requests.
    methods, limits : list of str
        Paragraphs of prose.
    """

    measures: tuple[Measure, ...]
    quantities: list[Quantity]
    tables: list[ResultTable]
    figures: list[ResultFigure]
    sentences: list[str]
    details: list[str]
    methods: list[str]
    limits: list[str]


def habits_results(
    tables: HabitTables,
    *,
    people: pd.DataFrame | None = None,
    own_items: Mapping[str, OwnTexts] | None = None,
    polarity: Mapping[str, int] | None = None,
    seed: int = 1,
    simulated: bool = False,
) -> HabitFindings:
    """Return the habits of every judge, LLMs first and then baselines.

    Parameters
    ----------
    tables : HabitTables
    people : DataFrame, optional
        People's judgments to compare with (after a study's exclusions); by default those of the
        tables.
    own_items : mapping, optional
        For each judge, which items its own model wrote.
    polarity : mapping, optional
        1 or -1 by dimension; see `halo`.
    seed : int
        For the choice of rewritten texts to show; no number depends on it.
    simulated : bool
        Whether the people are bots.
    """
    if people is None:
        people = people_of(tables.judgments, tables.mode)
    beside = _People.of(tables, votes_of(people), polarity)
    kinds = judges_of(tables.judgments, tables.ratings, tables.probes, tables.requests)
    measures: list[Measure] = []
    for judge, kind in kinds.items():
        found = _measured(tables, beside, judge, (own_items or {}).get(judge))
        # baselines are not probed, so their empty numbers are left out
        measures += judged([m for m in found if m.n or kind == "llm"])
    shown = _perturbed_texts(tables, seed)
    rewrites = max(
        (
            sum(m.habit == "rewrite" and m.tested and m.judge == judge for m in measures)
            for judge in kinds
        ),
        default=0,
    )
    said = (text.steadiness, text.untested, text.asked)
    details = [sentence(measures, judge) for judge in kinds for sentence in said]
    return HabitFindings(
        measures=tuple(measures),
        quantities=[m.to_quantity() for m in sorted(measures, key=_rank)],
        tables=_tables(measures, tables, shown),
        figures=habits_figures(measures, simulated=simulated) if measures else [],
        sentences=[text.verdicts(measures, judge) for judge in kinds],
        details=[sentence for sentence in details if sentence],
        methods=text.methods(
            rewrites=rewrites,
            shown=shown["item_id"].nunique(),
            cut=CUT,
            seed=seed,
            ties=any(_has_ties(frame) for frame in (people, tables.judgments, tables.probes)),
        ),
        limits=text.limits(),
    )


def _has_ties(frame: pd.DataFrame) -> bool:
    return "choice" in frame and bool(is_tie(frame).any())


@dataclass(frozen=True)
class _People:
    """People's answers, and what follows from them in the same way for every judge."""

    votes: Votes
    doublings: FloatArray
    ratings: pd.DataFrame
    polarity: Mapping[str, int] | None

    @classmethod
    def of(cls, tables: HabitTables, votes: Votes, polarity: Mapping[str, int] | None) -> _People:
        ratings = people_of(tables.ratings, tables.mode)
        return cls(votes, doublings_of(votes, tables.items), ratings, polarity)


def _measured(
    tables: HabitTables, people: _People, judge: str, authored: OwnTexts | None
) -> list[Measure]:
    """Return everything that is measured about one judge."""
    votes = people.votes
    asked = questions(tables.judgments, tables.probes, judge)
    answer = answers_to(votes.pairs, asked)
    found: list[Habit] = [
        position(asked, judge=judge),
        letter(asked, judge=judge),
        length(votes, answer, people.doublings, judge=judge),
    ]
    if authored is not None:
        column, values = authored
        if column not in tables.items:
            shown = ", ".join(tables.items.columns) or "none: there is no table of items"
            raise RatifyError(f"items have no column '{column}'", allowed=shown)
        found.append(own(votes, answer, tables.items, judge=judge, column=column, values=values))
    found += [
        halo(tables.ratings, people.ratings, judge=judge, polarity=people.polarity),
        shift(tables.probes, judge=judge),
        repeatability(tables.probes, judge=judge),
        wording(tables.probes, judge=judge),
        answered(tables.requests, judge=judge),
    ]
    return [m for habit in found for m in habit.measures]


def _rank(m: Measure) -> int:
    """Return the place of a number among the others: tested ones first, rewrites after them."""
    return (0 if m.accuses else 2) + (m.habit == "rewrite" and m.reading != FOUND)


def _tables(measures: list[Measure], tables: HabitTables, shown: pd.DataFrame) -> list[ResultTable]:
    """Return the tables that have rows."""
    moved = [m for m in measures if m.habit == "rewrite" and m.n]
    cells = measures_frame(moved)
    cells = cells.assign(rewrite=[m.variant for m in moved], dimension=[m.dimension for m in moved])
    cells = cells.rename(
        columns={"estimate": "shift", "estimate_low": "shift_low", "estimate_high": "shift_high"}
    )
    wanted = [
        "judge",
        "rewrite",
        "dimension",
        "shift",
        "shift_low",
        "shift_high",
        "p_value",
        "corrected_p",
        "reading",
        "n",
    ]
    rest = [m for m in measures if m not in moved]
    every = measures_frame(rest).assign(
        result=[text.with_interval(m) for m in rest], honest=[text.honest_text(m) for m in rest]
    )
    found = [
        ResultTable(
            name="habits",
            title="All numbers on habits",
            caption="result: the estimate with its 95% interval, in its unit (×: factor on odds, "
            "pp: percentage points); honest: the value for a judge without the habit; corrected p: "
            "by Holm over everything tested about this judge, with equal weight for each habit; "
            "reading: found, only alone (without that correction), not found, not tested; empty if "
            f"the number only describes. {BEYOND} All digits are in results.json.",
            frame=every[
                ["judge", "label", "result", "honest", "p_value", "corrected_p", "reading", "n"]
            ],
        ),
        ResultTable(
            name="rewrites",
            title="What rewrites do to the scores",
            caption="shift: mean of rewritten minus original over n items, in points of the scale, "
            "95% t interval; p value: exact sign-flip test; corrected p: over all dimensions "
            "and rewrites, and every other habit tested about this judge.",
            frame=cells[wanted],
        ),
        ResultTable(
            name="perturbed_texts",
            title="Rewritten texts with their originals",
            caption=f"Up to {SHOWN_ITEMS} items, drawn with the seed; lines are joined by a slash, "
            f"and texts are cut after {CUT} letters. The exported table perturbed has all texts.",
            frame=shown,
        ),
        ResultTable(
            name="requests",
            title="Requests to the judges",
            caption="One row per judge and purpose. Tokens and cost are sums over all attempts; "
            "latency: median and 95th percentile of answered requests, in milliseconds.",
            frame=requests_table(tables.requests),
        ),
    ]
    return [table for table in found if len(table.frame)]


def _perturbed_texts(tables: HabitTables, seed: int) -> pd.DataFrame:
    """Return a few rewritten texts with their originals."""
    names = ["item_id", "perturbation", "original", "rewritten"]
    if tables.perturbed.empty or tables.items.empty:
        return pd.DataFrame(columns=names)
    texts = tables.items.set_index("item_id")["text"]
    rows = tables.perturbed[tables.perturbed["item_id"].isin(texts.index)]
    ids = sorted(rows["item_id"].unique())
    drawn = stream(seed, Stream.SHOWN_REWRITES).permutation(len(ids))[:SHOWN_ITEMS]
    rows = rows[rows["item_id"].isin([ids[n] for n in drawn])]
    rows = rows.sort_values(["item_id", "perturbation"], kind="stable")
    return pd.DataFrame(
        {
            "item_id": rows["item_id"],
            "perturbation": rows["perturbation"].str.replace("_", " "),
            "original": [_excerpt(texts[item]) for item in rows["item_id"]],
            "rewritten": [_excerpt(each) for each in rows["text"]],
        },
        columns=names,
    )


def _excerpt(whole: str) -> str:
    one_line = " / ".join(line.strip() for line in whole.splitlines() if line.strip())
    return one_line if len(one_line) <= CUT else one_line[: CUT - 1] + "…"
