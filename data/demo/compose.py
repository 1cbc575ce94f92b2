"""Composes the demo's conversations: 30 in each of 5 scenarios, each with a planted quality.

Nobody ever had these conversations. A support seeker's story moves from subject to subject;
a supporter answers each turn with behaviours drawn from a planted quality. Every line comes from
the banks in `fragments/`, written for this project.

How the quality is planted. Each conversation has a latent quality q, three from each decile of a
normal distribution in every scenario. Each of the six behaviours gets its own propensity: q with
the behaviour's sign plus its own noise, so that a good supporter may still lecture and a poor one
may still ask. The propensities decide what each supporter turn does. The number of things that a
turn does rises a little with quality, so that length is a weak sign of quality, as it is among
people; whether the supporter uses capitals does not depend on quality.

`python -m data.demo.compose` writes `items.csv` with the seed below.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import yaml

from data.demo.phrasing import Phrasebook, casual, chance, choose, shuffled
from prereg.tables import reader as tabular

SEED = 20_260_401
SCENARIOS = ("job_loss", "passed_over", "undervalued", "parent_diagnosis", "parent_loss")
PER_SCENARIO = 30
TURNS = (8, 9, 10, 11, 12)
COLUMNS = ("item_id", "scenario", "text", "planted_quality", "turns")

# Share of a propensity that is the planted quality; the rest is the behaviour's own.
LOADING = 0.75
# Behaviour: its sign in quality, log-odds of showing in a turn on average, log-odds per sd.
BEHAVIOURS = {
    "validate": (+1, -0.2, 1.1),
    "reflect": (+1, -0.7, 1.1),
    "ask": (+1, 0.1, 0.8),
    "advise": (-1, -0.7, 1.0),
    "self": (-1, -1.3, 1.0),
    "dismiss": (-1, -1.0, 1.0),
}
# A turn that starts with one of these words gets no second opener.
_STARTS = re.compile(r"(oh|ouch|ugh|oof|ah|hm+|mm|okay|ok|right|well|wow|yeah|huh|yikes)\b", re.I)
ORDER = ("validate", "reflect", "dismiss", "self", "advise", "ask")


@dataclass(frozen=True)
class Supporter:
    """How the supporter in one conversation writes.

    Attributes
    ----------
    quality : float
        The planted quality, in sd of its scenario.
    propensity : mapping
        The propensity of each behaviour, in sd; a higher one means more of the behaviour.
    parts : float
        Mean number of things that one turn does.
    casual : bool
        Whether capitals and last full stops are left out.
    """

    quality: float
    propensity: Mapping[str, float]
    parts: float
    casual: bool

    def does(self, rng: np.random.Generator, behaviour: str) -> bool:
        """Return whether the next turn shows a behaviour."""
        _, usual, slope = BEHAVIOURS[behaviour]
        return chance(rng, _share(usual + slope * self.propensity[behaviour]))


def _share(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def _normal(rng: np.random.Generator) -> float:
    return NormalDist().inv_cdf(min(max(rng.random(), 1e-9), 1 - 1e-9))


@cache
def fragments(name: str) -> Any:
    """Return one file of fragments."""
    folder = resources.files("data.demo") / "fragments"
    return yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))


def planted_qualities(rng: np.random.Generator) -> list[float]:
    """Return the qualities of one scenario: three per decile, mean 0, sd 1, in random order."""
    shares = [(decile + rng.random()) / 10 for decile in range(10) for _ in range(3)]
    drawn = np.array([NormalDist().inv_cdf(min(max(s, 0.005), 0.995)) for s in shares])
    drawn = (drawn - drawn.mean()) / drawn.std()
    return shuffled(rng, [round(float(q), 3) for q in drawn])


def compose(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Compose all conversations.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    list of dict
        One row per item, with the columns of `COLUMNS`, in the order of the ids.
    """
    rows: list[dict[str, Any]] = []
    for scenario in SCENARIOS:
        book = Phrasebook(rng)
        stories = shuffled(rng, fragments(scenario)["stories"])
        for number, quality in enumerate(planted_qualities(rng), start=1):
            turns = choose(rng, TURNS)
            lines = _conversation(
                book, fragments(scenario), stories[number % len(stories)], quality, turns
            )
            rows.append(
                {
                    "item_id": f"{scenario}-{number:02d}",
                    "scenario": scenario,
                    "text": "\n".join(lines),
                    "planted_quality": quality,
                    "turns": len(lines),
                }
            )
    return rows


