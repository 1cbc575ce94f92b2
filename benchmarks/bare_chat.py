"""A bare peer of the conversation pages: the form post waits for the model, and then redirects.

It is the least Flask, waitress and SQLite code that keeps messages, as a lab would write it first.
Run as `python -m benchmarks.bare_chat STORE.sqlite3 MODEL`; it prints its address.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import sys
import threading
import time
import urllib.request
from pathlib import Path

from flask import Flask, redirect, render_template_string, request, session
from waitress.server import create_server
from werkzeug.wrappers import Response

THREADS = 8
PAGE = """<!doctype html><html lang="en"><head><title>Conversation</title></head><body><ol>
{% for speaker, turn, words in said %}
<li data-speaker="{{ speaker }}" data-turn="{{ turn }}">{{ words }}</li>
{% endfor %}</ol>
<form method="post" action="/talk"><input type="hidden" name="turn" value="{{ turn }}">
<textarea name="text"></textarea><button type="submit">Send</button></form></body></html>"""


def bare_chat(store: Path, model: str) -> Flask:
    """Build the bare application.

    Parameters
    ----------
    store : Path
        The SQLite file that keeps messages.
    model : str
        The address of a server that speaks OpenAI's protocol.
    """
    app = Flask(__name__)
    app.secret_key = secrets.token_hex(16)
    mine = threading.local()

    def database() -> sqlite3.Connection:
        if not hasattr(mine, "connection"):
            mine.connection = sqlite3.connect(store, timeout=60, isolation_level=None)
            mine.connection.execute("PRAGMA journal_mode=WAL")
            mine.connection.execute("PRAGMA synchronous=FULL")
        return mine.connection  # type: ignore[no-any-return]

    database().execute(
        "CREATE TABLE IF NOT EXISTS messages (talk TEXT, turn INT, speaker TEXT, words TEXT,"
        " at REAL, UNIQUE (talk, turn, speaker))"
    )

    def messages() -> list[tuple[str, int, str]]:
        found = database().execute(
            "SELECT speaker, turn, words FROM messages WHERE talk = ? ORDER BY at",
            (session["talk"],),
        )
        return found.fetchall()

    def keep(speaker: str, turn: int, words: str) -> None:
        row = (session["talk"], turn, speaker, words, time.time())
        database().execute("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)", row)

    @app.get("/")
    def arrive() -> Response:
        session["talk"] = secrets.token_urlsafe(12)
        keep("partner", 0, "Hello.")
        return redirect("/talk", 303)

    @app.get("/talk")
    def talk() -> str:
        said = messages()
        return render_template_string(PAGE, said=said, turn=said[-1][1] + 1)

    @app.post("/talk")
    def send() -> Response:
        turn = int(request.form["turn"])
        keep("supporter", turn, request.form["text"])
        roles = {"supporter": "user", "partner": "assistant"}
        asked = [{"role": roles[speaker], "content": words} for speaker, _, words in messages()]
        body = json.dumps({"model": "double", "messages": asked}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{model}/chat/completions", body), timeout=300
        ) as answer:
            reply = json.load(answer)["choices"][0]["message"]["content"]
        keep("partner", turn, reply)
        return redirect("/talk", 303)

    return app


def main() -> None:
    """Serve it on a free port until it is stopped."""
    app = bare_chat(Path(sys.argv[1]), sys.argv[2])
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app, host="127.0.0.1", port=0, threads=THREADS, connection_limit=2000, backlog=2000
    )
    print(f"http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
