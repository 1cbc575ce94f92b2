"""The offline floor: weighted counts of words, reduced to a few components.

It matches words, not meaning: two texts that say the same in other words are as far apart as two
texts on different things. Every output calls it lexical.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version as installed
from typing import Final

import numpy as np

from study.encoders.encoder import Vectors, checked

WORD: Final = r"(?u)\b\w+\b"
COMPONENTS: Final = 256
# The most frequent words of all texts; the others are too rare to make two texts similar.
WORDS: Final = 50_000
# Rounds of the randomised decomposition, after which the components hardly change.
ROUNDS: Final = 7


class Lexical:
    """TF-IDF with truncated SVD (latent semantic analysis, Deerwester et al. 1990).

    The counts of a word enter as 1 + log(count). A vector has length 1; that of a text without any
    word is zero.

    Parameters
    ----------
    components : int
        At most; fewer if there are fewer texts or words.
    """

    name = "lexical"
    lexical = True
    together = True
    at_once = 0

    def __init__(self, components: int = COMPONENTS) -> None:
        self.components = components

    @property
    def version(self) -> str:
        """The decomposition, and the library that computes it."""
        library = installed("scikit-learn")
        return f"tf-idf, {self.components} components, scikit-learn {library}"

    @property
    def dims(self) -> int | None:
        """None: few texts have fewer components."""
        return None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of all texts of a study; see `Encoder.encode`."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        if not any(any(letter.isalnum() for letter in text) for text in texts):
            return np.zeros((len(texts), 1), dtype=np.float32)
        counts = TfidfVectorizer(
            sublinear_tf=True, token_pattern=WORD, max_features=WORDS, dtype=np.float32
        ).fit_transform(texts)
        components = min(self.components, min(counts.shape) - 1)
        if components < 1:  # one text or one word: nothing to reduce
            return checked(counts.toarray(), len(texts), self.name)
        # the seed is where the iteration starts; after the rounds little depends on it
        reduction = TruncatedSVD(components, n_iter=ROUNDS, random_state=0)
        with warnings.catch_warnings():
            # the share of variance of texts that are all alike is 0 / 0, and is not used
            warnings.simplefilter("ignore", RuntimeWarning)
            found = reduction.fit_transform(counts)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return checked(found / np.where(lengths > 1e-6, lengths, 1.0), len(texts), self.name)
