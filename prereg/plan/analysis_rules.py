"""Checks a plan's analyses and thresholds against its other parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prereg.analyses.agreement import Agreement
from prereg.analyses.choices import ChoiceAgreement, Logit
from prereg.analyses.equivalence import PEOPLE, SHARES, SHOWN, Equivalence
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.ranking import RankingAnalysis
from prereg.analyses.registry import Analysis
from prereg.analyses.regression import RATINGS, TRIALS, Regression
from prereg.analyses.units import unit_of
from prereg.errors import RatifyError
from prereg.kinds.registry import kind_of, kinds_that_hold
from prereg.plan.judging import AnyJudge
from prereg.plan.model import Plan, Threshold
from prereg.plan.table_judge import TableJudge

# Columns of a trial that a formula may name, in addition to the difference of every dimension.
TRIAL_COLUMNS = (
    "gap",
    "scenario",
    "position",
    "response_ms",
    "hidden_ms",
    "rater_id",
    "session_id",
    "sequence_id",
    "left_id",
    "right_id",
)
# Names of quantities and tables that every report has.
RESERVED = (
    "everybody",
    "families",
    "flow",
    "gate",
    "habits",
    "people",
    "perturbed_texts",
    "requests",
    "rewrites",
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
# A name that is not a function, an attribute or the name of an argument.
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*\b(?!\s*[(.=])")


def faults_of_analyses(plan: Plan) -> Iterator[RatifyError]:
    """Yield a fault for each part of an analysis or a threshold that does not fit the plan."""
    judges = {judge.id: judge for judge in plan.judges}
    known = [h.id for h in plan.hypotheses]
    kind = kind_of(plan)
    for number, analysis in enumerate(plan.analyses):
        where = f"analyses.{number}"
        taken = analysis.id.startswith("ranking_") or analysis.id.endswith(".everybody")
        if taken or analysis.id in RESERVED:
            yield RatifyError(
                "this id is the name of a table that every report has",
                column=f"{where}.id",
                value=analysis.id,
                allowed="another id",
            )
        if analysis.answers and analysis.answers not in kind.holds:
            yield RatifyError(
                f"a plan of kind {plan.kind} does not collect what this analysis reads",
                column=f"{where}.kind",
                value=analysis.kind,
                allowed=f"in a plan of kind {kinds_that_hold(analysis.answers)}",
            )
        if analysis.hypothesis is not None:
            yield from unknown(analysis.hypothesis, known, f"{where}.hypothesis")
        yield from _check_judges(analysis, judges, where, asks_pairs=kind.asks_pairs)
        yield from _check_ranking(analysis, plan, where)
        yield from _check_kind(analysis, plan, where)
        yield from _check_dimensions(analysis, plan, where)
    by_id = {analysis.id: analysis for analysis in plan.analyses}
    for number, threshold in enumerate(plan.gate):
        yield from unknown(threshold.analysis, list(by_id), f"gate.{number}.analysis")
        if threshold.analysis in by_id:
            yield from _check_quantity(threshold, by_id[threshold.analysis], plan, f"gate.{number}")


def _check_kind(analysis: Analysis, plan: Plan, where: str) -> Iterator[RatifyError]:
    if isinstance(analysis, Logit):
        yield from _check_formula(analysis, plan, where)
    if isinstance(analysis, Regression):
        yield from _check_regression(analysis, plan, where)
    if isinstance(analysis, Equivalence):
        yield from _check_equivalence(analysis, plan, where)


def _check_ranking(analysis: Analysis, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse a score that the plan's kind does not have, and a model of ties that it refuses."""
    if isinstance(analysis, RankCorrelation) and not kind_of(plan).asks_pairs:
        yield from unknown(analysis.score or "bradley_terry", ["bradley_terry"], f"{where}.score")
    if isinstance(analysis, RankingAnalysis) and not plan.design.offers_ties:
        yield from unknown(analysis.tie_model, ["half"], f"{where}.tie_model")


