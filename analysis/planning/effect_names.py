"""Which effects and columns the simulation of each analysis reads; another name is a fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from analysis.planning.invented import Items
from analysis.planning.table_terms import is_category, names_in
from prereg.analyses.base import AnyAnalysis
from prereg.analyses.change import Change
from prereg.analyses.rank_correlation import RankCorrelation
from prereg.analyses.regression import Regression
from prereg.analyses.sources import BestWorstShares, SourceRatings, Themes
from prereg.checking.advice import UNREAD, UNREAD_COLUMN
from prereg.errors import RatifyError
from prereg.plan.assumptions import Effects
from prereg.plan.file import PLAN_FILE
from prereg.plan.model import Plan

_OF_ANSWERS = "people's answers follow from assumptions.raters and assumptions.judges"


def faults_of_effects(plan: Plan, items: Items) -> Iterator[RatifyError]:
    """Yield a fault for each assumed effect and column that no simulation reads, or cannot be.

    Such an effect would be 0 without a word, and such a column would have other values: power would
    be that of another plan.

    Parameters
    ----------
    plan : Plan
    items : sequence of mapping
        Rows of the items table, whose sources a plan need not name.
    """
    by_id = {analysis.id: analysis for analysis in plan.analyses}
    for name, assumed in plan.assumptions.effects.items():
        if name not in by_id:
            continue
        yield from _unread_columns(plan, by_id[name], assumed, items)
        if not assumed.effect:
            continue
        yield from _impossible(by_id[name], assumed.effect)
        known, none = _read_of(plan, by_id[name], items)
        if known is None:
            continue
        for effect in assumed.effect:
            if effect not in known:
                yield RatifyError(
                    UNREAD,
                    file=PLAN_FILE,
                    column=f"assumptions.effects.{name}.effect.{effect}",
                    value=effect,
                    allowed=", ".join(known) or f"no effect here: {none}",
                )


def _unread_columns(
    plan: Plan, analysis: AnyAnalysis, assumed: Effects, items: Items
) -> Iterator[RatifyError]:
    """Yield a fault for each column of `levels` and `repeated` that no simulation reads."""
    read, why = _columns_of(plan, analysis)
    there = set(items[0]) if items else set[str]()
    # a column of the items has their values, which differ between the rows of a person as they do
    varying = [one for one in read if one not in there or one in assumed.levels]
    keys = [(f"levels.{name}", name, read) for name in assumed.levels]
    keys += [(f"repeated.{n}", name, varying) for n, name in enumerate(assumed.repeated)]
    for key, name, known in keys:
        if name in known:
            if key.startswith("levels."):
                yield from _no_numbers(analysis, name, assumed.levels[name])
            continue
        of_items = name in there and name in read
        none = "its values are those of the items" if of_items else why
        yield RatifyError(
            UNREAD_COLUMN,
            file=PLAN_FILE,
            column=f"assumptions.effects.{analysis.id}.{key}",
            value=name,
            allowed=", ".join(known) or f"no column here: {none}",
        )


def _no_numbers(
    analysis: AnyAnalysis, name: str, levels: Sequence[object]
) -> Iterator[RatifyError]:
    """Yield a fault for each level of a column of numbers that is none."""
    if not isinstance(analysis, Regression) or is_category(analysis, name):
        return
    for number, level in enumerate(levels):
        try:
            float(str(level))
        except ValueError:
            yield RatifyError(
                "is not a number, and the predictors read this column as numbers",
                file=PLAN_FILE,
                column=f"assumptions.effects.{analysis.id}.levels.{name}.{number}",
                value=level,
                allowed=f"a number, or C({name}) in predictors, if these are categories",
            )


def _columns_of(plan: Plan, analysis: AnyAnalysis) -> tuple[list[str], str]:
    """Return the columns whose values an analysis decides, and why there are none."""
    if not isinstance(analysis, Regression):
        return [], "levels and repeated are about the columns of a regression"
    if not analysis.tables():
        return [], _OF_ANSWERS
    makers = _makers(plan, analysis.data)
    own = [one for one in _predictors(analysis) if one != analysis.clustering]
    found = [one for one in own if makers[one].id == analysis.id]
    others = [makers[one].id for one in own if makers[one].id != analysis.id]
    if others:
        return found, f"analysis {others[0]} decides how its columns are simulated"
    return found, "its predictors name no column"


def _predictors(analysis: Regression) -> list[str]:
    """Return the columns of a regression that are simulated before its outcomes."""
    named = names_in(analysis.predictors)
    if analysis.sd is not None and analysis.sd.column is not None:
        named.append(analysis.sd.column)
    return [one for one in dict.fromkeys(named) if one not in analysis.outcomes]


def _impossible(analysis: AnyAnalysis, effect: Mapping[str, float]) -> Iterator[RatifyError]:
    """Yield a fault for each correlation and each difference of shares beyond 1."""
    what = "correlation" if isinstance(analysis, RankCorrelation) else "difference of shares"
    for name, size in effect.items():
        if isinstance(analysis, RankCorrelation | Themes) and abs(size) > 1:
            yield RatifyError(
                f"is no {what}",
                file=PLAN_FILE,
                column=f"assumptions.effects.{analysis.id}.effect.{name}",
                value=size,
                allowed="-1 to 1",
            )


def refuse_unread_effects(plan: Plan, items: Items, folder: Path) -> None:
    """Raise the first fault of `faults_of_effects`, with the plan's path."""
    for fault in faults_of_effects(plan, items):
        raise RatifyError(
            fault.problem,
            file=folder / PLAN_FILE,
            column=fault.column,
            value=fault.value,
            allowed=fault.allowed,
        )


