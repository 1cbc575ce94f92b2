"""If this failed, the demo's exchanges or responses would change unseen, or not fit their plans."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

import data.demo.exchanges as demo
from prereg.tables.items import read_items
from prereg.tables.prompts import refuse_mixed_prompts
from prereg.tables.reader import csv_text

FOLDER = Path(demo.__file__).parent


def test_cutting_again_gives_the_committed_bytes() -> None:
    rows = demo.exchanges(read_items(FOLDER / "items.csv").rows, np.random.default_rng(demo.SEED))
    committed = (FOLDER / "exchanges.csv").read_bytes()
    assert csv_text(demo.COLUMNS, rows).encode() == committed


def test_an_exchange_is_user_assistant_user() -> None:
    for row in read_items(FOLDER / "exchanges.csv").rows:
        speakers = [line.partition(":")[0] for line in row["text"].split("\n")]
        assert speakers == ["User", "Assistant", "User"]


def test_every_message_has_one_response_of_each_source() -> None:
    table = read_items(FOLDER / "responses.csv")
    refuse_mixed_prompts(table.path, table.rows, table.places)
    per_message: dict[str, Counter[str]] = {}
    for row in table.rows:
        per_message.setdefault(row["scenario"], Counter())[row["source"]] += 1
    assert len(per_message) == 10
    wanted = dict.fromkeys(("counsellor", "model_a", "model_b", "peer"), 1)
    assert all(counts == wanted for counts in per_message.values())
    assert len({row["text"] for row in table.rows}) == 40
