"""The evidence for registered analyses: people's answers after exclusions, judges' scores."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence.blind import shuffled_answers, shuffled_survey, shuffled_table
from analysis.evidence.exclusions import Exclusions, apply_exclusions, everybody
from analysis.evidence.judges import JudgeEvidence, judges_of
from analysis.evidence.kinds import evidence_of
from analysis.evidence.panels import with_panels
from analysis.evidence.tables import (
    TABLES_FOLDER,
    StudyTables,
    no_answers,
    nobody_of,
    people_of,
    read_study,
    without,
)
from analysis.ranking import Ranking, bradley_terry
from analysis.results.quantities import Status
from analysis.tables import tidy as tables
from analysis.tables.columns import TIE
from prereg.derived import chained, erased
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of, kinds_that_hold
from prereg.lock import LOCK_FILE, Lock, verify_lock
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.simulated import simulation_notes
from prereg.streams import EXCLUSIONS, Stream, stream
from prereg.tables.contract import RATINGS
from prereg.tables.manifest import edited_notes


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything an analysis of a study may use.

    Attributes
    ----------
    plan : Plan
    lock : Lock or None
    mode : {'live', 'pilot', 'bot'}
    early : bool
        Whether some answers are older than the lock; then nothing here is confirmatory.
    blind : bool
        Whether people's answers are shuffled, so that nothing here is a result.
    status : {'confirmatory', 'exploratory'}
        The status of a registered analysis on these data.
    items : DataFrame
        The items table; columns other than id, scenario and text are unchanged.
    answers : DataFrame
        People's answers after exclusions, with `sequence_id`, without attention checks: by the
        plan's kind choices, ratings (one row per dimension) or picks (one row per option).
    people : DataFrame
        People's choices: the answers of a pairwise plan, ties among them if it offers ties, or the
        comparisons that picks of best and worst imply; empty if the plan asks for ratings.
    participants : DataFrame
        Their visits.
    flow : DataFrame
        How many each exclusion rule left out.
    visits : mapping
        Number of visits by status, before exclusions.
    withdrawn : int
        Number of people who withdrew; none of their answers is in any table.
    ranking : Ranking or None
        People's Bradley-Terry scores, with a tie as half a win for each side; None if the plan asks
        for ratings.
    judges : mapping
        By judge id.
    judge_ratings : DataFrame
        All judges' ratings, those of panels too; their `rater_kind` is `panel`.
    panels : tuple of str
        How the answers of each panel were made, one sentence each.
    everybody : Evidence or None
        The evidence without any exclusion, if the plan registers the sensitivity analysis.
    place : Path
        The folder of the tidy tables.
    notes : list of str
        What was changed while reading tables; each analysis that reads one adds to it.
    """

    plan: Plan
    lock: Lock | None
    mode: str
    early: bool
    status: Status
    items: pd.DataFrame = field(repr=False)
    answers: pd.DataFrame = field(repr=False)
    people: pd.DataFrame = field(repr=False)
    participants: pd.DataFrame = field(repr=False)
    flow: pd.DataFrame = field(repr=False)
    visits: Mapping[str, int]
    withdrawn: int
    ranking: Ranking | None
    judges: Mapping[str, JudgeEvidence]
    judge_ratings: pd.DataFrame = field(repr=False)
    place: Path
    panels: tuple[str, ...] = ()
    everybody: Evidence | None = field(default=None, repr=False)
    blind: bool = False
    notes: list[str] = field(default_factory=list, repr=False)
    _own: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def nobody(self) -> bool:
        """Whether nobody has answered yet, as may be in the second stage of a chat."""
        return self.answers.empty

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
        """The possessive of the raters, at the beginning of a sentence."""
        return "Simulated raters'" if self.simulated else "People's"

    @property
    def ratings(self) -> pd.DataFrame:
        """People's ratings after exclusions; empty if the plan asks for something else."""
        return self._answers_in("ratings")

    @property
    def best_worst(self) -> pd.DataFrame:
        """People's picks after exclusions; empty if the plan asks for something else."""
        return self._answers_in("best_worst")

    def _answers_in(self, table: str) -> pd.DataFrame:
        return self.answers if kind_of(self.plan).table == table else self.answers.iloc[:0]

    @property
    def silent(self) -> list[str]:
        """The judges of the plan that have not answered anything."""
        return [name for name, judge in self.judges.items() if not judge.answered]

    @property
    def n_raters(self) -> int:
        """How many people answered."""
        return int(self.answers["rater_id"].nunique())

    @property
    def ranked(self) -> Ranking:
        """People's Bradley-Terry scores.

        Raises
        ------
        RatifyError
            If the answers do not rank items.
        """
        if self.ranking is None:
            raise RatifyError(
                "ratings do not rank items", allowed=f"a {kinds_that_hold('choices')} plan"
            )
        return self.ranking

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the stream of random numbers of one purpose, from the plan's one seed."""
        return stream(self.plan.seed, Stream.ANALYSIS, purpose)

    def table_path(self, name: str) -> Path:
        """Return where a tidy table of the researcher's own is."""
        return tables.table_path(self.place, name)

    def table(self, name: str) -> pd.DataFrame:
        """Read a tidy table of the researcher's own, all columns as text.

        Raises
        ------
        RatifyError
            If there is no such table.
        LookupError
            If no analysis of the plan says in `tables()` that it reads it, because the results
            would then lack its hash.
        """
        if name not in self.plan.tables:
            raise LookupError(f"no analysis says in tables() that it reads {name}")
        if name not in self._own:
            read = tables.read_other(self.table_path(name), self.plan.data.reading(name))
            self.note(tables.notes_of(read))
            self._own[name] = shuffled_table(read, name, self.plan) if self.blind else read
        return self._own[name]

    def note(self, sentences: Iterable[str]) -> None:
        """Keep what was changed while reading a table, each sentence once."""
        self.notes.extend(said for said in sentences if said not in self.notes)


