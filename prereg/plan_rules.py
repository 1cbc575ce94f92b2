"""What must hold between the parts of a plan: found before the lock, not after collection."""

from __future__ import annotations

import re

from prereg.analyses import ChoiceAgreement, Logit, RankCorrelation, bin_name
from prereg.collection_rules import check_collection
from prereg.errors import RatifyError
from prereg.judging import BaselineJudge, LLMJudge
from prereg.judging_rules import check_judging
from prereg.plan import Analysis, Plan, Threshold

# Columns of a trial that a formula may name, beside the difference of every dimension.
TRIAL_COLUMNS = (
    "gap", "scenario", "position", "response_ms", "hidden_ms", "rater_id", "session_id",
    "sequence_id", "left_id", "right_id",
)  # fmt: skip
# Names of quantities and tables that every report has.
RESERVED = ("gate", "people", "habits", "rewrites", "perturbed_texts", "requests")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# A name that is neither called, nor an attribute, nor the name of an argument.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*[(.=])")


def check_rules(plan: Plan) -> None:
    """Raise `RatifyError` at the first part of a plan that does not fit another.

    Parameters
    ----------
    plan : Plan
        Each part right in itself.

    Raises
    ------
    RatifyError
        `column` is the dotted path of the field, `allowed` what would fit.
    """
    check_collection(plan)
    check_judging(plan)
    for what in ("hypotheses", "judges", "analyses"):
        names = [part.id for part in getattr(plan, what)]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise RatifyError(
                    "this id stands twice", column=f"{what}.{number}.id", value=name,
                    allowed="an id of its own",
                )  # fmt: skip
    for number, analysis in enumerate(plan.analyses):
        if analysis.id in RESERVED or analysis.id.startswith("ranking_"):
            raise RatifyError(
                "this id is taken by a table of every report", column=f"analyses.{number}.id",
                value=analysis.id, allowed="another id",
            )  # fmt: skip
    _check_exclusions(plan)
    judges = {judge.id: judge for judge in plan.judges}
    for number, analysis in enumerate(plan.analyses):
        where = f"analyses.{number}"
        if analysis.hypothesis is not None:
            known = [h.id for h in plan.hypotheses]
            _require(analysis.hypothesis, known, f"{where}.hypothesis")
        _check_judges(analysis, judges, where)
        if isinstance(analysis, Logit):
            _check_formula(analysis, plan, where)
    by_id = {analysis.id: analysis for analysis in plan.analyses}
    for number, threshold in enumerate(plan.gate):
        _require(threshold.analysis, list(by_id), f"gate.{number}.analysis")
        _check_quantity(threshold, by_id[threshold.analysis], f"gate.{number}.quantity")


def _check_exclusions(plan: Plan) -> None:
    rules = [exclusion.rule for exclusion in plan.exclusions]
    for number, rule in enumerate(rules):
        if rule in rules[:number]:
            raise RatifyError(
                "this rule stands twice", column=f"exclusions.{number}.rule", value=rule,
                allowed="each rule once",
            )  # fmt: skip


def _check_judges(
    analysis: Analysis, judges: dict[str, BaselineJudge | LLMJudge], where: str
) -> None:
    if isinstance(analysis, ChoiceAgreement):
        for number, judge in enumerate(analysis.judges):
            if judge in analysis.judges[:number]:
                raise RatifyError(
                    "this judge stands twice", column=f"{where}.judges.{number}", value=judge,
                    allowed="each judge once",
                )  # fmt: skip
            _require(judge, list(judges), f"{where}.judges.{number}")
        return
    if analysis.judge is None:
        return
    _require(analysis.judge, list(judges), f"{where}.judge")
    if _needs_pairs(analysis) and judges[analysis.judge].pairs is None:
        raise RatifyError(
            "this judge is asked no pairs, so it has no ranking", column=f"{where}.judge",
            value=analysis.judge, allowed="a judge with pairs",
        )  # fmt: skip


def _needs_pairs(analysis: Analysis) -> bool:
    if isinstance(analysis, RankCorrelation):
        return analysis.score in {"elo", "bradley_terry"}
    return isinstance(analysis, Logit) and analysis.formula.startswith("select_match")


def _check_formula(analysis: Logit, plan: Plan, where: str) -> None:
    """Refuse names that no trial has; whether it can be fitted, a rehearsal shows."""
    dimensions = plan.measures.dimensions if plan.measures is not None else ()
    columns = [*TRIAL_COLUMNS, *(f"diff_{d}" for d in dimensions)]
    right = analysis.formula.partition("~")[2]
    for name in _NAME.findall(_QUOTED.sub("", right)):
        _require(name, columns, f"{where}.formula")


def _check_quantity(threshold: Threshold, analysis: Analysis, where: str) -> None:
    """Refuse a threshold on a number that its analysis will never report."""
    if isinstance(analysis, RankCorrelation):
        _require(threshold.quantity, ["spearman", "spearman_within"], where)
    elif isinstance(analysis, Logit):
        _require(threshold.quantity, [analysis.term], where)
    elif isinstance(analysis, ChoiceAgreement):
        reported = [f"{j}: {what}" for j in analysis.judges for what in ("agreement", "kappa")]
        _require(threshold.quantity, reported, where)
    else:
        reported = [f"gap {bin_name(*limits)}" for limits in analysis.limits]
        _require(threshold.quantity, reported, where)


def _require(name: str, allowed: list[str], where: str) -> None:
    if name not in allowed:
        raise RatifyError(
            "is not known here", column=where, value=name,
            allowed=", ".join(allowed) or "none is defined",
        )  # fmt: skip
