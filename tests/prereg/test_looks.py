"""If these failed, somebody could look at results and later say that nobody had."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prereg import files
from prereg.errors import RatifyError
from prereg.looks import LOOKS_FILE, Look, looks_log, read_looks

OF = {"mode": "live", "plan_hash": "ab" * 32, "answers": 40, "results": "cd" * 32}


def looked(folder: Path, *times: str) -> list[Look]:
    found = []
    for at in times:
        with looks_log(folder) as log:
            found.append(log.append(at=at, **OF))  # type: ignore[arg-type]
    return found


def test_each_line_holds_the_hash_of_the_line_before(tmp_path: Path) -> None:
    assert read_looks(tmp_path) == ()
    made = looked(tmp_path, "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")
    assert list(read_looks(tmp_path)) == made
    lines = (tmp_path / LOOKS_FILE).read_text().splitlines()
    assert [look.previous for look in made] == ["", files.sha256(lines[0].encode())]
    assert not [path for path in tmp_path.iterdir() if path.name != LOOKS_FILE]


def test_another_line_end_is_no_change(tmp_path: Path) -> None:
    made = looked(tmp_path, "1", "2")
    path = tmp_path / LOOKS_FILE
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read_looks(tmp_path)) == made
    assert len([*made, *looked(tmp_path, "3")]) == len(read_looks(tmp_path))


@pytest.mark.parametrize(
    ("change", "row", "problem"),
    [
        (lambda lines: [lines[0].replace("40", "41"), *lines[1:]], 2, "has been edited"),
        (lambda lines: [lines[0], lines[2]], 2, "has been edited"),
        (lambda lines: lines[1:], 1, "has been edited"),
        (lambda lines: [lines[1], lines[0], lines[2]], 1, "has been edited"),
        (lambda lines: [*lines[:2], lines[2][:20]], 3, "is not an entry"),
        (lambda lines: [lines[0], "[]", lines[2]], 2, "is not an entry"),
        (lambda lines: [lines[0], "", *lines[1:]], 2, "is not an entry"),
    ],
)
def test_an_edited_log_is_refused_and_stays(
    tmp_path: Path, change: object, row: int, problem: str
) -> None:
    looked(tmp_path, "1", "2", "3")
    path = tmp_path / LOOKS_FILE
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")  # type: ignore[operator]
    edited = path.read_bytes()
    for use in (lambda: read_looks(tmp_path), lambda: looked(tmp_path, "4")):
        with pytest.raises(RatifyError, match=rf"{LOOKS_FILE}.*line {row}\b.*{problem}"):
            use()
    assert path.read_bytes() == edited


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: looked(tmp_path, str(n)), range(24)))
    assert sorted(int(look.at) for look in read_looks(tmp_path)) == list(range(24))


def test_an_error_within_the_block_appends_nothing_and_lets_others_in(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), looks_log(tmp_path) as log:
        assert log.looks == ()
        raise ZeroDivisionError
    looked(tmp_path, "1")
    assert len(read_looks(tmp_path)) == 1
