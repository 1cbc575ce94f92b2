"""If this failed, a second run would pay again, or vectors would be those of other texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from prereg.errors import RatifyError
from prereg.executor import Here
from study.encoders import embedding as module
from study.encoders.door import Chosen, chosen
from study.encoders.embedding import Embedding
from study.encoders.encoder import Vectors, checked

TEXTS = ["one", "two", "one", "three", "four", "five"]


class Counting:
    """An encoder that counts what it is asked, two texts at a time."""

    name = "counting"
    lexical = together = False
    dims = 2
    at_once = 2

    def __init__(self, version: str = "1") -> None:
        self.version = version
        self.asked: list[str] = []
        self.stop_at = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        if self.stop_at and len(self.asked) >= self.stop_at:
            raise KeyboardInterrupt
        return checked([[len(text), ord(text[0])] for text in texts], len(texts), self.name)


class Together(Counting):
    """An encoder whose vectors depend on all texts, and on their order."""

    name = "together"
    together = True
    at_once = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return checked([[at, len(texts)] for at, _ in enumerate(texts)], len(texts), self.name)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Counting:
    found = Counting()
    monkeypatch.setattr(module, "encoder_of", lambda _: found)
    return found


def run(folder: Path, texts: Sequence[str] = TEXTS) -> Vectors:
    """Embed texts in this process."""
    one = Embedding(folder, Chosen("any"), texts)
    one.finish(Here())
    return one.vectors()


def test_each_text_is_embedded_once_and_a_second_run_costs_nothing(
    tmp_path: Path, encoder: Counting
) -> None:
    found = run(tmp_path)
    assert sorted(encoder.asked) == sorted(set(TEXTS))
    assert found.tolist() == [[len(text), ord(text[0])] for text in TEXTS]
    encoder.asked.clear()
    turned = run(tmp_path, TEXTS[::-1])
    np.testing.assert_array_equal(turned, found[::-1])
    run(tmp_path, ["two", "six"])
    assert encoder.asked == ["six"]


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, encoder: Counting) -> None:
    encoder.stop_at = 4
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path)
    first = list(encoder.asked)
    encoder.asked.clear()
    encoder.stop_at = 0
    assert run(tmp_path).tolist() == [[len(text), ord(text[0])] for text in TEXTS]
    # the chunk under way is asked again, and nothing else
    assert len(encoder.asked) == 3
    assert set(first) & set(encoder.asked) == set(first[2:])


def test_another_version_of_the_encoder_is_another_encoder(
    tmp_path: Path, encoder: Counting
) -> None:
    run(tmp_path)
    encoder.version = "2"
    encoder.asked.clear()
    run(tmp_path)
    assert len(encoder.asked) == 5


def test_a_damaged_file_is_computed_again(tmp_path: Path, encoder: Counting) -> None:
    whole = run(tmp_path)
    kept = sorted(tmp_path.rglob("*.npz"))
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    kept[1].write_bytes(b"")
    encoder.asked.clear()
    np.testing.assert_array_equal(run(tmp_path), whole)
    assert 3 <= len(encoder.asked) <= 4


def test_vectors_that_depend_on_the_others_are_those_of_these_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Together()
    monkeypatch.setattr(module, "encoder_of", lambda _: encoder)
    found = run(tmp_path, ["b", "a", "c", "b"])
    assert found.tolist() == [[1, 3], [0, 3], [2, 3], [1, 3]]
    assert run(tmp_path, ["c", "b", "a"]).tolist() == [[2, 3], [1, 3], [0, 3]]
    assert encoder.asked == ["a", "b", "c"]
    assert run(tmp_path, ["b", "c"]).tolist() == [[0, 2], [1, 2]]


def test_a_worker_with_another_version_is_refused(tmp_path: Path, encoder: Counting) -> None:
    with pytest.raises(RatifyError, match=r"another version of the encoder, got '1' .allowed: 0"):
        module.encode_chunk((Chosen("any"), "0", ("text",)))


def test_kept_vectors_of_another_length_are_refused(tmp_path: Path, encoder: Counting) -> None:
    one = Embedding(tmp_path, chosen("lexical"), TEXTS)
    one.finish(Here())
    one._found[one._keys[0]] = np.zeros(5, dtype=np.float32)
    with pytest.raises(RatifyError, match=r"mixed length, got '2, 5' .allowed: one length"):
        one.vectors()
