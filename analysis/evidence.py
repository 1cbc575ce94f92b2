"""What the registered analyses start from: people's choices after exclusions, judges' scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import tables
from analysis.collected import (
    refuse_other_items,
    refuse_other_plans,
    refuse_undesigned,
    refuse_unknown_items,
)
from analysis.exclusions import apply_exclusions
from analysis.ranking import Ranking, bradley_terry, elo
from analysis.results import Status
from prereg.errors import RatifyError
from prereg.items import read_items
from prereg.lock import LOCK_FILE, Lock, verify_lock
from prereg.plan import Plan
from prereg.plan_file import load_plan

TABLES_FOLDER = "data"
TABLES = ("items", "judgments", "participants", "ratings", "sequences")


@dataclass(frozen=True, kw_only=True)
class JudgeEvidence:
    """What one judge said.

    Attributes
    ----------
    judge_id : str
    trials : DataFrame
        Its judgments on the very trials that people answered.
    scores : DataFrame
        `item_id`, `scenario`, every dimension, `overall`, and `elo` where it was asked for pairs.
    ranking : Ranking or None
        Its Elo.
    """

    judge_id: str
    trials: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    ranking: Ranking | None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything an analysis of a study may use.

    Attributes
    ----------
    plan : Plan
    lock : Lock or None
    mode : {'live', 'pilot', 'bot'}
    early : bool
        Some answers are older than the lock, so nothing here is confirmatory.
    status : {'confirmatory', 'exploratory'}
        What a registered analysis may call itself on these data.
    items : DataFrame
        The items table; columns beside id, scenario and text as they came.
    people : DataFrame
        People's judgments after exclusions, with `sequence_id`.
    flow : DataFrame
        What left at each exclusion.
    ranking : Ranking
        People's Bradley-Terry scores.
    judges : mapping
        By judge id.
    """

    plan: Plan
    lock: Lock | None
    mode: str
    early: bool
    status: Status
    items: pd.DataFrame = field(repr=False)
    people: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame = field(repr=False)
    ranking: Ranking
    judges: Mapping[str, JudgeEvidence]

    @property
    def simulated(self) -> bool:
        """Whether the raters are bots."""
        return self.mode == "bot"

    @property
    def raters(self) -> str:
        """What to call the raters."""
        return "simulated raters" if self.simulated else "people"

    @property
    def raters_own(self) -> str:
        """What to call what is theirs, at the beginning of a sentence."""
        return "Simulated raters'" if self.simulated else "People's"

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream of random numbers of one purpose, from the plan's one seed."""
        return _stream(self.plan, purpose)


def gather(folder: Path, *, mode: str) -> Evidence:
    """Read a study folder and its exported tables.

    Parameters
    ----------
    folder : Path
        With plan.yaml, and the tidy tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Which people's judgments to analyse.

    Raises
    ------
    RatifyError
        When a table is missing or wrong, rows carry another plan's hash, there are no judgments
        of this mode, or a judge of the plan has not answered.
    """
    plan = load_plan(folder)
    lock = _checked_lock(folder, plan, mode)
    place = folder / TABLES_FOLDER
    if not (place / "judgments.csv").exists():
        raise RatifyError("there are no tables yet", file=place, allowed="run `ratify export`")
    items_table = read_items(place / "items.csv")
    items = pd.DataFrame(items_table.rows, columns=list(items_table.columns), dtype=str)
    judgments = tables.read_judgments(place / "judgments.csv")
    participants = tables.read_participants(place / "participants.csv")
    ratings = tables.read_ratings(place / "ratings.csv") if plan.judges else pd.DataFrame()
    if lock is not None:
        refuse_other_items(items_table.rows, lock, place / "items.csv")
        for name, frame in (("judgments", judgments), ("ratings", ratings)):
            refuse_other_plans(frame, lock, place / f"{name}.csv")
        if "plan_hash" in participants:
            refuse_other_plans(participants, lock, place / "participants.csv")
    refuse_unknown_items(judgments, items, place / "judgments.csv")
    people = judgments[(judgments["rater_kind"] == "human") & (judgments["mode"] == mode)]
    if people.empty:
        there = sorted(judgments.loc[judgments["rater_kind"] == "human", "mode"].unique())
        raise RatifyError(
            f"holds no {mode} judgments by people", file=place / "judgments.csv",
            allowed=f"--mode {' or '.join(there)}" if there else "answers, then `ratify export`",
        )  # fmt: skip
    if "mode" in participants:
        participants = participants[participants["mode"] == mode]
    sequence_of = participants.set_index("session_id")["sequence_id"]
    people = people.assign(sequence_id=people["session_id"].map(sequence_of))
    if lock is not None:
        refuse_undesigned(people, place)
    kept = apply_exclusions(
        people.reset_index(drop=True),
        participants.reset_index(drop=True),
        [rule.model_dump(exclude_none=True) for rule in plan.exclusions],
        rng=_stream(plan, "exclusions"),
    )
    # one order whoever answered first, so that a repeated run rounds alike
    answered = kept.judgments.sort_values(["sequence_id", "session_id", "position"], kind="stable")
    if answered.empty:
        raise RatifyError(
            "nothing is left after the plan's exclusions", file=place / "judgments.csv",
            allowed="at least one finished session",
        )  # fmt: skip
    early = lock is not None and bool((people["answered_at"] < lock.locked_at).any())
    return Evidence(
        plan=plan,
        lock=lock,
        mode=mode,
        early=early,
        status="exploratory" if lock is None or mode == "pilot" or early else "confirmatory",
        items=items,
        people=answered.reset_index(drop=True),
        flow=kept.flow,
        ranking=bradley_terry(answered, ridge=plan.ranking.ridge),
        judges={
            judge.id: _judge_evidence(plan, judge.id, judgments, ratings, items, place)
            for judge in plan.judges
        },
    )


