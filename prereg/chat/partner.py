"""Who answers in a conversation, and who coaches afterwards: models of a server, or scripts."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from prereg.plan.judging import LLMJudge, Prices
from prereg.plan.transport import OPENAI, Address, Reached, Variable
from prereg.strict import Identifier, Strict, Text


class Server(Reached):
    """A model behind an OpenAI-compatible server, which partner, coach and screens may name.

    The key is read from the environment variable `key_variable`, never from a file. Only `model`
    and `parameters` decide what is answered; the rest may change after the lock.
    """

    called_in_faults = "server"

    model: Text
    base_url: Address = OPENAI
    key_variable: Variable | None = "OPENAI_API_KEY"
    token_parameter: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105
    parameters: dict[Identifier, Any] = Field(default_factory=dict)
    concurrency: int = Field(default=32, ge=1, le=512)
    timeout_seconds: float = Field(default=30, gt=0, le=600)
    requests_per_minute: float | None = Field(default=None, gt=0, le=1_000_000)
    prices: Prices | None = None
    headers: dict[Text, Text] = Field(default_factory=dict)
    query: dict[Text, Text] = Field(default_factory=dict)

    def as_model(self, name: str, *, temperature: float | None, max_tokens: int) -> LLMJudge:
        """Return what `study.llm` asks: this server's model, with the settings of one task."""
        return LLMJudge(
            id=name, kind="llm", temperature=temperature, max_tokens=max_tokens, **dict(self)
        )


class Failure(Strict):
    """What happens where no reply comes.

    Asking goes on for `retry_seconds`; after `give_up_seconds` without a reply the visit ends,
    paid, with its own code.
    """

    retry_seconds: float = Field(default=45, ge=0, le=3_600)
    give_up_seconds: float = Field(default=120, ge=1, le=3_600)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.retry_seconds > self.give_up_seconds:
            raise ValueError("retry_seconds must be at most give_up_seconds")
        return self


class _Speaker(Strict):
    """Who writes: a model of one of the plan's servers, or a script that costs nothing."""

    kind: Literal["llm", "scripted"]
    server: Identifier | None = None
    temperature: float | None = Field(default=0.7, ge=0, le=2)

    @model_validator(mode="after")
    def _a_server(self) -> Self:
        if (self.kind == "llm") != (self.server is not None):
            verb = "needs" if self.kind == "llm" else "takes no"
            raise ValueError(f"kind {self.kind} {verb} server")
        return self


class Partner(_Speaker):
    """Who plays somebody in trouble.

    Attributes
    ----------
    prompt : str
        A prompt that comes with Ratify (`partner`), or a file of the study folder.
    on_failure : Failure
    """

    max_tokens: int = Field(default=120, ge=1, le=4_000)
    prompt: Text = "partner"
    on_failure: Failure = Failure()


class CoachScore(Strict):
    """A dimension on which the coach scores a conversation; its labels are shown."""

    id: Identifier
    label: Text
    min: int = Field(default=1, ge=0, le=100)
    max: int = Field(default=5, ge=1, le=100)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min >= self.max:
            raise ValueError("min must be below max")
        return self


class CoachQuestions(Strict):
    """How many questions a participant must ask the coach before going on, and may ask at most."""

    min: int = Field(default=1, ge=0, le=20)
    max: int = Field(default=5, ge=0, le=20)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must be at most max")
        return self


class Coach(_Speaker):
    """Who gives feedback on a conversation, and answers questions about it."""

    max_tokens: int = Field(default=400, ge=1, le=8_000)
    prompt: Text = "coach"
    sentences: int = Field(default=5, ge=1, le=20)
    scores: tuple[CoachScore, ...] = Field(min_length=1, max_length=12)
    questions: CoachQuestions = CoachQuestions()


class Video(Strict):
    """Films of the study folder: the first after the first of the rounds, and so on.

    `captions` has one file (WebVTT) for each clip. With `watch: ended`, a clip must be seen to its
    end; with `watch: free`, it may be left.
    """

    clips: tuple[Text, ...] = Field(min_length=1)
    captions: tuple[Text, ...]
    watch: Literal["ended", "free"] = "ended"

    @model_validator(mode="after")
    def _captions_each(self) -> Self:
        if len(self.clips) != len(self.captions):
            raise ValueError("captions must name one file for each clip")
        return self


class Feedback(Strict):
    """What comes between conversations, by the condition of a participant."""

    after_rounds: tuple[int, ...] = (1,)
    coach: Coach | None = None
    video: Video | None = None

    @field_validator("after_rounds")
    @classmethod
    def _rising(cls, rounds: tuple[int, ...]) -> tuple[int, ...]:
        if list(rounds) != sorted(set(rounds)) or min(rounds, default=1) < 1:
            raise ValueError("after_rounds must be different rounds, in order")
        return rounds


class Safety(Strict):
    """What protects participants.

    Attributes
    ----------
    text : str
        A file of the study folder: where help can be found.
    screen : tuple of str
        What every message passes before it is shown or sent: `lexicon` (words of distress and of
        harm; see docs/chat.md for what it cannot see), `moderation` (a server's endpoint).
    server : str, optional
        The server whose moderation endpoint is asked.
    """

    text: Text = "safety.md"
    screen: tuple[Literal["lexicon", "moderation"], ...] = ("lexicon",)
    server: Identifier | None = None

    @model_validator(mode="after")
    def _a_server(self) -> Self:
        if ("moderation" in self.screen) != (self.server is not None):
            raise ValueError("screen: moderation and server go together")
        return self


class PerParticipant(Strict):
    """The most that one participant may cause: calls to a model.

    What the coach may need is set aside, and the rest limits the messages of each conversation.
    """

    calls: int = Field(default=60, ge=1, le=100_000)


class ChatBudget(Strict):
    """What the conversations may cost.

    At consent the worst case of one participant is set aside; where it does not fit into `money`,
    nobody else is let in, and nobody is cut off in the middle.
    """

    money: float | None = Field(default=None, gt=0)
    per_participant: PerParticipant = PerParticipant()