def gather(folder: Path, *, mode: str, blind: bool = False) -> Evidence:
    """Read a study folder and its exported tables.

    Parameters
    ----------
    folder : Path
        With plan.yaml, and the tidy tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Which people's answers to analyse.
    blind : bool
        Whether people's answers are shuffled after the exclusions; see `analysis.evidence.blind`.

    Raises
    ------
    RatifyError
        If a table is missing or wrong, rows have another plan's hash, or there are no answers of
        this mode.
    """
    plan = load_plan(folder)
    lock = _checked_lock(folder, plan, mode)
    place = folder / TABLES_FOLDER
    read = read_study(place, plan, lock)
    if chained(folder) is not None and no_answers(read, mode):
        people, visits = nobody_of(read, mode=mode)
    else:
        people, visits = people_of(read, plan, mode=mode, lock=lock, place=place)
    found = evidence_from(
        plan, read, people, visits, mode=mode, lock=lock, place=place, blind=blind
    )
    found.note([*edited_notes(place), *simulation_notes(folder)])
    return found


def evidence_from(
    plan: Plan,
    read: StudyTables,
    people: pd.DataFrame,
    visits: pd.DataFrame,
    *,
    mode: str,
    lock: Lock | None,
    place: Path,
    blind: bool = False,
    own: Mapping[str, pd.DataFrame] | None = None,
) -> Evidence:
    """Apply the exclusions to the tables of a study, and bring what judges said to them.

    Parameters
    ----------
    plan : Plan
    read : StudyTables
    people, visits : DataFrame
        People's answers of one mode, with `sequence_id`, and their visits; see `people_of`.
    mode : {'live', 'pilot', 'bot'}
    lock : Lock or None
    place : Path
        The folder of the tables.
    blind : bool
        Whether people's answers are shuffled after the exclusions.
    own : mapping, optional
        The researcher's own tables, all cells as text; by default they are read when needed.

    Raises
    ------
    RatifyError
        If nothing is left after the exclusions.
    """
    read, panels = with_panels(read, plan)
    people, visits = people.reset_index(drop=True), visits.reset_index(drop=True)
    nobody = people.empty
    gone = erased(place.parent)
    rules = [rule.model_dump(exclude_none=True) for rule in plan.exclusions]
    kept = (
        everybody(people, visits)
        if nobody
        else apply_exclusions(
            people, visits, rules, rng=stream(plan.seed, Stream.ANALYSIS, EXCLUSIONS)
        )
    )
    early = lock is not None and bool((people["answered_at"] < lock.locked_at).any())
    whole = Evidence(
        plan=plan,
        lock=lock,
        mode=mode,
        early=early,
        status="exploratory" if lock is None or mode == "pilot" or early else "confirmatory",
        items=read.items,
        visits={str(name): int(n) for name, n in visits["status"].value_counts().items()},
        withdrawn=int((read.withdrawals["mode"] == mode).sum()),
        judges=judges_of(plan, read),
        judge_ratings=_judges_own(read),
        place=place,
        panels=panels,
        blind=blind,
        notes=list(read.notes),
        _own=dict(own or {}),
        **_of_people(plan, kept, read.answers_path, blind=blind, gone=gone, nobody=nobody),
    )
    whole.note(
        f"judge '{name}' has not answered: everything else is analysed, and what needs this judge "
        "is reported without an estimate (run `ratify judge`, then `ratify export`)"
        for name in whole.silent
    )
    if gone:
        whole.note([_withdrawn(gone, people)])
    if nobody or not plan.sensitivity:
        return whole
    cluster = plan.sensitivity.cluster or "rater_id"
    all_of_them = _of_people(
        plan, everybody(people, visits), read.answers_path, cluster=cluster, blind=blind, gone=gone
    )
    return replace(whole, everybody=replace(whole, **all_of_them))


