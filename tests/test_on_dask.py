"""If this failed, a second machine would lose work, change numbers, or end a run in a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from prereg import executor as module
from prereg.errors import RatifyError
from prereg.executor import executor_of
from ratify.embed import embed_frame
from study.encoders.kept import KEPT_FOLDER
from tests.support.dask_cluster import Cluster, running_cluster
from tests.support.encoders import make_frame
from tests.support.slow_work import refuse, slow_square

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler with two workers; a test that kills one starts another."""
    with running_cluster(tmp_path_factory.mktemp("dask"), workers=2) as found:
        yield found


def test_a_worker_killed_midway_costs_time_and_nothing_else(
    cluster: Cluster, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    work = {str(number): (number, str(marks)) for number in range(16)}
    found: dict[str, tuple[int, int]] = {}
    with executor_of(cluster.address) as executor:
        for key, result in executor.map(slow_square, work.items()):
            assert key not in found
            found[key] = result
            if len(found) == 4:
                cluster.workers[0].kill()
    assert {key: square for key, (square, _) in found.items()} == {
        key: number * number for key, (number, _) in work.items()
    }
    pids = {pid for _, pid in found.values()}
    assert pids == {worker.pid for worker in cluster.workers}
    calls = marks.read_text().split()
    assert set(calls) == set(work)
    # what the dead worker was doing, and had not handed over, was done again
    assert len(calls) <= len(work) + 2 * module.AHEAD
    cluster.add_worker(tmp_path / "another")


def test_workers_embed_what_this_process_would(cluster: Cluster, tmp_path: Path) -> None:
    texts = [f"a text about the number {number}" for number in range(1_100)]
    for name in ("here", "there"):
        make_frame(tmp_path / name, texts)
    embed_frame(tmp_path / "here", "frame.csv", "prompt", "wordllama")
    path = embed_frame(
        tmp_path / "there", "frame.csv", "prompt", "wordllama", scheduler=cluster.address
    )
    one, other = (pq.read_table(tmp_path / name / path.name) for name in ("here", "there"))
    assert one.equals(other)
    assert one.schema.metadata[b"ratify.encoder"] == other.schema.metadata[b"ratify.encoder"]
    kept = [len(list((tmp_path / name / KEPT_FOLDER).rglob("*.npz"))) for name in ("here", "there")]
    assert kept == [3, 3]
    # a second run asks no scheduler
    embed_frame(tmp_path / "there", "frame.csv", "prompt", "wordllama", scheduler="tcp://nowhere:1")


def test_a_fault_of_the_work_is_told_as_it_is(cluster: Cluster) -> None:
    with (
        executor_of(cluster.address) as executor,
        pytest.raises(
            RatifyError, match=r"^file.csv, row 3, column text: cannot be .allowed: another"
        ),
    ):
        list(executor.map(refuse, [("0", 3)]))


def test_workers_with_other_code_are_refused(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "same_results", lambda: "another version")
    with (
        executor_of(cluster.address) as executor,
        pytest.raises(RatifyError, match=r"other code or other packages.*allowed: .*another vers"),
    ):
        list(executor.map(slow_square, [("0", (1, str(tmp_path / "marks")))]))


def test_a_scheduler_without_workers_or_gone_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marks = str(tmp_path / "marks")
    work = ((str(number), (number, marks)) for number in range(100))
    with running_cluster(tmp_path, workers=0) as found:
        with monkeypatch.context() as patch:
            patch.setattr(module, "PATIENCE", 2.0)
            with (
                pytest.raises(RatifyError, match="the scheduler has no worker"),
                executor_of(found.address),
            ):
                pass
        found.add_worker(tmp_path / "worker")
        with executor_of(found.address) as executor:
            results = executor.map(slow_square, work)
            assert next(results)[1][0] == 0
            found.scheduler.kill()
            with pytest.raises(RatifyError, match=r"the scheduler has gone away.*is kept"):
                list(results)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no address at all"])
def test_an_address_without_a_scheduler_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with (
        pytest.raises(RatifyError, match="no Dask scheduler answers") as raised,
        executor_of(address),
    ):
        pass
    assert "\n" not in str(raised.value)


def test_a_server_is_not_work_for_workers(tmp_path: Path) -> None:
    setting = {"server": "http://127.0.0.1:1/v1", "model": "m"}
    with pytest.raises(RatifyError, match="the plan's encoder is a server, which this machine"):
        embed_frame(tmp_path, "frame.csv", "prompt", setting, scheduler="tcp://127.0.0.1:9")
