"""Rewrite texts in ways that should not change their empathy: four mechanical, three supplied.

The mechanical ones follow the robustness checks of Haleas, *Exploring the Empathy of Leading LLMs
(Therapeutic Application)*, in our own code: repeated letters and punctuation, Greek look-alikes,
misspelling and truncation, leetspeak. They are mild enough for people to read, keep every line and
every speaker's label, and can be undone letter by letter (`edits`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prereg.errors import RatifyError
from prereg.plan.judging import MECHANICAL, REWRITTEN

# The share of possible changes that are made: enough to be noticed in every sentence, but not so
# many that the text is hard to read.
WORD_RATE = 0.25  # of words that get a repeated letter, or a spelling error
PUNCTUATION_RATE = 0.5  # of full stops, question and exclamation marks that are repeated
LETTER_RATE = 0.5  # of letters that have a look-alike, or a digit that stands for them

LOOKALIKES = dict(zip("AaBEeHIiKkMNnOoPpTtuvwXxYyZ", "ΑαΒΕεΗΙιΚκΜΝηΟοΡρΤτυνωΧχΥγΖ", strict=True))
LEET = dict(zip("AaEeIiOoSsTt", "443311005577", strict=True))

_WORD = re.compile(r"[^\W\d_]{3,}")
_STOP = re.compile(r"(?<![.!?])[.!?](?![.!?])")
# A label ends at the line's first colon. If that is within 80 letters, nothing before it changes. A
# name has at most 24 letters, so no edit makes or unmakes a label.
_LABEL = re.compile(r"[\s*_>-]*+[^:]{0,80}+[\s*_]*+:")


@dataclass(frozen=True)
class Edit:
    """One replacement; `start` is its place in the perturbed text."""

    start: int
    old: str
    new: str


@dataclass(frozen=True)
class Perturbed:
    """A rewritten text and how to undo it.

    Attributes
    ----------
    text : str
    edits : tuple of Edit
        In order of place, never overlapping.
    """

    text: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class PerturbedItem:
    """A rewritten item, a row of the perturbed table; only mechanical rewrites have edits."""

    item_id: str
    perturbation: str
    text: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class Unchanged:
    """A rewrite that cannot be made: the text stays as it is, or none is supplied."""

    item_id: str
    perturbation: str
    error: RatifyError


def perturb(name: str, text: str, *, rng: np.random.Generator) -> Perturbed:
    """Rewrite a text mechanically.

    Parameters
    ----------
    name : {'repeated_letters', 'lookalikes', 'misspelling', 'leetspeak'}
    text : str
        Any text. Line ends, the text before a colon at the beginning of a line (a speaker's label),
        digits and blanks do not change.
    rng : numpy Generator

    Returns
    -------
    Perturbed
        With at least one edit, if the text has a place for one.

    Raises
    ------
    RatifyError
        When there is no such perturbation.
    """
    if name not in _MAKERS:
        raise RatifyError(
            "there is no such mechanical perturbation", value=name, allowed=", ".join(MECHANICAL)
        )
    places = [
        (start + at, old, rate)
        for start, spoken in _spoken(text)
        for at, old, rate in _places(name, spoken)
    ]
    drawn = [place for place in places if rng.random() < place[2]]
    if places and not drawn:
        drawn = [places[int(rng.integers(len(places)))]]
    return _apply(text, [(start, old, _MAKERS[name](old, rng)) for start, old, _ in drawn])


def perturbed_texts(
    names: Sequence[str], rows: Iterable[Mapping[str, str]], *, rng: np.random.Generator
) -> list[PerturbedItem]:
    """Rewrite items, mechanically or with the text in the item's column of that name.

    Parameters
    ----------
    names : sequence of str
        Perturbations, of `prereg.plan.judging.MECHANICAL` and `REWRITTEN`.
    rows : iterable of mappings
        Rows of the items table: `item_id`, `text`, and a column for each name not in MECHANICAL.
    rng : numpy Generator
        One number is drawn from it, so that the rewrite of an item does not depend on the other
        items or on any order.

    Returns
    -------
    list of PerturbedItem
        Item by item, names in the order given.

    Raises
    ------
    RatifyError
        When a name is unknown, a column is missing, a cell is empty, or a rewrite is the same as
        the text, which would measure nothing.
    """
    made, faults = attempted(names, rows, rng=rng)
    if faults:
        raise faults[0].error
    return made


def attempted(
    names: Sequence[str], rows: Iterable[Mapping[str, str]], *, rng: np.random.Generator
) -> tuple[list[PerturbedItem], list[Unchanged]]:
    """Return the rewrites as `perturbed_texts` makes them, and those that cannot be made.

    Raises
    ------
    RatifyError
        When a name is unknown.
    """
    for name in names:
        if name not in (*MECHANICAL, *REWRITTEN):
            raise RatifyError(
                "there is no such perturbation",
                column="perturbations",
                value=name,
                allowed=", ".join((*MECHANICAL, *REWRITTEN)),
            )
    seed = int(rng.integers(2**63))
    made, faults = [], []
    for row in rows:
        for name in names:
            try:
                made.append(_rewritten(name, row, seed))
            except RatifyError as error:
                faults.append(Unchanged(row["item_id"], name, error))
    return made, faults


def _rewritten(name: str, row: Mapping[str, str], seed: int) -> PerturbedItem:
    """Return one rewrite of one item, from its own random numbers."""
    item_id, text = row["item_id"], row["text"]
    if name in REWRITTEN:
        found = Perturbed(_supplied(name, row), ())
    else:
        key = hashlib.sha256(f"{name}\n{item_id}".encode()).digest()[:8]
        own = np.random.default_rng([seed, int.from_bytes(key, "big")])
        found = perturb(name, text, rng=own)
    if found.text == text:
        raise RatifyError(
            f"item '{item_id}' does not change under '{name}', so nothing would be measured",
            column=name if name in REWRITTEN else "text",
            value=text,
            allowed="a text that changes" if name in MECHANICAL else "a rewritten text",
        )
    return PerturbedItem(item_id, name, found.text, found.edits)


def _supplied(name: str, row: Mapping[str, str]) -> str:
    """Return the rewrite that the items table supplies for an item."""
    if name not in row:
        raise RatifyError(
            f"the items have no column '{name}', and the rewrite '{name}' is not mechanical",
            column="perturbations",
            value=name,
            allowed=f"a column '{name}' of rewritten texts, or {', '.join(MECHANICAL)}",
        )
    if not row[name].strip():
        raise RatifyError(
            f"item '{row['item_id']}' has no rewritten text", column=name, allowed="any text"
        )
    return row[name]


def _places(name: str, text: str) -> list[tuple[int, str, float]]:
    """Return each possible change: its place, its letters, and how often such a place changes."""
    if name in {"lookalikes", "leetspeak"}:
        table = LOOKALIKES if name == "lookalikes" else LEET
        return [(at, letter, LETTER_RATE) for at, letter in enumerate(text) if letter in table]
    words = [(found.start(), found[0], WORD_RATE) for found in _WORD.finditer(text)]
    if name == "misspelling":
        return [place for place in words if len(place[1]) >= 4]
    stops = [(found.start(), found[0], PUNCTUATION_RATE) for found in _STOP.finditer(text)]
    return sorted(words + stops)


def _spoken(text: str) -> Iterator[tuple[int, str]]:
    """Yield what each line says after its label, if it has one, and where that begins."""
    at = 0
    for line in text.splitlines(keepends=True):
        label = _LABEL.match(line)
        skipped = 0 if label is None else label.end()
        yield at + skipped, line[skipped:]
        at += len(line)


def _repeated(old: str, rng: np.random.Generator) -> str:
    """Return a word with one letter repeated, or a repeated punctuation mark."""
    more = int(rng.integers(2, 4))
    if len(old) == 1:
        return old * (3 if old == "." else more)
    vowels = [at for at, letter in enumerate(old) if letter.lower() in "aeiouy" and at]
    at = vowels[int(rng.integers(len(vowels)))] if vowels else len(old) - 1
    return old[:at] + old[at] * (1 + more) + old[at + 1 :]


def _misspelt(old: str, rng: np.random.Generator) -> str:
    """Return a word with one typing error, or without its end; the first letter stays."""
    kind = int(rng.integers(4))
    at = int(rng.integers(1, len(old) - 2))
    if kind == 0 and old[at] != old[at + 1]:
        return old[:at] + old[at + 1] + old[at] + old[at + 2 :]
    if kind == 1:
        return old[:at] + old[at + 1 :]
    if kind == 2:
        return old[:at] + old[at] + old[at:]
    return old[: -2 if len(old) > 5 else -1]


_MAKERS: Mapping[str, Callable[[str, np.random.Generator], str]] = {
    "repeated_letters": _repeated,
    "lookalikes": lambda old, rng: LOOKALIKES[old],
    "misspelling": _misspelt,
    "leetspeak": lambda old, rng: LEET[old],
}


def _apply(text: str, changes: Sequence[tuple[int, str, str]]) -> Perturbed:
    """Return the text with the changes made; their places refer to the original."""
    pieces: list[str] = []
    edits: list[Edit] = []
    at = moved = 0
    for start, old, new in changes:
        pieces += [text[at:start], new]
        edits.append(Edit(start + moved, old, new))
        at = start + len(old)
        moved += len(new) - len(old)
    return Perturbed("".join([*pieces, text[at:]]), tuple(edits))
