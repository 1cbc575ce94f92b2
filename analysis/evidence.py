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
    refuse_judges_checks,
    refuse_other_items,
    refuse_other_plans,
    refuse_undesigned,
    refuse_unknown_items,
    refuse_unknown_slots,
)
from analysis.exclusions import apply_exclusions
from analysis.kinds import measures_of, require_pairwise
from analysis.ranking import Ranking, bradley_terry, elo
from analysis.results import Status
from prereg.errors import RatifyError
from prereg.items import read_items
from prereg.lock import LOCK_FILE, SEQUENCES_FILE, Lock, verify_lock
from prereg.plan import Plan
from prereg.plan_file import load_plan

TABLES_FOLDER = "data"
TABLES = ("items", "judgments", "participants", "ratings", "sequences", "withdrawals")


@dataclass(frozen=True, kw_only=True)
class JudgeEvidence:
    """What one judge said.

    Attributes
    ----------
    judge_id : str
    trials : DataFrame
        Its judgments on the very trials that people answered.
    scores : DataFrame
        `item_id`, `scenario`, every dimension, `overall`, and `elo` and `bradley_terry` where it
        was asked for pairs.
    ranking : Ranking or None
        Its Elo; its Bradley-Terry scores where its pairs were chosen for these.
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
        People's judgments after exclusions, with `sequence_id`; attention checks set aside.
    flow : DataFrame
        What left at each exclusion.
    visits : mapping
        Number of visits by status, before exclusions.
    withdrawn : int
        People who withdrew; none of their answers is in any table.
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
    visits: Mapping[str, int]
    withdrawn: int
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
        When the plan is of a kind without registered analyses, a table is missing or wrong, rows
        carry another plan's hash, there are no judgments of this mode, or a judge of the plan has
        not answered.
    """
    plan = load_plan(folder)
    require_pairwise(plan, folder)
    lock = _checked_lock(folder, plan, mode)
    place = folder / TABLES_FOLDER
    read = _read(place, plan, lock)
    people, visits = _people(read, mode, lock, place)
    kept = apply_exclusions(
        people.reset_index(drop=True),
        visits.reset_index(drop=True),
        [rule.model_dump(exclude_none=True) for rule in plan.exclusions],
        rng=_stream(plan, "exclusions"),
    )
    # one order whoever answered first, so that a repeated run rounds alike
    answered = kept.judgments.sort_values(["sequence_id", "session_id", "position"], kind="stable")
    if answered.empty:
        raise RatifyError(
            "nothing is left after the plan's exclusions", file=_judgments(place),
            allowed="at least one finished session",
        )  # fmt: skip
    early = lock is not None and bool((people["answered_at"] < lock.locked_at).any())
    return Evidence(
        plan=plan,
        lock=lock,
        mode=mode,
        early=early,
        status="exploratory" if lock is None or mode == "pilot" or early else "confirmatory",
        items=read.items,
        people=answered.reset_index(drop=True),
        flow=kept.flow,
        visits={str(name): int(n) for name, n in visits["status"].value_counts().items()},
        withdrawn=int((read.withdrawals["mode"] == mode).sum()),
        ranking=bradley_terry(answered, ridge=plan.ranking.ridge),
        judges={judge.id: _judge_evidence(plan, judge.id, read, place) for judge in plan.judges},
    )


@dataclass(frozen=True)
class _Tables:
    """The tables of a study, each checked in itself and against the lock."""

    items: pd.DataFrame
    judgments: pd.DataFrame
    participants: pd.DataFrame
    ratings: pd.DataFrame
    withdrawals: pd.DataFrame


def _read(place: Path, plan: Plan, lock: Lock | None) -> _Tables:
    """Return the tables; every row belongs to this plan and to its items."""
    path = {name: tables.table_path(place, name) for name in TABLES}
    if not path["judgments"].exists():
        raise RatifyError("there are no tables yet", file=place, allowed="run `ratify export`")
    listed = read_items(path["items"])
    gone = path["withdrawals"]
    read = _Tables(
        items=pd.DataFrame(listed.rows, columns=list(listed.columns), dtype=str),
        judgments=tables.read_judgments(path["judgments"]),
        participants=tables.read_participants(path["participants"]),
        ratings=tables.read_ratings(path["ratings"]) if plan.judges else pd.DataFrame(),
        withdrawals=tables.read_withdrawals(gone) if gone.exists() else pd.DataFrame({"mode": []}),
    )
    if lock is not None:
        refuse_other_items(listed.rows, lock, path["items"])
        for name in ("judgments", "ratings", "participants", "withdrawals"):
            refuse_other_plans(getattr(read, name), lock, path[name])
        slots = plan.design.raters_per_sequence
        refuse_unknown_slots(read.participants, slots, path["participants"])
    refuse_unknown_items(read.judgments, read.items, path["judgments"])
    for name in ("judgments", "ratings"):
        refuse_judges_checks(getattr(read, name), path[name])
    return read


