"""How a conversation goes: its clock, its limits, what is recorded of typing."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.strict import Strict

Pause = Literal["hidden", "waiting", "idle"]


class Messages(Strict):
    """The limits of a conversation: so many messages of a participant, so long each."""

    min: int = Field(default=1, ge=0, le=1_000)
    max: int = Field(default=40, ge=1, le=1_000)
    characters: int = Field(default=1_000, ge=1, le=10_000)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must be at most max")
        return self


class Typing(Strict):
    """How long the partner seems to type: its reply is shown so long after it was asked for."""

    characters_per_second: float = Field(default=25, gt=0, le=1_000)
    at_least: float = Field(default=1, ge=0, le=60)
    at_most: float = Field(default=6, ge=0, le=120)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_least > self.at_most:
            raise ValueError("at_least must be at most at_most")
        return self

    def seconds(self, characters: int) -> float:
        """Return how long a reply of so many characters takes to type."""
        return min(max(characters / self.characters_per_second, self.at_least), self.at_most)


class Conversation(Strict):
    """How a conversation goes.

    Attributes
    ----------
    seconds : float
        How long it lasts, in seconds of active time.
    starts : 'first_message'
        The clock starts with the participant's first message.
    pauses : tuple of str
        When the clock stands: `hidden` (the page is not seen), `waiting` (a reply is owed), `idle`
        (no message for `idle_seconds`).
    grace_seconds : float
        How long what is being typed may still be sent after time is up.
    messages : Messages
    paste : {'record', 'refuse'}
        Whether text may be pasted into a message; what is pasted is counted, not kept.
    enter_sends : bool
        Whether the Enter key sends a message; if not, it begins a new line.
    typing : Typing
    show_clock : bool
        Whether participants see how much time is left.
    """

    seconds: float = Field(default=240, ge=10, le=7_200)
    starts: Literal["first_message"] = "first_message"
    pauses: tuple[Pause, ...] = ("hidden", "waiting", "idle")
    idle_seconds: float = Field(default=60, ge=5, le=3_600)
    grace_seconds: float = Field(default=20, ge=0, le=600)
    messages: Messages = Messages()
    paste: Literal["record", "refuse"] = "record"
    enter_sends: bool = False
    typing: Typing = Typing()
    show_clock: bool = True
