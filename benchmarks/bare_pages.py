"""A bare peer of the rater pages: the least Flask, waitress and SQLite code that keeps answers.

It shows the same conversations on a page with the same markup, and commits each answer to disk
before it replies. It has no claims, leases, languages, tokens, headers or withdrawals. A lab
could write it in an afternoon, so it shows what the pages of Ratify cost.

Run as `python -m benchmarks.bare_pages ITEMS.csv STORE.sqlite3 TRIALS`; it prints its address.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import sys
import threading
import time
from pathlib import Path

from flask import Flask, redirect, request, session
from waitress.server import create_server
from werkzeug.wrappers import Response

from prereg.tables.reader import read_table
from study.web.turns import turns

THREADS = 8
HEAD = """<!doctype html>
<html lang="en" dir="ltr">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>{{ title }}</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/static/style.css">
  <script src="/static/trial.js" defer></script>
</head>
"""
FORM = (
    HEAD
    + """<body class="prose"><main><h1>{{ title }}</h1>
<form method="post" action="/consent"><button type="submit" class="primary">I agree</button></form>
</main></body></html>"""
)
ONWARD = (
    HEAD
    + """<body class="prose"><main><h1>{{ title }}</h1>
<a class="button primary" href="/trial">Begin</a></main></body></html>"""
)
DONE = (
    HEAD
    + """<body class="prose"><main><h1>{{ title }}</h1>
<p id="completion-code">DONE</p></main></body></html>"""
)
TRIAL = (
    HEAD
    + """<body class="trial"><main>
<header class="where"><h1 id="pair" tabindex="-1">{{ title }}</h1>
<progress value="{{ position - 1 }}" max="{{ trials }}" aria-label="Answered so far"></progress>
</header>
<form method="post" action="/trial">
  <input type="hidden" name="visit" value="{{ visit }}">
  <input type="hidden" name="position" value="{{ position }}">
  <input type="hidden" name="response_ms" value="">
  <div class="pair">
  {% for letter, said in conversations %}
  <section class="conversation" aria-labelledby="heading-{{ letter }}">
  <h2 id="heading-{{ letter }}" tabindex="-1">Conversation {{ letter }}</h2>
  <div class="turns" dir="auto" data-conversation="{{ letter }}">
  {% for turn in said %}
    <p class="turn" dir="auto">{% if turn.speaker %}<strong>{{ turn.speaker }}</strong>{% endif %}
      <span class="words">{{ turn.text }}</span></p>
  {% endfor %}
  </div></section>
  {% endfor %}
  </div>
  <div class="answer"><fieldset><legend>In which conversation would you feel more heard?</legend>
  <label class="option"><input type="radio" name="choice" value="left"> Conversation A</label>
  <label class="option"><input type="radio" name="choice" value="right"> Conversation B</label>
  <button type="submit" class="primary">Continue</button></fieldset></div>
</form>
</main></body></html>"""
)


def bare_app(items: Path, store: Path, trials: int) -> Flask:
    """Build the bare application.

    Parameters
    ----------
    items, store : Path
        A table with a column `text`; the SQLite file that keeps visits and answers.
    trials : int
        Pairs for each rater.
    """
    app = Flask(__name__)
    app.secret_key = secrets.token_hex(16)
    # compiled once, as templates in files are
    form, onward, done, page = map(app.jinja_env.from_string, (FORM, ONWARD, DONE, TRIAL))
    texts = [row["text"] for row in read_table(items).rows]
    mine = threading.local()

    def database() -> sqlite3.Connection:
        if not hasattr(mine, "connection"):
            mine.connection = sqlite3.connect(store, timeout=30, isolation_level=None)
            mine.connection.execute("PRAGMA journal_mode=WAL")
            mine.connection.execute("PRAGMA synchronous=FULL")
        return mine.connection  # type: ignore[no-any-return]

    database().executescript(
        "CREATE TABLE visits (id TEXT PRIMARY KEY, rater TEXT UNIQUE, answered INT DEFAULT 0);"
        "CREATE TABLE answers (visit TEXT, position INT, choice TEXT, at REAL,"
        " UNIQUE (visit, position));"
    )

    @app.get("/")
    def arrive() -> str:
        session["rater"] = request.args.get("rater", "")
        return form.render(title="Consent")

    @app.post("/consent")
    def consent() -> Response:
        session["visit"] = secrets.token_urlsafe(18)
        database().execute(
            "INSERT INTO visits (id, rater) VALUES (?, ?)", (session["visit"], session["rater"])
        )
        return redirect("/instructions", 303)

    @app.get("/instructions")
    def instructions() -> str:
        return onward.render(title="Instructions")

    @app.get("/trial")
    def trial() -> str:
        visit = session["visit"]
        found = database().execute("SELECT answered FROM visits WHERE id = ?", (visit,)).fetchone()
        position = found[0] + 1
        if position > trials:
            return done.render(title="Thank you")
        pair = [texts[(2 * position + side) % len(texts)] for side in (0, 1)]
        return page.render(
            title=f"Pair {position} of {trials}",
            position=position,
            trials=trials,
            visit=visit,
            conversations=[("A", turns(pair[0])), ("B", turns(pair[1]))],
        )

    @app.post("/trial")
    def answer() -> Response:
        visit, position = session["visit"], int(request.form["position"])
        connection = database()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)",
            (visit, position, request.form["choice"], time.time()),
        )
        connection.execute("UPDATE visits SET answered = ? WHERE id = ?", (position, visit))
        connection.execute("COMMIT")
        return redirect("/trial", 303)

    return app


def main() -> None:
    """Serve it on a free port until it is stopped."""
    items, store, trials = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    app = bare_app(items, store, trials)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = create_server(
        app, host="127.0.0.1", port=0, threads=THREADS, connection_limit=2000, backlog=2000
    )
    print(f"http://127.0.0.1:{server.effective_port}/", flush=True)
    server.run()


if __name__ == "__main__":
    main()
