"""The evidence on the judges of a plan: their answers to people's trials, and their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.evidence.kinds import evidence_of
from analysis.evidence.tables import StudyTables
from analysis.ranking import Ranking, bradley_terry, elo
from analysis.tables.columns import TIE
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Measures, Plan
from prereg.plan.table_judge import TableJudge
from prereg.streams import ELO, Stream, stream

# Columns that a table of a judge's scores has beside the dimensions.
_COLUMNS_OF_SCORES = ("item_id", "scenario", "overall", "elo", "bradley_terry")

# Columns of forced choices, for a judge that made none.
_COLUMNS_OF_CHOICES = ["rater_id", "scenario", "left_id", "right_id", "choice"]


@dataclass(frozen=True, kw_only=True)
class JudgeEvidence:
    """The answers and scores of one judge.

    Attributes
    ----------
    judge_id : str
    trials : DataFrame
        Its choices, ties among them, on the same trials that people answered; best-worst picks as
        the comparisons they imply; empty if the plan asks for ratings.
    scores : DataFrame
        `item_id`, `scenario`, every dimension of a pairwise plan's measures, `overall`, and `elo`
        and `bradley_terry`, each with its error (missing: `judges_errors` has it), if it was asked
        to compare pairs.
    ranking : Ranking or None
        Its Elo scores; instead its Bradley-Terry scores if its pairs were chosen by information or
        if it picked the best and the worst; None too if it compared no pairs.
    answered : bool
        Whether it has answered anything at all.
    drawn : int or None
        How many pairs were drawn for its ranking, with those that it left unanswered; None if its
        answers do not say, as only those of a judge of kind table do.
    pairs : DataFrame
        The forced choices behind `elo` and `bradley_terry`, in the order asked; empty without.
    """

    judge_id: str
    trials: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    ranking: Ranking | None
    answered: bool = True
    drawn: int | None = None
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)

    def has_one_score(self, measures: Measures) -> bool:
        """Say whether its overall score is one score per item, not the sum of its dimensions."""
        if "overall" in measures.dimensions or "overall" not in self.scores:
            return False
        parts = self.scores[list(measures.dimensions)]
        return bool(self.scores["overall"].notna().any() and parts.isna().all(axis=None))


def judges_of(plan: Plan, read: StudyTables) -> dict[str, JudgeEvidence]:
    """Return the answers and scores of every judge of the plan, by its id.

    A judge that has not answered is among them, with nothing.
    """
    return {judge.id: _judge_evidence(plan, judge.id, read) for judge in plan.judges}


def _judge_evidence(plan: Plan, judge_id: str, read: StudyTables) -> JudgeEvidence:
    answers = read.answers
    mine = answers[(answers["rater_id"] == judge_id) & (answers["rater_kind"] != "human")]
    items = read.items[["item_id", "scenario"]]
    if plan.measures is not None:
        return _of_choices(plan, judge_id, mine, read)
    if mine.empty:
        trials = pd.DataFrame(columns=_COLUMNS_OF_CHOICES, dtype=object)
        return JudgeEvidence(
            judge_id=judge_id, trials=trials, scores=items, ranking=None, answered=False
        )
    trials = evidence_of(plan).choices(mine)
    if not kind_of(plan).compares:
        return JudgeEvidence(judge_id=judge_id, trials=trials, scores=items, ranking=None)
    ranking = bradley_terry(trials, ridge=plan.ranking.ridge, tie=TIE)
    scores = _with_scores(items, {"bradley_terry": ranking})
    return JudgeEvidence(
        judge_id=judge_id, trials=trials, scores=scores, ranking=ranking, pairs=trials
    )


def _of_choices(plan: Plan, judge_id: str, mine: pd.DataFrame, read: StudyTables) -> JudgeEvidence:
    """Return the evidence on a judge of a pairwise plan, which also scores every item."""
    # if a table from elsewhere does not say what each pair was asked for, all are used for both
    pairs = mine[mine["purpose"] == "ranking"] if "purpose" in mine else mine
    trials = mine[mine["purpose"] == "trial"] if "purpose" in mine else mine
    ratings = read.ratings
    own = (ratings["rater_id"] == judge_id) & (ratings["rater_kind"] != "human")
    scores = overall_scores(plan, ratings[own])
    scores = read.items[["item_id", "scenario"]].merge(scores, on="item_id", how="left")
    judge = plan.judge(judge_id)
    sampling = judge.pairs
    compared = isinstance(judge, TableJudge) and judge.compared
    ranking: dict[str, Ranking] = {}
    ranked = not pairs.empty and (sampling is not None or compared)
    if ranked:
        pairs = pairs.sort_values("position", kind="stable")  # Elo depends on the order asked
        ranking = _own_ranking(plan, judge_id, pairs)
        scores = _with_scores(scores, ranking)
    by_information = sampling is not None and sampling.scheme == "information"
    shown = ranking.get("bradley_terry" if by_information else "elo")
    return JudgeEvidence(
        judge_id=judge_id,
        trials=trials,
        scores=scores,
        ranking=shown,
        answered=not mine.empty or bool(own.any()),
        drawn=_drawn(pairs) if isinstance(judge, TableJudge) else None,
        pairs=pairs if ranked else pairs.iloc[:0],
    )


def _drawn(pairs: pd.DataFrame) -> int | None:
    """Return how many pairs a judge of kind table was to answer; see `purpose` in the contract."""
    last = pairs["position"].max() if len(pairs) and "purpose" in pairs else math.nan
    return None if math.isnan(last) else max(int(last), len(pairs))


def _with_scores(scores: pd.DataFrame, rankings: dict[str, Ranking]) -> pd.DataFrame:
    for method, found in rankings.items():
        names = {"score": method, "se": f"{method}_se"}
        column = found.frame[["item_id", *names]].rename(columns=names)
        scores = scores.merge(column, on="item_id", how="left")
    return scores


def _own_ranking(plan: Plan, judge_id: str, pairs: pd.DataFrame) -> dict[str, Ranking]:
    """Return a judge's own ranking by Elo and by Bradley-Terry, from the pairs asked for it."""
    settings = plan.ranking.elo
    rng = stream(plan.seed, Stream.ANALYSIS, ELO + judge_id)
    return {
        "elo": elo(
            pairs,
            start=settings.start,
            k=settings.k,
            reorderings=settings.reorderings,
            rng=rng,
            tie=TIE,
        ),
        "bradley_terry": bradley_terry(pairs, ridge=plan.ranking.ridge, tie=TIE),
    }


