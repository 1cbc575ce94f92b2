"""A partner that costs nothing: a small state machine that opens up when it is taken seriously.

Each message of the participant is searched for the markers of the lexical baseline
(`study.judges.lexicon`). Validating, asking and showing understanding open the partner up; advice,
talk about oneself and making it small close it again. What it says is a reaction to the message and
a line of its state. Everything follows from the plan's seed, the conversation and its messages.

A scenario's background may bring lines of its own in a section `## Lines`, with a bulleted list
under each of the headings `### guarded`, `### opening`, `### open` and `### closing`: what the
person says while closed, while they begin to tell, once they trust, and when the conversation ends.
Lines that are missing are replaced by general ones. Only English markers are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prereg.chat.calls import most_messages
from prereg.streams import Stream, stream
from study.chat.partner import Said
from study.chat.study import ChatStudy
from study.judges.baseline import marker_rates

GUARDED, OPENING, OPEN, CLOSING = "guarded", "opening", "open", "closing"
STATES = (GUARDED, OPENING, OPEN, CLOSING)
# Openness, from 0 to MOST: where a conversation begins, and from where on a state holds.
BEGINS, MOST = 1.2, 4.0
FROM = {OPENING: 1.0, OPEN: 2.2}
# How much a marker moves the openness, and a message at most.
EFFECTS = {
    "validating_emotions": 0.7,
    "encouraging_elaboration": 0.6,
    "demonstrating_understanding": 0.4,
    "advice_giving": -0.8,
    "self_oriented": -0.4,
    "dismissing_emotions": -1.2,
}
MARKERS_MOST, MOVE_MOST = 2.0, 1.6
# A marker below this does not colour the reaction.
NOTICED = 0.5

GENERAL: Mapping[str, tuple[str, ...]] = {
    GUARDED: (
        "I don't really know what to say to that.",
        "Maybe it's not that interesting.",
        "It's fine. I'll manage somehow.",
        "I'd rather leave it there, I think.",
        "Right. Well, that's how it is.",
        "I'm not sure this helps.",
    ),
    OPENING: (
        "It's been going round in my head all day.",
        "I keep thinking that I should have seen it coming.",
        "I haven't slept much since then.",
        "It's hard to put into words, to be honest.",
        "Part of me still hopes that it isn't real.",
        "I act as if everything was normal, but it isn't.",
    ),
    OPEN: (
        "What hurts most is that I feel so alone with it.",
        "I think I'm more scared than I let anybody see.",
        "I was ashamed to tell anyone, and that made it heavier.",
        "When I say it out loud, I notice how angry I am, too.",
        "I've been so busy coping that I never stopped to feel it.",
        "I just want somebody to see that this matters to me.",
    ),
    CLOSING: (
        "I have to go soon. It was good to say some of this.",
        "I think that's enough for me for today.",
        "I'll take some of this with me.",
    ),
}
REACTIONS: Mapping[str, tuple[str, ...]] = {
    "validating_emotions": (
        "It helps to hear that.",
        "Thank you for saying that.",
        "I thought it was just me being silly.",
    ),
    "encouraging_elaboration": (
        "Nobody has asked me that yet.",
        "Well, since you ask.",
        "Hm, let me think.",
    ),
    "demonstrating_understanding": (
        "Yes, exactly that.",
        "Yes, that's how it feels.",
        "You've put it better than I could.",
    ),
    "advice_giving": (
        "I've thought of that already.",
        "It's not that simple.",
        "Everybody has a plan for me.",
    ),
    "self_oriented": (
        "Okay. I see.",
        "Sounds like you had your own share.",
        "Mine is a bit different, though.",
    ),
    "dismissing_emotions": (
        "It doesn't feel small to me.",
        "That's what everybody says.",
        "I suppose I'm overdoing it, then.",
    ),
}
_GOODBYE = re.compile(r"\b(?:good ?bye|bye|take care|good luck|have a (?:good|nice))\b", re.I)
_HEADING = re.compile(r"^(?P<level>#{1,6})\s+(?P<name>.+?)\s*#*$")


@dataclass
class Script:
    """The state of one conversation: how open the partner is, and which lines it has said."""

    openness: float = BEGINS
    said: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def read(cls, kept: str | None) -> Script:
        """Return the state that a conversation's row keeps; that of the beginning if none."""
        given: dict[str, Any] = json.loads(kept) if kept else {}
        return cls(given.get("openness", BEGINS), given.get("said", {}))

    def written(self) -> str:
        """Return the state as a row keeps it."""
        return json.dumps({"openness": round(self.openness, 4), "said": self.said})


