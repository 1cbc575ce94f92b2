"""What an encoder is, and the check that every encoder's vectors pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prereg.errors import RatifyError

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors; two texts that mean the same should get similar ones."""

    @property
    def name(self) -> str:
        """What the plan calls it, with its model if it has a choice of models."""

    @property
    def version(self) -> str:
        """What a vector depends on besides the text; another version means other vectors."""

    @property
    def dims(self) -> int | None:
        """The length of a vector; None if only the vectors show it."""

    @property
    def lexical(self) -> bool:
        """Whether it matches words, not meaning."""

    @property
    def together(self) -> bool:
        """Whether a vector depends on the other texts, so that all are encoded at once."""

    @property
    def at_once(self) -> int:
        """How many texts make a chunk of work, which is kept as soon as it is finished."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts.

        Parameters
        ----------
        texts : sequence of str, length n
            None of them empty.

        Returns
        -------
        array of shape (n, dims), float32

        Raises
        ------
        RatifyError
            When the encoder cannot be used, or gives vectors that cannot be.
        """


class TextFaultError(RatifyError):
    """One of the texts that an encoder was given is to blame.

    Attributes
    ----------
    place : int
        Of the text among those that the encoder was given, from 0.
    text : str
        The text itself, once it is known.
    """

    def __init__(
        self,
        problem: str,
        *,
        place: int = 0,
        column: str | None = None,
        value: object = None,
        allowed: str | None = None,
    ) -> None:
        self.place = place
        self.text = ""
        super().__init__(
            problem, row=f"text {place + 1:,}", column=column, value=value, allowed=allowed
        )


def checked(vectors: ArrayLike | Sequence[Sequence[float]], count: int, name: str) -> Vectors:
    """Return an encoder's vectors as an array, if they can be used.

    Parameters
    ----------
    vectors : array of shape (count, dims), or sequence of sequences of float
    count : int
        How many texts were encoded.
    name : str
        Of the encoder, for messages.

    Raises
    ------
    RatifyError
        When a vector is missing.
    TextFaultError
        When a vector has another length than the first, or a value that is not a finite number.
    """
    rows = vectors if isinstance(vectors, np.ndarray) else list(vectors)  # type: ignore[arg-type]
    if len(rows) != count:
        raise RatifyError(
            f"encoder {name} gave {len(rows):,} vectors for {count:,} texts",
            allowed="one vector per text",
        )
    lengths = [np.size(row) for row in rows]
    for place, length in enumerate(lengths):
        if length != lengths[0] or not length:
            raise TextFaultError(
                f"encoder {name} gave vectors of mixed length",
                place=place,
                value=length,
                allowed=f"{lengths[0] or 'some'} numbers, as the first",
            )
    found = np.asarray(rows, dtype=np.float32)
    wrong = ~np.isfinite(found)
    if wrong.any():
        place, component = (int(each[0]) for each in np.nonzero(wrong))
        raise TextFaultError(
            f"encoder {name} gave a vector with a value that is not a finite number",
            place=place,
            column=f"e{component}",
            value=float(found[place, component]),
            allowed="finite numbers",
        )
    return found
