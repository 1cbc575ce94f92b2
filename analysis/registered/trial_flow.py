"""The flow of a chat's participants, by condition: who began, who was left out, who is analysed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.evidence.exclusions import RULE_WORDS
from analysis.evidence.tables import TABLES_FOLDER
from analysis.results.quantities import ResultTable
from analysis.tables.tidy import table_path
from prereg.chat.flow import ANALYSED, BEGAN, FLOW_COLUMNS, NOTHING, TALKS, TRIAL_FLOW, UNDER_WAY
from prereg.tables.reader import read_table
from prereg.tables.reading import OWN

WORDS = RULE_WORDS | {
    BEGAN: "Consented and given a place",
    UNDER_WAY: "Still under way, not analysed",
    "incomplete_session": "Left out: did not have all conversations",
    "partner_failure": "Left out: the partner failed",
    "stopped_for_safety": "Left out: stopped at a page of help",
    "pasted_most": "Left out: pasted most of what they sent",
    "admitted_ai": "Left out: said that an AI helped them",
    NOTHING: "Without a conversation to analyse",
    ANALYSED: "Analysed",
    TALKS: "Conversations analysed",
}


def trial_flow(folder: Path) -> list[ResultTable]:
    """Return the flow of a chat's participants; no table in any other study.

    Parameters
    ----------
    folder : Path
        The study folder that is analysed, whose tables have the flow.
    """
    path = table_path(folder / TABLES_FOLDER, TRIAL_FLOW)
    if not path.exists():
        return []
    read = read_table(path, OWN)
    read.require(*FLOW_COLUMNS)
    long = pd.DataFrame(read.written, columns=list(FLOW_COLUMNS))
    long["n"] = long["n"].astype(int)
    steps, conditions = long["step"].unique(), long["condition"].unique()
    by_step = long.groupby(["step", "condition"])["n"].sum().unstack()  # noqa: PD010
    wide = by_step.loc[steps, conditions]
    frame = wide.assign(all=wide.sum(axis=1)).reset_index()
    frame["step"] = [WORDS.get(step, step) for step in frame["step"]]
    frame.columns.name = None
    table = ResultTable(
        name=TRIAL_FLOW,
        title="Participants of the conversations, by condition",
        caption="Rules apply in the plan's order, and the first that applies counts; each "
        "participant is in one row between the first and the last two. The last row counts "
        "conversations, all others people.",
        frame=frame,
        level=None,
    )
    return [table]
