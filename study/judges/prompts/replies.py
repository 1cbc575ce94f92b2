"""Read replies strictly: a reply has a clear answer, or it has none. Nothing is guessed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from study.tasks.base import Answers  # it imports the store, which is not needed here

#: Tokens of a reply in order, each with the log-probabilities of its alternatives.
Tokens = Sequence[tuple[str, Mapping[str, float]]]

SIDES = {"A": "left", "B": "right"}


class Unreadable(Exception):  # noqa: N818 - it is not an error but a kind of reply
    """A reply without a clear answer.

    Parameters
    ----------
    reason : str
        A few words, never the reply itself.
    refused : bool
        Whether it declines to answer. True only if nothing in the reply could be an answer and it
        begins by saying, in English, that it cannot or will not do this. A refusal in other words
        or another language is treated like any other reply that cannot be read.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        self.reason = reason
        self.refused = refused
        super().__init__(reason)


def read_choice(text: str, *, noun: str = "text") -> Answers:
    """Read the reply to a pairwise question.

    Accepted are `{"choice": "A"}`, alone or in a code fence, and a single letter. Around the letter
    there may be only marks, a word such as "Answer", or the word for a text.

    Returns
    -------
    mapping
        {"choice": "left"} for A, {"choice": "right"} for B.

    Raises
    ------
    Unreadable
        For anything else, such as both letters, another letter, or a letter and a sentence.
    """
    letter, _ = _find_choice(text, noun)
    return {"choice": SIDES[letter]}


def read_best_worst(text: str, letters: Sequence[str], *, noun: str = "text") -> Answers:
    """Read the reply to a best-worst question, `{"most": "C", "least": "A"}`.

    Returns
    -------
    mapping
        {"most": place, "least": place}, from 1; two different places.

    Raises
    ------
    Unreadable
        When it is anything else.
    """
    found = _object(text, ("most", "least"))
    places = {}
    for key in ("most", "least"):
        match = _letter_in(found[key], noun)
        letter = match["letter"].upper() if match else ""
        if letter not in letters:
            raise Unreadable(f'"{key}" is not one of the letters')
        places[key] = letters.index(letter) + 1
    if places["most"] == places["least"]:
        raise Unreadable("most and least are the same")
    return places


def read_ratings(text: str, points: Mapping[str, range]) -> Answers:
    """Read the reply to a rating question, one JSON object with one whole number per dimension.

    Parameters
    ----------
    text : str
    points : mapping
        The scores that can be given, by dimension; exactly these are accepted.

    Raises
    ------
    Unreadable
        When a dimension is missing, extra or twice, or a score is not a whole point of the scale.
    """
    found = _object(text, tuple(points))
    scores: dict[str, int | str] = {}
    for name, allowed in points.items():
        score = _whole(found[name])
        if score is None:
            raise Unreadable(f'"{name}" is not a whole number')
        if score not in allowed:
            raise Unreadable(f'"{name}" is outside {allowed[0]} to {allowed[-1]}')
        scores[name] = score
    return scores


def p_left(tokens: Tokens, *, noun: str = "text") -> float | None:
    """Return a judge's own probability of A, from the token of its reply that carries the letter.

    Parameters
    ----------
    tokens : sequence of (token, mapping of alternative to log-probability)
        The tokens of the reply, the chosen one among its own alternatives.

    Returns
    -------
    float or None
        P(A) / (P(A) + P(B)), each summed over its spellings (`A`, ` A`, `"A`). None if the reply
        cannot be read, or if a letter that is not listed could still have a share that matters.
    """
    written = [(_plain(token), listed) for token, listed in tokens]
    try:
        letter, at = _find_choice("".join(token for token, _ in written), noun)
    except Unreadable:
        return None
    for token, listed in written:
        if at < len(token):
            return _share_of_a(token[:at], listed, lower=token[at] != letter)
        at -= len(token)
    return None  # pragma: no cover - the letter is in one of them


# Marks before and after a letter that do not change its meaning.
_BEFORE = r"[\s*_`\"'“‘(\[]*"
_AFTER = r"[\s*_`\"'”’)\].!]*"
_SAYS = r"(?:(?:my|the)\s)?(?:final\s)?(?:answer|choice|verdict)(?:\sis)?"
_LONGEST_LETTER = 60

