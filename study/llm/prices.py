"""What calls cost by the plan's prices, and the most that one can cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prereg.plan.judging import LLMJudge

# Tokens that a server adds to every message.
MESSAGE_TOKENS = 8
MILLION = 1_000_000


def most_tokens(messages: Sequence[Mapping[str, str]]) -> int:
    """Return a number of tokens that messages cannot exceed: one for each byte."""
    return sum(len(message["content"].encode()) + MESSAGE_TOKENS for message in messages)


def price(judge: LLMJudge, tokens_in: float, tokens_out: float) -> float | None:
    """Return what tokens cost by the plan's prices, or None if it has no prices."""
    if judge.prices is None:
        return None
    return (tokens_in * judge.prices.input + tokens_out * judge.prices.output) / MILLION
