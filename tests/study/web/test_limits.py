"""If this failed, a script could take every place, or an honest rush be turned away."""

from __future__ import annotations

import threading

import pytest

from prereg.errors import RatifyError
from study.web.limits import LOGINS_PER_MINUTE, Limits


def test_addresses_and_purposes_are_counted_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATIFY_ARRIVALS_PER_MINUTE", "3")
    limits = Limits(places=150)
    # a minute may begin in between, so more may be let in, never fewer
    assert [limits.arrival("a") for _ in range(3)] == [True] * 3
    assert not all(limits.arrival("a") for _ in range(8))
    assert limits.arrival("b")
    assert limits.login("a")
    assert not all(limits.login("a") for _ in range(3 * LOGINS_PER_MINUTE))


def test_a_rush_is_counted_by_many_threads_at_once() -> None:
    for _ in range(30):
        limits, allowed = Limits(places=150), []
        barrier = threading.Barrier(8)

        def arrive(limits: Limits = limits, allowed: list[bool] = allowed) -> None:
            barrier.wait()  # noqa: B023
            allowed.append(limits.arrival("hall"))

        threads = [threading.Thread(target=arrive) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert allowed == [True] * 8


def test_a_storage_that_is_away_turns_no_rater_away() -> None:
    class Away:
        def hit(self, *_: object) -> bool:
            raise ConnectionError("redis is gone")

    limits = Limits(places=150)
    limits._counter = Away()  # type: ignore[assignment]
    assert limits.arrival("a")
    assert limits.login("a")
    assert not all(limits.login("a") for _ in range(3 * LOGINS_PER_MINUTE)), "memory still counts"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATIFY_ARRIVALS_PER_MINUTE", "many"),
        ("RATIFY_ARRIVALS_PER_MINUTE", "0"),
        ("RATIFY_LIMITS_URL", "nowhere://x"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RatifyError, match=name):
        Limits(places=150)
