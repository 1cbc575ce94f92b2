"""Asks the embeddings of texts from any OpenAI-compatible server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from prereg.errors import RatifyError
from prereg.plan.judging import LLMJudge
from study.llm.bodies import read_json
from study.llm.reply import TroubleError

# The variable of the environment that may hold the server's key.
KEY_VARIABLE: Final = "RATIFY_EMBEDDINGS_KEY"
NO_VECTORS: Final = "the reply is not a list of embeddings"
_PLACE: Final = "causal.confounders.encoder"
# The plan's keys for what messages about a judge's server name.
_KEYS: Final = {"base_url": f"{_PLACE}.server", "model": f"{_PLACE}.model"}


class EmbeddingModel(LLMJudge):
    """A model of embeddings, reached as a judge is."""

    @property
    def called(self) -> str:
        """What messages about its server call it."""
        return f"encoder {self.model}"


@dataclass(frozen=True)
class VectorReply:
    """The embeddings that a server sent.

    Attributes
    ----------
    vectors : list of list of float
        In the order of the texts. Their lengths and values are not checked.
    tokens : int or None
        What the server counted.
    """

    vectors: list[list[float]]
    tokens: int | None


def embedding_model(url: str, model: str, **settings: Any) -> EmbeddingModel:
    """Return a model behind a server; its key is that of `KEY_VARIABLE`, if there is one.

    Parameters
    ----------
    url : str
        For example `http://127.0.0.1:11434/v1`.
    model : str
    **settings
        Other keys of an LLM judge that say how its server is reached.

    Raises
    ------
    RatifyError
        When the address cannot be one.
    """
    keyed = bool(os.environ.get(KEY_VARIABLE, "").strip())
    try:
        return EmbeddingModel(
            id="encoder",
            kind="llm",
            model=model,
            base_url=url,
            key_variable=KEY_VARIABLE if keyed else None,
            **settings,
        )
    except ValidationError as error:
        raise RatifyError(
            f"encoder {model}: {error.errors()[0]['msg'].removeprefix('Value error, ')}",
            file="plan.yaml",
            column=_KEYS["base_url"],
            value=url,
        ) from error


class VectorServer:
    """One server's embeddings.

    Parameters
    ----------
    model : EmbeddingModel

    Raises
    ------
    RatifyError
        When the address, or that of a proxy, cannot be one.
    """

    def __init__(self, model: EmbeddingModel) -> None:
        from study.llm.server import ChatServer  # the client is slow to import

        self.model = model
        try:
            self._server = ChatServer(model)
        except RatifyError as error:
            raise _of_plan(error) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._server.close()

    async def embed(self, texts: Sequence[str]) -> VectorReply:
        """Send texts, once.

        Parameters
        ----------
        texts : sequence of str

        Raises
        ------
        TroubleError
            When there are no embeddings; the reason says whether to ask again.
        RatifyError
            When no text can be embedded, for example because of a wrong key or model name.
        """
        body = {"model": self.model.model, "input": list(texts)}

        def read(content: bytes, charset: str | None) -> VectorReply:
            return read_vectors(content, len(texts), charset)

        try:
            reply = await self._server.post("/embeddings", body, read)
        except RatifyError as error:
            raise _of_plan(error) from error
        self._server.note_answer(structured=False)
        return reply


def read_vectors(content: bytes, count: int, charset: str | None = None) -> VectorReply:
    """Read the body of a reply with status 200.

    Parameters
    ----------
    content : bytes
    count : int
        How many texts were sent.
    charset : str, optional
        The encoding that the server declares, if it is not UTF-8.

    Raises
    ------
    ErrorInside
        When it is the body of an error.
    TroubleError
        When it does not hold one embedding per text.
    """
    body = read_json(content, charset, NO_VECTORS)
    try:
        found = {int(row.get("index", at)): row["embedding"] for at, row in enumerate(body["data"])}
        usage = body.get("usage") or {}
        tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise TroubleError("unreadable", detail=NO_VECTORS, lost=True) from error
    if sorted(found) != list(range(count)):
        said = f"the server sent {len(found):,} embeddings for {count:,} texts"
        raise TroubleError("unreadable", detail=said, lost=True)
    vectors = [found[at] for at in range(count)]
    if not all(isinstance(row, list) and all(map(_is_number, row)) for row in vectors):
        raise TroubleError("unreadable", detail=NO_VECTORS, lost=True)
    return VectorReply(vectors, tokens if isinstance(tokens, int) and tokens >= 0 else None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_plan(error: RatifyError) -> RatifyError:
    """Return an error on a judge's server as one on the plan's encoder."""
    if error.column == "key_variable" or error.file == KEY_VARIABLE:
        return RatifyError(
            error.problem, file=KEY_VARIABLE, allowed="an environment variable that holds the key"
        )
    if error.column is None:
        return error
    return RatifyError(
        error.problem,
        file="plan.yaml",
        column=_KEYS.get(error.column, _PLACE),
        value=error.value,
        allowed=error.allowed,
    )
