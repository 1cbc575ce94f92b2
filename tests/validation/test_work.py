"""If this failed, `make validate` would give other digits if it is stopped, or run in parallel."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from prereg.errors import RatifyError
from prereg.executor import Here
from tests.validation import __main__ as command
from tests.validation import on_workers, page, rows, store, work
from tests.validation.check import Check, tries
from tests.validation.on_workers import finish_on, try_chunk
from tests.validation.outcome import Outcome
from tests.validation.progress import Progress
from tests.validation.rows import checks, code_of, name_of, needed, seed_of
from tests.validation.store import Slice, Store
from tests.validation.work import Row, finish, rows_of, slice_of

QUICK = "analysis.inference.proportions"


def quick(runs: int) -> list[Check]:
    """Return real rows that take no time."""
    return [replace(one, runs=runs) for one in checks() if QUICK in one.function]


def expected(check: Check) -> list[tuple[int, int]]:
    return list(tries(check, seed_of(check), range(check.runs)))


def got(row: Row) -> list[tuple[int, int]]:
    return list(zip(row.results.tolist(), row.hits.tolist(), strict=True))


def test_two_processes_give_the_digits_of_one(tmp_path: Path) -> None:
    wanted = quick(150)
    found = rows_of(wanted, Store(tmp_path / "kept"))
    said = io.StringIO()
    progress = Progress(found, {}, 2, said)
    finish(found, Store(tmp_path / "kept"), processes=2, told=progress.told)
    assert [got(row) for row in found] == [expected(one) for one in wanted]
    assert said.getvalue().count("\n") == len(wanted)
    # and nothing is left to do in a second run
    again = rows_of(wanted, Store(tmp_path / "kept"))
    assert [got(row) for row in again] == [got(row) for row in found]
    assert not any(row.open for row in again)


def test_an_executor_gives_the_digits_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data sets have numbers, so it does not matter where and in which order they are tried."""
    monkeypatch.setattr(work, "SLICE_SECONDS", 0.0)  # each slice ends after one data set
    wanted = quick(40)[:2]
    found = rows_of(wanted, Store(tmp_path / "kept"))
    # the module of these rows, without making the rows of all others
    made_by = {row.name: "tests.validation.regression" for row in found}
    monkeypatch.setattr(on_workers, "modules", lambda: made_by)
    told: list[str] = []
    finish_on(Here(), found, Store(tmp_path / "kept"), told=lambda row, _: told.append(row.name))
    assert [len(row.results) for row in found] == [40, 40]
    # a worker tries the row of its own checkout, whose data sets are the same
    assert [got(row) for row in found] == [expected(one) for one in wanted]
    assert len(told) == 80
    assert not any(row.open for row in rows_of(wanted, Store(tmp_path / "kept")))
    with pytest.raises(RatifyError, match="a worker has other code of this row"):
        try_chunk((found[0].name, "0" * 64, (0, 1)))
    on_workers._codes.cache_clear()


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    [check, *_] = quick(40)
    code = code_of("tests.validation.regression")
    kept = Store(tmp_path / "kept")
    first = slice_of(check, code, (0, 40), seconds=0.0)
    assert len(first.results) == 1  # the time was up after one
    kept.add(first)
    kept.add(slice_of(check, code, (20, 30), seconds=60))
    with kept.path.open("a") as file:
        file.write('{"row": "cut o')
    [row] = rows_of([check], Store(kept.path))
    assert row.open == [(1, 20), (30, 40)]
    for span in row.open:
        row.take(slice_of(check, code, span, seconds=60))
    assert got(row) == expected(check)
    assert row.left == 0


def test_more_data_sets_of_a_row_keep_the_first_ones_and_other_code_keeps_none(
    tmp_path: Path,
) -> None:
    [check, *_] = quick(40)
    code = code_of("tests.validation.regression")
    kept = Store(tmp_path / "kept")
    kept.add(slice_of(check, code, (0, 40), seconds=60))
    [more] = rows_of([replace(check, runs=100)], kept)
    assert more.open == [(40, 100)]
    [fewer] = rows_of([replace(check, runs=30)], kept)
    assert fewer.open == []
    kept.slices = [replace(one, code="another") for one in kept.slices]
    assert rows_of([check], kept)[0].open == [(0, 40)]
    assert list(kept.pace()) == [name_of(check)]
    kept.forget({name_of(check)})
    assert Store(kept.path).slices == []


def test_all_processes_are_busy_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # one long row: both processes take a part of what is left of it
    [check, *_] = quick(600)
    spans = []

    class AtOnce:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __enter__(self) -> AtOnce:
            return self

        def __exit__(self, *_: object) -> None: ...

        def submit(self, function: object, name: str, code: str, span: tuple[int, int]) -> object:
            spans.append(span)
            n = min(100, span[1] - span[0])
            return Done(
                Slice(
                    row=name, code=code, first=span[0], results=[1] * n, hits=[1] * n, seconds=1.0
                )
            )

    class Done:
        def __init__(self, one: Slice) -> None:
            self.one = one

        def result(self) -> Slice:
            return self.one

    monkeypatch.setattr("tests.validation.work.ProcessPoolExecutor", AtOnce)
    monkeypatch.setattr("tests.validation.work.wait", lambda jobs, **_: (list(jobs), []))
    found = rows_of([check], Store(tmp_path / "kept"))
    finish(found, Store(tmp_path / "kept"), processes=2, told=lambda *_: None)
    assert found[0].left == 0
    assert spans[:2] == [(0, 300), (300, 600)]
    assert len(spans) == 6


