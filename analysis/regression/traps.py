"""What a regression's coefficients do not mean, although they are often read so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from analysis.regression.result import Regression
from analysis.results.words import counted
from prereg.analyses.clusters import RATER_AND_ITEMS

# Columns that name a person; several rows with one value are not independent.
PEOPLE = (
    "rater_id",
    "session_id",
    "participant_id",
    "person_id",
    "respondent_id",
    "subject_id",
    "user_id",
    "participant",
    "person",
    "respondent",
    "subject",
    "user",
)


def traps(
    fit: Regression, data: pd.DataFrame, effects: Sequence[str], *, trials: bool = False
) -> list[str]:
    """Return what must be said beside a regression's effects, one sentence each.

    Parameters
    ----------
    fit : Regression
    data : DataFrame
        The table it was fitted on.
    effects : sequence of str
        Terms and contrasts that are reported.
    trials : bool
        Whether rows are trials, which depend on each other by their items too.

    Returns
    -------
    list of str
        HC3 errors although people have several rows; clusters of one row each; effects that hold
        in one group only, because an interaction has the same variable.
    """
    return [
        *_dependent_rows(fit, data, trials),
        *_rows_as_clusters(fit),
        *_in_one_group(fit, effects),
    ]


def _dependent_rows(fit: Regression, data: pd.DataFrame, trials: bool) -> list[str]:
    """Return that HC3 takes rows of one person as independent."""
    if fit.cluster:
        return []
    rows = data.iloc[fit.kept]
    if trials:  # they depend on each other by their items even if each has a rater of its own
        return [
            f"HC3 errors take rows as independent, but {counted(len(rows), 'trial')} share raters "
            f"or items: use errors: cluster with cluster: {RATER_AND_ITEMS}."
        ]
    for name in PEOPLE:
        if name in rows and (people := rows[name].nunique()) < len(rows):
            return [
                f"HC3 errors take rows as independent, but {len(rows):,} rows are by "
                f"{counted(people, 'person', 'people')} ({name}): use errors: cluster with "
                f"cluster: {name}."
            ]
    return []


def _rows_as_clusters(fit: Regression) -> list[str]:
    """Return that every row is a cluster of its own, so that nothing is clustered."""
    if len(fit.codes) > 1:  # trials that hold one item depend on each other all the same
        return []
    for name, codes in fit.codes.items():
        if codes.ndim == 1 and fit.n > 1 and int(codes.max()) + 1 == fit.n:
            return [
                f"Every row has a {name} of its own: errors clustered by {fit.cluster} take rows "
                "as independent."
            ]
    return []


def _in_one_group(fit: Regression, effects: Sequence[str]) -> list[str]:
    """Return of which group a main effect is, where an interaction has the same variable."""
    spec: Any = getattr(fit.result.model.data, "model_spec", None)
    if spec is None:
        return []
    said = []
    for effect in effects:
        factor = _main_factor(spec, effect)
        others = _partners(spec, factor) if factor is not None else []
        if others:
            where = " and ".join(f"{other.name()} is {_base(spec, other)}" for other in others)
            said.append(
                f"{effect} is the effect where {where}, and not an average: the formula has an "
                "interaction with it."
            )
    return said


def _main_factor(spec: Any, effect: str) -> Any:
    """Return the variable whose main effect this coefficient is; None if it is no main effect."""
    for term, place in spec.term_slices.items():
        if len(term.factors) == 1 and effect in spec.column_names[place]:
            return term.factors[0]
    return None


def _partners(spec: Any, factor: Any) -> list[Any]:
    """Return the variables that interact with this one."""
    found: dict[Any, None] = {}
    for term in spec.terms:
        if len(term.factors) > 1 and factor in term.factors:
            found |= dict.fromkeys(other for other in term.factors if other != factor)
    return list(found)


def _base(spec: Any, factor: Any) -> str:
    """Return the value of a variable at which its own terms are 0."""
    about = spec.factor_infos[factor]
    if about.type != "categorical":
        return "0"
    shown = [name for name in spec.column_names if ":" not in name]
    coded = [
        level
        for level in about.categories
        if any(name.startswith(factor.name()) and name.endswith(f".{level}]") for name in shown)
    ]
    absent = [str(level) for level in about.categories if level not in coded]
    return f"{absent[0]} (the reference)" if len(absent) == 1 else "on average over its codes"
