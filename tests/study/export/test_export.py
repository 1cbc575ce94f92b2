"""If this failed, the tables a study is analysed from would differ from what people answered."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, select

from prereg.errors import RatifyError
from prereg.files import sha256
from prereg.lock import utc_now
from prereg.tables.manifest import read_manifest
from prereg.tables.reader import Table, read_table
from study.export.files import EXPORTED, archive, codebook, export, one_table
from study.export.tidy import tidy_tables
from study.folder import Study
from study.store.database import Store
from study.store.tables import BestWorst, Judgment, Rating, Visit
from study.visits.withdrawal import withdraw
from tests.support.collecting import open_places, study_of_kind, take_part
from tests.support.contract import breaches

KINDS = ("pairwise", "rating", "best_worst")
IN_EVERY_STUDY = {"items", "sequences", "judgments", "ratings", "participants", "withdrawals"}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


def collected(store: Store, folder: Path, kind: str) -> Study:
    """Make a study in which four people took part, one of whom withdrew; in two modes."""
    study = study_of_kind(folder, kind, per_sequence=2)
    for mode in ("live", "pilot"):
        open_places(store, study, mode)
    take_part(store, study, "live", "00012345678901234567")
    take_part(store, study, "live", "fails", trials=2, fails=True)
    take_part(store, study, "pilot", "tries", trials=1)
    leaver = take_part(store, study, "live", "leaver")
    assert withdraw(store, study, "live", leaver.withdrawal_key)
    return study


def read(folder: Path, name: str, ending: str = "csv") -> list[dict[str, str]]:
    return read_table(folder / f"{name}.{ending}").rows


def header(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()[0].split(",")


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_answered_is_what_is_exported(store: Store, tmp_path: Path, kind: str) -> None:
    study = collected(store, tmp_path / "study", kind)
    done = export(store, study)
    assert done.folder == study.folder / "data"
    own = {"best_worst"} if kind == "best_worst" else set()
    assert set(done.tables) == {f"{name}.csv" for name in IN_EVERY_STUDY | own}
    assert {p.name for p in done.folder.iterdir()} == {*done.tables, "CODEBOOK.md", "manifest.json"}
    assert (done.folder / "CODEBOOK.md").read_text(encoding="utf-8") == codebook(study)
    assert breaches(done.folder) == []
    assert not done.left_behind
    assert done.note == ""
    people = read(done.folder, "participants")
    assert {p["rater_id"] for p in people} == {"00012345678901234567", "fails", "tries"}
    assert {p["status"] for p in people if p["rater_id"] == "fails"} == {"active"}
    assert {p["slot"] for p in people} <= {"1", "2"}
    assert [w["mode"] for w in read(done.folder, "withdrawals")] == ["live"]
    assert read(done.folder, "items") == study.table.rows
    trials = read(done.folder, "sequences")
    assert len(trials) == sum(map(len, study.sequences.values()))
    assert {t["is_attention_check"] for t in trials} == {"true", "false"}
    where = {"pairwise": "judgments", "rating": "ratings", "best_worst": "best_worst"}[kind]
    rows = read(done.folder, where)
    assert {r["mode"] for r in rows} == {"live", "pilot"}
    assert {r["rater_id"] for r in rows} == {"00012345678901234567", "fails", "tries"}
    checks = {(r["rater_id"], r["passed_check"]) for r in rows if r["is_attention_check"] == "true"}
    assert checks == {("00012345678901234567", "true"), ("fails", "false")}
    assert {r["passed_check"] for r in rows if r["is_attention_check"] == "false"} == {""}
    assert {r["hidden_ms"] for r in rows} == {"1"}
    manifest = read_manifest(done.folder)
    assert manifest is not None
    assert manifest.rows[f"{where}.csv"] == len(rows)
    assert manifest.rows["participants.csv"] == len(people)
    assert set(manifest.rows) == set(done.tables)
    assert all(sha256((done.folder / n).read_bytes()) == d for n, d in manifest.sha256.items())
    positions = {(r["session_id"], r["position"]) for r in rows}
    assert manifest.answered == Counter(session for session, _ in positions)
    assert manifest.answered.keys() == {p["session_id"] for p in people}
    assert manifest.withdrawals == {"live": 1}


def test_pairs_keep_every_cell_of_the_store(store: Store, tmp_path: Path) -> None:
    study = collected(store, tmp_path / "study", "pairwise")
    rows = read(export(store, study).folder, "judgments")
    with store.reading() as connection:
        kept = connection.execute(select(Judgment.__table__).order_by(Judgment.row_id)).mappings()
        stored = [dict(row) for row in kept]
    assert len(rows) == len(stored) == 4 + 2 + 1
    for row, truth in zip(rows, stored, strict=True):
        assert row.pop("clock_changed") == ("false" if truth["shown_at"] else "")
        for name, cell in row.items():
            value = truth[name]
            text = "" if value is None else str(value)
            assert cell == (text.lower() if isinstance(value, bool) else text), name


def test_ratings_have_a_row_for_each_scale(store: Store, tmp_path: Path) -> None:
    study = collected(store, tmp_path / "study", "rating")
    folder = export(store, study).folder
    rows = read(folder, "ratings")
    assert len(rows) == (4 + 2 + 1) * 2
    first = rows[0], rows[1]
    assert [(r["dimension"], r["value"]) for r in first] == [("warmth", "2.0"), ("depth", "0.0")]
    assert [(r["scale_min"], r["scale_max"]) for r in first] == [("1", "5"), ("0", "3")]
    assert header(folder / "judgments.csv")[-2:] == ["purpose", "request_id"]
    assert (folder / "judgments.csv").read_text().count("\n") == 1, "no rows, but a header"


def test_a_judge_rates_on_no_page(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    study = collected(store, tmp_path / "study", "rating")
    judged = {
        "plan_hash": study.plan_hash,
        "mode": "live",
        "session_id": "s",
        "rater_id": "length",
        "rater_kind": "baseline",
        "scenario": "job",
        "position": 1,
        "is_attention_check": False,
        "answered_at": utc_now(),
        "item_id": "job-1",
        "dimension": "warmth",
        "value": 2.5,
        "scale_min": 1,
        "scale_max": 5,
    }
    store.write(lambda connection: connection.execute(insert(Rating), judged))
    last = read(export(store, study).folder, "ratings")[-1]
    store.close()
    assert (last["rater_id"], last["value"], last["mode"]) == ("length", "2.5", "live")
    of_people = ("session_id", "scenario", "position", "is_attention_check", "answered_at")
    assert {last[name] for name in of_people} == {""}


def test_best_worst_has_a_row_for_each_option(store: Store, tmp_path: Path) -> None:
    study = collected(store, tmp_path / "study", "best_worst")
    rows = read(export(store, study).folder, "best_worst")
    with store.reading() as connection:
        trials = list(connection.execute(select(BestWorst.__table__).order_by(BestWorst.row_id)))
    assert len(rows) == 3 * len(trials) == 3 * (4 + 2 + 1)
    for number, trial in enumerate(trials):
        mine = rows[3 * number : 3 * number + 3]
        assert {row["trial_id"] for row in mine} == {trial.trial_id}
        assert [row["item_id"] for row in mine] == json.loads(trial.options)
        assert [row["option"] for row in mine] == ["1", "2", "3"]
        assert {row["item_id"]: row["picked"] for row in mine if row["picked"]} == {
            trial.most_id: "most",
            trial.least_id: "least",
        }
        assert [row["why"] for row in mine if row["picked"] != "most"] == ["", ""]
        assert [row["why"] for row in mine if row["picked"] == "most"] == [trial.why or ""]
    assert any("\n" in row["why"] for row in rows)


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_says_what_csv_says(store: Store, tmp_path: Path, kind: str) -> None:
    study = collected(store, tmp_path / "study", kind)
    first = export(store, study, format="csv")
    plain = {Path(name).stem: (first.folder / name).read_bytes() for name in first.tables}
    second = export(store, study, format="parquet")
    assert {Path(name).suffix for name in second.tables} == {".parquet"}
    assert {p.name for p in second.folder.iterdir()} == {
        *second.tables,
        "CODEBOOK.md",
        "manifest.json",
    }
    for name, content in plain.items():
        (tmp_path / "t.csv").write_bytes(content)
        try:
            csv: Table | None = read_table(tmp_path / "t.csv")
        except RatifyError:
            csv = None
        schema = pq.read_schema(second.folder / f"{name}.parquet")
        if csv is None:
            assert pq.read_metadata(second.folder / f"{name}.parquet").num_rows == 0
            assert schema.names == header(tmp_path / "t.csv")
        else:
            written = read_table(second.folder / f"{name}.parquet").written
            assert written == csv.written
        for field in schema:
            if field.name.endswith("_id") or field.name == "plan_hash":
                assert field.type == pa.string(), field.name
            if field.name in {"is_attention_check", "passed_check"}:
                assert field.type == pa.bool_()
            if field.name in {"position", "response_ms", "hidden_ms", "option", "slot"}:
                assert field.type == pa.int64()


def test_rows_of_another_plan_stay_and_are_told(store: Store, tmp_path: Path) -> None:
    other = collected(store, tmp_path / "other", "pairwise")
    study = study_of_kind(tmp_path / "study", "pairwise", question="Another question?")
    assert other.plan_hash != study.plan_hash
    open_places(store, study, "live")
    take_part(store, study, "live", "here", trials=1)
    done = export(store, study)
    assert {r["rater_id"] for r in read(done.folder, "judgments")} == {"here"}
    assert dict(done.left_behind) == {"participants": 3, "judgments": 7}
    assert done.note.endswith("3 of participants, 7 of judgments")


def test_an_export_takes_the_place_of_the_last_one_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    study = study_of_kind(tmp_path / "study", "pairwise")
    with pytest.raises(RatifyError, match=r"unknown format.*csv, parquet"):
        export(store, study, format="xlsx")
    assert not (study.folder / "data").exists()
    folder = export(store, study).folder
    export(store, study, format="parquet")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(RatifyError, match=r"holds 'notes.txt', which would be lost"):
        export(store, study)
    assert (folder / "judgments.parquet").exists()
    assert "notes.txt" not in EXPORTED
    store.close()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_archive_holds_all_tables(store: Store, tmp_path: Path, ending: str) -> None:
    study = collected(store, tmp_path / "study", "best_worst")
    done = export(store, study, format=ending)
    with archive(store, study, ending) as stream, zipfile.ZipFile(stream) as packed:
        assert set(packed.namelist()) == {*done.tables, "CODEBOOK.md", "manifest.json"}
        for name in packed.namelist():
            assert packed.read(name) == (done.folder / name).read_bytes()
    for name in tidy_tables(study):
        with one_table(store, study, name, ending) as stream:
            assert stream.read() == (done.folder / f"{name}.{ending}").read_bytes()
    with pytest.raises(RatifyError, match="no such table"):
        one_table(store, study, "settings", ending)


def test_no_secret_of_the_store_is_in_a_table(store: Store, tmp_path: Path) -> None:
    study = collected(store, tmp_path / "study", "pairwise")
    with store.reading() as connection:
        keys = connection.scalars(select(Visit.withdrawal_key)).all()
    with archive(store, study, "csv") as stream:
        packed = zipfile.ZipFile(io.BytesIO(stream.read()))
    everything = b"".join(packed.read(name) for name in packed.namelist())
    assert keys
    assert not [key for key in keys if key.encode() in everything]


def test_a_long_table_is_never_held_whole(store: Store, tmp_path: Path) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    rows = 60_000

    def fill(connection: object) -> None:
        for start in range(0, rows, 10_000):
            connection.execute(  # type: ignore[attr-defined]
                insert(Judgment),
                [
                    {
                        "judgment_id": f"{number:032x}",
                        "plan_hash": study.plan_hash,
                        "mode": "live",
                        "session_id": "judge",
                        "rater_id": "length",
                        "rater_kind": "baseline",
                        "scenario": "job",
                        "position": number,
                        "answered_at": "2026-11-21T09:30:00.120Z",
                        "left_id": "job-1",
                        "right_id": "job-2",
                        "choice": "left",
                        "purpose": "ranking",
                    }
                    for number in range(start, start + 10_000)
                ],
            )

    store.write(fill)
    tracemalloc.start()
    with one_table(store, study, "judgments", "csv") as stream:
        written = sum(1 for _ in stream)
        size = stream.tell()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert written == rows + 1
    assert peak < size, "the whole table was in memory at once"