def test_a_row_depends_on_the_code_that_it_needs() -> None:
    trials = needed("tests.validation.trials")
    assert {"analysis.agreement.choices", "tests.validation.trials_truth", "prereg"} <= trials
    assert not any(name.startswith("analysis.ranking") for name in trials)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that takes the checkout's place."""
    monkeypatch.setattr(rows, "ROOT", tmp_path)
    rows._file.cache_clear()
    rows.code_of.cache_clear()
    yield tmp_path
    rows._file.cache_clear()
    rows.code_of.cache_clear()


def test_a_changed_line_far_down_makes_a_row_new(elsewhere: Path) -> None:
    (elsewhere / "analysis").mkdir()
    texts = {
        "__init__": "",
        "a": "from analysis.b import two\n",
        "b": "def two():\n    import analysis.c\n",
        "c": "x = 1\n",
        "d": "x = 1\n",
    }
    for name, text in texts.items():
        (elsewhere / "analysis" / f"{name}.py").write_text(text)

    def code() -> str:
        code_of.cache_clear()
        return code_of("analysis.a")

    before = code()
    assert needed("analysis.a") == {"analysis", "analysis.a", "analysis.b", "analysis.c"}
    (elsewhere / "analysis" / "d.py").write_text("x = 2\n")
    assert code() == before
    (elsewhere / "analysis" / "b.py").write_text(
        '"""Words."""\n\n\ndef two():\n    """More words."""\n    import analysis.c  # here\n'
    )
    assert code() == before
    (elsewhere / "analysis" / "c.py").write_text("x = 2\n")
    assert code() != before


def test_the_page_says_which_rows_are_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = quick(30)
    monkeypatch.setattr(command, "checks", lambda: wanted)
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(command, "TABLE", tmp_path / "table.csv")
    monkeypatch.setattr(command, "Store", lambda: Store(tmp_path / "kept"))
    kept = Store(tmp_path / "kept")
    code = code_of("tests.validation.regression")
    for check in wanted[:-1]:
        kept.add(slice_of(check, code, (0, 30), seconds=60))
    assert command.main(["--page"]) == 0
    assert "1 rows are not finished" in capsys.readouterr().out
    unfinished = (tmp_path / "page.md").read_text()
    assert "1 of 3 rows are not finished." in unfinished
    assert unfinished.count("| 0 of 30 | size 0.05 |  |  | not run |") == 1
    kept.add(slice_of(wanted[-1], code, (0, 30), seconds=60))
    assert command.main(["--page"]) == 0
    text = (tmp_path / "page.md").read_text()
    assert text.count(f"| `{QUICK}") == 3
    assert "are not finished" not in text
    assert "| data sets |" in text
    assert command.main(["--page", "--only", "wilson", "--fresh"]) == 0
    assert len(Store(kept.path).slices) == 2


def test_the_page_says_how_many_data_sets_had_no_result() -> None:
    [check, *_] = quick(30)
    found = Outcome(check=check, share=0.9, error=0.01, tried=25, without=5)
    text = page.page([page.Line(check=check, outcome=found, tried=30)])
    assert (
        "| 30 (5 without a result) | coverage 0.95 | 0.900 | 0.010 | **misses** | **outside** |"
        in text
    )
    assert "0 holds, 0 cautious, 1 misses." in text
    assert "Goal: 0 within, 0 unclear, 1 outside." in text
    short = page.page([page.Line(check=check, outcome=found, tried=25)])
    assert "| 25 of 30 (5 without a result) |" in short


def test_another_clone_keeps_finished_rows_until_their_code_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = quick(30)
    monkeypatch.setattr(command, "checks", lambda: wanted)
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(command, "TABLE", tmp_path / "table.csv")
    monkeypatch.setattr(command, "Store", lambda: Store(tmp_path / "kept"))
    kept = Store(tmp_path / "kept")
    code = code_of("tests.validation.regression")
    for check in wanted:
        kept.add(slice_of(check, code, (0, 30), seconds=60))
    assert command.main(["--page"]) == 0
    text, table = ((tmp_path / name).read_text() for name in ("page.md", "table.csv"))
    kept.path.unlink()  # a fresh clone has no results of single data sets
    assert command.main([]) == 0
    assert not kept.path.exists(), "a kept row was run again"
    assert (tmp_path / "page.md").read_text() == text
    assert (tmp_path / "table.csv").read_text() == table
    (tmp_path / "table.csv").write_text(table.replace(code, "0" * 16, 1))
    assert command.main(["--page"]) == 0
    changed = (tmp_path / "page.md").read_text()
    assert "1 of 3 rows are of earlier code." in changed
    assert changed.count("| 30 (earlier code) |") == 1
    assert (tmp_path / "table.csv").read_text().count("0" * 16) == 1
    assert command.main([]) == 0
    assert {one.row for one in Store(kept.path).slices} == {name_of(wanted[0])}
    assert (tmp_path / "page.md").read_text() == text
    assert (tmp_path / "table.csv").read_text() == table


def test_a_terminal_has_a_bar_and_a_file_has_lines(tmp_path: Path) -> None:
    wanted = quick(20)
    found = rows_of(wanted, Store(tmp_path / "kept"))
    out = io.StringIO()
    out.isatty = lambda: True  # type: ignore[method-assign]
    progress = Progress(found, {}, 1, out)
    for row in found:
        one = slice_of(row.check, row.code, (0, 20), seconds=60)
        row.take(one)
        progress.told(row, one)
    progress.end()
    assert "3/3 rows" in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K")
    assert store.PLACE.name == "results.jsonl"


def test_results_are_whole_numbers(tmp_path: Path) -> None:
    [check, *_] = quick(5)
    one = slice_of(check, "x", (0, 5), seconds=60)
    Store(tmp_path / "kept").add(one)
    assert Store(tmp_path / "kept").slices == [one]
    assert all(isinstance(n, int) and not isinstance(n, np.integer) for n in one.results)
