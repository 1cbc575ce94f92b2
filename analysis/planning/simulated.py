"""Simulates all tables of a study from its plan, without a page, a server or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.arrays import FloatArray
from analysis.planning.judge_answers import answers_of, judges_asked
from analysis.planning.layout import Layout, layout_of
from analysis.planning.own_tables import simulated_tables
from analysis.planning.people_answers import ANSWERS, Answering
from analysis.planning.population import People, draw_people
from analysis.planning.qualities import draw_quality
from prereg.design.sequences import Trial
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.assumptions import Assumptions
from prereg.plan.judging import AnyJudge, BaselineJudge
from prereg.plan.model import Plan
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion
from prereg.tables.contract import BEST_WORST, JUDGMENTS, PARTICIPANTS, RATINGS, Contract

# Later than any lock, so that nothing counts as collected before it.
WHEN = "2100-01-01T00:00:00.000Z"
MODE = "live"


@dataclass(frozen=True)
class SimulatedStudy:
    """The tables of a simulated study, in the types in which the analysis reads them.

    Attributes
    ----------
    quality : float array of shape (n_items,)
        The truth behind the answers.
    answers : DataFrame
        By people and judges: judgments, ratings or best_worst, by the plan's kind.
    ratings : DataFrame
        Everybody's ratings; the value of a scale of labels is the place of the label.
    participants : DataFrame
        All text.
    own : mapping of str to DataFrame
        The researcher's own tables.
    """

    quality: FloatArray
    answers: pd.DataFrame = field(repr=False)
    ratings: pd.DataFrame = field(repr=False)
    participants: pd.DataFrame = field(repr=False)
    own: Mapping[str, pd.DataFrame] = field(repr=False)


@dataclass(frozen=True)
class SimulatedPeople:
    """The part of a simulated study that is the same whatever the judges are like."""

    quality: FloatArray
    answers: pd.DataFrame
    participants: pd.DataFrame
    own: Mapping[str, pd.DataFrame]


def simulated_study(
    plan: Plan,
    items: pd.DataFrame,
    sequences: Sequence[Trial] | Layout,
    assumptions: Assumptions,
    rng: np.random.Generator,
    *,
    judge_quality: float | Mapping[str, float] | None = None,
    plan_hash: str = "",
) -> SimulatedStudy:
    """Simulate a study.

    Parameters
    ----------
    plan : Plan
    items : DataFrame
        The items table, all columns as text.
    sequences : sequence of Trial or Layout
        The design; `layout_of` makes a layout once for many studies.
    assumptions : Assumptions
        They replace those of the plan.
    rng : Generator
        Gives people their stream and judges theirs, so that judges of another quality meet the
        same people.
    judge_quality : float or mapping, optional
        Correlation of judges' scores with quality, of all or by judge; by default as assumed.
    plan_hash : str
        For the rows.

    Raises
    ------
    RatifyError
        If nobody answers anything, or a table of the researcher's own cannot be simulated.
    """
    plan = plan.model_copy(update={"assumptions": assumptions})
    layout = sequences if isinstance(sequences, Layout) else layout_of(plan, items, sequences)
    of_people, of_judges = rng.spawn(2)
    people = simulated_people(plan, items, layout, of_people, plan_hash=plan_hash)
    return with_judges(plan, layout, people, of_judges, judge_quality, plan_hash=plan_hash)


def simulated_people(
    plan: Plan, items: pd.DataFrame, layout: Layout, rng: np.random.Generator, *, plan_hash: str
) -> SimulatedPeople:
    """Simulate what people answer, and the researcher's own tables.

    Raises
    ------
    RatifyError
        As `simulated_study`.
    """
    quality = draw_quality(plan, items, rng)
    people = draw_people(plan.assumptions.raters, layout.trials, rng)
    answering = Answering(plan, layout, people, quality, rng)
    if not len(answering.rows):
        raise RatifyError(
            "nobody answers anything under these assumptions",
            column="assumptions.raters",
            allowed="smaller no_shows or drop_out, or more raters",
        )
    rows = ANSWERS[kind_of(plan).name](answering)
    rater = rows.pop("rater").to_numpy()
    width = max(4, len(str(len(layout.sequence))))
    sessions, raters = (
        np.array([f"{letter}{n:0{width}d}" for n in range(1, len(layout.sequence) + 1)])
        for letter in "sr"
    )
    answers = rows.assign(
        session_id=sessions[rater],
        rater_id=raters[rater],
        rater_kind="human",
        purpose="trial",
        shown_at=WHEN,
    )
    if "trial" in answers:
        answers["trial_id"] = "t" + answers.pop("trial").astype(str)
    visits = _visits(plan, layout, people, sessions, raters, plan_hash, rng)
    return SimulatedPeople(quality, answers, visits, simulated_tables(plan, items, rng))


def with_judges(
    plan: Plan,
    layout: Layout,
    people: SimulatedPeople,
    rng: np.random.Generator,
    judge_quality: float | Mapping[str, float] | None,
    *,
    plan_hash: str,
) -> SimulatedStudy:
    """Add what judges of a known quality answer."""
    answers, ratings = [people.answers], []
    kind = kind_of(plan)
    if kind.table == "ratings":
        ratings.append(people.answers)
    for judge, stream in zip(judges_asked(plan), rng.spawn(len(judges_asked(plan))), strict=True):
        quality = _quality_of(plan, judge, judge_quality)
        said = answers_of(plan, judge, layout, people.quality, quality, stream)
        who = {"rater_id": judge.id, "rater_kind": _kind(judge)}
        if not said.ratings.empty:
            ratings.append(said.ratings.assign(**who))
        for made in (said.choices, said.picks):
            if not made.empty:
                own = made.assign(**who, is_attention_check=False, session_id=f"judge-{judge.id}")
                if "trial" in own:
                    own["trial_id"] = f"{judge.id}-" + own.pop("trial").astype(str)
                answers.append(own)
    scored = (
        _columns(pd.concat(ratings, ignore_index=True), RATINGS, plan_hash) if ratings else None
    )
    if kind.table == "ratings":
        assert scored is not None
        whole = scored
    else:
        contract = {"judgments": JUDGMENTS, "best_worst": BEST_WORST}[kind.table]
        whole = _columns(pd.concat(answers, ignore_index=True), contract, plan_hash)
    empty = pd.DataFrame(columns=list(RATINGS.names), dtype=str).astype({"value": float})
    return SimulatedStudy(
        quality=people.quality,
        answers=whole,
        ratings=empty if scored is None else scored,
        participants=people.participants,
        own=people.own,
    )


def _quality_of(plan: Plan, judge: AnyJudge, given: float | Mapping[str, float] | None) -> float:
    expected = plan.assumptions.judges.expected(judge.id)
    if given is None:
        return expected
    return given.get(judge.id, expected) if isinstance(given, Mapping) else given


def _kind(judge: AnyJudge) -> str:
    return "baseline" if isinstance(judge, BaselineJudge) else "llm"


def _columns(rows: pd.DataFrame, contract: Contract, plan_hash: str) -> pd.DataFrame:
    """Return rows with every column of a table, typed as the reader of the table types them."""
    human = (rows["rater_kind"] == "human").to_numpy()
    filled = {"plan_hash": plan_hash, "mode": MODE, "answered_at": WHEN}
    found = {}
    for name in contract.names:
        if name in filled:
            found[name] = np.full(len(rows), filled[name], dtype=object)
        elif name == "judgment_id":
            found[name] = np.char.add("j", np.arange(len(rows)).astype(str)).astype(object)
        elif name == "is_attention_check":
            checks = np.zeros(len(rows), dtype=bool)
            if name in rows:  # judges' ratings alone say nothing about checks
                checks = rows[name].eq(other=True).to_numpy(dtype=bool)
            # a judge's rating says nothing about checks, and a table of ratings holds words
            words = np.where(human, np.where(checks, "true", "false"), "").astype(object)
            found[name] = words if contract is RATINGS else checks
        elif name in contract.numeric and not (contract is RATINGS and name in _TEXT_OF_RATINGS):
            found[name] = (
                rows[name].to_numpy(dtype=np.float64)
                if name in rows
                else np.full(len(rows), np.nan)
            )
        else:
            found[name] = _words(rows, name)
    frame = pd.DataFrame({name: pd.Series(values) for name, values in found.items()})
    text = {name: "str" for name in frame.columns if frame[name].dtype == object}
    return frame.astype(text) if text else frame


# Numbers that are text in a table of ratings, as they are read.
_TEXT_OF_RATINGS = frozenset({"position", "response_ms", "hidden_ms"})


def _words(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows:
        return np.full(len(rows), "", dtype=object)
    cells = rows[name]
    if cells.dtype.kind == "f":
        return cells.map(lambda x: "" if np.isnan(x) else f"{x:g}").to_numpy(dtype=object)
    return cells.fillna("").to_numpy(dtype=object)


def _visits(
    plan: Plan,
    layout: Layout,
    people: People,
    sessions: np.ndarray,
    raters: np.ndarray,
    plan_hash: str,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the participants: those who leave have timed out, and nobody gets their place."""
    n = len(sessions)
    columns: dict[str, object] = {name: np.full(n, "", dtype=object) for name in PARTICIPANTS.names}
    columns |= {
        "session_id": sessions,
        "rater_id": raters,
        "sequence_id": layout.sequence,
        "consented_at": WHEN,
        "finished_at": np.where(people.finished, WHEN, ""),
        "status": np.where(people.finished, "finished", "timed_out"),
        "mode": MODE,
        "plan_hash": plan_hash,
        "slot": layout.slot.astype(str),
    }
    for question in plan.survey:
        options: list[str] = ["words"]
        if isinstance(question, ChoiceQuestion):
            options = list(question.options)
        elif isinstance(question, ScaleQuestion):
            options = [str(point) for point in question.points]
        given = np.array(options, dtype=object)[rng.integers(len(options), size=n)]
        columns[question.column] = np.where(people.finished, given, "")
    return pd.DataFrame(columns).astype(str)
