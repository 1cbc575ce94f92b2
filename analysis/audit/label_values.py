"""The labels that an audit declares: `--values pass=1,fail=0`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.audit.label_columns import spelled
from prereg.errors import RatifyError

_FORM = (
    "[DIMENSION:]LABEL[=OTHER],..., such as pass,fail or pass=1,fail=0; a label that holds a "
    "comma, a colon or = in double quotes: '\"yes, fully\",no'"
)
# A label in double quotes, and what stands for its marks while the rest is split at them.
_QUOTED = re.compile(r'(?:(?<=[:,=])|^)\s*"((?:[^"]|"")*)"\s*(?=[:,=]|$)')
_HIDDEN = str.maketrans(":,=", "\ue000\ue001\ue002")
_SHOWN = str.maketrans("\ue000\ue001\ue002", ":,=")


@dataclass(frozen=True)
class Values:
    """The labels of a dimension.

    Attributes
    ----------
    labels : tuple of str
        In their order.
    spellings : dict of str to str
        What a file may hold, and the label that it means.
    """

    labels: tuple[str, ...]
    spellings: dict[str, str]

    @property
    def codes(self) -> dict[str, int]:
        """Return the code of every spelling, and of its small letters if these are one label's."""
        place = {label: code for code, label in enumerate(self.labels)}
        own = {text: place[label] for text, label in self.spellings.items()}
        small: dict[str, set[int]] = {}
        for text, code in own.items():
            small.setdefault(text.casefold(), set()).add(code)
        return {key: min(of) for key, of in small.items() if len(of) == 1} | own


def declared_values(given: Sequence[str]) -> dict[str, Values]:
    """Return the labels that options give, by dimension; those of every dimension under ''.

    Parameters
    ----------
    given : sequence of str
        Each `[DIMENSION:]LABEL[=OTHER[=OTHER]],...`. After `=` come other names of the label, such
        as the code in another file. A label that holds a comma, a colon or `=` is in double quotes,
        as in a CSV file; a double quote in it is written twice.

    Raises
    ------
    RatifyError
        If a label is missing, is given twice, or stands alone.
    """
    found: dict[str, Values] = {}
    for text in given:
        plain = _QUOTED.sub(lambda one: one[1].replace('""', '"').translate(_HIDDEN), text)
        dimension, colon, rest = plain.partition(":")
        name = dimension.strip().translate(_SHOWN) if colon else ""
        if name in found:
            raise _wrong("--values is given twice for the same dimension", text)
        labels: list[str] = []
        spellings: dict[str, str] = {}
        for part in (rest if colon else plain).split(","):
            words = [spelled(word).translate(_SHOWN) for word in part.split("=")]
            if not all(words):
                raise _wrong("--values holds an empty label", text)
            labels.append(words[0])
            for word in words:
                if word in spellings:
                    raise _wrong(f"--values names '{word}' twice", text)
                spellings[word] = words[0]
        if len(labels) < 2:
            raise _wrong("--values names one label only", text)
        found[name] = Values(tuple(labels), spellings)
    return found


def quoted(labels: Sequence[str]) -> str:
    """Return labels as a list for a message; one that holds a comma is in double quotes."""
    return ", ".join(
        '"' + label.replace('"', '""') + '"' if "," in label else label for label in labels
    )


def _wrong(problem: str, text: str) -> RatifyError:
    return RatifyError(problem, value=text, allowed=_FORM)
