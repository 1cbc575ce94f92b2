"""If these failed, results could come from other code than they name, and nobody would notice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from prereg import code

FILES = {
    "analysis/a.py": b"x = 1\n",
    "analysis/report/templates/p.css": b"a {}\n",
    "prereg/b.py": b"",
}


def hashed(folder: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, bytes | None]) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in (FILES | changed).items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    monkeypatch.setattr(code, "_folder_of", lambda package: folder / package)
    return code.analysis_code.__wrapped__()


def test_the_hash_is_that_of_the_installed_code_and_is_kept() -> None:
    assert len(code.analysis_code()) == 64
    assert code.analysis_code() is code.analysis_code()
    names = {path for path, _ in code._files_of(code._folder_of("analysis"))}
    assert {"run.py", "report/page.py", "report/templates/report.html.j2"} <= names


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"analysis/a.py": b"x = 1\r\n"}, True),
        ({"analysis/__pycache__/a.pyc": b"compiled"}, True),
        ({"analysis/notes.txt": b"no code"}, True),
        ({"analysis/a.py": b"x = 2\n"}, False),
        ({"analysis/a.py": None, "analysis/c.py": FILES["analysis/a.py"]}, False),
        ({"analysis/report/templates/p.css": b"b {}\n"}, False),
        ({"prereg/b.py": b"y = 1\n"}, False),
    ],
)
def test_code_and_templates_count_and_line_ends_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, bytes | None], same: bool
) -> None:
    first = hashed(tmp_path / "code", monkeypatch, {})
    assert (hashed(tmp_path / "code", monkeypatch, changed) == first) is same
