"""Writes conversations that come as lists of messages as text, one turn per line.

Chat files hold a list of `{role, content}` (OpenAI, Hugging Face, Chatbot Arena) or of
`{from, value}` (ShareGPT). As text, each message begins a line `User: ...`, `Assistant: ...`; its
further lines follow. `study.web.turns` and the judges' prompts cut it into turns again.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

_ROLES = ("role", "from", "speaker", "sender", "author")
_CONTENTS = ("content", "value", "text", "message", "parts")
_LISTS = ("messages", "conversation", "conversations", "turns", "dialog", "dialogue")
# What the roles of chat formats are called on a page.
_SPEAKERS = {
    "user": "User",
    "human": "User",
    "prompter": "User",
    "assistant": "Assistant",
    "gpt": "Assistant",
    "chatgpt": "Assistant",
    "bot": "Assistant",
    "ai": "Assistant",
    "model": "Assistant",
    "chatbot": "Assistant",
}
# What `study.web.turns` may take for the beginning of a turn.
_LIKE_A_TURN = re.compile(r"^[^\W\d_][\w .'-]{0,23}?\s*:(?!//)")


class NotAConversationError(ValueError):
    """A value that is not a list of messages; the message says why."""


def conversation(value: Any) -> str:
    """Return a list of messages as text with one turn per message.

    Parameters
    ----------
    value : object
        A list of messages, or a mapping with one such list inside.

    Raises
    ------
    NotAConversationError
        Where it is anything else, for example a message with a picture.

    Notes
    -----
    A further line of a message that looks like the beginning of a turn (`Note: ...`) is moved by
    one space, so that it stays in its message.
    """
    if isinstance(value, Mapping):
        lists = [value[name] for name in _LISTS if isinstance(value.get(name), list)]
        if len(lists) != 1:
            raise NotAConversationError("an object without a list of messages")
        value = lists[0]
    if not isinstance(value, list) or not value:
        raise NotAConversationError("not a list of messages")
    return "\n".join(_turn(message) for message in value)


def parsed(text: str) -> Any:
    """Return what a cell holds that is JSON, or a Python value as Python prints it.

    Raises
    ------
    ValueError
        Where it is neither, for example an array as NumPy prints it.
    """
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError("it is neither JSON nor a Python list") from error


def _turn(message: Any) -> str:
    if not isinstance(message, Mapping):
        raise NotAConversationError("a list of other things than messages")
    role = next((message[name] for name in _ROLES if message.get(name) is not None), None)
    if isinstance(role, Mapping):
        role = role.get("role") or role.get("name")
    if not isinstance(role, str) or not role.strip():
        raise NotAConversationError("a message without a role")
    found = [message[name] for name in _CONTENTS if message.get(name) is not None]
    if not found and message.get("tool_calls") is not None:
        raise NotAConversationError("a message that calls a tool and has no text")
    if not found and not any(name in message for name in _CONTENTS):
        raise NotAConversationError("a message without content")
    name = " ".join(role.split())
    speaker = _SPEAKERS.get(name.casefold(), name[:1].upper() + name[1:])
    first, *rest = _text(found[0] if found else "").strip("\n").split("\n")
    lines = [f" {line}" if _LIKE_A_TURN.match(line) else line for line in rest]
    return "\n".join([f"{speaker}: {first}".rstrip(), *lines])


def _text(content: Any) -> str:
    """Return the text of a message, also where it is a list of parts of type text."""
    if isinstance(content, str):
        return content.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(content, Mapping):
        if isinstance(content.get("parts"), list):
            return _text(content["parts"])
        text = content.get("text")
        if content.get("type", "text") in {"text", "input_text", "output_text"} and isinstance(
            text, str
        ):
            return _text(text)
        raise NotAConversationError(f"a part of type {content.get('type')}, which is not text")
    if isinstance(content, list):
        return "\n".join(map(_text, content))
    raise NotAConversationError("a message whose content is not text")
