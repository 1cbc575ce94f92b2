"""The plan of a regression: outcomes, terms, errors, contrasts, and the family of its tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from prereg.analyses.base import AnyAnalysis, Correction
from prereg.analyses.clusters import RATER_AND_ITEMS, holds_items, with_column
from prereg.strict import Identifier, Strict, Text, added

TRIALS, RATINGS, JUDGE_RATINGS = "trials", "ratings", "judge_ratings"
# Outcomes of trials that are 1 or 0 by the choice.
CHOICES = frozenset({"select_higher", "select_match", "chose_left"})


def _as_text(value: Any) -> Any:
    """Return a number as text: values of a table are text, and YAML reads 1 as a number."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole or isinstance(value, float) else value


Value = Annotated[Text, BeforeValidator(_as_text, json_schema_input_type=str | int | float)]


def _names_in(text: str, pattern: str) -> bool:
    """Say whether a name stands in a formula, and not only within a longer name."""
    return (
        re.search(rf"(?<!\w){pattern}(?!\w)" if pattern[-1] != "[" else rf"(?<!\w){pattern}", text)
        is not None
    )


class SdUnits(Strict):
    """The standard deviation that effects are divided by, taken as known.

    Attributes
    ----------
    of : {'whole', 'baseline', 'control'}
        Which rows it is computed from: all rows of the regression, or those named below.
    column, value : str
        The rows of the baseline or the control group are those with this value in this column.
    """

    of: Literal["whole", "baseline", "control"]
    column: Text | None = None
    value: Value | None = None

    @model_validator(mode="after")
    def _rows_named(self) -> Self:
        named = (self.column is not None, self.value is not None)
        if named != ((self.of != "whole"),) * 2:
            verb = "takes no" if self.of == "whole" else "needs"
            raise ValueError(f"of: {self.of} {verb} column and value")
        return self


class FamilyPlan(Strict):
    """Which tests are corrected together, and how.

    Attributes
    ----------
    over : {'each_outcome', 'all_outcomes', 'shared'}
        The terms and contrasts of one outcome; of all outcomes of this analysis; or all tests of
        every analysis of the plan that names the same family.
    name : str
        Name of a shared family.
    correction : str
    """

    over: Literal["each_outcome", "all_outcomes", "shared"]
    correction: Correction
    name: Identifier | None = None

    @model_validator(mode="after")
    def _shared_is_named(self) -> Self:
        if (self.over == "shared") != (self.name is not None):
            raise ValueError("a shared family needs a name, and no other family has one")
        return self


class FewClusters(Strict):
    """What is done where few clusters decide an effect.

    Attributes
    ----------
    below : int
        An effect with fewer effective clusters (Satterthwaite's degrees of freedom + 1) has a
        bias-reduced error (CR2) and a t test. 0: never.
    method : {'wild_bootstrap', 'satterthwaite'}
        'wild_bootstrap': where there are fewer than `below` clusters in all, p value and interval
        come from the wild cluster bootstrap instead.
    resamples, weights
        Of the bootstrap; `auto` uses Webb's six points below 8 clusters and Rademacher's signs from
        8 on.
    """

    below: int = Field(default=40, ge=0)
    method: Literal["wild_bootstrap", "satterthwaite"] = added("wild_bootstrap")
    resamples: int = Field(default=9999, ge=99, le=1_000_000)
    weights: Literal["auto", "rademacher", "webb"] = "auto"


