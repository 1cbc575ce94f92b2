"""If this failed, a shared table would run code in a spreadsheet, or say who a rater is."""

from __future__ import annotations

import contextlib
import csv
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from prereg.errors import RatifyError
from study.export.files import export
from study.export.writing import WHO_FILE, safe_text
from study.folder import Study
from study.store.database import Store, open_store
from study.store.tables import Setting
from study.visits import withdrawal
from study.visits.pseudonyms import PREFIX, pseudonyms_of
from tests.support.collecting import open_places, study_of_kind, take_part

Ratify = Callable[..., subprocess.CompletedProcess[str]]
MODE = "live"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_of_kind(tmp_path / "study", "best_worst")


@pytest.fixture
def store(study: Study, database_url: str) -> Iterator[Store]:
    with contextlib.closing(Store(database_url)) as store:
        open_places(store, study, MODE)
        yield store


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("-rm", "'-rm"),
        ("- a point", "'- a point"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\n=1"),
        ("＝1", "'＝1"),
        ("-0.5", "-0.5"),
        ("-1e-3", "-1e-3"),
        ("-1+1", "'-1+1"),
        (-0.5, "-0.5"),
        (-3, "-3"),
        (None, ""),
        (True, "true"),
        ("plain", "plain"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_begins_a_formula(cell: object, text: str) -> None:
    assert safe_text(cell) == text


def test_a_safe_export_opens_in_any_spreadsheet(store: Store, study: Study) -> None:
    take_part(store, study, MODE, "r1")
    folder = export(store, study, spreadsheet_safe=True).folder
    for path in folder.glob("*.csv"):
        for delimiter in ",;\t":
            with path.open(newline="", encoding="utf-8") as stream:
                for row in csv.reader(stream, delimiter=delimiter):
                    for cell in row:
                        assert not re.match(r"[=+@\t\r]|-(?![\d.])", cell), (path.name, cell)
    plain = export(store, study).folder
    assert table(plain / "best_worst.csv")[0]["rater_id"] == "r1"
    with pytest.raises(RatifyError, match=r"--spreadsheet-safe.*csv"):
        export(store, study, format="parquet", spreadsheet_safe=True)


def test_pseudonyms_stay_and_say_nothing(store: Store, study: Study) -> None:
    for number in range(4):
        take_part(store, study, MODE, f"platform-{number}", trials=2)
    first = export(store, study, pseudonyms=True)
    who = study.folder / WHO_FILE
    assert first.who == who
    assert who.stat().st_mode & 0o077 == 0
    names = {row["rater_id"]: row["pseudonym"] for row in table(who)}
    assert sorted(names) == [f"platform-{n}" for n in range(4)]
    assert all(re.fullmatch(r"r\d{3}", name) for name in names.values())
    assert len(set(names.values())) == 4
    for path in first.folder.iterdir():
        assert b"platform-" not in path.read_bytes().replace(b"`platform-", b""), path.name
    visits = {
        row["session_id"]: row["rater_id"] for row in table(first.folder / "participants.csv")
    }
    for row in table(first.folder / "best_worst.csv"):
        assert visits[row["session_id"]] == row["rater_id"], "the tables still fit together"
    take_part(store, study, MODE, "a-newcomer")
    export(store, study)  # as the last one
    again = {row["rater_id"]: row["pseudonym"] for row in table(who)}
    assert {name: again[name] for name in names} == names
    gone = next(n for n in names if n == "platform-0")
    assert withdrawal.withdraw_rater(store, study, MODE, gone)
    export(store, study)
    assert gone not in who.read_text()
    with store.reading() as connection:
        kept = connection.scalars(select(Setting.name).where(Setting.name.startswith(PREFIX)))
        assert len(list(kept)) == 4, "what was withdrawn is forgotten here too"
    back = export(store, study, pseudonyms=False)
    assert (back.who, who.exists()) == (None, False)
    assert "platform-1" in (back.folder / "participants.csv").read_text()


def test_pseudonyms_depend_on_the_store_and_not_on_the_order(tmp_path: Path) -> None:
    people = [f"p{n}" for n in range(300)]
    found = []
    for number in range(2):
        with contextlib.closing(Store(f"sqlite:///{tmp_path / f'{number}.sqlite3'}")) as store:
            names = pseudonyms_of(store, people, places=300)
            assert pseudonyms_of(store, reversed(people), places=300) == names
            found.append(names)
    assert found[0] != found[1]
    assert len(set(found[0].values())) == 300
    assert list(found[0].values()) != sorted(found[0].values())


def test_the_command_exports_them(tmp_path: Path, ratify: Ratify) -> None:
    study = study_of_kind(tmp_path / "study", "pairwise")
    with contextlib.closing(open_store(study.folder, None)) as store:
        open_places(store, study, MODE)
        take_part(store, study, MODE, "platform-1")
    done = ratify("export", study.folder, "--pseudonyms", "--spreadsheet-safe")
    assert done.returncode == 0, done.stderr
    assert "the ids are in" in done.stdout
    assert "platform-1" not in (study.folder / "data" / "judgments.csv").read_text()
    assert "platform-1" in (study.folder / WHO_FILE).read_text()