def _stream(plan: Plan, purpose: str) -> np.random.Generator:
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.default_rng([plan.seed, 4, key])


def _checked_lock(folder: Path, plan: Plan, mode: str) -> Lock | None:
    """Return the lock; only live data must have one."""
    if mode != "live" and not (folder / LOCK_FILE).exists():
        return None
    return verify_lock(folder, plan)


def _judge_evidence(
    plan: Plan,
    judge_id: str,
    judgments: pd.DataFrame,
    ratings: pd.DataFrame,
    items: pd.DataFrame,
    place: Path,
) -> JudgeEvidence:
    mine = judgments[(judgments["rater_id"] == judge_id) & (judgments["rater_kind"] != "human")]
    if mine.empty:
        raise RatifyError(
            f"judge '{judge_id}' has not answered", file=place / "judgments.csv",
            allowed="run `ratify judge`, then `ratify export`",
        )  # fmt: skip
    # where a table from elsewhere does not say which pair was asked for what, all serve for both
    pairs = mine[mine["purpose"] == "ranking"] if "purpose" in mine else mine
    trials = mine[mine["purpose"] == "trial"] if "purpose" in mine else mine
    ranking = None
    own = (ratings["rater_id"] == judge_id) & (ratings["rater_kind"] != "human")
    scores = overall_scores(plan, ratings[own])
    scores = items[["item_id", "scenario"]].merge(scores, on="item_id", how="left")
    if not pairs.empty and plan.judge(judge_id).pairs is not None:
        pairs = pairs.sort_values("position", kind="stable")  # Elo depends on the order asked
        settings = plan.ranking.elo
        ranking = elo(
            pairs,
            start=settings.start,
            k=settings.k,
            reorderings=settings.reorderings,
            rng=_stream(plan, f"elo:{judge_id}"),
        )
        column = ranking.frame[["item_id", "score"]].rename(columns={"score": "elo"})
        scores = scores.merge(column, on="item_id", how="left")
    return JudgeEvidence(judge_id=judge_id, trials=trials, scores=scores, ranking=ranking)


def overall_scores(plan: Plan, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an item: every dimension of the plan, and their signed sum `overall`."""
    wide = ratings.pivot_table(index="item_id", columns="dimension", values="value", aggfunc="mean")
    wide = wide.reindex(columns=list(plan.measures.dimensions))
    adds = wide[list(plan.measures.adds)].sum(axis=1, skipna=False)
    subtracts = wide[list(plan.measures.subtracts)].sum(axis=1, skipna=False)
    wide["overall"] = adds - subtracts
    wide.columns.name = None
    return wide.reset_index()