def _check_judges(
    analysis: Analysis, judges: dict[str, AnyJudge], where: str, *, asks_pairs: bool
) -> Iterator[RatifyError]:
    several = getattr(analysis, "judges", ())
    for number, name in enumerate(several):
        if name in several[:number]:
            yield RatifyError(
                "this judge is named more than once",
                column=f"{where}.judges.{number}",
                value=name,
                allowed="each judge once",
            )
        yield from unknown(name, list(judges), f"{where}.judges.{number}")
    ranked = getattr(analysis, "of", "people")
    if isinstance(ranked, str) and ranked != "people":
        yield from unknown(ranked, ["people", *judges], f"{where}.of")
    one = getattr(analysis, "judge", None)
    if one is None:
        return
    if one not in judges:
        yield from unknown(one, list(judges), f"{where}.judge")
        return
    judge = judges[one]
    compared = isinstance(judge, TableJudge) and judge.compared
    if asks_pairs and _needs_pairs(analysis) and judge.pairs is None and not compared:
        yield RatifyError(
            "this judge is not asked for pairs, so it has no ranking",
            column=f"{where}.judge",
            value=one,
            allowed="a judge with pairs, or score: overall",
        )


def _needs_pairs(analysis: Analysis) -> bool:
    if isinstance(analysis, RankCorrelation):
        return analysis.score in {"elo", "bradley_terry"}
    return isinstance(analysis, Logit) and analysis.formula.startswith("select_match")