def overall_scores(plan: Plan, ratings: pd.DataFrame) -> pd.DataFrame:
    """Return one row per item: every dimension of the plan, and their signed sum `overall`.

    A judge of kind table may have only one score per item, which then is `overall`.
    """
    measures = measures_of(plan)
    _refuse_names_of_scores(measures.dimensions)
    wide = ratings.pivot_table(index="item_id", columns="dimension", values="value", aggfunc="mean")
    own = wide.get("overall") if "overall" not in measures.dimensions else None
    wide = wide.reindex(columns=list(measures.dimensions))
    adds = wide[list(measures.adds)].sum(axis=1, skipna=False)
    subtracts = wide[list(measures.subtracts)].sum(axis=1, skipna=False)
    wide["overall"] = adds - subtracts if own is None else own
    wide.columns.name = None
    return wide.reset_index()


def _refuse_names_of_scores(dimensions: Sequence[str]) -> None:
    """Raise `RatifyError` at a dimension that has the name of another column of scores.

    A single dimension may be called `overall`, because it is its own sum.
    """
    for name in dimensions:
        if name in _COLUMNS_OF_SCORES and (name != "overall" or len(dimensions) > 1):
            raise RatifyError(
                f"a dimension cannot be called '{name}': a judge's scores have such a column",
                file=PLAN_FILE,
                column="measures",
                value=name,
                allowed="another name",
            )


def measures_of(plan: Plan) -> Measures:
    """Return the measures that a judge scores; a pairwise plan always has them.

    Raises
    ------
    RatifyError
        If the plan has no measures.
    """
    if plan.measures is None:
        raise RatifyError(
            "is needed to score items",
            file=PLAN_FILE,
            column="measures",
            allowed="scale, adds and subtracts",
        )
    return plan.measures
