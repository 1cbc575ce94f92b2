"""Adds the answers of the plan's panels to a study's tables: a panel is a judge made of judges."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from analysis.evidence.tables import StudyTables
from analysis.facets.combined import Combined, combined_choices, combined_ratings
from analysis.results.words import counted, listed
from prereg.kinds.registry import kind_of
from prereg.plan.model import Plan
from prereg.plan.panel_judge import PanelJudge

PANEL = "panel"
_COPIED = ("scale_min", "scale_max", "plan_hash")


def with_panels(read: StudyTables, plan: Plan) -> tuple[StudyTables, tuple[str, ...]]:
    """Return the tables with the answers of every panel of the plan, and how each was made.

    A panel's rows have the `rater_kind` panel. One whose judges have not answered has no rows.
    """
    said: list[str] = []
    for panel in plan.panels:
        read, sentence = _with_panel(read, plan, panel)
        said.append(sentence)
    return read, tuple(said)


def _with_panel(read: StudyTables, plan: Plan, panel: PanelJudge) -> tuple[StudyTables, str]:
    rates_only = not kind_of(plan).asks_pairs
    parts: list[str] = []
    if not read.ratings.empty:
        rule = panel.rule if rates_only or panel.rule != "majority" else "mean"
        mine = _of_judges(read.ratings, panel)
        made = combined_ratings(mine, of=panel.of, rule=rule)
        added = _rows(read.ratings, mine, made.frame, panel)
        ratings = pd.concat([read.ratings, added], ignore_index=True)
        answers = ratings if rates_only else read.answers
        read = replace(read, ratings=ratings, answers=answers)
        parts += _counts(made, f"the {rule} of their ratings", "ratings", "rating")
    if not rates_only:
        mine = _of_judges(read.answers, panel)
        if "purpose" in mine:
            mine = mine[mine["purpose"] == "trial"]
        made = combined_choices(mine, of=panel.of)
        added = _rows(read.answers, mine, made.frame, panel)
        read = replace(read, answers=pd.concat([read.answers, added], ignore_index=True))
        parts += _counts(made, "the majority of their choices", "pairs", "pair")
    how = "; ".join(parts) or "they have not answered"
    return read, f"Judge {panel.id} is a panel of {listed(list(panel.of))}: {how}."


def _of_judges(table: pd.DataFrame, panel: PanelJudge) -> pd.DataFrame:
    return table[(table["rater_kind"] != "human") & table["rater_id"].isin(list(panel.of))]


def _rows(
    table: pd.DataFrame, mine: pd.DataFrame, made: pd.DataFrame, panel: PanelJudge
) -> pd.DataFrame:
    """Return a panel's answers with the columns of a table; what it has no value for is empty."""
    rows = made.assign(rater_id=panel.id, rater_kind=PANEL)
    if "is_attention_check" in table:
        rows["is_attention_check"] = False
    if "purpose" in table:
        rows["purpose"] = "trial"
    if "mode" in table:
        rows["mode"] = "live"  # as every judge's answers
    if "dimension" in made:
        same = mine.drop_duplicates("dimension").set_index("dimension")
        for name in _COPIED:
            if name in mine:
                rows[name] = rows["dimension"].map(same[name])
    elif "plan_hash" in mine and len(mine):
        rows["plan_hash"] = mine["plan_hash"].iloc[0]
    found = rows.reindex(columns=table.columns)
    for name in table.columns:  # so that joining them changes no column's type
        if table[name].dtype != found[name].dtype:
            found[name] = found[name].astype(table[name].dtype)
    return found


def _counts(made: Combined, how: str, many: str, one: str) -> list[str]:
    """Return how a panel's answers were made, and how many are undecided or lack judges."""
    if not made.asked:
        return []
    said = how
    if made.undecided:
        verb = "is" if made.undecided == 1 else "are"
        ties = counted(made.undecided, "tie")
        said += f" ({ties} among {made.asked:,} {many} {verb} undecided)"
    if made.lacking:
        verb = "was" if made.lacking == 1 else "were"
        said += f" ({counted(made.lacking, one)} {verb} answered by half of them or fewer)"
    return [said]
