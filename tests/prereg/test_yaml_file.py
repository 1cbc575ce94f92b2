"""If this failed, a stranger's plan of ten lines could keep a command busy for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from prereg.documents.reading import read_document
from prereg.errors import RatifyError
from prereg.yaml_file import read_mapping

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