def sizes_of_outcome(plan: Plan, analysis: Regression, outcome: str) -> dict[str, float]:
    """Return the sizes that the plan gives for one outcome, by the name of the term or contrast.

    A size for this outcome alone (`outcome: name`) counts before one for every outcome.
    """
    given = plan.assumptions.of(analysis.id).effect
    found = {}
    for name in analysis.effects:
        for key in (f"{outcome}: {name}", name):
            if key in given:
                found[name] = given[key]
                break
    return found


def regressions_alike(plan: Plan, analysis: Regression, outcome: str) -> list[Regression]:
    """Return the other regressions of the same formula that explain an outcome of one table."""
    return [
        one
        for one in plan.analyses
        if isinstance(one, Regression)
        and one.id != analysis.id
        and outcome in one.outcomes
        and _alike(one, analysis)
    ]


def _alike(one: Regression, other: Regression) -> bool:
    """Say whether two regressions have one design: the same table, model and predictors."""
    keys = [(each.data, each.model, "".join(each.predictors.split())) for each in (one, other)]
    return keys[0] == keys[1]


def _read_of(plan: Plan, analysis: AnyAnalysis, items: Items) -> tuple[list[str] | None, str]:
    """Return the names that are read, None if every name is; and why there are none."""
    if isinstance(analysis, Change):
        return list(analysis.treatments), ""
    if isinstance(analysis, Themes):
        return (None if analysis.named is None else list(analysis.named)), ""
    if isinstance(analysis, Regression):
        return _of_regression(plan, analysis) if analysis.tables() else ([], _OF_ANSWERS)
    if isinstance(analysis, SourceRatings | BestWorstShares):
        # quality has one shift by source, which the first analysis of sources decides
        first = next(x for x in plan.analyses if isinstance(x, SourceRatings | BestWorstShares))
        there = {row.get(analysis.source, "") for row in items} - {""}
        return _if_first(analysis, first, sorted(analysis.sources or there))
    if isinstance(analysis, RankCorrelation) and analysis.column is not None:
        columns = list(items[0]) if items else []
        by_column = [x for x in plan.analyses if isinstance(x, RankCorrelation) and x.column]
        first_there = next((x for x in by_column if x.column in columns), analysis)
        return _if_first(analysis, first_there, [analysis.column])
    return [], _OF_ANSWERS


def _if_first(
    analysis: AnyAnalysis, first: AnyAnalysis, names: list[str]
) -> tuple[list[str] | None, str]:
    """Return the names if this analysis decides the quality of the items, else where to write."""
    if analysis.id == first.id:
        return names or None, ""
    return [], f"the quality of the items is as assumptions.effects.{first.id} says"


def _of_regression(plan: Plan, analysis: Regression) -> tuple[list[str], str]:
    """Return the names of effects on outcomes that no other analysis has made before."""
    makers = _makers(plan, analysis.data)
    read, others = [], []
    for outcome in analysis.outcomes:
        maker = makers[outcome]
        if isinstance(maker, Regression) and outcome in maker.outcomes and _alike(maker, analysis):
            read.append(outcome)
        else:
            others.append(maker.id)
    if not read:
        return [], f"analysis {others[0]} decides how {analysis.outcomes[0]} is simulated"
    of_one = [f"{outcome}: {name}" for outcome in read for name in analysis.effects]
    return [*analysis.effects, *of_one], ""


def _makers(plan: Plan, table: str) -> dict[str, AnyAnalysis]:
    """Return the analysis that makes each column of an own table, as `simulated_tables` does."""
    found: dict[str, AnyAnalysis] = {}
    for analysis in sorted(plan.analyses, key=lambda one: not isinstance(one, Change)):
        if isinstance(analysis, Change) and analysis.table == table:
            columns = [analysis.person, analysis.occasion, analysis.condition, analysis.value]
        elif isinstance(analysis, Regression) and analysis.data == table:
            own = _predictors(analysis)
            columns = [*([analysis.clustering] if analysis.clustering else []), *own]
            columns += analysis.outcomes
        else:
            continue
        for column in columns:
            found.setdefault(column, analysis)
    return found
