"""Say before the lock how much of what an analysis needs a judge of kind table can answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prereg.analyses.agreement import ALL, Agreement
from prereg.analyses.choices import ChoiceAgreement, Logit
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.analyses.registry import Analysis
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of
from prereg.plan.table_judge import OVERALL, TableJudge
from study.folder import Study
from study.judges.given.answers import Answering, given_of


@dataclass(frozen=True)
class Planned:
    """How much a judge of kind table can answer of what an analysis needs of it.

    Attributes
    ----------
    answered, asked : int
        `asked` counts what is planned: the trials, the items, or the pairs drawn.
    says : str
        What is answered, with `{counts}` for both numbers.
    """

    answered: int
    asked: int
    says: str

    @property
    def share(self) -> float:
        """The share that is answered; 0 if nothing is asked."""
        return self.answered / self.asked if self.asked else 0.0

    @property
    def words(self) -> str:
        """What is answered, with both numbers and the share."""
        return (
            self.says.format(counts=f"{self.answered:,} of {self.asked:,}")
            + f" ({100 * self.share:.3g}%)"
        )


def gate_warnings(study: Study) -> list[str]:
    """Return a warning for each condition of the gate that a judge's table answers too little for.

    A judge whose table cannot be read is left out: `checked` names that fault.
    """
    found = []
    analyses = {analysis.id: analysis for analysis in study.plan.analyses}
    answering: dict[str, Answering | None] = {}
    for number, threshold in enumerate(study.plan.gate):
        analysis = analyses.get(threshold.analysis)  # one that is not there is a fault of the plan
        if analysis is None:
            continue
        judge = _judge_of(study, analysis, threshold.quantity)
        if judge is None:
            continue
        if judge.id not in answering:
            answering[judge.id] = _read(study, judge)
        answers = answering[judge.id]
        planned = answers and planned_coverage(answers, analysis, threshold.quantity)
        if planned and planned.share < threshold.coverage:
            found.append(
                f"gate.{number} ({analysis.id} / {threshold.quantity}) needs a coverage of "
                f"{100 * threshold.coverage:.3g}%, but judge '{judge.id}' {planned.words}, so the "
                f"gate would not be passed. Complete {' or '.join(judge.files)}, or give this "
                "condition a lower coverage, before the lock."
            )
    return found


def planned_coverage(answers: Answering, analysis: Analysis, quantity: str) -> Planned | None:
    """Return the coverage that a number about a judge will have if people answer every trial.

    Parameters
    ----------
    answers : Answering
        What the judge's tables answer.
    analysis : Analysis
        A registered analysis that is about the judge.
    quantity : str
        The number's name.

    Returns
    -------
    Planned or None
        None if the analysis needs nothing that can be counted before people answer.

    Notes
    -----
    `analysis.registered.coverage` counts the same on the answers.
    """
    study = answers.study
    kind = kind_of(study.plan)
    if isinstance(analysis, ChoiceAgreement | RankingAnalysis):
        there = answers.summary(0)
        return Planned(there.answered, there.asked, "chooses in {counts} trials")
    if not kind.compares:
        wanted = [rated.id for rated in study.plan.rated]
        if isinstance(analysis, Agreement):
            one = quantity.partition(": ")[2].partition(" ")[2]
            wanted = list(analysis.dimensions or wanted) if one == ALL else [one]
        return _scored(answers, wanted)
    ranks = isinstance(analysis, RankCorrelation)
    if study.plan.measures is None:
        return _items(answers, _of_trials(answers)) if ranks else None
    by_pairs = isinstance(analysis, RankCorrelation) and analysis.score != OVERALL
    by_pairs |= isinstance(analysis, Logit) and analysis.outcome == "select_match"
    if not by_pairs:
        known = set(answers.overall)
        return _items(answers, known) if ranks else _both(answers, known)
    pairs = answers.own_pairs()
    n = len(pairs.answered)
    found = [Planned(n, n + pairs.unanswered, "chooses in {counts} pairs of its ranking")]
    if answers.judge.compared:
        known = {item.item_id for *both, _ in pairs.answered for item in both}
        found.append(_items(answers, known) if ranks else _both(answers, known))
    return min(found, key=lambda one: one.share)


def _judge_of(study: Study, analysis: Analysis, quantity: str) -> TableJudge | None:
    """Return the judge of kind table that a number is about; None if it is about another."""
    if analysis.coverage_of(quantity, study.plan) is None:
        return None
    name = analysis.about(study.plan) or quantity.partition(": ")[0]
    judges = [one for one in study.plan.judges if one.id == name]
    return judges[0] if judges and isinstance(judges[0], TableJudge) else None


def _read(study: Study, judge: TableJudge) -> Answering | None:
    try:
        return Answering(study, judge, given_of(study, judge))
    except RatifyError:
        return None


def _scored(answers: Answering, dimensions: Iterable[str]) -> Planned:
    """Return how many items and dimensions are scored in a plan of ratings."""
    cells = [(item.item_id, name) for item in answers.study.used_items() for name in dimensions]
    known = sum(cell in answers.given.scores for cell in cells)
    return Planned(known, len(cells), "gives {counts} ratings")


def _items(answers: Answering, known: set[str]) -> Planned:
    used = [item.item_id for item in answers.study.used_items()]
    return Planned(sum(name in known for name in used), len(used), "scores {counts} items")


def _both(answers: Answering, known: set[str]) -> Planned:
    trials = answers.study.asked()
    scored = sum(all(item.item_id in known for item in items) for items in trials)
    return Planned(scored, len(trials), "scores both items in {counts} trials")


def _of_trials(answers: Answering) -> set[str]:
    """Return the items of the trials that a judge answers, which rank them."""
    return {
        item.item_id for items in answers.study.asked() if answers.answers(items) for item in items
    }
