"""If this failed, an analysis would use answers of somebody who withdrew, or miss newer ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from prereg.errors import RatifyError
from prereg.tables.reader import read_table, write_csv
from study.export.files import export
from study.export.freshness import export_if_stale, freshness
from study.folder import Study
from study.store.database import Store
from study.visits.withdrawal import withdraw
from tests.support.collecting import open_places, study_of_kind, take_part


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
def study(store: Store, tmp_path: Path) -> Study:
    made = study_of_kind(tmp_path / "study", "pairwise", per_sequence=2)
    open_places(store, made, "live")
    take_part(store, made, "live", "first")
    return made


def raters(study: Study) -> set[str]:
    return {row["rater_id"] for row in read_table(study.folder / "data" / "judgments.csv").rows}


def edited(study: Study, name: str, rows: list[dict[str, str]]) -> None:
    path = study.folder / "data" / f"{name}.csv"
    write_csv(path, read_table(path).columns, rows)


def test_tables_as_new_as_the_store_are_left_as_they_are(store: Store, study: Study) -> None:
    assert export_if_stale(store, study) is None  # there are no tables yet
    export(store, study)
    before = (study.folder / "data" / "judgments.csv").stat().st_mtime_ns
    assert export_if_stale(store, study) is None
    assert (study.folder / "data" / "judgments.csv").stat().st_mtime_ns == before


def test_newer_answers_are_exported_first(store: Store, study: Study) -> None:
    export(store, study)
    take_part(store, study, "live", "second", trials=1)
    found = freshness(store, study)
    assert found is not None
    assert set(found.behind) == {"judgments", "participants"}
    assert export_if_stale(store, study) is not None
    assert raters(study) == {"first", "second"}


def test_whoever_has_withdrawn_is_in_no_analysis(store: Store, study: Study) -> None:
    leaver = take_part(store, study, "live", "leaver")
    export(store, study)
    assert withdraw(store, study, "live", leaver.withdrawal_key)
    assert export_if_stale(store, study) is not None
    assert raters(study) == {"first"}


def test_the_format_of_the_tables_is_kept(store: Store, study: Study) -> None:
    export(store, study, format="parquet")
    take_part(store, study, "live", "second", trials=1)
    again = export_if_stale(store, study)
    assert again is not None
    assert "judgments.parquet" in again.tables


def test_rows_added_by_hand_are_no_reason_to_export_and_are_never_lost(
    store: Store, study: Study
) -> None:
    export(store, study)
    rows = read_table(study.folder / "data" / "judgments.csv").rows
    edited(study, "judgments", [*rows, {**rows[0], "judgment_id": "own", "session_id": "own"}])
    assert export_if_stale(store, study) is None
    take_part(store, study, "live", "second", trials=1)
    with pytest.raises(RatifyError, match=r"older than the store.*answers that the store does not"):
        export_if_stale(store, study)
    assert len(read_table(study.folder / "data" / "judgments.csv").rows) == len(rows) + 1


def test_ids_that_were_replaced_are_not_brought_back(store: Store, study: Study) -> None:
    export(store, study)
    rows = read_table(study.folder / "data" / "participants.csv").rows
    edited(study, "participants", [{**row, "rater_id": "p1"} for row in rows])
    assert export_if_stale(store, study) is None
    take_part(store, study, "live", "second", trials=1)
    with pytest.raises(RatifyError, match="other ids of raters"):
        export_if_stale(store, study)