def _check_formula(analysis: Logit, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse names that no trial has; a rehearsal shows whether the formula can be fitted."""
    dimensions = plan.measures.dimensions if plan.measures is not None else ()
    columns = [*TRIAL_COLUMNS, *(f"diff_{d}" for d in dimensions)]
    right = analysis.formula.partition("~")[2]
    for name in names_in(right):
        yield from unknown(name, columns, f"{where}.formula")


def _check_regression(analysis: Regression, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse data that this kind of plan does not collect, and a family with two corrections."""
    source = {TRIALS: "judgments", RATINGS: "ratings"}.get(analysis.data)
    if source is not None and source not in kind_of(plan).holds:
        yield RatifyError(
            f"a plan of kind {plan.kind} does not collect {analysis.data}",
            column=f"{where}.data",
            value=analysis.data,
            allowed=f"in a plan of kind {kinds_that_hold(source)}",
        )
    yield from _check_family(analysis, plan, where)


def _check_family(
    analysis: Regression | Equivalence, plan: Plan, where: str
) -> Iterator[RatifyError]:
    """Refuse a family with two corrections: that of the first analysis that names it counts."""
    family = analysis.family
    if family is None or family.name is None:
        return
    for other in plan.analyses:
        theirs = other.family if isinstance(other, Regression | Equivalence) else None
        if theirs is not None and theirs.name == family.name:
            yield from unknown(family.correction, [theirs.correction], f"{where}.family.correction")
            return


def _check_equivalence(analysis: Equivalence, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse a question about a number that no analysis reports with an interval at a level."""
    possible = {one.id: one for one in plan.analyses if "level" in type(one).model_fields}
    base = possible.get(analysis.of.analysis)
    if base is None:
        yield from unknown(analysis.of.analysis, list(possible), f"{where}.of.analysis")
        return
    names = base.quantity_names(plan)
    if names is not None:
        yield from unknown(analysis.of.quantity, names, f"{where}.of.quantity")
    beside = isinstance(base, ChoiceAgreement) and analysis.of.quantity.endswith(": agreement")
    if analysis.reference == PEOPLE and not beside:
        yield RatifyError(
            "only a judge's agreement in a choice_agreement is compared with people's own",
            column=f"{where}.reference",
            value=PEOPLE,
            allowed="a number, or the quantity 'JUDGE: agreement' of a choice_agreement",
        )
    unit = SHARES if analysis.reference == PEOPLE else unit_of(base, analysis.of.quantity)
    if analysis.unit is not None and unit not in (None, analysis.unit):
        yield RatifyError(
            f"the margin is in another unit than {analysis.of.quantity} of {base.id}",
            column=f"{where}.unit",
            value=analysis.unit,
            allowed=unit,
        )
    yield from _check_family(analysis, plan, where)


def _check_dimensions(analysis: Analysis, plan: Plan, where: str) -> Iterator[RatifyError]:
    """Refuse dimensions that a rating plan has no scale for, and names that results need."""
    scales = [scale.id for scale in plan.scales]
    named = getattr(analysis, "dimensions", None) or ()
    if isinstance(analysis, Regression) and analysis.data == RATINGS:
        for number, outcome in enumerate(analysis.outcomes):
            yield from unknown(outcome, scales, f"{where}.outcomes.{number}")
    for number, name in enumerate(named):
        yield from unknown(name, scales, f"{where}.dimensions.{number}")
    for number, cut in enumerate(getattr(analysis, "cuts", ())):
        for at, name in enumerate(cut.dimensions or ()):
            yield from unknown(name, scales, f"{where}.cuts.{number}.dimensions.{at}")
    reserved = analysis.reserved_names(plan) if isinstance(analysis, Agreement) else []
    for name, meaning in reserved:
        yield RatifyError(
            f"this name is the results' word for {meaning}",
            column=where,
            value=name,
            allowed="another name for the scale",
        )


def names_in(formula: str) -> list[str]:
    """Return the names of columns in one side of a formula."""
    return _NAME.findall(_QUOTED.sub("", formula))


def _check_quantity(
    threshold: Threshold, analysis: Analysis, plan: Plan, where: str
) -> Iterator[RatifyError]:
    """Refuse a threshold on a number that its analysis will never report."""
    reported = analysis.quantity_names(plan)
    if reported is not None:
        names = [*reported, *analysis.coverage_names(plan)]
        dimension = _unrated(threshold.quantity, names, plan)
        if dimension is None:
            yield from unknown(threshold.quantity, names, f"{where}.quantity")
        else:
            yield RatifyError(
                f"names no dimension that is rated: nobody rates '{dimension}'",
                column=f"{where}.quantity",
                value=threshold.quantity,
                allowed=", ".join(name for name in names if name.startswith(_head(threshold))),
            )
    if isinstance(analysis, Equivalence) and threshold.quantity == SHOWN:
        yield from _check_shown(threshold, where)


def _head(threshold: Threshold) -> str:
    """Return a quantity's name without its last word, which may be a dimension."""
    return threshold.quantity.rpartition(" ")[0] + " "


def _unrated(quantity: str, names: list[str], plan: Plan) -> str | None:
    """Return the dimension of a quantity's name if nobody rates it, and the rest is a name."""
    head, _, dimension = quantity.rpartition(" ")
    alike = {name.rpartition(" ")[2] for name in names if name.rpartition(" ")[0] == head}
    rated = {one.id for one in plan.rated}
    return dimension if head and alike & rated and dimension not in alike else None


def _check_shown(threshold: Threshold, where: str) -> Iterator[RatifyError]:
    """Refuse a threshold that a number of 1 or 0 without an interval can never reach."""
    if threshold.field == "low":
        yield RatifyError(
            f"{SHOWN} is 1 or 0 and has no interval, so its lower end (low, where no field is "
            "given) never reaches a threshold",
            column=f"{where}.field",
            value=threshold.field,
            allowed="field: estimate, with at_least: 1",
        )
    elif threshold.at_least > 1:
        yield RatifyError(
            f"{SHOWN} is 1 or 0, so it never reaches this threshold",
            column=f"{where}.at_least",
            value=threshold.at_least,
            allowed="1",
        )


def unknown(name: str, allowed: list[str], where: str) -> Iterator[RatifyError]:
    """Yield a fault unless a name is one of those that the plan knows."""
    if name not in allowed:
        yield RatifyError(
            "is not known here",
            column=where,
            value=name,
            allowed=", ".join(dict.fromkeys(allowed)) or "none is defined",
        )
