"""Finds each text of a plan that raters read in another language than the pages'."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from prereg.checking.language import NAMES, language_of
from prereg.plan.file import PLAN_FILE, parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import Choices, chosen_plan, languages_of, worked_plans

# Words of labels, options and short questions that tell the language, beside the commonest words
# of any text. Hardly any of English is a word of German, and the other way round.
_ENGLISH = frozenset(
    "the of and to is are that you with your this have be for from not what which they how "
    "would there their when one who do does we my very somewhat slightly extremely completely "
    "throughout strongly agree disagree neither nor never rarely sometimes often always no yes "
    "both none all at other much little better worse best worst good bad low high helpful useful "
    "extent degree great cold likely unlikely difference first second third reply response answer "
    "male female woman prefer say know don doesn them he she his its our".split()
)
_GERMAN = frozenset(
    "der das und ist nicht sie ich ein eine einen eines einer mit auf für dem den des sich auch es "
    "wir ihr ihre oder wie wird werden sind dass von zu bei aus wenn gar sehr überhaupt teilweise "
    "völlig ziemlich eher kaum etwas nie niemals selten manchmal häufig immer stimme ja nein beide "
    "keine keiner kein besser schlechter gut schlecht niedrig hoch weiß weder noch antwort "
    "männlich weiblich".split()
)
_TELLING = {"en": _ENGLISH, "de": _GERMAN}
# Words that show that a text is in the language, even if another one may have them too.
_OWN = {
    "en": _ENGLISH | frozenset("a i in on an was will can or as by if so also".split()),
    "de": _GERMAN
    | frozenset(
        "die in im am um an was man so als hat haben war kann können würde nur mehr alle zum zur "
        "vom nach bitte welche welcher welches wer wessen wem diese dieser dieses jede jeder "
        "beides".split()
    ),
}
_SENTENCE = re.compile(r"(?<=[.!?؟])\s+|\n+")
_QUOTED = re.compile('[„“”"«»‚‘][^„“”"«»‚‘’]*[“”"«»‘’]')
# A word; the parts of a compound with hyphens (State-of-the-Art) say nothing about the language.
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# Of so many telling words, the language is sure; loanwords and fixed phrases have fewer.
_SURE = 3
# Answers are short, and may be names or loanwords; with so many words, one is judged by itself.
_FEWEST_WORDS = 2
# More texts of one part than these are named in one warning.
_MOST_NAMED = 3


class Foreign(NamedTuple):
    """Texts of one part of a plan that are in another language: it, and the keys."""

    spoken: str
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """The English name of the language."""
        return NAMES[self.spoken]

    def others(self) -> str:
        """Return which other texts than the first are in the language, for a sentence."""
        if len(self.keys) == 1:
            return ""
        more = ", ".join(self.keys[1:_MOST_NAMED])
        rest = len(self.keys) - _MOST_NAMED
        return f", as do {len(self.keys) - 1} other texts ({more} and {rest} more)"


def foreign_texts(plan: Plan) -> list[Foreign]:
    """Return the plan's texts for raters that are in another language than its pages.

    Every text is judged by itself, sentence by sentence; where no answer of a question or label of
    a scale can be judged alone, they are judged together. A text that cannot be told is left out.

    Parameters
    ----------
    plan : Plan
    """
    parts: dict[tuple[str, str], list[str]] = {}
    for key, spoken in _foreign(plan):
        parts.setdefault((key.partition(".")[0], spoken), []).append(key)
    found = []
    for (_, spoken), keys in parts.items():
        together = [tuple(keys)] if len(keys) > _MOST_NAMED else [(key,) for key in keys]
        found += [Foreign(spoken, some) for some in together]
    return found


def _foreign(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the key of each text, or of each list of answers, with its language."""
    content = plan.to_json()
    for key, text in _questions(content):
        spoken = _spoken(text, plan.language)
        if spoken is not None:
            yield key, spoken
    for key, answers in _answers(content):
        told = [
            (f"{key}.{name}", spoken)
            for name, text in answers.items()
            if len(_WORD.findall(text)) >= _FEWEST_WORDS
            and (spoken := _spoken(text, plan.language)) is not None
        ]
        yield from told
        together = None if told else _spoken_together(answers.values(), plan.language)
        if together is not None:
            yield key, together


