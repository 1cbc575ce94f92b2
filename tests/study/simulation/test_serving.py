"""If this failed, a simulation on a busy machine would end in a traceback and lose its report."""

from __future__ import annotations

import subprocess
import sys

from study.simulation.serving import stop

DEAF = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_server_that_does_not_end_is_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        stop(server, patience=0.05)
        assert server.poll() is not None
