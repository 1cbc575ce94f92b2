"""A judge's own probability of an answer, from the log-probabilities of its reply's tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from study.judges.prompts.replies import AROUND, SIDES, Unreadable, find_choice

#: Tokens of a reply in order, each with the log-probabilities of its alternatives.
Tokens = Sequence[tuple[str, Mapping[str, float]]]

# Characters that some tokenizers write for a space or a new line.
_SIGNS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n"})
# A letter that is not listed counts as impossible if its share must be smaller than this.
_NEGLIGIBLE = 0.01


def p_left(tokens: Tokens, *, noun: str = "text", ties: bool = False) -> float | None:
    """Return a judge's own probability of A, from the token of its reply that carries the letter.

    Parameters
    ----------
    tokens : sequence of (token, mapping of alternative to log-probability)
        The tokens of the reply, the chosen one among its own alternatives.
    noun : str
        The word for a text.
    ties : bool
        Whether the reply may be a tie. Then too this is the probability of A among A and B.

    Returns
    -------
    float or None
        P(A) / (P(A) + P(B)), each summed over its spellings (`A`, ` A`, `"A`). None if the reply
        cannot be read, or if a letter that is not listed could still have a share that matters.
    """
    written = [(_plain(token), listed) for token, listed in tokens]
    try:
        letter, at = find_choice("".join(token for token, _ in written), noun, None, ties)
    except Unreadable:
        return None
    for token, listed in written:
        if at < len(token):
            lower = letter in SIDES and token[at] != letter
            return _share_of_a(token[:at], listed, lower=lower)
        at -= len(token)
    return None  # pragma: no cover - the letter is in one of them


def _plain(token: str) -> str:
    return token.translate(_SIGNS)


def _share_of_a(before: str, listed: Mapping[str, float], *, lower: bool) -> float | None:
    """Return P(A) among A and B at one place of a reply, from what is listed there."""
    if not listed or any(math.isnan(value) or value > 0.01 for value in listed.values()):
        return None
    mass: dict[str, float] = {}
    for alternative, value in listed.items():
        spelling = _plain(alternative).removeprefix(before).strip(AROUND)
        mass[spelling] = mass.get(spelling, 0.0) + math.exp(value)
    names = ("a", "b") if lower else ("A", "B")
    shares = [mass.get(name) for name in names]
    known = sum(share for share in shares if share is not None)
    unlisted = max(0.0, 1 - sum(mass.values()))
    if known <= 0 or (None in shares and unlisted > _NEGLIGIBLE * known):
        return None
    return (shares[0] or 0.0) / known
