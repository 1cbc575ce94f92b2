"""Reads replies strictly: an answer that is unmistakably there, or none. Nothing is guessed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from study.tasks.base import Answers  # it knows the store, which reading a reply does not need

#: Tokens of a reply in order, each with the log-probabilities of what could have stood there.
Tokens = Sequence[tuple[str, Mapping[str, float]]]

SIDES = {"A": "left", "B": "right"}


class Unreadable(Exception):  # noqa: N818 - no fault of anybody's, a thing that replies are
    """A reply that does not answer, or not unmistakably.

    Parameters
    ----------
    reason : str
        A few words, never the reply itself.
    refused : bool
        Whether it declines to answer. True only where nothing in the reply could be an answer and
        it begins by saying, in English, that it cannot or will not do this; a refusal in other
        words or another language is a reply like any other that cannot be read.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        self.reason = reason
        self.refused = refused
        super().__init__(reason)


def read_choice(text: str, *, noun: str = "text") -> Answers:
    """Read the reply to a pairwise question.

    Accepted are `{"choice": "A"}`, alone or in a code fence, and one letter with nothing around it
    but marks, a word such as "Answer" or what the texts are called.

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
            raise Unreadable(f'"{key}" is none of the letters')
        places[key] = letters.index(letter) + 1
    if places["most"] == places["least"]:
        raise Unreadable("most and least are the same")
    return places


def read_ratings(text: str, points: Mapping[str, range]) -> Answers:
    """Read the reply to a rating question, one JSON object with a whole number a dimension.

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
            raise Unreadable(f'"{name}" is no whole number')
        if score not in allowed:
            raise Unreadable(f'"{name}" lies outside {allowed[0]} to {allowed[-1]}')
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
        P(A) / (P(A) + P(B)), each summed over its spellings (`A`, ` A`, `"A`). None where the reply
        cannot be read, or where a letter that is not listed could still have a share that counts.
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
    return None  # pragma: no cover - the letter stands in one of them


# What stands before and after a letter without saying anything.
_BEFORE = r"[\s*_`\"'“‘(\[]*"
_AFTER = r"[\s*_`\"'”’)\].!]*"
_SAYS = r"(?:(?:my|the)\s)?(?:final\s)?(?:answer|choice|verdict)(?:\sis)?"
_LONGEST_LETTER = 60

_THOUGHT = re.compile(r".*</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_THINKING = re.compile(r"\s*<(?:think|thinking|reasoning)>", re.IGNORECASE)
# One line that announces the object. The list is closed, so that it cannot say anything else.
_LEAD = (
    r"(?:(?:sure|okay|certainly)[,.!]?\s)?"
    r"(?:here\s(?:is|are)\s)?(?:(?:my|the|your)\s)?(?:final\s|json\s){0,2}"
    r"(?:answers?|choices?|object|output|ratings?|response|results?|scores?|json)\s?:\s*"
)
_JSON = re.compile(
    rf"(?:{_LEAD})?(?:```(?:json)?\s*(?P<fenced>\{{[^`]*)```|(?P<bare>\{{.*))",
    re.DOTALL | re.IGNORECASE,
)

# A brace, a digit, a capital by itself other than I, a word that points at one of the texts.
_COULD_ANSWER = re.compile(
    r"[{}\d]|\b[A-HJ-Z]\b|\b(?i:first|second|third|last|former|latter|better|best|worse|worst|prefer)\b"
)
# Said in place of an answer, at its beginning.
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
    """Return the letter that a reply chooses, and where in it the letter stands."""
    body, start = _answer(text)
    if _JSON.match(body):
        match = _letter_in(_object(text, ("choice",))["choice"], noun)
        if match:
            opened = re.search(r'"choice"\s*:\s*"', body)
            # escapes in the value would move the letter; nobody writes them
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
        raise Unreadable("another letter than A or B")
    return letter.upper()


def _letter_in(said: object, noun: str) -> re.Match[str] | None:
    """Return the letter where there is one, and nothing around it that says more."""
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
    """Return the one JSON object that a reply is, if it has exactly these keys."""
    body, _ = _answer(text)
    match = _JSON.fullmatch(body)
    if match is None:
        raise _unreadable(body, "no JSON object, or more than one")
    written = (match["fenced"] or match["bare"]).strip()
    if not written.endswith("}"):
        raise Unreadable("JSON that is cut off, or goes on after its end")
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
        raise Unreadable("a key stands twice")
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise Unreadable(f"{name} is no number")


def _whole(value: object) -> int | None:
    """Return a whole number written as 4, 4.0 or "4"."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,3}", value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return int(value)
    return None


def _unreadable(body: str, reason: str) -> Unreadable:
    """Return why a reply without an answer cannot be read, refusals told apart where that is safe.

    A reply that holds anything an answer could be made of (see `_COULD_ANSWER`) is no refusal,
    whatever else it says.
    """
    if not _COULD_ANSWER.search(body) and _DECLINES.match(body.replace("’", "'")):
        return Unreadable("the judge declines", refused=True)
    return Unreadable(reason)


# Signs by which some tokenizers write a space or a new line.
_SIGNS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})
_AROUND = " \t\r\n*_`\"'“”‘’()[]{}:.,!"
# A letter that is not listed counts as never, where all it could have is less than this share.
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
