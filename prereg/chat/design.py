"""Who talks how often, under which condition, and about what: the design of a chat."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from prereg.strict import Identifier, Strict, Text

# What may come between two conversations of a condition, in the order in which it is shown.
VIDEO: Literal["video"] = "video"
COACH: Literal["coach"] = "coach"
Ingredient = Literal["video", "coach"]


class Allocation(Strict):
    """How participants are allocated to conditions: in permuted blocks.

    Every block of `block` places holds each condition as often as its weight says, in an order that
    is drawn from the plan's seed. `block` is a multiple of the sum of the weights.
    """

    weights: dict[Identifier, int] = Field(default_factory=dict)
    block: int = Field(default=8, ge=1, le=1_000)


class ScenarioDraw(Strict):
    """Which scenarios a participant meets: `draw` different ones, in an order.

    With `balanced`, each scenario comes equally often in each round of each condition, give or take
    one; with `random`, each participant's draw is independent.
    """

    draw: int = Field(ge=1, le=20)
    order: Literal["balanced", "random"] = "balanced"


class ChatDesign(Strict):
    """Who takes part, under which condition, and what they talk about.

    Attributes
    ----------
    supporters : int
        How many participants.
    conversations : int
        How many conversations each of them has: the rounds, from 1.
    conditions : dict
        By name, what comes after the rounds that `feedback.after_rounds` names; an empty list for a
        control group.
    allocation : Allocation
    scenarios : ScenarioDraw
    lease_minutes, first_lease_minutes : float
        How long a place is kept after a participant's last sign of life; before their first message
        for `first_lease_minutes`, if that is less.
    """

    supporters: int = Field(ge=1, le=100_000)
    conversations: int = Field(ge=1, le=20)
    conditions: dict[Identifier, tuple[Ingredient, ...]] = Field(min_length=1)
    allocation: Allocation = Allocation()
    scenarios: ScenarioDraw
    lease_minutes: float = Field(default=60, gt=0, le=7 * 24 * 60)
    first_lease_minutes: float = Field(default=15, gt=0, le=7 * 24 * 60)

    @property
    def weights(self) -> dict[str, int]:
        """The weight of every condition, in the order of the plan; 1 unless it says otherwise."""
        given = self.allocation.weights
        return {name: given.get(name, 1) for name in self.conditions}

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        unknown = [name for name in self.allocation.weights if name not in self.conditions]
        if unknown:
            raise ValueError(f"allocation.weights names '{unknown[0]}', which is no condition")
        if any(weight < 1 for weight in self.weights.values()):
            raise ValueError("allocation.weights must be 1 or more")
        whole = sum(self.weights.values())
        if self.allocation.block % whole:
            raise ValueError(
                f"allocation.block ({self.allocation.block}) must be a multiple of the sum of the "
                f"weights ({whole})"
            )
        return self

    @model_validator(mode="after")
    def _ingredients_once(self) -> Self:
        for name, parts in self.conditions.items():
            if len(set(parts)) != len(parts):
                raise ValueError(f"conditions.{name} names an ingredient more than once")
        return self

    @model_validator(mode="after")
    def _a_scenario_each(self) -> Self:
        if self.scenarios.draw != self.conversations:
            raise ValueError(
                f"scenarios.draw ({self.scenarios.draw}) must be the number of conversations "
                f"({self.conversations})"
            )
        return self

    def lease_seconds(self, *, has_written: bool) -> float:
        """Return how long a place is kept for a silent participant."""
        minutes = self.lease_minutes
        return 60 * (minutes if has_written else min(minutes, self.first_lease_minutes))


class Scenario(Strict):
    """A trouble that the partner talks about.

    Attributes
    ----------
    id : str
    group : str, optional
        For example workplace or personal; analyses may use it.
    title : str, optional
        What participants are told of it before the conversation.
    opening : str
        The partner's first message.
    background : str
        A file of the study folder that only the partner reads: who they are and what happened.
    """

    id: Identifier
    group: Identifier | None = None
    title: Text | None = None
    opening: Text
    background: Text
