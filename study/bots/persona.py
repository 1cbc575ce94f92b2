"""Who a simulated supporter is: a skill, traits, habits; and how they answer a survey."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from prereg.chat.model import ChatPlan
from prereg.chat.steps import steps_of
from prereg.chat.surveys import AFTER_EACH, BEFORE, SurveyQuestion
from prereg.plan.collection import PointScale
from prereg.plan.survey import ChoiceQuestion, ScaleQuestion
from prereg.streams import Stream, stream
from study.bots.rater import WORDS, WRITES

#: The part of an answer to an item that is its trait; the rest is the item's own.
ITEM = 0.8
#: What a supporter asks the coach.
QUESTIONS = (
    "What could I have said instead?",
    "Where did I talk too much about myself?",
    "How do I ask without pushing?",
    "Which of my messages helped most?",
    "What should I listen for next time?",
)


@dataclass
class Persona:
    """A simulated supporter.

    Attributes
    ----------
    number : int
    skill : float
        Before any coaching, in units of `prereg.chat.assumptions`.
    traits : mapping
        What they are by each trait of the survey before, in standard deviations.
    leaves_at : int or None
        The step, from 0, at which they leave without a word.
    pastes, admits : bool
    answering, writing : numpy Generator
        For surveys and for messages, so that one does not change the other.
    seen : set of str
        The ingredients of their condition that they were given.
    shown : list of float
        The skill that each conversation so far had.
    thinks : float
        What they think of the last conversation, in standard deviations.
    """

    number: int
    plan: ChatPlan
    skill: float
    traits: Mapping[str, float]
    leaves_at: int | None
    pastes: bool
    admits: bool
    answering: np.random.Generator = field(repr=False)
    writing: np.random.Generator = field(repr=False)
    seen: set[str] = field(default_factory=set)
    shown: list[float] = field(default_factory=list)
    thinks: float = 0.0

    @classmethod
    def of(cls, plan: ChatPlan, number: int) -> Self:
        """Draw a supporter; the same number is the same person in every simulation."""
        assumed = plan.simulated
        rng = stream(plan.seed, Stream.SIMULATION, "supporter", number)
        z = float(rng.normal())
        rest = math.sqrt(1 - assumed.trait**2)
        names = [name for name, (survey, _) in plan.surveys.traits.items() if survey == BEFORE]
        leaving, where, pasting, admitting = rng.random(4)
        steps = len(steps_of(plan, next(iter(plan.design.conditions))))
        return cls(
            number,
            plan,
            assumed.skill_sd * z,
            {name: assumed.trait * z + rest * float(rng.normal()) for name in names},
            int(where * steps) if leaving < assumed.leave else None,
            bool(pasting < assumed.paste),
            bool(admitting < assumed.admit_ai),
            answering=stream(plan.seed, Stream.SIMULATION, "answers", number),
            writing=stream(plan.seed, Stream.SIMULATION, "messages", number),
        )

    @property
    def effect(self) -> float:
        """What the ingredients that were seen so far have added to the skill."""
        design = self.plan.design
        for name, parts in design.conditions.items():
            if set(parts) == self.seen and parts:
                return self.plan.simulated.effect(name, parts)
        return 0.0

    def next_skill(self) -> float:
        """Draw the skill that the next conversation shows, and what they will think of it."""
        assumed = self.plan.simulated
        within = assumed.within_sd * float(self.writing.normal())
        self.shown.append(self.skill + self.effect + within)
        spread = math.hypot(assumed.skill_sd, assumed.within_sd) or 1.0
        known, own = assumed.self_rating, float(self.answering.normal())
        self.thinks = known * self.shown[-1] / spread + math.sqrt(1 - known**2) * own
        return self.shown[-1]

    def answers(self, questions: Iterable[SurveyQuestion], survey: str) -> dict[str, str]:
        """Return what they answer on a page of a survey, as its form sends it, by question id."""
        return {question.id: self._answer(question, survey) for question in questions}

    def _answer(self, question: SurveyQuestion, survey: str) -> str:
        chance = float(self.answering.random())
        if isinstance(question, ChoiceQuestion):
            return self._choice(question, chance)
        if isinstance(question, ScaleQuestion):
            return self._point(question, survey)
        return WORDS if question.required or chance < WRITES else ""

    def _choice(self, question: ChoiceQuestion, chance: float) -> str:
        """Return the number of an option; who pasted may admit help where a rule looks for it."""
        numbers = list(range(1, len(question.options) + 1))
        for rule in self.plan.exclusions:
            if rule.question == question.id:
                admitting = [n for n in numbers if question.options[n - 1] in rule.values]
                denying = [n for n in numbers if n not in admitting]
                numbers = (admitting if self.pastes and self.admits else denying) or numbers
        return str(numbers[int(chance * len(numbers))])

    def _point(self, question: ScaleQuestion, survey: str) -> str:
        """Return the point of a scale that fits what they are, or how they think they did."""
        own = float(self.answering.normal())
        trait = getattr(question, "of", None) or ""
        view = self.thinks if survey == AFTER_EACH else self.traits.get(trait, own)
        value = ITEM * view + math.sqrt(1 - ITEM**2) * own
        return nearest(-value if getattr(question, "reverse", False) else value, question)

    def question(self) -> str:
        """Return something to ask the coach."""
        return QUESTIONS[int(self.answering.integers(len(QUESTIONS)))]

    def seconds(self) -> float:
        """Draw how long the next message takes to write."""
        return self.plan.simulated.seconds * math.exp(0.35 * float(self.writing.normal()))


def nearest(value: float, scale: PointScale) -> str:
    """Return the point of a scale for a value in standard deviations, each a quarter of it."""
    middle, width = (scale.min + scale.max) / 2, scale.max - scale.min
    return str(min(max(math.floor(middle + value * width / 4 + 0.5), scale.min), scale.max))
