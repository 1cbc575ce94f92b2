"""Texts to embed, and processes that embed them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prereg.tables.reader import write_csv
from tests.support.paths import ROOT

PARAPHRASES = ROOT / "tests/study/encoders/paraphrases.csv"


def paraphrases() -> tuple[list[str], list[str]]:
    """Return our 40 texts, and the same in other words."""
    with PARAPHRASES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["paraphrase"] for row in rows]


def make_frame(folder: Path, texts: Sequence[str], *, name: str = "frame.csv") -> Path:
    """Write a frame with one unit per text."""
    folder.mkdir(exist_ok=True, parents=True)
    rows = [{"item_id": f"unit-{at}", "prompt": text} for at, text in enumerate(texts)]
    write_csv(folder / name, ["item_id", "prompt"], rows)
    return folder / name


def stop_at(number: int, function: Callable[..., Any], error: BaseException) -> Callable[..., Any]:
    """Return a function that raises an error at its n-th call."""
    calls = []

    def call(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == number:
            raise error
        return function(*arguments)

    return call
