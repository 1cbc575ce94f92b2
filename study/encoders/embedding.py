"""Embeds texts: each once, by chunks that are kept as soon as they are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from prereg import files
from prereg.errors import RatifyError
from prereg.executor import Executor
from study.encoders.door import Chosen, encoder_of
from study.encoders.encoder import TextFaultError, Vectors
from study.encoders.kept import Kept, keys_of

# What a worker gets: the encoder, its version where the work was given out, and texts.
Chunk = tuple[Chosen, str, tuple[str, ...]]


def encode_chunk(chunk: Chunk) -> Vectors:
    """Return the vectors of a chunk of texts; any process may do this.

    Parameters
    ----------
    chunk : (Chosen, str, tuple of str)

    Returns
    -------
    array of shape (texts, dims)

    Raises
    ------
    RatifyError
        When another version of the encoder is installed here, and as the encoder does.
    """
    choice, version, texts = chunk
    encoder = encoder_of(choice)
    if encoder.version != version:
        raise RatifyError(
            "a worker has another version of the encoder",
            column="--scheduler",
            value=encoder.version,
            allowed=version,
        )
    try:
        return encoder.encode(texts)
    except TextFaultError as fault:
        fault.text = texts[fault.place]
        raise


class Embedding:
    """The embedding of texts, with what is kept of it from earlier runs.

    Parameters
    ----------
    folder : Path
        The study folder.
    choice : Chosen
    texts : sequence of str
        Any order, repeated or not; none empty.

    Attributes
    ----------
    encoder : Encoder
    total : int
        Different texts.
    """

    def __init__(self, folder: Path, choice: Chosen, texts: Sequence[str]) -> None:
        self.encoder = encoder_of(choice)
        self._choice = choice
        self._texts = texts
        # sorted, so that the order of a table changes no vector
        self._each = sorted(set(texts))
        self._keys = keys_of(self._each, self.encoder)
        self._kept = Kept(folder, self.encoder)
        self._found = self._kept.find(self._keys)
        self.total = len(self._each)

    @property
    def left(self) -> int:
        """Different texts that have no vector yet."""
        return self.total - len(self._found)

    def finish(self, executor: Executor, *, told: Callable[[int], None] = lambda _: None) -> None:
        """Embed what is left, and keep it.

        Parameters
        ----------
        executor : Executor
        told : callable
            Hears how many texts were finished with each chunk.

        Raises
        ------
        TextFaultError
            When a text is to blame.
        RatifyError
            As the encoder and the executor do. What is finished is kept.
        """
        missing = [
            (key, text)
            for key, text in zip(self._keys, self._each, strict=True)
            if key not in self._found
        ]
        if self.encoder.together and missing:
            missing = list(zip(self._keys, self._each, strict=True))
        size = self.encoder.at_once or len(missing)
        parts = {
            files.sha256("".join(key for key, _ in part).encode()): part
            for part in (missing[at : at + size] for at in range(0, len(missing), max(1, size)))
        }
        version = self.encoder.version
        chunks = (
            (name, (self._choice, version, tuple(text for _, text in part)))
            for name, part in parts.items()
        )
        for name, vectors in executor.map(encode_chunk, chunks):
            keys = [key for key, _ in parts[name]]
            self._kept.add(keys, vectors)
            self._found |= dict(zip(keys, vectors, strict=True))
            told(len(keys))

    def vectors(self) -> Vectors:
        """Return the vectors of the texts, once all are embedded.

        Returns
        -------
        array of shape (texts, dims), float32

        Raises
        ------
        RatifyError
            When vectors of earlier runs have another length than those of this one.
        """
        lengths = sorted({len(vector) for vector in self._found.values()})
        if len(lengths) > 1:
            raise RatifyError(
                f"encoder {self.encoder.name} gave vectors of mixed length",
                file=self._kept.folder,
                value=", ".join(map(str, lengths)),
                allowed="one length; remove this folder to embed again",
            )
        by_text = dict(zip(self._each, self._keys, strict=True))
        return np.stack([self._found[by_text[text]] for text in self._texts])
