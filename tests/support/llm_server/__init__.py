"""A server that speaks OpenAI's protocol and misbehaves on command: the double of a judge's server.

    with running_llm_server(latency=0.2, judge="first", faults={"500": 0.05}) as server:
        client = AsyncOpenAI(base_url=server.base_url, api_key="any")
        ...
        assert server.report()["answered_more_than_once"] == 0

Or `python -m tests.llm_server --port 8080 --set latency=0.2`. What can be set is in `settings.py`,
what can go wrong in `faults.py`, what is counted in `LLMServer.report`.
"""

from tests.support.llm_server.accounts import prompt_hash
from tests.support.llm_server.handle import LLMServer, running_llm_server
from tests.support.llm_server.trial import text_hash

__all__ = ["LLMServer", "prompt_hash", "running_llm_server", "text_hash"]
