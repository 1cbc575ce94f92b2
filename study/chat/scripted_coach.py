"""A coach that costs nothing: scores by the markers of the lexical baseline, and sentences to them.

Each of the plan's scores is matched with a dimension of `study.judges.lexicon` by its id, such as
`validation` or `open_questions`; what matches none gets the mean of the three helpful ones. A
rating of 1 to 5 is stretched to the score's own scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from prereg.chat.partner import Coach, CoachScore
from prereg.streams import Stream, stream
from study.chat.coach_model import Feedback, bounded
from study.chat.partner import Said
from study.chat.study import ChatStudy
from study.judges import lexicon
from study.judges.baseline import marker_rates

HELPFUL = ("validating_emotions", "encouraging_elaboration", "demonstrating_understanding")
# What a score's id may contain, by the dimension that it means.
WORDS: Mapping[str, tuple[str, ...]] = {
    "validating_emotions": ("valid", "feeling", "emotion", "accept", "warm"),
    "encouraging_elaboration": ("elab", "explor", "question", "ask", "curio", "invit"),
    "demonstrating_understanding": ("underst", "reflect", "listen", "paraphr", "interpret"),
    "advice_giving": ("advi", "direct", "solution"),
    "self_oriented": ("self", "own_"),
    "dismissing_emotions": ("dismiss", "minimi"),
}
PRAISE: Mapping[str, tuple[str, ...]] = {
    "validating_emotions": (
        "You took the feelings seriously, and said so.",
        "You let them see that what they feel is understandable.",
    ),
    "encouraging_elaboration": (
        "You asked in a way that made room for more.",
        "You showed interest, and your questions were open.",
    ),
    "demonstrating_understanding": (
        "You put into your own words what you had heard.",
        "You showed that you had followed what they told you.",
    ),
    "": ("You stayed in the conversation and gave it your time.",),
}
NEXT: Mapping[str, tuple[str, ...]] = {
    "validating_emotions": (
        'Next time, name the feeling first, for example: "That sounds really hard."',
        'Try to say that the feeling makes sense, for example: "Anyone would be upset by that."',
    ),
    "encouraging_elaboration": (
        'Next time, invite them to go on, for example: "What was that like for you?"',
        'Try one more open question, for example: "How have you been since then?"',
    ),
    "demonstrating_understanding": (
        'Next time, say back what you heard, for example: "So it feels as if nobody noticed."',
        'Try to sum up in your own words, for example: "It sounds like you felt left alone."',
    ),
    "advice_giving": (
        "Hold back with what they should do, until they ask for it.",
        "Your suggestions came early: first let them tell you more.",
    ),
    "self_oriented": (
        "Keep your own story for later, and stay with theirs.",
        "When you talk about yourself, they have to listen to you.",
    ),
    "dismissing_emotions": (
        "Words that are meant to cheer up can sound as if it were no big matter.",
        "Let the trouble be as big as it is for them, before you look at the bright side.",
    ),
}
LAST = (
    "A short sentence is enough; it need not solve anything.",
    "Small steps count here.",
    "You can try this in the next conversation.",
)
ANSWERS: Mapping[str, tuple[str, ...]] = {
    **NEXT,
    "": (
        "Begin with the feeling that you hear, and ask about it before anything else.",
        "No sentence is perfect; what helps is that they notice you are trying to understand.",
        "If you are not sure, ask: they know best what it is like.",
    ),
}


def dimension_of(name: str) -> str | None:
    """Return the dimension that a score's id means, or None."""
    lower = name.lower()
    if lower in lexicon.DIMENSIONS:
        return lower
    return next((d for d, words in WORDS.items() if any(one in lower for one in words)), None)


def scripted_feedback(
    study: ChatStudy,
    coach: Coach,
    conversation_id: str,
    messages: Sequence[Said],
    *,
    again: int = 0,
) -> Feedback:
    """Return feedback on a conversation, with the plan's scores.

    Parameters
    ----------
    study : ChatStudy
    coach : Coach
    conversation_id : str
    messages : sequence of Said
    again : int
        How many texts before were withheld.
    """
    rates = _rates(messages)
    scores = {one.id: _score(one, rates) for one in coach.scores}
    rng = stream(study.plan.seed, Stream.SCRIPT, conversation_id, "feedback", again)
    best = max(HELPFUL, key=lambda name: rates[name])
    sentences = [
        _one(PRAISE[best if rates[best] >= lexicon.CUTS[1] else ""], rng),
        _one(NEXT[_to_improve(rates)], rng),
        _one(LAST, rng),
    ]
    return Feedback(bounded(" ".join(sentences), coach), scores)


def scripted_answer(
    study: ChatStudy,
    coach: Coach,
    conversation_id: str,
    messages: Sequence[Said],
    position: int,
    question: str,
    *,
    again: int = 0,
) -> str:
    """Return an answer to a question: on what it names, or on what could be better."""
    rng = stream(study.plan.seed, Stream.SCRIPT, conversation_id, position, again)
    words = question.lower()
    named = [d for d, keys in WORDS.items() if any(key in words for key in keys)]
    about = named[0] if named else _to_improve(_rates(messages))
    parts = [_one(ANSWERS[about], rng), _one(ANSWERS[""], rng)]
    return bounded(" ".join(parts), coach)


def _rates(messages: Sequence[Said]) -> Mapping[str, float]:
    names = {"supporter": "Supporter", "partner": "Seeker"}
    lines = [f"{names[one.speaker]}: {' '.join(one.text.split())}" for one in messages]
    return marker_rates("\n".join(lines))


def _to_improve(rates: Mapping[str, float]) -> str:
    """Return the dimension to talk about: one in the way if there is much of it, or the weakest."""
    in_the_way = [name for name, sign in lexicon.DIMENSIONS.items() if sign < 0]
    worst = max(in_the_way, key=lambda name: rates[name])
    if rates[worst] >= lexicon.CUTS[2]:
        return worst
    return min(HELPFUL, key=lambda name: rates[name])


def _score(score: CoachScore, rates: Mapping[str, float]) -> int:
    dimension = dimension_of(score.id)
    names = HELPFUL if dimension is None else (dimension,)
    rating = sum(lexicon.rating(rates[name]) for name in names) / len(names)
    share = (rating - lexicon.SCALE_MIN) / (lexicon.SCALE_MAX - lexicon.SCALE_MIN)
    return round(score.min + share * (score.max - score.min))


def _one(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
