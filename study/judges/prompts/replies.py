"""Read replies strictly: a reply has a clear answer, or it has none. Nothing is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from prereg.tables.contract import TIE
from study.judges.prompts.thoughts import covered

if TYPE_CHECKING:
    from study.tasks.base import Answers  # it imports the store, which is not needed here


SIDES = {"A": "left", "B": "right"}
#: The points, or the labels, that a rating may have.
Allowed = range | tuple[str, ...]
# What may be chosen if ties are offered.
OR_TIE = {**SIDES, TIE.upper(): TIE}


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


def read_choice(
    text: str, *, noun: str = "text", notes: list[str] | None = None, ties: bool = False
) -> Answers:
    """Read the reply to a pairwise question.

    Accepted are `{"choice": "A"}`, alone or in a code fence, and a single letter. Around the letter
    there may be only marks, a word such as "Answer", or the word for a text. Thoughts that are
    marked as such, and marks that end a turn, do not count. In an object, keys that were not asked
    for are left out, with a note, unless they contradict the answer.

    Parameters
    ----------
    text : str
    noun : str
        The word for a text.
    notes : list of str, optional
        Takes a note on what was left out.
    ties : bool
        Whether the word "tie" is an answer too, in place of a letter.

    Returns
    -------
    mapping
        {"choice": "left"} for A, {"choice": "right"} for B, {"choice": "tie"} for a tie.

    Raises
    ------
    Unreadable
        For anything else, such as both letters, another letter, or a letter and a sentence.
    """
    letter, _ = find_choice(text, noun, notes, ties)
    return {"choice": OR_TIE[letter]}


def read_best_worst(
    text: str, letters: Sequence[str], *, noun: str = "text", notes: list[str] | None = None
) -> Answers:
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
    found = _object(text, ("most", "least"), notes)
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


def read_ratings(
    text: str, points: Mapping[str, Allowed], *, notes: list[str] | None = None
) -> Answers:
    """Read the reply to a rating question, one JSON object with one answer per dimension.

    A point is a whole number. A label is one of the names; letter case and marks around it do not
    matter.

    Parameters
    ----------
    text : str
    points : mapping
        The scores, or the labels, that can be given, by dimension.
    notes : list of str, optional
        Takes a note on keys that were left out.

    Raises
    ------
    Unreadable
        When a dimension is missing or twice, or an answer is none of the points or labels.
    """
    found = _object(text, tuple(points), notes)
    scores: dict[str, int | str] = {}
    for name, allowed in points.items():
        if not isinstance(allowed, range):
            scores[name] = _label(found[name], name, allowed)
            continue
        score = _whole(found[name])
        if score is None:
            raise Unreadable(f'"{name}" is not a whole number')
        if score not in allowed:
            raise Unreadable(f'"{name}" is outside {allowed[0]} to {allowed[-1]}')
        scores[name] = score
    return scores


def is_empty(text: str) -> bool:
    """Say whether a reply has nothing but marks and thoughts that are closed."""
    try:
        return not covered(text).strip(_SPACE)
    except ValueError:
        return False


def read_end(thoughts: str, read: Callable[[str], Answers]) -> Answers:
    """Read the answer at the end of a judge's thoughts, after which it said nothing.

    The last object, or else the last line, must be an answer by the same rules as a reply. Objects
    before it must not say anything else.

    Parameters
    ----------
    thoughts : str
    read : callable
        Reads a reply.

    Raises
    ------
    Unreadable
        When there is no answer at the end.
    """
    text = thoughts.rstrip(_SPACE)
    try:
        return read(text)
    except Unreadable:
        pass
    objects = [found[0] for found in _FLAT_OBJECT.finditer(text)]
    if objects and text.removesuffix("```").rstrip(_SPACE).endswith(objects[-1]):
        answer, earlier = read(objects[-1]), objects[:-1]
    else:
        answer, earlier = read(text.rpartition("\n")[2]), objects
    for one in earlier:
        try:
            other = read(one)
        except Unreadable:
            continue
        if other != answer:
            raise Unreadable("the thoughts hold two answers that contradict each other")
    return answer


# Marks before and after a letter that do not change its meaning.
_BEFORE = r"[\s*_`\"'“‘(\[]*"
_AFTER = r"[\s*_`\"'”’)\].!]*"
_SAYS = r"(?:(?:my|the)\s)?(?:final\s)?(?:answer|choice|verdict)(?:\sis)?"
_LONGEST_LETTER = 60

AROUND = " \t\r\n*_`\"'“”‘’()[]{}:.,!"
_SPACE = "\ufeff \t\r\n\v\f\u00a0"
# An object without objects in it.
_FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
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


def find_choice(
    text: str, noun: str, notes: list[str] | None, ties: bool = False
) -> tuple[str, int]:
    """Return the letter that a reply chooses (or TIE), and its position in the reply."""
    body, start = _answer(text)
    if _JSON.match(body):
        found = _object(text, ("choice",), notes)
        match = _letter_in(found.pop("choice"), noun, ties)
        if match:
            _no_other_letter(found, match["letter"], noun, ties)
            opened = re.search(r'"choice"\s*:\s*"', body)
            # escapes in the value would move the letter, but judges do not write them
            at = opened.end() + match.start("letter") if opened else 0
            if body[at : at + len(match["letter"])] == match["letter"]:
                return _a_or_b(match["letter"], ties), start + at
        raise Unreadable('"choice" is neither A nor B' + " nor a tie" * ties)
    match = _letter_in(body, noun, ties)
    if match is None:
        raise _unreadable(body, "not one letter")
    return _a_or_b(match["letter"], ties), start + match.start("letter")


def _no_other_letter(beside: Mapping[str, Any], letter: str, noun: str, ties: bool) -> None:
    """Raise if a key that was not asked for holds another letter, as in `"final": "B"`."""
    for value in beside.values():
        other = _letter_in(value, noun, ties)
        if other and other["letter"].upper() != letter.upper():
            raise Unreadable("two answers that contradict each other")


def _a_or_b(letter: str, ties: bool) -> str:
    if letter.upper() not in (OR_TIE if ties else SIDES):
        raise Unreadable("a letter other than A or B")
    return letter.upper()


def _letter_in(said: object, noun: str, ties: bool = False) -> re.Match[str] | None:
    """Return the letter (or the tie), if there is one and nothing around it that says more."""
    if not isinstance(said, str) or len(said) > _LONGEST_LETTER:
        return None
    return re.fullmatch(
        rf"{_BEFORE}(?:{_SAYS}[\s*_]*[:=]?[\s*_]*)?{_BEFORE}"
        rf"(?:(?:{re.escape(noun)}|option)\s)?{_BEFORE}(?P<letter>[A-Z]{'|tie' * ties}){_AFTER}",
        said,
        re.IGNORECASE | re.ASCII,
    )


def _answer(text: str) -> tuple[str, int]:
    """Return a reply without the thoughts before it and the space around it, and its start."""
    try:
        visible = covered(text)
    except ValueError as error:
        raise Unreadable("cut off while thinking") from error
    body = visible.lstrip(_SPACE)
    start = len(text) - len(body)
    body = body.rstrip(_SPACE)
    if not body:
        raise Unreadable("empty")
    return body, start


def _object(text: str, keys: Sequence[str], notes: list[str] | None) -> dict[str, Any]:
    """Return the one JSON object that makes up a reply; it must have these keys."""
    body, _ = _answer(text)
    match = _JSON.fullmatch(body)
    if match is None:
        raise _unreadable(body, "no JSON object, or more than one")
    written = (match["fenced"] or match["bare"]).strip()
    if not written.endswith("}"):
        raise Unreadable("JSON that is cut off, or continues after its end")
    written = re.sub(r",(\s{0,100}\})$", r"\1", written)  # nothing is missing after a last comma
    try:
        found = json.loads(written, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Unreadable("not JSON") from error
    missing = [key for key in keys if key not in found]
    if missing:
        raise Unreadable(f'"{missing[0]}" is missing')
    extra = [name for name in found if name not in keys]
    if extra:
        _no_other_value(found, keys, extra)
        if notes is not None:
            shown = ", ".join(name[:40] for name in extra[:3])
            notes.append(f"left out, because it was not asked for: {shown}")
    return dict(found)


def _no_other_value(found: Mapping[str, Any], keys: Sequence[str], extra: Sequence[str]) -> None:
    """Raise if an extra key is one of the keys in another spelling, with another value."""
    asked = {_letters(name): name for name in keys}
    for name in extra:
        key = asked.get(_letters(name))
        if key is not None and found[name] != found[key]:
            raise Unreadable("two answers that contradict each other")


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


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


def _label(value: object, name: str, allowed: Sequence[str]) -> str:
    """Return the one label that a value names: nothing around it may say more."""
    said = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    for spelled in (said.strip(_SPACE), said.strip(AROUND + _SPACE)):
        for label in allowed:
            if " ".join(spelled.split()).casefold() == label.casefold():
                return label
    raise Unreadable(f'"{name}" is none of the labels')


def _unreadable(body: str, reason: str) -> Unreadable:
    """Return why a reply without an answer cannot be read; call it a refusal only if that is safe.

    A reply that contains anything that could be an answer (see `_COULD_ANSWER`) is not a refusal,
    whatever else it says.
    """
    if not _COULD_ANSWER.search(body) and _DECLINES.match(body.replace("’", "'")):
        return Unreadable("the judge declines", refused=True)
    return Unreadable(reason)
