"""Practice trials in the plan: how many are drawn from the items, or their own texts."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from prereg.strict import Strict, Text

MOST_TRIALS = 20
# What pydantic adds to the path of an error; no key of a plan has a space.
NUMBER, OWN = "a number", "own texts"


class PracticeTrial(Strict):
    """A practice trial with texts of its own, as many as a trial shows."""

    texts: tuple[Text, ...] = Field(min_length=1)
    prompt: Text | None = None


def _form(value: Any) -> str:
    return OWN if isinstance(value, list | tuple) else NUMBER


# A number of trials, drawn for each sequence from items that it does not show; or their texts.
Practice = Annotated[
    Annotated[int, Field(ge=0, le=MOST_TRIALS, strict=True), Tag(NUMBER)]
    | Annotated[tuple[PracticeTrial, ...], Field(max_length=MOST_TRIALS), Tag(OWN)],
    Discriminator(_form),
]


def practice_trials(practice: int | tuple[PracticeTrial, ...]) -> int:
    """Return how many practice trials a rater sees."""
    return practice if isinstance(practice, int) else len(practice)