def _judges_own(read: StudyTables) -> pd.DataFrame:
    if read.ratings.empty:
        return pd.DataFrame(columns=list(RATINGS.required), dtype=str)
    return read.ratings[read.ratings["rater_kind"] != "human"].reset_index(drop=True)


def _who_left(kept: Exclusions) -> str:
    """Return which rules excluded visits, and how many."""
    rows = kept.flow[(kept.flow["unit"] == "sessions") & (kept.flow["excluded"] > 0)]
    said = [f"{row.rule} {row.excluded:,} of {row.before:,} visits" for row in rows.itertuples()]
    return f": {', '.join(said)}" if said else ""


def _withdrawn(gone: Collection[str], people: pd.DataFrame) -> str:
    """Return how many comparisons are left out, because somebody withdrew what they show."""
    n = int(without(people, gone).shape[0])
    return (
        f"the text of {len(gone):,} items was withdrawn and erased: {len(people) - n:,} answers "
        "about them, and judges' scores of them, are left out"
    )


def _of_people(
    plan: Plan,
    kept: Exclusions,
    path: Path,
    *,
    cluster: str = "rater_id",
    blind: bool,
    gone: Collection[str] = (),
    nobody: bool = False,
) -> dict[str, Any]:
    """Return the fields of the evidence about the people who were kept."""
    # a fixed order, whoever answered first, so that repeated runs have the same rounding
    order = ["sequence_id", "session_id", "position"]
    answers = without(kept.answers, gone)
    answers = answers.sort_values(order, kind="stable").reset_index(drop=True)
    if answers.empty and not nobody:
        raise RatifyError(
            f"nothing is left after the plan's exclusions{_who_left(kept)}",
            file=path,
            allowed="at least one visit that no rule excludes",
        )
    participants = kept.participants
    if blind:
        answers = shuffled_answers(answers, plan)
        participants = shuffled_survey(participants, plan)
    choices = evidence_of(plan).choices(answers)
    return {
        "answers": answers,
        "people": choices,
        "participants": participants,
        "flow": kept.flow,
        "ranking": bradley_terry(choices, ridge=plan.ranking.ridge, cluster=cluster, tie=TIE)
        if kind_of(plan).compares and not nobody
        else None,
    }


def _checked_lock(folder: Path, plan: Plan, mode: str) -> Lock | None:
    """Return the lock; only live data must have one."""
    if mode != "live" and not (folder / LOCK_FILE).exists():
        return None
    return verify_lock(folder, plan)
