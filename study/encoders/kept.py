"""Keeps vectors in the study folder under the hash of what they follow from."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from prereg import files
from study.encoders.encoder import Encoder, Vectors

# Below the study folder; it may be removed, and costs the embedding again.
KEPT_FOLDER: Final = ".embeddings"


def keys_of(texts: Sequence[str], encoder: Encoder) -> list[str]:
    """Return a key of each text: SHA-256 of the text and of the encoder's name and version.

    A vector that depends on the other texts also has their hash in its key.

    Parameters
    ----------
    texts : sequence of str
        Each once, sorted.
    encoder : Encoder
    """
    parts = [encoder.name, encoder.version]
    if encoder.together:
        parts.append(files.sha256(files.canonical_json(list(texts))))
    return [files.sha256(files.canonical_json([*parts, text])) for text in texts]


class Kept:
    """The vectors of one encoder, in files that each hold a chunk of work.

    Parameters
    ----------
    folder : Path
        The study folder.
    encoder : Encoder
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        known = files.sha256(files.canonical_json([encoder.name, encoder.version]))
        plain = re.sub(r"[^A-Za-z0-9]+", "-", encoder.name).strip("-")[:40]
        self.folder = folder / KEPT_FOLDER / f"{plain}-{known[:12]}"

    def find(self, keys: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors that are kept, by key.

        Parameters
        ----------
        keys : sequence of str

        Notes
        -----
        A file that cannot be read is left out: what it held is computed again.
        """
        wanted = set(keys)
        paths = sorted(self.folder.glob("*.npz"))
        return {key: vector for path in paths for key, vector in _read(path) if key in wanted}

    def add(self, keys: Sequence[str], vectors: Vectors) -> None:
        """Keep the vectors of a chunk.

        Parameters
        ----------
        keys : sequence of str, length n
        vectors : array of shape (n, dims)
        """
        content = io.BytesIO()
        np.savez(content, keys=np.array(keys, dtype="U64"), vectors=vectors)
        name = files.sha256("".join(keys).encode())[:32]
        files.write_bytes(self.folder / f"{name}.npz", content.getvalue())


def _read(path: Path) -> Iterator[tuple[str, Vectors]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            keys, vectors = kept["keys"].tolist(), kept["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return
    if vectors.ndim == 2 and vectors.dtype == np.float32:
        yield from zip(keys, vectors, strict=False)
