"""Runs the server: it prints its address, then reads orders, one JSON object per line."""

from __future__ import annotations

import asyncio
import json
import sys

from tests.support.llm_server.server import Server


async def main() -> None:
    """Serve until the orders end, which they do when the process that gives them ends."""
    server = Server()
    await server.live()
    print(server.url, flush=True)
    orders = asyncio.StreamReader(limit=2**24)
    protocol = asyncio.StreamReaderProtocol(orders)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        try:
            if "live" in order:
                await server.live()
            said = {"said": server.order(order)}
        except TypeError as error:  # a setting that does not exist
            said = {"error": str(error)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