def _supporter(rng: np.random.Generator, quality: float) -> Supporter:
    own = math.sqrt(1 - LOADING**2)
    propensity = {
        name: LOADING * sign * quality + own * _normal(rng)
        for name, (sign, _, _) in BEHAVIOURS.items()
    }
    parts = 1.1 + 1.6 * rng.random() + 0.2 * quality
    return Supporter(quality, propensity, parts, chance(rng, 0.2))


def _slots(rng: np.random.Generator, scenario: Any, story: Any) -> dict[str, str]:
    """Return who is who in this conversation."""
    slots: dict[str, str] = {}
    for name, options in scenario["slots"].items():
        value = choose(rng, options)
        slots.update(value if isinstance(value, dict) else {name: value})
    slots.update(story["slots"])
    return slots


def _subjects(rng: np.random.Generator, scenario: Any, story: Any, count: int) -> list[Any]:
    """Return the subjects that the seeker will talk about, the early ones first."""
    open_to_story = [t for t in scenario["topics"] if t["id"] not in story.get("skip", ())]
    picked = shuffled(rng, open_to_story)[:count]
    return sorted(picked, key=lambda topic: topic["stage"] + rng.random() * 1.2)


def _conversation(
    book: Phrasebook, scenario: Any, story: Any, quality: float, turns: int
) -> list[str]:
    """Return the lines of one conversation."""
    rng = book.rng
    supporter = _supporter(rng, quality)
    slots = _slots(rng, scenario, story)
    names = [value for name, value in slots.items() if value[:1].isupper() and name.islower()]
    # In an odd number of turns the seeker has the last word, a goodbye.
    subjects = [scenario["opening"], *_subjects(rng, scenario, story, turns // 2 - 1)]
    said: set[str] = set()
    lines: list[str] = []
    last_did: tuple[str, ...] = ()
    for place, subject in enumerate(subjects):
        now = slots | {"feeling": choose(rng, subject["feeling"])}
        now["thing"] = choose(rng, subject["thing"]).format_map(slots)
        if place == 0:
            told = book.draw(story["say"], now, said) or ""
            if chance(rng, 0.5):
                told += " " + (book.draw(subject["more"], now, said) or "")
        else:
            told = _seeker_turn(book, subject, now, said, last_did)
        lines.append(f"Seeker: {told}")
        following = subjects[place + 1] if place + 1 < len(subjects) else None
        reply, last_did = _supporter_turn(
            book,
            supporter,
            _banks(subject, story if place == 0 else None),
            now,
            said,
            told,
            following,
        )
        lines.append(f"Supporter: {casual(reply, names) if supporter.casual else reply}")
    if turns % 2:
        lines.append(f"Seeker: {_goodbye(book, quality, said)}")
    return lines


def _banks(subject: Any, story: Any | None) -> dict[str, list[str]]:
    """Return what may be said about a subject, by behaviour."""
    general = fragments("common")["supporter"]
    banks = {name: [*subject[name], *general[name]] for name in ORDER if name != "ask"}
    if story is not None:
        # General reflections refer to one subject among several; at the start there is only one.
        banks["reflect"] = [*story["reflect"], *subject["reflect"]]
    return banks


def _seeker_turn(
    book: Phrasebook, subject: Any, slots: Mapping[str, str], said: set[str], before: Sequence[str]
) -> str:
    """Return what the seeker says next: a word on the reply, then the next subject."""
    rng = book.rng
    warm = "validate" in before or "reflect" in before
    felt = [b for b in ("dismiss", "self", "advise", "reflect", "validate") if b in before]
    reaction = felt[0] if felt else "neutral"
    # After a question the seeker answers, perhaps with thanks; otherwise they first react to what
    # was said.
    asked = {"validate": 0.3, "dismiss": 0.15}
    likely = asked.get(reaction, 0.0) if "ask" in before else 0.8
    parts: list[str | None] = []
    if chance(rng, likely if reaction != "neutral" else likely / 2):
        parts.append(book.draw(fragments("common")["seeker"][f"after_{reaction}"], slots, said))
    told = book.draw(subject["say"], slots, said) or ""
    parts.append(told)
    if chance(rng, 0.75 if warm or "ask" in before else 0.55):
        parts.append(book.draw(subject["more"], slots, said, about=told))
    return " ".join(part for part in parts if part)


def _behaviours(rng: np.random.Generator, supporter: Supporter, *, may_ask: bool) -> list[str]:
    """Return what the supporter does in one turn, in that order."""
    shown = [b for b in ORDER if (may_ask or b != "ask") and supporter.does(rng, b)]
    if "dismiss" in shown and "reflect" in shown:
        shown.remove(choose(rng, ("dismiss", "reflect")))
    room = max(1, round(supporter.parts + 0.6 * _normal(rng)))
    kept = shuffled(rng, shown)[:room]
    return [b for b in ORDER if b in kept]


def _supporter_turn(
    book: Phrasebook,
    supporter: Supporter,
    banks: Mapping[str, Sequence[str]],
    slots: Mapping[str, str],
    said: set[str],
    told: str,
    following: Any | None,
) -> tuple[str, tuple[str, ...]]:
    """Return the supporter's turn and what it did."""
    rng = book.rng
    general = fragments("common")["supporter"]
    shown = _behaviours(rng, supporter, may_ask=following is not None)
    parts: list[str | None] = []
    for behaviour in shown:
        if behaviour == "ask":
            parts.append(_question(book, supporter, slots, said, following))
        else:
            parts.append(book.draw(banks[behaviour], slots, said, about=told))
    if not shown:
        parts.append(book.draw(general["filler"], slots, said))
    if following is None and chance(rng, 0.6):
        kind = "close_warm" if supporter.quality + _normal(rng) > 0 else "close_flat"
        parts.append(book.draw(general[kind], slots, said))
    reply = " ".join(part for part in parts if part)
    if chance(rng, 0.15) and not _STARTS.match(reply):
        reply = f"{book.draw(general['opener'], slots, said) or ''} {reply}".strip()
    return reply, tuple(shown)


def _question(
    book: Phrasebook, supporter: Supporter, slots: Mapping[str, str], said: set[str], following: Any
) -> str | None:
    """Return a question that the seeker's next turn will answer."""
    rng = book.rng
    general = fragments("common")["supporter"]
    kind = "ask_open" if chance(rng, _share(1.2 * supporter.propensity["ask"])) else "ask_closed"
    bank = general[kind] if chance(rng, 0.25) else following[kind]
    return book.draw(bank, slots, said) or book.draw(general[kind], slots, said)


def _goodbye(book: Phrasebook, quality: float, said: set[str]) -> str:
    """Return the seeker's last words, about as warm as the conversation was."""
    felt = quality + 0.7 * _normal(book.rng)
    kind = "close_warm" if felt > 0.6 else "close_flat" if felt < -0.6 else "close_mid"
    return book.draw(fragments("common")["seeker"][kind], {}, said) or "Thanks."


def write(path: Path) -> None:
    """Write the demo's items with the fixed seed."""
    tabular.write_csv(path, COLUMNS, compose(np.random.default_rng(SEED)))


if __name__ == "__main__":
    write(Path(__file__).with_name("items.csv"))