class Regression(AnyAnalysis):
    """OLS, logit or cumulative logit of one or several outcomes on the same terms.

    Attributes
    ----------
    model : {'ols', 'logit', 'ordinal'}
    data : str
        'trials' (people's choices with the scores of `judge`), 'ratings' (people's),
        'judge_ratings', or the name of a tidy table of the study.
    outcomes : tuple of str
        Columns, or dimensions if the data are ratings. Each has its own regression.
    predictors : str
        The right side of the formula, in statsmodels' syntax.
    judge : str, optional
        The judge whose scores (trials), or whose ratings alone (judge_ratings), are used.
    differences : {'higher_minus_lower', 'left_minus_right'}
        Sign of `diff_NAME` in trials.
    errors : {'cluster', 'HC3'}
    cluster : str
        Column of the clusters; left out with HC3. Of trials it is by default `rater_and_items`: the
        rater and both items of each trial.
    distribution : {'z', 't'}
    terms : tuple of str
        Coefficients of interest, as the regression names them.
    contrasts : mapping of name to text
        Differences between coefficients, for instance
        `coach - video: "condition[T.coach]:post - condition[T.video]:post"`.
    sd : SdUnits, optional
        Reports effects in standard deviations of the outcome too (OLS).
    family : FamilyPlan
    few_clusters : FewClusters
    predictions : mapping of column to values
        Average predictions at every combination of these values.
    average_effects : tuple of str
        Columns whose average marginal effects are shown.
    categories, numbers : tuple of str
        Columns of predictors whose cells are categories although they are numbers (1, 2, 3), or
        numbers although each has a label ('5 - agree').
    levels : tuple of float
        The categories of an ordinal outcome; by default the whole numbers of the rating scale, or
        the values that occur.
    level : float
        Coverage of the intervals.
    """

    kind: Literal["regression"]
    model: Literal["ols", "logit", "ordinal"]
    data: Identifier
    outcomes: tuple[Text, ...] = Field(min_length=1)
    predictors: Text
    judge: Identifier | None = None
    differences: Literal["higher_minus_lower", "left_minus_right"] = "higher_minus_lower"
    errors: Literal["cluster", "HC3"] = "cluster"
    cluster: Text | None = None
    distribution: Literal["z", "t"] = "z"
    terms: tuple[Text, ...] = ()
    contrasts: dict[Text, Text] = Field(default_factory=dict)
    sd: SdUnits | None = None
    family: FamilyPlan = FamilyPlan(over="each_outcome", correction="holm")
    few_clusters: FewClusters = FewClusters()
    predictions: dict[Text, tuple[float | Text, ...]] = Field(default_factory=dict)
    average_effects: tuple[Text, ...] = ()
    categories: tuple[Text, ...] = added(())
    numbers: tuple[Text, ...] = added(())
    levels: tuple[float, ...] = added(())
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _names(self) -> Self:
        effects = [*self.terms, *self.contrasts]
        if not effects:
            raise ValueError("name at least one of terms or contrasts")
        for names, what in ((self.outcomes, "outcomes"), (effects, "terms and contrasts")):
            if len(set(names)) < len(names):
                raise ValueError(f"{what} must differ from each other")
        if "~" in self.predictors:
            raise ValueError("predictors must be only the right side of the formula, without '~'")
        return self

    @model_validator(mode="after")
    def _errors_fit(self) -> Self:
        if (self.errors == "cluster") != (self.clustering is not None):
            raise ValueError("errors: cluster needs a cluster column; errors: HC3 takes none")
        if self.cluster is not None and holds_items(self.cluster) and self.data != TRIALS:
            raise ValueError(f"cluster: {self.cluster} belongs to data: trials")
        if self.model != "ols" and (self.errors == "HC3" or self.sd is not None):
            raise ValueError("errors: HC3 and sd belong to model: ols")
        return self

    @model_validator(mode="after")
    def _ordinal_fits(self) -> Self:
        if self.model != "ordinal":
            if self.levels:
                raise ValueError("levels belongs to model: ordinal")
            return self
        if self.data == TRIALS:
            raise ValueError("model: ordinal needs ratings or a table: a choice has two outcomes")
        if self.average_effects:
            raise ValueError("model: ordinal shows predictions of each category instead of effects")
        if self.levels and (len(self.levels) < 3 or len(set(self.levels)) < len(self.levels)):
            raise ValueError("levels must be three or more different numbers")
        return self

    @model_validator(mode="after")
    def _data_fit(self) -> Self:
        if self.data == TRIALS and self.judge is None:
            raise ValueError(
                "data: trials needs a judge, whose scores are compared with the choices"
            )
        if self.judge is not None and self.data not in {TRIALS, JUDGE_RATINGS}:
            raise ValueError("judge belongs to data: trials or judge_ratings")
        if self.differences != "higher_minus_lower" and self.data != TRIALS:
            raise ValueError("differences belongs to data: trials")
        return self

    def clustered_by(self, column: str) -> Self:
        """Return a copy with errors clustered by this column; itself if its data have no visits."""
        if self.data not in {TRIALS, RATINGS}:
            return self
        cluster = with_column(self.clustering or "", column)
        return self.model_copy(update={"errors": "cluster", "cluster": cluster})

    @property
    def clustering(self) -> str | None:
        """The cluster, by default the rater and both items where the data are trials; None: HC3."""
        if self.cluster is None and self.errors == "cluster" and self.data == TRIALS:
            return RATER_AND_ITEMS
        return self.cluster

    @property
    def effects(self) -> dict[str, str]:
        """What is tested for each outcome: contrasts by name, terms by themselves."""
        return {**{term: term for term in self.terms}, **self.contrasts}

    def quantity_name(self, outcome: str, effect: str) -> str:
        """Return the name of a number, which begins with its outcome if there are several."""
        return effect if len(self.outcomes) == 1 else f"{outcome}: {effect}"

    def unit(self, outcome: str) -> str:
        """Return the unit of an effect on an outcome."""
        if self.model != "ols":
            return "log-odds"
        of_choices = self.data == TRIALS and outcome in CHOICES
        return "proportion" if of_choices else "points of the outcome"

    def used(self, columns: Iterable[str]) -> set[str]:
        """Return those of a table's columns that its predictors name."""
        return {name for name in columns if _names_in(self.predictors, re.escape(name))}

    def declared(self, columns: Iterable[str]) -> set[str]:
        """Return the columns that the plan uses as categories: in C(), or by a level in a term."""
        shown = " ".join([*self.terms, *self.contrasts.values()])
        return {
            name
            for name in columns
            if name in self.categories
            or re.search(rf"\bC\(\s*(?:Q\(\s*['\"])?{re.escape(name)}(?!\w)", self.predictors)
            or _names_in(shown, re.escape(name) + r"['\")]*\[")
        }

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return () if self.data in {TRIALS, RATINGS, JUDGE_RATINGS} else (self.data,)

    def answer_columns(self, table: str) -> tuple[str, ...]:
        """Return the outcomes."""
        return self.outcomes

    def quantity_names(self, plan: object) -> list[str]:
        """Return the names of what this analysis reports."""
        return [self.quantity_name(one, effect) for one in self.outcomes for effect in self.effects]

    def family_of(self, outcome: str) -> str:
        """Return the name of the family that an outcome's tests belong to."""
        if self.family.name is not None:
            return self.family.name
        return f"{self.id}: {outcome}" if self.family.over == "each_outcome" else self.id
