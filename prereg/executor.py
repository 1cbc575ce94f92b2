"""Maps a pure function over chunks of work: in this process, or on the workers of a Dask scheduler.

It is here because the embedding of texts (study) and the simulations (analysis) both use it.
`distributed` (extra `dask`) is imported only where a scheduler is named.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol, TypeVar

from prereg.code import code_of
from prereg.errors import RatifyError

C = TypeVar("C")
R = TypeVar("R")

# Chunks that wait at a worker, so that none is idle; more would only fill the scheduler's memory.
AHEAD = 2
# Seconds that the scheduler has to answer, and that its first worker has to appear.
PATIENCE = 30.0
# What a result follows from, beside our own code.
_OURS = ("analysis", "prereg", "study")
_LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "scikit-learn")


class Executor(Protocol):
    """Something that does chunks of work."""

    def map(
        self, function: Callable[[C], R], chunks: Iterable[tuple[str, C]]
    ) -> Iterator[tuple[str, R]]:
        """Yield the result of each chunk as soon as it is finished, in any order.

        Parameters
        ----------
        function : callable
            Pure, and importable by name: another process may call it, and may call it again if the
            first one dies.
        chunks : iterable of (str, chunk)
            Each with a key, which names the content of the chunk.

        Yields
        ------
        key : str
        result : object

        Raises
        ------
        RatifyError
            As `function` does; and when workers or scheduler are lost for good.
        """


class Here:
    """Does every chunk in this process, in order."""

    def map(
        self, function: Callable[[C], R], chunks: Iterable[tuple[str, C]]
    ) -> Iterator[tuple[str, R]]:
        """Yield the results; see `Executor.map`."""
        for key, chunk in chunks:
            yield key, function(chunk)


class OnDask:
    """Has chunks done by the workers of a Dask scheduler.

    A chunk whose worker dies is given to another one. Workers that join later get work too.

    Parameters
    ----------
    client : distributed.Client
    address : str
        Of the scheduler, for messages.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client = client
        self._address = address

    def map(
        self, function: Callable[[C], R], chunks: Iterable[tuple[str, C]]
    ) -> Iterator[tuple[str, R]]:
        """Yield the results; see `Executor.map`."""
        from distributed import as_completed

        same = same_results()
        waiting, at_work = iter(chunks), dict[str, tuple[str, Any]]()
        done = as_completed(loop=self._client.loop)

        def submit() -> None:
            """Keep every worker busy."""
            room = AHEAD * max(1, len(self._client.nthreads())) - len(at_work)
            for _, (key, chunk) in zip(range(room), waiting, strict=False):
                future = self._client.submit(
                    _checked,
                    function,
                    chunk,
                    same,
                    # the same work has the same name, so a scheduler does it once
                    key=f"ratify-{function.__qualname__}-{key}-{same}",
                )
                at_work[future.key] = key, future
                done.add(future)

        try:
            submit()
            for future in done:
                key, _ = at_work.pop(future.key)
                yield key, self._result(future)
                submit()
        except OSError as error:
            raise self._lost() from error
        finally:
            with contextlib.suppress(Exception):  # a scheduler that is gone has nothing to cancel
                self._client.cancel([future for _, future in at_work.values()])

    def _result(self, future: Any) -> Any:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            return future.result()
        except KilledWorker as error:
            raise RatifyError(
                "the same work has ended several workers, which may have too little memory",
                column="--scheduler",
                value=self._address,
                allowed="more memory per worker; what is finished is kept",
            ) from error
        except FutureCancelledError as error:
            raise self._lost() from error
        except ModuleNotFoundError as error:
            raise RatifyError(
                f"a worker lacks a package ({error})",
                column="--scheduler",
                value=self._address,
                allowed="workers in an environment with the same Ratify and the same extras",
            ) from error

    def _lost(self) -> RatifyError:
        return RatifyError(
            "the scheduler has gone away",
            column="--scheduler",
            value=self._address,
            allowed="start it and run the command again; what is finished is kept",
        )


def same_results() -> str:
    """Return a name of what results follow from: our code, and the versions that compute."""
    parts = [code_of(*_OURS)[:16], f"python-{sys.version_info.major}.{sys.version_info.minor}"]
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            parts.append(f"{name}-{version(name)}")
    return "-".join(parts)


def _checked(function: Callable[[C], R], chunk: C, same: str) -> R:
    """Do a chunk on a worker that computes the same as the process that asks."""
    from distributed import get_worker

    here = same_results()
    if here != same:
        raise RatifyError(
            f"a worker would compute with other code or other packages ({here})",
            column="--scheduler",
            allowed=f"workers with the same Ratify and the same packages ({same})",
        )
    if get_worker().state.nthreads > 1:
        # libraries keep settings, such as the filter of warnings, that all threads share
        raise RatifyError(
            "a worker has several threads",
            column="--scheduler",
            allowed="`dask worker ADDRESS --nthreads 1 --nworkers N`",
        )
    return function(chunk)


@contextlib.contextmanager
def executor_of(scheduler: str | None) -> Iterator[Executor]:
    """Yield what does the work: this process, or the workers of a scheduler.

    Parameters
    ----------
    scheduler : str, optional
        The address of a Dask scheduler, for example `tcp://10.0.0.5:8786`.

    Raises
    ------
    RatifyError
        When Dask is not installed, nothing answers at the address, or no worker appears.
    """
    if scheduler is None:
        yield Here()
        return
    with _client(scheduler) as client:
        yield OnDask(client, scheduler)


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    """Yield a client of a scheduler that has a worker."""
    try:
        from distributed import Client
    except ImportError as error:
        raise RatifyError(
            "needs Dask", column="--scheduler", allowed="`pip install 'ratify-eval[dask]'`"
        ) from error
    said = logging.getLogger("distributed")
    level = said.level
    said.setLevel(logging.CRITICAL)  # our one line says what happened
    try:
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise RatifyError(
                "no Dask scheduler answers",
                column="--scheduler",
                value=address,
                allowed="the address that `dask scheduler` prints, for example tcp://10.0.0.5:8786",
            ) from error
        try:
            _await_worker(client, address)
            yield client
        finally:
            client.close(timeout=5)
    finally:
        said.setLevel(level)


def _await_worker(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise RatifyError(
            "the scheduler has no worker",
            column="--scheduler",
            value=address,
            allowed=f"`dask worker {address} --nthreads 1` on at least one machine",
        ) from error
