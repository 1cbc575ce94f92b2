"""Serves a study to simulated raters from a thread of the test: no process has to start."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

from werkzeug.serving import make_server

from study.opening import open_study
from study.simulation.serving import MODE, without_waiting
from study.store.database import open_store
from study.web.app import create_app


@contextlib.contextmanager
def served_here(folder: Path) -> Iterator[str]:
    """Stand in for `study.simulation.serving.served`."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with contextlib.closing(open_store(folder, None)) as store:
        app = create_app(without_waiting(open_study(folder)), store, mode=MODE)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
