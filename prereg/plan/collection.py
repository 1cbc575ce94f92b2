"""Parts of the plan that say how people are asked: scales, checks, recruitment."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, Self
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from prereg.strict import Identifier, Strict, Text, added

PROLIFIC_URL = "https://app.prolific.com/submissions/complete?cc={code}"


class Rated(NamedTuple):
    """A dimension that is scored, and the two ends of its scale.

    Labels without order have names, and their places as the ends.
    """

    id: str
    min: int
    max: int
    names: tuple[str, ...] = ()


class PointScale(Strict):
    """Whole points from min to max, of which at least the ends have a label."""

    min: int = Field(ge=0, le=100)
    max: int = Field(ge=0, le=100)
    labels: dict[int, Text]

    @model_validator(mode="after")
    def _both_ends_named(self) -> Self:
        if not 1 <= self.max - self.min <= 20:
            raise ValueError("max must lie 1 to 20 points above min")
        if not all(self.min <= point <= self.max for point in self.labels):
            raise ValueError("labels must lie between min and max")
        if not {self.min, self.max} <= set(self.labels):
            raise ValueError("labels must name both ends of the scale")
        return self

    @property
    def points(self) -> range:
        """Every point that can be chosen."""
        return range(self.min, self.max + 1)


class RatingScale(PointScale):
    """One question of a rating trial, answered on a point of its scale.

    `instructions` is Markdown for the raters of this scale alone, where scales are asked apart.
    """

    id: Identifier
    question: Text
    instructions: Text | None = added(None)

    @property
    def names(self) -> tuple[str, ...]:
        """No names: its answers are points."""
        return ()


class AttentionCheck(Strict):
    """A trial whose answer is known beforehand, shown to everybody at the same place.

    `expected` maps a field of the form to its right value: `choice: left` (pairwise), a scale's id
    and a point or a label (rating), `most` or `least` and the number of a text (best_worst).
    """

    after: int = Field(ge=0, le=1_000)
    texts: tuple[Text, ...] = Field(min_length=1)
    prompt: Text | None = None
    expected: dict[Identifier, int | Text] = Field(min_length=1)


class Comprehension(Strict):
    """A question before the first trial; `answer` is the number of the right option, from 1."""

    question: Text
    options: tuple[Text, ...] = Field(min_length=2, max_length=10)
    answer: int = Field(ge=1)
    attempts: int = Field(default=2, ge=1, le=10)

    @model_validator(mode="after")
    def _an_option(self) -> Self:
        if self.answer > len(self.options):
            raise ValueError("answer must be the number of one of the options")
        return self


class Codes(Strict):
    """Completion codes by the outcome of a visit; the platform sorts submissions by them."""

    completed: Text
    screened_out: Text | None = None
    failed_attention: Text | None = None
    no_consent: Text | None = None

    @model_validator(mode="after")
    def _all_different(self) -> Self:
        given = [code for code in self.model_dump().values() if code is not None]
        if len(set(given)) != len(given):
            raise ValueError("two outcomes have the same code: each needs a different one")
        return self


class Reward(Strict):
    """What a rater is paid for the whole study."""

    amount: float = Field(gt=0)
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Recruitment(Strict):
    """Where raters come from, how their links are checked, and the codes that they take back.

    With `links: signed`, a link holds a signature of its rater's id, and a link without it is
    refused. With `without_id`, a live study also takes raters whose link has no id. With `replace`,
    a newcomer answers the sequence of a rater who finished and failed the attention checks.
    """

    platform: Literal["generic", "prolific"] = "generic"
    links: Literal["open", "signed"] = added("open")
    without_id: bool = added(default=False)
    replace: Literal["failed_attention"] | None = added(None)
    codes: Codes
    completion_url: Text | None = None
    reward: Reward | None = None

    @field_validator("completion_url")
    @classmethod
    def _takes_the_code(cls, url: str | None) -> str | None:
        if url is not None and not (url.startswith("https://") and url.count("{code}") == 1):
            raise ValueError("must begin with https:// and hold {code} once")
        return url

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.links == "signed" and self.platform == "prolific":
            raise ValueError("links: Prolific makes the links itself, so they cannot be signed")
        if self.links == "signed" and self.without_id:
            raise ValueError("without_id: a link without an id cannot be signed")
        if self.without_id and self.platform == "prolific":
            raise ValueError("without_id: Prolific's links always have an id")
        return self

    def link(self, code: str) -> str | None:
        """Return the link that a rater follows with a code; None if they copy the code."""
        url = self.completion_url or (PROLIFIC_URL if self.platform == "prolific" else None)
        return None if url is None else url.replace("{code}", quote(code, safe=""))