def _questions(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the questions and other whole texts that raters read, with their key."""
    for name in ("question", "tie_answer"):
        if name in content["design"]:
            yield f"design.{name}", content["design"][name]
    if "comprehension" in content:
        yield "comprehension.question", content["comprehension"]["question"]
    for part in ("scales", "survey"):
        for number, one in enumerate(content.get(part) or ()):
            told = [name for name in ("question", "instructions") if name in one]
            yield from ((f"{part}.{number}.{name}", one[name]) for name in told)
    for part in ("practice", "attention_checks"):
        trials = content.get(part)
        for number, one in enumerate(trials if isinstance(trials, list) else ()):
            for place, text in enumerate(one["texts"]):
                yield f"{part}.{number}.texts.{place}", text
            if "prompt" in one:
                yield f"{part}.{number}.prompt", one["prompt"]


def _answers(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the key of each list of answers or labels, and its texts by what follows the key."""
    options = content.get("comprehension", {}).get("options", ())
    yield "comprehension.options", {str(n): text for n, text in enumerate(options)}
    for part in ("scales", "survey"):
        for number, one in enumerate(content.get(part) or ()):
            for name in ("labels", "options"):
                if name in one:
                    yield f"{part}.{number}.{name}", _by_place(one[name])
    display = content.get("display") or {}
    yield "display.labels", _by_place(display.get("labels", ()))


def _by_place(answers: Any) -> dict[str, str]:
    """Return what raters read of labels or options: of a label with a text, the text alone."""
    if isinstance(answers, Mapping):
        return {str(point): text for point, text in answers.items()}
    return {
        str(n): one if isinstance(one, str) else one.get("text", one["name"])
        for n, one in enumerate(answers)
    }


def _spoken(text: str, own: str) -> str | None:
    """Return the language of a text, if it can be told and is another than `own`."""
    words = " ".join(text.split()).casefold()
    if len(words.split()) >= _FEWEST_WORDS and words not in _worked_in(own):
        exactly = (name for name in NAMES if words in _worked_in(name))
        spoken = next(exactly, None)
        if spoken is not None:
            return spoken
    unquoted = _QUOTED.sub(" ", text)
    for sentence in _SENTENCE.split(unquoted if _WORD.search(unquoted) else text):
        spoken = language_of(sentence) or _short([sentence], own)
        if spoken not in {None, own}:
            return spoken
    return None


def _spoken_together(texts: Iterable[str], own: str) -> str | None:
    """Return the language of short texts that are shown together, if it is another than `own`."""
    lines = list(texts)
    spoken = language_of("\n".join(lines)) or _short(lines, own)
    return spoken if spoken != own else None


def _short(lines: list[str], own: str) -> str | None:
    """Return another language than `own` that short texts are in, by their telling words."""
    words = [word for line in lines for word in _WORD.findall(line)]
    folded = [word.casefold() for word in words]
    if not _OWN.get(own, frozenset()).isdisjoint(folded):
        return None
    latin = not any("\u0600" <= letter <= "\u06ff" for word in words for letter in word)
    first = {match[0] for line in lines if (match := _WORD.search(line))}
    for spoken, telling in _TELLING.items():
        count = sum(word in telling for word in folded)
        if spoken == own or not latin or count == 0:
            continue
        if own not in _OWN and len(words) >= _FEWEST_WORDS:  # a script of its own
            return spoken
        # German takes over English phrases with capitals: State of the Art
        phrase = any(
            w[0].isupper() and w not in first and w.casefold() not in telling for w in words
        )
        if count >= _SURE or (count >= 2 and not (phrase and spoken == "en")):
            return spoken
    return None


@cache
def _worked_in(language: str) -> frozenset[str]:
    """Return the texts of the worked plans in a language, as `_spoken` compares them."""
    found = set()
    for worked in worked_plans():
        if language not in languages_of(worked):
            continue
        plan = parse_plan(chosen_plan(worked, Choices(language=language)), file=PLAN_FILE)
        content = plan.to_json()
        texts = [text for _, text in _questions(content)]
        texts += [text for _, answers in _answers(content) for text in answers.values()]
        found |= {" ".join(text.split()).casefold() for text in texts}
    return frozenset(found)