def _people(
    read: _Tables, mode: str, lock: Lock | None, place: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people's judgments of one mode, with `sequence_id`, and their visits."""
    human = read.judgments["rater_kind"] == "human"
    people = read.judgments[human & (read.judgments["mode"] == mode)]
    if people.empty:
        there = sorted(read.judgments.loc[human, "mode"].unique())
        raise RatifyError(
            f"holds no {mode} judgments by people", file=_judgments(place),
            allowed=f"--mode {' or '.join(there)}" if there else "answers, then `ratify export`",
        )  # fmt: skip
    visits = read.participants
    if "mode" in visits:
        visits = visits[visits["mode"] == mode]
    sequence_of = visits.set_index("session_id")["sequence_id"]
    people = people.assign(sequence_id=people["session_id"].map(sequence_of))
    if lock is not None:
        refuse_undesigned(people, place.parent / SEQUENCES_FILE, _judgments(place))
    return people, visits


def _judgments(place: Path) -> Path:
    return tables.table_path(place, "judgments")


def _stream(plan: Plan, purpose: str) -> np.random.Generator:
    key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.default_rng([plan.seed, 4, key])


def _checked_lock(folder: Path, plan: Plan, mode: str) -> Lock | None:
    """Return the lock; only live data must have one."""
    if mode != "live" and not (folder / LOCK_FILE).exists():
        return None
    return verify_lock(folder, plan)


def _judge_evidence(plan: Plan, judge_id: str, read: _Tables, place: Path) -> JudgeEvidence:
    judgments, ratings = read.judgments, read.ratings
    mine = judgments[(judgments["rater_id"] == judge_id) & (judgments["rater_kind"] != "human")]
    if mine.empty:
        raise RatifyError(
            f"judge '{judge_id}' has not answered", file=_judgments(place),
            allowed="run `ratify judge`, then `ratify export`",
        )  # fmt: skip
    # where a table from elsewhere does not say which pair was asked for what, all serve for both
    pairs = mine[mine["purpose"] == "ranking"] if "purpose" in mine else mine
    trials = mine[mine["purpose"] == "trial"] if "purpose" in mine else mine
    ranking: dict[str, Ranking] = {}
    own = (ratings["rater_id"] == judge_id) & (ratings["rater_kind"] != "human")
    scores = overall_scores(plan, ratings[own])
    scores = read.items[["item_id", "scenario"]].merge(scores, on="item_id", how="left")
    if not pairs.empty and plan.judge(judge_id).pairs is not None:
        ranking = _judge_ranking(plan, judge_id, pairs)
        for method, found in ranking.items():
            column = found.frame[["item_id", "score"]].rename(columns={"score": method})
            scores = scores.merge(column, on="item_id", how="left")
    sampling = plan.judge(judge_id).pairs
    by_information = sampling is not None and sampling.scheme == "information"
    shown = ranking.get("bradley_terry" if by_information else "elo")
    return JudgeEvidence(judge_id=judge_id, trials=trials, scores=scores, ranking=shown)


def _judge_ranking(plan: Plan, judge_id: str, pairs: pd.DataFrame) -> dict[str, Ranking]:
    """Return a judge's own ranking by Elo and by Bradley-Terry, from the pairs asked for it."""
    pairs = pairs.sort_values("position", kind="stable")  # Elo depends on the order asked
    settings = plan.ranking.elo
    rng = _stream(plan, f"elo:{judge_id}")
    return {
        "elo": elo(
            pairs, start=settings.start, k=settings.k, reorderings=settings.reorderings, rng=rng
        ),
        "bradley_terry": bradley_terry(pairs, ridge=plan.ranking.ridge),
    }


def overall_scores(plan: Plan, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return one row an item: every dimension of the plan, and their signed sum `overall`."""
    measures = measures_of(plan)
    wide = ratings.pivot_table(index="item_id", columns="dimension", values="value", aggfunc="mean")
    wide = wide.reindex(columns=list(measures.dimensions))
    adds = wide[list(measures.adds)].sum(axis=1, skipna=False)
    subtracts = wide[list(measures.subtracts)].sum(axis=1, skipna=False)
    wide["overall"] = adds - subtracts
    wide.columns.name = None
    return wide.reset_index()
