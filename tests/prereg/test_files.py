"""If this failed, an interrupted command could leave half a result, or delete a user's files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from prereg import files
from prereg.errors import RatifyError


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), files.replaced_folder(target, ours=["a"]) as beside:
        files.write_text(beside / "a", "half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    for text in ("first", "second"):
        with files.replaced_folder(target, ours=["a"]) as beside:
            files.write_text(beside / "a", text)
        assert (target / "a").read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_somebodys_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with (
        pytest.raises(RatifyError, match=r"thesis\.tex.*lost"),
        files.replaced_folder(tmp_path, ours=["results.json"]),
    ):
        pass
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.json"
    files.write_json(path, {"b": 1})
    files.write_json(path, {"b": 2})
    assert path.read_text() == '{\n  "b": 2\n}\n'
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"b": float("nan")})
    assert "2" in path.read_text()


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RatifyError, match="cannot write"):
        files.write_text(tmp_path / "file" / "x", "y")
    with (
        pytest.raises(RatifyError, match="is a file, but a folder"),
        files.replaced_folder(tmp_path / "file", ours=()),
    ):
        pass


def test_a_fault_of_a_file_names_it_where_it_would_be(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with pytest.raises(RatifyError) as caught, files.replaced_folder(target, ours=()) as beside:
        raise RatifyError("is odd", file=beside / "a" / "b.csv", row=3)
    assert str(caught.value) == f"{target / 'a' / 'b.csv'}, row 3: is odd"


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_files_are_as_open_as_the_users_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    code = "import sys; from prereg import files; files.write_text(files.Path(sys.argv[1]), 'x')"
    path = tmp_path / "written.txt"
    subprocess.run([sys.executable, "-c", code, path], umask=umask, check=True)
    assert path.stat().st_mode & 0o777 == mode