def lines_of(background: str) -> dict[str, tuple[str, ...]]:
    """Return the lines that a scenario's background brings, by state.

    Parameters
    ----------
    background : str
        Markdown; see the module.
    """
    found: dict[str, list[str]] = {}
    inside, state = False, ""
    for line in background.splitlines():
        heading = _HEADING.match(line.strip())
        if heading:
            name, level = heading["name"].casefold(), len(heading["level"])
            inside = name == "lines" if level <= 2 else inside
            state = name if inside and level > 2 and name in STATES else ""
        elif state and line.lstrip().startswith(("- ", "* ")):
            found.setdefault(state, []).append(line.lstrip()[2:].strip())
        elif state and found.get(state) and line.startswith("  ") and line.strip():
            found[state][-1] += " " + line.strip()
    return {name: tuple(lines) for name, lines in found.items()}


def scripted_reply(
    study: ChatStudy,
    scenario: str,
    conversation_id: str,
    messages: Sequence[Said],
    kept: str | None,
    *,
    again: int = 0,
) -> tuple[str, str]:
    """Return what a scripted partner replies to the last message, and its new state.

    Parameters
    ----------
    study : ChatStudy
    scenario : str
    conversation_id : str
    messages : sequence of Said
        The last one is the participant's.
    kept : str or None
        The state before.
    again : int
        How many replies to the same message were withheld.
    """
    script, last = Script.read(kept), messages[-1]
    turn = last.turn
    rng = stream(study.plan.seed, Stream.SCRIPT, conversation_id, turn, again)
    markers = markers_of(last.text, messages[-2].text if len(messages) > 1 else "")
    move = sum(EFFECTS[name] * min(count, MARKERS_MOST) for name, count in markers.items())
    script.openness += max(-MOVE_MOST, min(MOVE_MOST, move))
    script.openness = max(0.0, min(MOST, script.openness))
    state = state_of(script.openness)
    if turn >= most_messages(study.plan) or _GOODBYE.search(last.text):
        state = CLOSING
    line = _next_line(study.backgrounds[scenario], state, script, rng)
    noticed = max(markers, key=lambda name: abs(EFFECTS[name]) * markers[name])
    if markers[noticed] < NOTICED:
        return line, script.written()
    reactions = REACTIONS[noticed]
    return f"{reactions[int(rng.integers(len(reactions)))]} {line}", script.written()


def state_of(openness: float) -> str:
    """Return the state that an openness means."""
    if openness >= FROM[OPEN]:
        return OPEN
    return OPENING if openness >= FROM[OPENING] else GUARDED


def markers_of(text: str, before: str) -> Mapping[str, float]:
    """Return the markers of a message, by dimension, given what it replies to."""
    said, heard = " ".join(text.split()), " ".join(before.split())
    return marker_rates(f"Seeker: {heard}\nSupporter: {said}")


def _next_line(background: str, state: str, script: Script, rng: np.random.Generator) -> str:
    """Return a line of a state that has not been said yet, as long as there is one."""
    lines = lines_of(background).get(state) or GENERAL[state]
    said = script.said.setdefault(state, [])
    fresh = [number for number in range(len(lines)) if number not in said]
    if not fresh:  # begin again, but not with the line that was said last
        fresh = [number for number in range(len(lines)) if number not in said[-1:]] or [0]
        said.clear()
    chosen = fresh[int(rng.integers(len(fresh)))]
    said.append(chosen)
    return lines[chosen]
