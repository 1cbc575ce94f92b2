"""If these failed, an analysis would use tables that somebody edited without a word about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from analysis.evidence.evidence import gather
from prereg.errors import RatifyError
from prereg.tables.manifest import edited_since_export
from prereg.tables.reader import read_table, write_csv
from ratify.analyze import bring_up_to_date
from study.export.files import export
from study.folder import Study
from study.store.database import Store, open_store
from tests.support.collecting import open_places, study_of_kind, take_part

Rows = list[dict[str, str]]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of_kind(tmp_path / "study", "rating", per_sequence=2)


@pytest.fixture
def store(study: Study) -> Iterator[Store]:
    with closing(open_store(study.folder, None)) as opened:
        open_places(opened, study, "pilot")
        for rater in ("first", "second"):
            take_part(opened, study, "pilot", rater)
        export(opened, study)
        yield opened


def ratings(study: Study) -> Rows:
    return read_table(study.folder / "data" / "ratings.csv").rows


def write(study: Study, rows: Rows) -> None:
    write_csv(study.folder / "data" / "ratings.csv", list(rows[0]), rows)


def test_rows_that_were_deleted_are_not_called_older(
    store: Store, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    bring_up_to_date(study.folder)
    assert capsys.readouterr().err == ""
    before = ratings(study)
    write(study, before[3:])
    bring_up_to_date(study.folder)
    said = capsys.readouterr().err
    assert said == (
        f"{study.folder / 'data'}/: the tables lacked rows of the store (ratings.csv was edited "
        "since the export) and were exported again\n"
    )
    assert ratings(study) == before


def test_tables_that_are_only_older_are_called_so(
    store: Store, study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    take_part(store, study, "pilot", "third", trials=1)
    bring_up_to_date(study.folder)
    assert "the tables were older than the store" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["4.5", ""])
def test_a_value_that_was_edited_is_said(store: Store, study: Study, value: str) -> None:
    assert gather(study.folder, mode="pilot").notes == []
    rows = ratings(study)
    at = next(n for n, row in enumerate(rows) if row["dimension"] == "warmth")
    rows[at]["value"] = value
    write(study, rows)
    assert edited_since_export(study.folder / "data") == ["ratings.csv"]
    (note,) = gather(study.folder, mode="pilot").notes
    assert note == (
        "ratings.csv is not as `ratify export` wrote it: it was edited or replaced since"
    )


def test_other_line_ends_and_tables_of_an_earlier_release_are_not_edited(
    store: Store, study: Study
) -> None:
    path = study.folder / "data" / "ratings.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert edited_since_export(path.parent) == []
    write(study, ratings(study)[1:])
    (path.parent / "manifest.json").unlink()
    assert edited_since_export(path.parent) == []


def test_a_rating_outside_its_scale_is_told_which_points_there_are(
    store: Store, study: Study
) -> None:
    rows = ratings(study)
    at = next(n for n, row in enumerate(rows) if row["dimension"] == "depth")
    rows[at]["value"] = "9"
    write(study, rows)
    with pytest.raises(RatifyError, match=r"outside the scale, got 9.* \(allowed: 0 to 3\)"):
        gather(study.folder, mode="pilot")
