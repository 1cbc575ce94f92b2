"""If this failed, a plan would be read wrong, or one could keep a command busy for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prereg import yaml_file
from prereg.documents.reading import read_document
from prereg.errors import RatifyError
from prereg.yaml_file import read_mapping
from tests.support.paths import ROOT

WORKED = sorted(ROOT.joinpath("prereg", "worked").rglob("*.yaml"))
LINES = [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
BOMB = "\n".join(["x0: &a0 [a, b, c]", *LINES])


@pytest.mark.parametrize("text", [BOMB, "x: &a [*a]", "x: &a {y: {z: *a}}"])
def test_aliases_that_stand_for_too_much_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match="stand for too many values"):
        read_mapping(text, file="plan.yaml", what="plan")
    path = tmp_path / "preregr.yaml"
    path.write_text(f"specs: {{title: a}}\n{text}\n")
    with pytest.raises(RatifyError, match="stand for too many values"):
        read_document(path)


def test_a_value_may_be_used_twice() -> None:
    text = "a: &scale {min: 1, max: 7}\nb: *scale\n"
    assert read_mapping(text, file="plan.yaml", what="plan")["b"] == {"min": 1, "max": 7}


def outcome(text: str) -> str:
    """Return what some YAML holds, or how it is refused."""
    try:
        return repr(read_mapping(text, file="plan.yaml", what="plan"))
    except RatifyError as error:
        return str(error)


def damaged(text: str, rng: np.random.Generator) -> str:
    """Return a part of a text with up to three signs of YAML where they do not belong."""
    start = int(rng.integers(0, max(1, len(text) - 300)))
    part = text[start : start + 300]
    for _ in range(int(rng.integers(0, 4))):
        at = int(rng.integers(0, len(part)))
        part = (
            part[:at] + str(rng.choice(list(":-[]{}#&*!|>'\"%@`,?\t \n\ufeff\x07é~"))) + part[at:]
        )
    return part


def test_both_parsers_read_the_same_and_refuse_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yaml_file._FastLoader is not yaml_file._OnceLoader, "PyYAML without libyaml"
    rng = np.random.default_rng(3)
    whole = [path.read_text(encoding="utf-8") for path in WORKED]
    texts = [*whole, *(damaged(str(rng.choice(whole)), rng) for _ in range(600))]
    texts += ["a: x\ty", "a: b\n\ufeff", "a: 1\na: 2", "on: no", "a: 2001-13-40", "\ud800: a"]
    fast = [outcome(text) for text in texts]
    monkeypatch.setattr(yaml_file, "_FastLoader", yaml_file._OnceLoader)
    assert fast == [outcome(text) for text in texts]
    assert sum(one.startswith("{") for one in fast) > len(whole)


@pytest.mark.parametrize("text", ["[" * 200_000, "a: " + "{a: " * 50_000, "- " * 100_000])
def test_what_nests_too_deep_is_refused_and_ends_no_process(text: str) -> None:
    with pytest.raises(RatifyError, match="cannot be read as a plan"):
        read_mapping(text, file="plan.yaml", what="plan")
