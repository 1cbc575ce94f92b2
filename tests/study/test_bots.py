"""If this failed, a bot on a page it cannot answer would not say what it can answer."""

from __future__ import annotations

import httpx
import pytest

from prereg.errors import RatifyError
from study.bots import Page, answer_all


def test_a_bot_says_that_it_answers_pairs_only() -> None:
    page = Page()
    page.feed('<title>Rate this text</title><form action="/trial"></form>')
    with pytest.raises(RatifyError, match="two conversations, and no other") as caught:
        answer_all(httpx.Client(), page, lambda left, right: "left")
    assert "a pairwise plan" in str(caught.value)
