"""If these failed, erasing a text would break a lock, or a text could change without a trace."""

from __future__ import annotations

from pathlib import Path

from prereg.derived import Chained, chained, erase, erased, hashed_items
from prereg.tables.reader import read_table, write_csv
from prereg.tables.reading import OWN


def folder_of(place: Path) -> Path:
    rows = [{"item_id": f"c{n}", "scenario": "job", "text": f"Words {n}, é"} for n in range(3)]
    write_csv(place / "items.csv", ["item_id", "scenario", "text"], rows)
    Chained("judging", "f" * 64, "live", "inputs").write(place)
    return place


def hashed(place: Path) -> list[dict[str, str]]:
    return hashed_items(place, read_table(place / "items.csv", OWN).written)


def test_an_erased_text_is_hashed_as_it_was(tmp_path: Path) -> None:
    place = folder_of(tmp_path)
    before = hashed(place)
    assert erase(place, ["c1", "unknown"], at="2030-01-01T00:00:00Z") == 1
    assert "Words 1" not in (place / "items.csv").read_text(encoding="utf-8")
    assert hashed(place) == before
    assert erase(place, ["c1"], at="2030-01-02T00:00:00Z") == 0
    assert erase(place, ["c2"], at="2030-01-02T00:00:00Z") == 1
    assert sorted(erased(place)) == ["c1", "c2"]
    assert hashed(place) == before


def test_a_changed_text_shows(tmp_path: Path) -> None:
    place = folder_of(tmp_path)
    before = hashed(place)
    text = (place / "items.csv").read_text(encoding="utf-8")
    (place / "items.csv").write_text(text.replace("Words 2", "Other 2"), encoding="utf-8")
    assert hashed(place) != before


def test_an_ordinary_study_is_hashed_with_its_texts(tmp_path: Path) -> None:
    place = folder_of(tmp_path)
    (place / "derived.json").unlink()
    assert chained(place) is None
    assert hashed(place)[0]["text"] == "Words 0, é"
