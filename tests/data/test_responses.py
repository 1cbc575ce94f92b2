"""If this failed, the demo's responses would not fit their plans."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

from prereg.tables.items import read_items
from prereg.tables.prompts import refuse_mixed_prompts

FOLDER = Path(str(resources.files("data"))) / "demo"


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
