"""How a page shows the items of a trial: as text or as Markdown, and by which names."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from prereg.strict import Strict


def _numbers_too(value: Any) -> Any:
    """Return a number as a text: `labels: [1, 2]` needs no quotes."""
    return str(value) if type(value) is int else value


# Words for a button or a heading: one line, without control characters.
Name = Annotated[
    str,
    BeforeValidator(_numbers_too, json_schema_input_type=str | int),
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=40, pattern=r"^[^\x00-\x1f]*$"
    ),
]
# A longer label without a noun is a whole name: "The first summary".
LONGEST_MARK = 3


class Display(Strict):
    """How a page shows its items.

    `format` is `text` (as written, with its spaces and lines), `fixed` (the same in letters of one
    width) or `markdown`. The items of a trial are called by `noun` and `labels`: with `noun:
    Response` and `labels: [1, 2]` they are "Response 1" and "Response 2". `speakers` are the names
    that begin a turn (`Name: words`); none given, they are recognised.
    """

    format: Literal["text", "fixed", "markdown"] = "text"
    noun: Name | None = None
    labels: tuple[Name, ...] = Field(default=(), max_length=12)
    speakers: tuple[Name, ...] | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        folded = [label.casefold() for label in self.labels]
        if len(set(folded)) < len(folded):
            raise ValueError("labels name two items alike: raters could not tell them apart")
        return self

    def is_whole(self, label: str) -> bool:
        """Say whether a label is a name by itself, which no noun comes before."""
        if self.noun is None:
            return len(label) > LONGEST_MARK
        return self.noun.casefold() in label.casefold()
