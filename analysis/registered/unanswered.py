"""What a study reports about judges that have not answered, or not what an analysis needs."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from analysis.evidence.evidence import Evidence
from analysis.gate import NO_ESTIMATE
from analysis.registered.finding import stamp
from analysis.results.quantities import Quantity
from analysis.results.verdict import TOO_FEW, Cell, Note, NotRun, Verdict
from analysis.results.words import listed
from analysis.tables import tidy as tables
from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.table_judge import TableJudge
from prereg.tables.reader import NoRowsError
from prereg.tables.reading import OWN

NO_ANSWERS = "no answers yet"


def of_others(analysis: Analysis, evidence: Evidence) -> Analysis:
    """Return an analysis without the judges that have not answered.

    Raises
    ------
    RatifyError
        If it is about no other judge.
    """
    judge, named = analysis.about(evidence.plan), getattr(analysis, "judges", ())
    if judge is None and not named:
        return analysis
    silent = evidence.silent
    if judge in silent:
        raise RatifyError(f"{judge} has not answered")
    others = tuple(name for name in named if name not in silent)
    if len(others) == len(named):
        return analysis
    if not others:
        verb = "has" if len(named) == 1 else "have"
        raise RatifyError(f"{listed(named)} {verb} not answered")
    return analysis.model_copy(update={"judges": others})


def about_silent(analysis: Analysis, evidence: Evidence) -> list[Quantity]:
    """Return the numbers about judges that have not answered, without estimates."""
    return [
        quantity
        for judge in getattr(analysis, "judges", ())
        if judge in evidence.silent
        for quantity in not_computed(
            analysis,
            evidence,
            [
                name
                for name in analysis.quantity_names(evidence.plan) or ()
                if name.startswith(f"{judge}: ")
            ],
            f"{judge} has not answered",
        )
    ]


def not_computed(
    analysis: Analysis, evidence: Evidence, names: Iterable[str], why: str
) -> list[Quantity]:
    """Return quantities without an estimate that say why."""
    words = analysis.id.replace("_", " ")
    every = list(names)
    return [
        Quantity(
            name=name,
            label=f"{words}: could not be computed"
            if len(every) == 1
            else f"{words}, {name}: could not be computed",
            estimate=None,
            n=None,
            unit_of_n="",
            method=analysis.kind,
            unit="not estimated",
            note=f"{NO_ESTIMATE}{why}.",
            **stamp(analysis, evidence),
        )
        for name in every
    ]


def verdict_of_silent(evidence: Evidence) -> Verdict:
    """Return what the verdict says of judges that have not answered."""
    names = evidence.silent
    return Verdict(
        sentences=tuple(f"{name}: {NO_ANSWERS}." for name in names),
        cells=tuple(
            Cell(judge=name, dimension=scale.id, word=TOO_FEW, why=NO_ANSWERS)
            for name in names
            if not kind_of(evidence.plan).compares
            for scale in evidence.plan.rated
        ),
        notes=tuple(
            Note(
                severity="warning",
                about=name,
                says=f"{name} has not answered: nothing is known about it.",
                do="Run `ratify judge`, then `ratify analyze` again.",
            )
            for name in names
        ),
        not_run=tuple(
            NotRun(check=f"Every analysis of {name}", why=f"{name} has not answered")
            for name in names
        ),
    )


def require_ranked(judge: str, evidence: Evidence) -> None:
    """Refuse a judge that answered no pairs, so that it has no ranking.

    Raises
    ------
    RatifyError
        With how many pairs it was asked.
    """
    if evidence.judges[judge].ranking is None:
        of = asked_for_ranking(judge, evidence)
        said = f"0 of {of:,} pairs" if of else "no pairs"
        raise RatifyError(f"{judge} answered {said}, so it has no ranking")


def require_scored(judge: str, evidence: Evidence) -> None:
    """Refuse a judge that scored no item.

    Raises
    ------
    RatifyError
        With how many items there are.
    """
    scores = evidence.judges[judge].scores
    if "overall" in scores and scores["overall"].isna().all():
        raise RatifyError(f"{judge} scored 0 of {len(scores):,} items, so it has no overall score")


def ranking_requests(judge: str, evidence: Evidence) -> list[str]:
    """Return the status of each request of a judge's own ranking; none if it was not asked yet."""
    path = tables.table_path(evidence.place, "requests")
    if not path.exists() or not evidence.plan.llms:
        return []
    try:
        requests = tables.read_other(path, OWN)
    except NoRowsError:
        return []
    mine = (requests["rater_id"] == judge) & (requests["purpose"] == "ranking")
    return [str(status) for status in requests.loc[mine, "status"]]


def asked_for_ranking(judge: str, evidence: Evidence) -> int:
    """Return how many pairs a judge without a ranking was, or would be, asked for it.

    Its requests say so; without any, the plan does: at most as many as there are.
    """
    asked = ranking_requests(judge, evidence)
    if asked:
        return asked.count("unanswered")
    sampling = evidence.plan.judge(judge).pairs
    if sampling is None:
        return 0
    items = evidence.items["scenario"].value_counts()
    if isinstance(evidence.plan.judge(judge), TableJudge) and sampling.scheme != "information":
        return int((items > 1).sum()) * sampling.per_scenario  # the same pair is drawn again
    return int(pd.Series(items * (items - 1) // 2).clip(upper=sampling.per_scenario).sum())
