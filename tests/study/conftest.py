"""What tests share: one Chromium for each file that asks, one LLM server for each worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium
from tests.support.llm_server import LLMServer, running_llm_server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def started_llm_server() -> Iterator[LLMServer]:
    with running_llm_server() as server:
        yield server


@pytest.fixture
def llm_server(started_llm_server: LLMServer) -> Iterator[LLMServer]:
    """The server that LLM judges ask, alive and as new; it must not break."""
    started_llm_server.live()
    started_llm_server.reset()
    yield started_llm_server
    assert not started_llm_server.report()["internal_errors"]
