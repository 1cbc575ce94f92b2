"""The plans of analyses that compare sources by ratings or picks, and of themes in texts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.analyses.base import AnyAnalysis, Correction
from prereg.analyses.change import Label
from prereg.strict import Identifier, Text

Cluster = Literal["rater_and_item", "rater", "item"]
StyleFeature = Literal[
    "words",
    "emoji",
    "exclamation_marks",
    "question_marks",
    "questions",
    "first_person_singular",
    "first_person_plural",
]


def contrast_names(sources: Sequence[str], reference: str | None) -> list[str]:
    """Return the contrasts of sources: with the reference, or every pair in alphabetical order."""
    names = sorted(sources)
    if reference is None:
        return [f"{a} - {b}" for a, b in itertools.combinations(names, 2)]
    return [f"{name} - {reference}" for name in names if name != reference]


class _Sources(AnyAnalysis):
    """The keys that analyses of several sources have in common.

    Attributes
    ----------
    source : str
        Column of the items table: who wrote the response.
    sources : tuple of str, optional
        The sources that are compared; by default all that people were shown.
    reference : str, optional
        The source that the others are compared with; by default every pair is compared.
    item_cluster : str
        Column of the items table. Answers about the same value share an error: the response
        (`item_id`), or what several responses answer.
    cluster : {'rater_and_item', 'rater', 'item'}
        The clusters that errors allow for.
    correction : str
        Correction over the contrasts.
    level : float
        Coverage of the intervals.
    """

    source: Text = "source"
    sources: tuple[Label, ...] | None = Field(default=None, min_length=2)
    reference: Label | None = None
    item_cluster: Text = "item_id"
    cluster: Cluster = "rater_and_item"
    correction: Correction = "holm"
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _known_sources(self) -> Self:
        if self.sources is None:
            return self
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("names a source more than once")
        if self.reference is not None and self.reference not in self.sources:
            raise ValueError("reference must be one of the sources")
        return self


class SourceRatings(_Sources):
    """Mean ratings of several sources' responses, and their contrasts.

    Attributes
    ----------
    dimensions : tuple of str, optional
        By default all dimensions that people rated.
    domain : str, optional
        Column of the items table (`scenario`); sources are also compared within its values.
    family : {'all', 'dimension'}
        Whether contrasts are corrected over all dimensions or within each.
    style : tuple of str
        Features of the text that contrasts are also adjusted for.
    style_unit : {'count', 'per_100_words'}
    text : str
        Column of the items table that holds the response.
    language : str, optional
        Language of the responses; by default the plan's.
    """

    answers = "ratings"

    kind: Literal["source_ratings"]
    dimensions: tuple[Identifier, ...] | None = Field(default=None, min_length=1)
    domain: Text | None = None
    family: Literal["all", "dimension"] = "all"
    style: tuple[StyleFeature, ...] = ()
    style_unit: Literal["count", "per_100_words"] = "count"
    text: Text = "text"
    language: Text | None = None

    @field_validator("style", "dimensions")
    @classmethod
    def _each_once(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and len(set(names)) < len(names):
            raise ValueError("names something more than once")
        return names

    def quantity_names(self, plan: Any) -> list[str] | None:
        """Return the names of the numbers over all domains; None if the data decide the sources."""
        if self.sources is None:
            return None
        dimensions = self.dimensions or tuple(scale.id for scale in plan.scales)
        models = ["", ", adjusted for style"] if self.style else [""]
        what = [*self.sources]
        what += [
            f"{name}{model}"
            for model in models
            for name in contrast_names(self.sources, self.reference)
        ]
        return [f"{dimension}: {name}" for dimension in dimensions for name in what]


class BestWorstShares(_Sources):
    """How often each source's responses are picked as best and worst, compared with chance."""

    answers = "best_worst"

    kind: Literal["best_worst_shares"]

    def quantity_names(self, plan: Any) -> list[str] | None:
        """Return the names of the numbers it will report; None if the data decide the sources."""
        if self.sources is None:
            return None
        what = [*self.sources, *contrast_names(self.sources, self.reference)]
        return [f"{picked}: {name}" for picked in ("most", "least", "net") for name in what]


class Themes(AnyAnalysis):
    """How often themes come up in texts before and after.

    Attributes
    ----------
    texts : str
        Name of a tidy table of the study, with one row per text, with themes or without.
    labels : str, optional
        Name of a tidy table with one row per theme of a text.
    columns : tuple of str
        Instead of `labels`: columns of `texts` with 0 or 1, one column per theme.
    themes : tuple of str, optional
        The code book, if labels are a table; by default the themes that occur.
    text, person, time : str
        Columns. `labels` may name a text by person and time if nobody has two at one time.
    before, after : str
        The two values of `time` that are compared.
    test : {'two_proportions', 'paired', 'clustered'}
        The registered test; the others are reported in addition.
    correction : str
        Correction over the themes.
    level : float
        Coverage of the intervals.
    """

    kind: Literal["themes"]
    texts: Identifier
    labels: Identifier | None = None
    columns: tuple[Text, ...] = ()
    themes: tuple[Label, ...] | None = Field(default=None, min_length=1)
    text: Text = "text_id"
    person: Text = "person_id"
    time: Text = "time"
    before: Label = "before"
    after: Label = "after"
    test: Literal["two_proportions", "paired", "clustered"] = "two_proportions"
    correction: Correction = "benjamini_hochberg"
    level: float = Field(default=0.95, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_source_of_labels(self) -> Self:
        if (self.labels is None) == (not self.columns):
            raise ValueError("give either labels (a table) or columns (of texts)")
        if self.columns and self.themes is not None:
            raise ValueError("columns already name the themes: leave out themes")
        if self.before == self.after:
            raise ValueError("before and after must be two different values of time")
        names = self.named or ()
        if len(set(names)) < len(names):
            raise ValueError("names a theme more than once")
        return self

    @property
    def named(self) -> tuple[str, ...] | None:
        """The themes, if the plan names them."""
        return self.columns or self.themes

    def tables(self) -> tuple[str, ...]:
        """Return the names of the researcher's own tables that it reads."""
        return (self.texts,) if self.labels is None else (self.texts, self.labels)

    def answer_columns(self, table: str) -> tuple[str, ...]:
        """Return the columns of themes; with a table of labels also which text is whose."""
        if self.labels is None:
            return self.columns
        return ("theme",) if table == self.labels else (self.text,)

    def quantity_names(self, plan: Any) -> list[str] | None:
        """Return the themes; None if they depend on the data."""
        return None if self.named is None else list(self.named)
