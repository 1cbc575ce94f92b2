"""Run the server: `python -m tests.llm_server --port 0 --set latency=0.2 --set judge=first`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.support.llm_server.server import Server


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


async def _serve(port: int, settings: dict[str, Any], *, with_parent: bool) -> None:
    server = Server(port)
    server.change(settings)
    await server.start()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopped.set)
    if with_parent:
        # The pipe ends when the parent does, however it ends.
        loop.add_reader(0, lambda: None if os.read(0, 4096) else stopped.set())
    print(f"http://127.0.0.1:{server.house.port}/v1", flush=True)
    print(f"http://127.0.0.1:{server.office.port}/_admin", flush=True)
    await stopped.wait()


def main() -> None:
    """Print the address, then the address of the orders, and serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--set", type=_setting, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--settings", type=Path, help="a JSON file of settings")
    parser.add_argument("--with-parent", action="store_true", help="stop when stdin ends")
    options = parser.parse_args()
    settings = json.loads(options.settings.read_text()) if options.settings else {}
    try:
        # Nearly nothing here is cyclic; a full collection among 200,000 prompts is a hiccup.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        asyncio.run(
            _serve(options.port, settings | dict(options.set), with_parent=options.with_parent)
        )
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
