"""Judges in the plan: which are asked, how, what they may cost and which habits are measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from prereg.baselines import BASELINE_MEANING
from prereg.plan.pairs import PairSampling
from prereg.plan.panel_judge import PanelJudge
from prereg.plan.table_judge import TableJudge
from prereg.plan.transport import OPENAI, Address, Reached, Variable
from prereg.strict import Identifier, Strict, Text, added

# Offline judges that every LLM is compared with: one that is no better measures length or words.
BASELINES = tuple(BASELINE_MEANING)

# Seven rewrites that should not change empathy. The last three need a rewriter, so their texts come
# with the items, in a column of this name.
MECHANICAL = ("repeated_letters", "lookalikes", "misspelling", "leetspeak")
REWRITTEN = ("shortened", "elevated", "casual")

Perturbation = Literal[
    "repeated_letters", "lookalikes", "misspelling", "leetspeak", "shortened", "elevated", "casual"
]


class BaselineJudge(Strict):
    """An offline baseline by name."""

    id: Identifier
    kind: Literal["baseline"]
    pairs: PairSampling | None = None


class Prices(Strict):
    """What a million tokens cost."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    currency: Text = "USD"


class Budget(Strict):
    """The limits at which a judge stops, and the estimate above which Ratify asks first."""

    calls: int | None = Field(default=None, ge=1)
    money: float | None = Field(default=None, gt=0)
    ask_above: float | None = Field(default=None, ge=0)


class OwnItems(Strict):
    """Which items a judge's own model wrote: a column of the items, and its values."""

    column: Text
    values: tuple[Text, ...] = Field(min_length=1)


class Habits(Strict):
    """What a judge is asked in addition to its task, to measure its habits.

    `pairs` pairs of the people's trials are asked with their sides exchanged, `repeats` times again
    in the same words, and once in each of `wordings` (prompts that ask the same in other words);
    `items` items are rated under each of the `perturbations`, but none that `leave_out` names.
    """

    pairs: int = Field(default=0, ge=0)
    repeats: int = Field(default=1, ge=0, le=20)
    wordings: tuple[Text, ...] = ()
    items: int = Field(default=0, ge=0)
    perturbations: tuple[Perturbation, ...] = ()
    own: OwnItems | None = None
    leave_out: tuple[Text, ...] = added(())

    @model_validator(mode="after")
    def _something_to_ask(self) -> Self:
        for name in ("wordings", "perturbations", "leave_out"):
            given = getattr(self, name)
            if len(set(given)) != len(given):
                raise ValueError(f"{name} names something more than once")
        if bool(self.perturbations) != bool(self.items):
            raise ValueError("items and perturbations go together")
        if self.wordings and not self.pairs:
            raise ValueError("wordings need pairs")
        if self.leave_out and not self.items:
            raise ValueError("leave_out needs items")
        return self


class LLMJudge(Reached):
    """A judge behind an OpenAI-compatible server.

    The key is read from the environment variable `key_variable`, never from a file. `prompts` are
    names of prompts that come with Ratify, or files of the study folder (`prompts/mine.yaml`). A
    value of `headers` may name an environment variable (`${NAME}`). What `TRANSPORT` names may
    change after the lock.
    """

    called_in_faults = "judge"

    id: Identifier
    kind: Literal["llm"]
    model: Text
    base_url: Address = OPENAI
    key_variable: Variable | None = "OPENAI_API_KEY"
    prompts: tuple[Text, ...] = ()
    reply: Literal["auto", "schema", "text"] = "auto"
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    max_tokens: int = Field(default=300, ge=1, le=100_000)
    token_parameter: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105
    parameters: dict[Identifier, Any] = Field(default_factory=dict)
    logprobs: bool = False
    both_orders: bool = False
    pairs: PairSampling | None = None
    concurrency: int = Field(default=16, ge=1, le=512)
    timeout_seconds: float = Field(default=60, gt=0, le=3600)
    attempts: int = Field(default=8, ge=1, le=50)
    patience_minutes: float = Field(default=15, gt=0, le=24 * 60)
    failures_in_a_row: int = added(10, ge=0, le=1_000_000)
    prices: Prices | None = None
    budget: Budget = Budget()
    habits: Habits | None = None
    headers: dict[Text, Text] = added({})
    query: dict[Text, Text] = added({})
    requests_per_minute: float | None = added(None, gt=0, le=1_000_000)
    batch_size: int | None = added(None, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _money_needs_prices(self) -> Self:
        limits = (self.budget.money, self.budget.ask_above)
        if self.prices is None and any(limit is not None for limit in limits):
            raise ValueError("a budget in money needs prices")
        return self

    @property
    def called(self) -> str:
        """What messages about its server call it."""
        return f"judge '{self.id}'"


AnyJudge = BaselineJudge | LLMJudge | TableJudge | PanelJudge
JUDGES = (BaselineJudge, LLMJudge, TableJudge, PanelJudge)
JudgePlan = Annotated[AnyJudge, Field(discriminator="kind")]