_THOUGHT = re.compile(r".*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_THINKING = re.compile(r"\s*<(?:think|thinking|reasoning)>", re.IGNORECASE)
# A line that announces the object. Only these words are allowed, so it cannot say anything else.
_LEAD = (
    r"(?:(?:sure|okay|certainly)[,.!]?\s)?"
    r"(?:here\s(?:is|are)\s)?(?:(?:my|the|your)\s)?(?:final\s|json\s){0,2}"
    r"(?:answers?|choices?|object|output|ratings?|response|results?|scores?|json)\s?:\s*"
)
_JSON = re.compile(
    rf"(?:{_LEAD})?(?:```(?:json)?\s*(?P<fenced>\{{[^`]*)```|(?P<bare>\{{.*))",
    re.DOTALL | re.IGNORECASE,
)

# A brace, a digit, a single capital other than I, or a word that points at one of the texts.
_COULD_ANSWER = re.compile(
    r"[{}\d]|\b[A-HJ-Z]\b|\b(?i:first|second|third|last|former|latter|better|best|worse|worst|prefer)\b"
)
# The beginning of a reply that declines to answer.
_DECLINES = re.compile(
    r"\W*(?:(?:i am|i'm)\s(?:very\s|really\s|so\s)?sorry\W+(?:but\s)?|sorry\W+(?:but\s)?|"
    r"i apologi[sz]e\W+(?:but\s)?|unfortunately\W+|as an? (?:ai|language model|assistant)"
    r"(?: language model| assistant| model)?\W+){0,3}"
    r"i(?:'m|\sam)?\s(?:can't|cannot|can not|won't|will not|not able to|unable to|must decline to)"
    r"(?:\s(?:and|or|will not|won't|be able to)){0,2}\s"
    r"(?:answer|assist|choose|compare|comply|continue|do|engage|evaluate|fulfil|fulfill|help|judge|"
    r"participate|process|provide|rate|score|take part)\b",
    re.IGNORECASE,
)


def _find_choice(text: str, noun: str) -> tuple[str, int]:
    """Return the letter that a reply chooses, and the letter's position in the reply."""
    body, start = _answer(text)
    if _JSON.match(body):
        match = _letter_in(_object(text, ("choice",))["choice"], noun)
        if match:
            opened = re.search(r'"choice"\s*:\s*"', body)
            # escapes in the value would move the letter, but judges do not write them
            at = opened.end() + match.start("letter") if opened else 0
            if body[at : at + 1] == match["letter"]:
                return _a_or_b(match["letter"]), start + at
        raise Unreadable('"choice" is neither A nor B')
    match = _letter_in(body, noun)
    if match is None:
        raise _unreadable(body, "not one letter")
    return _a_or_b(match["letter"]), start + match.start("letter")


def _a_or_b(letter: str) -> str:
    if letter.upper() not in SIDES:
        raise Unreadable("a letter other than A or B")
    return letter.upper()


def _letter_in(said: object, noun: str) -> re.Match[str] | None:
    """Return the letter, if there is one and nothing around it that says more."""
    if not isinstance(said, str) or len(said) > _LONGEST_LETTER:
        return None
    return re.fullmatch(
        rf"{_BEFORE}(?:{_SAYS}[\s*_]*[:=]?[\s*_]*)?{_BEFORE}"
        rf"(?:(?:{re.escape(noun)}|option)\s)?{_BEFORE}(?P<letter>[A-Z]){_AFTER}",
        said,
        re.IGNORECASE | re.ASCII,
    )


def _answer(text: str) -> tuple[str, int]:
    """Return a reply without the thoughts before it and the space around it, and its start."""
    thought = _THOUGHT.match(text)
    start = thought.end() if thought else 0
    if thought is None and _THINKING.match(text):
        raise Unreadable("cut off while thinking")
    body = text[start:].lstrip("\ufeff \t\r\n\v\f\u00a0")
    start = len(text) - len(body)
    body = body.rstrip()
    if not body:
        raise Unreadable("empty")
    return body, start


def _object(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return the one JSON object that makes up a reply; it must have exactly these keys."""
    body, _ = _answer(text)
    match = _JSON.fullmatch(body)
    if match is None:
        raise _unreadable(body, "no JSON object, or more than one")
    written = (match["fenced"] or match["bare"]).strip()
    if not written.endswith("}"):
        raise Unreadable("JSON that is cut off, or continues after its end")
    try:
        found = json.loads(written, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    missing = [key for key in keys if key not in found]
    if missing:
        raise Unreadable(f'"{missing[0]}" is missing')
    if len(found) > len(keys):
        raise Unreadable("a key that was not asked for")
    return dict(found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise Unreadable("a key occurs more than once")
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise Unreadable(f"{name} is not a number")


def _whole(value: object) -> int | None:
    """Return a whole number written as 4, 4.0 or "4"."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    return None


def _unreadable(body: str, reason: str) -> Unreadable:
    """Return why a reply without an answer cannot be read; call it a refusal only if that is safe.

    A reply that contains anything that could be an answer (see `_COULD_ANSWER`) is not a refusal,
    whatever else it says.
    """
    if not _COULD_ANSWER.search(body) and _DECLINES.match(body.replace("’", "'")):
        return Unreadable("the judge declines", refused=True)
    return Unreadable(reason)


# Characters that some tokenizers write for a space or a new line.
_SIGNS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})
_AROUND = " \t\r\n*_`\"'“”‘’()[]{}:.,!"
# A letter that is not listed counts as impossible if its share must be smaller than this.
_NEGLIGIBLE = 0.01


def _plain(token: str) -> str:
    return token.translate(_SIGNS)


def _share_of_a(before: str, listed: Mapping[str, float], *, lower: bool) -> float | None:
    """Return P(A) among A and B at one place of a reply, from what is listed there."""
    if not listed or any(math.isnan(value) or value > 0.01 for value in listed.values()):
        return None
    mass: dict[str, float] = {}
    for alternative, value in listed.items():
        spelling = _plain(alternative).removeprefix(before).strip(_AROUND)
        mass[spelling] = mass.get(spelling, 0.0) + math.exp(value)
    names = ("a", "b") if lower else ("A", "B")
    shares = [mass.get(name) for name in names]
    known = sum(share for share in shares if share is not None)
    unlisted = max(0.0, 1 - sum(mass.values()))
    if known <= 0 or (None in shares and unlisted > _NEGLIGIBLE * known):
        return None
    return (shares[0] or 0.0) / known
