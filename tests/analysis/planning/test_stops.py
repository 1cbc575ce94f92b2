"""If this failed, a stop by the keyboard would end a starting process with a traceback."""

from __future__ import annotations

import signal

from analysis.planning.working import _stops_held_back


def test_a_stop_waits_while_a_process_may_start_and_is_not_lost() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        with _stops_held_back():
            signal.raise_signal(signal.SIGINT)
            assert heard == []
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        assert heard == [signal.SIGINT]
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before)
