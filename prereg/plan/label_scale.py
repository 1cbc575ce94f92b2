"""A question of a rating trial that is answered with a name without order, such as pass or fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator

from prereg.plan.collection import RatingScale
from prereg.strict import Identifier, Strict, Text, added

# What pydantic adds to the path of an error; no key of a plan has a space.
POINTS, NAMES = "a scale of points", "a scale of labels"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class NamedLabel(Strict):
    """One label: its name in every table, and what raters and judges read about it."""

    name: Name
    text: Text | None = None


class LabelScale(Strict):
    """One question of a rating trial, answered with one of several names.

    `labels` is a list of names, or maps each name to a text for raters. The store keeps the place
    of a label, from 0; every table has its name. `instructions` as in `RatingScale`.
    """

    id: Identifier
    question: Text
    labels: tuple[NamedLabel, ...] = Field(min_length=2, max_length=20)
    instructions: Text | None = added(None)

    @field_validator(
        "labels",
        mode="before",
        json_schema_input_type=dict[str, str | None] | list[str | NamedLabel],
    )
    @classmethod
    def _as_parts(cls, given: Any) -> Any:
        """Return names, or names with texts, as parts; their order belongs to the plan's hash."""
        if isinstance(given, Mapping):
            return [{"name": name, "text": text} for name, text in given.items()]
        if isinstance(given, list | tuple):
            if any(isinstance(one, bool | int | float) for one in given):
                raise ValueError(
                    "labels must be names: put numbers, yes, no, true and false in quotes"
                )
            return [{"name": one} if isinstance(one, str) else one for one in given]
        return given

    @field_validator("labels")
    @classmethod
    def _each_once(cls, labels: tuple[NamedLabel, ...]) -> tuple[NamedLabel, ...]:
        names = [label.name.casefold() for label in labels]
        if len(set(names)) < len(names):
            raise ValueError("must name each label only once; letter case makes no other label")
        return labels

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of the plan."""
        return tuple(label.name for label in self.labels)

    @property
    def min(self) -> int:
        """The place of the first label, as the store keeps it."""
        return 0

    @property
    def max(self) -> int:
        """The place of the last label."""
        return len(self.labels) - 1


def is_label_scale(value: Any) -> bool:
    """Say whether a part of a plan is meant as a scale of labels: it has names and no points."""
    if not isinstance(value, Mapping) or {"min", "max"} & set(value):
        return isinstance(value, LabelScale)
    labels = value.get("labels")
    named = isinstance(labels, Mapping) and any(isinstance(name, str) for name in labels)
    return named or isinstance(labels, list | tuple)


def _form(value: Any) -> str:
    return NAMES if is_label_scale(value) else POINTS


# Whole points from min to max, or names without order.
AnyScale = Annotated[
    Annotated[RatingScale, Tag(POINTS)] | Annotated[LabelScale, Tag(NAMES)], Discriminator(_form)
]
