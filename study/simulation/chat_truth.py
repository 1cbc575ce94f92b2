"""What is planted in a simulated chat, in points of the judge that an analysis reads.

A plan says what coaching adds to skill. How many points of a score that is follows from the words:
conversations are written here with and without it, by the same people and without any page, and
the lexical judge scores them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean

from prereg.chat.model import ChatPlan
from prereg.streams import Stream, stream
from study.bots.persona import Persona
from study.bots.supporter import Manner, Voice
from study.judges import lexicon
from study.judges.baseline import marker_rates

OVERALL = "overall"
PEOPLE = 250
#: Answers the messages of one conversation, one after the other.
Answerer = Callable[[str], str]


@dataclass(frozen=True)
class Truth:
    """The planted effects.

    Attributes
    ----------
    points : mapping
        By condition, the expected change of each score after its first feedback, against the same
        people without any; `overall` adds and subtracts as the lexical judge does.
    """

    points: Mapping[str, Mapping[str, float]]

    def sentence(self) -> str:
        """Return what is planted, in one sentence; empty if nothing is."""
        said = [f"{name} {each[OVERALL]:+.2f}" for name, each in self.points.items()]
        return (
            "Planted in the overall score of the lexical judge after feedback, in points: "
            f"{', '.join(said)}."
            if said
            else ""
        )


def planted(plan: ChatPlan, partner: Callable[[str], Answerer], *, people: int = PEOPLE) -> Truth:
    """Return what is planted in the scores of conversations, by condition.

    Parameters
    ----------
    plan : ChatPlan
    partner : callable
        Returns, for a scenario, what answers the messages of one conversation.
    people : int
        How many simulated supporters write a conversation under each condition.
    """
    conditions = plan.design.conditions
    found: dict[str, dict[str, list[float]]] = {name: {} for name in conditions}
    for number in range(people):
        scenario = plan.scenarios[number % len(plan.scenarios)].id
        effects = {name: plan.simulated.effect(name, parts) for name, parts in conditions.items()}
        known: dict[float, Mapping[str, float]] = {}
        for name, effect in effects.items():
            for dose in (effect, 0.0):
                if dose not in known:
                    known[dose] = _scores(plan, number, dose, scenario, partner(scenario))
            for score, points in known[effect].items():
                found[name].setdefault(score, []).append(points - known[0.0][score])
    return Truth(
        {
            name: {score: fmean(points) for score, points in scores.items()}
            for name, scores in found.items()
            if effects[name]
        }
    )


def _scores(
    plan: ChatPlan, number: int, effect: float, scenario: str, answer: Answerer
) -> Mapping[str, float]:
    """Return the scores of one conversation; of the same number by the same person."""
    person = Persona.of(plan, number)
    skill = person.next_skill() + effect
    rng = stream(plan.seed, Stream.SIMULATION, "truth", number)
    voice = Voice(Manner.of(skill, rng), rng)
    told, lines, at = plan.scenario(scenario).opening, [], 0.0
    talk = plan.conversation
    for _ in range(talk.messages.max):
        words = voice.reply(told)
        lines.append(f"Seeker: {told}\nSupporter: {words}")
        told = answer(words)
        at += min(person.seconds(), talk.idle_seconds)
        if at > talk.seconds + talk.grace_seconds:
            break
    rates = marker_rates("\n".join(lines))
    scores = {name: lexicon.rating(rate) for name, rate in rates.items()}
    scores[OVERALL] = sum(sign * scores[name] for name, sign in lexicon.DIMENSIONS.items())
    return scores
