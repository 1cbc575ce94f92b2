"""Studies for the browser tests; each is made and served when a page first needs it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from prereg.tables.reader import write_csv
from study.folder import DEMO_MARK
from study.opening import lock_study
from study.scaffold import new_study
from tests.conftest import Server, make_study, running
from tests.support.plans import edited_plan

TRIALS = 10  # two digits, which need more room
# Words and names that are too long for one line on a phone must still wrap.
LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz/" * 2
HEBREW = "שלום, מה שלומך היום?"
PILOT = ["--mode", "pilot"]


Prepare = Callable[[Path], list[str]]


class Studies:
    """The studies that are being served; each is made and started when a page first needs it."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        self._root = root
        self._stack = stack
        self._servers: dict[str, Server] = {}
        self._numbers = itertools.count(1)

    def server(self, prepare: Prepare) -> Server:
        """Return a running study; `prepare` makes it and returns the options for `ratify serve`."""
        name = prepare.__name__
        if name not in self._servers:
            folder = self._root / name
            assert not folder.exists(), f"the study '{name}' did not start: see the first failure"
            options = prepare(folder)
            server = self._stack.enter_context(running(folder, *options))
            assert server.process.stdout is not None
            server.said.append(server.process.stdout.readline())  # where the dashboard is
            self._servers[name] = server
        return self._servers[name]

    def url(self, prepare: Prepare) -> str:
        """Return the address of a running study."""
        return self.server(prepare).url

    def change(self, prepare: Prepare, *statements: str) -> None:
        """Change the store of a study directly."""
        with sqlite3.connect(self._root / prepare.__name__ / "study.sqlite3") as store:
            for statement in statements:
                store.execute(statement)
        store.close()

    def rater(self) -> str:
        """Return an id that no rater has had."""
        return f"rater-{next(self._numbers)}"


def planned(folder: Path, **changes: Any) -> list[str]:
    """Change parts of a plan, and return the options that serve it as a pilot."""
    with edited_plan(folder) as plan:
        for part, change in changes.items():
            plan[part] = {**plan.get(part, {}), **change} if isinstance(change, dict) else change
    return PILOT


def rugged(folder: Path) -> list[str]:
    """A pilot with room for everybody, whose texts are hard to lay out."""
    make_study(folder, raters=400, trials=TRIALS)
    items = folder / "items.csv"
    text = items.read_text(encoding="utf-8").replace("I hear you.", LONG_WORD, 1)
    items.write_text(text.replace("Not well.", HEBREW, 2), encoding="utf-8")
    return planned(folder, title=f"Which one is better: {LONG_WORD}")


def linked(folder: Path) -> list[str]:
    """A pilot whose raters go back by a link."""
    make_study(folder, raters=20, trials=1)
    recruitment = {
        "codes": {"completed": "C1", "no_consent": "N1"},
        "completion_url": f"https://example.org/{LONG_WORD}?code={{code}}",
    }
    return planned(folder, recruitment=recruitment)


def live(folder: Path) -> list[str]:
    """A locked study; its pages carry no banner. It has a report."""
    lock_study(make_study(folder, raters=30))
    (folder / "results").mkdir()
    (folder / "results" / "report.html").write_text("<!doctype html><title>A report</title>")
    return []


def demo(folder: Path) -> list[str]:
    """A study with the demo's banner; its dashboard has no password yet."""
    (make_study(folder) / DEMO_MARK).write_text("A demo.")
    return PILOT


def tiny(folder: Path) -> list[str]:
    """A study with two places."""
    make_study(folder, raters=2)
    return PILOT


def closed(folder: Path) -> list[str]:
    """A study whose recruitment is paused."""
    make_study(folder, raters=5)
    return PILOT


def hasty(folder: Path) -> list[str]:
    """A study with one place, which a rater loses at once."""
    make_study(folder, raters=1)
    return planned(folder, design={"lease_minutes": 0.001})


def ratings(folder: Path) -> list[str]:
    """A rating study with a comprehension question, a long scale, and a time to read."""
    worked_study(folder, "empathy_rating")
    long_scale = {
        "id": "overall",
        "question": f"How helpful is it all in all, {LONG_WORD}?",
        "min": 0,
        "max": 10,
        "labels": {0: "not in the least helpful", 10: LONG_WORD},
    }
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    return planned(
        folder,
        scales=[*plan["scales"], long_scale],
        judges=[],
        analyses=[],
        attention_checks=[],
        exclusions=[{"rule": "incomplete_session"}],
        design={"raters": 200, "trials": 3, "min_reading_seconds": 600},
        recruitment={"codes": {"completed": "R", "screened_out": "S"}},
    )


def arabic(folder: Path) -> list[str]:
    """A study whose pages run from right to left."""
    make_study(folder, raters=50, trials=1)
    return planned(folder, language="ar")


def asking(folder: Path) -> list[str]:
    """A study with a practice trial and an end survey of every kind of question."""
    make_study(folder, raters=100, trials=1)
    ends = {0: "not in the least", 10: LONG_WORD}
    survey = [
        {"id": "who", "question": "Who are you?", "kind": "choice", "options": [LONG_WORD, HEBREW]},
        {"id": "ease", "question": f"How easy, {LONG_WORD}?", "kind": "scale", "min": 0, "max": 10}
        | {"labels": ends, "required": False},
        {"id": "trust", "question": "And trust?", "kind": "scale", "min": 1, "max": 5}
        | {"labels": {1: "none", 5: "much"}},
        {"id": "words", "question": f"In your words, {LONG_WORD}?", "kind": "text"},
    ]
    return planned(folder, practice=1, survey=survey)


def german(folder: Path) -> list[str]:
    """A rating study in a language of long words."""
    ratings(folder)
    return planned(folder, language="de")


def best_worst(folder: Path) -> list[str]:
    """A best-worst study that asks why."""
    worked_study(folder, "best_response")
    return planned(folder, design={"raters": 200, "trials": 2, "options": 5})


def worked_study(folder: Path, name: str) -> None:
    """Make a study from a worked plan, with texts that are hard to lay out."""
    rows = [
        {
            "item_id": f"{scenario}-{number}",
            "scenario": scenario,
            "text": f"Seeker: I lost my {scenario}.\nSupporter: {LONG_WORD if number == 1 else ''}"
            f" {'That sounds hard. ' * number}\nSeeker: {HEBREW}",
            "prompt": f"I lost my {scenario}. {LONG_WORD} What now?",
        }
        for scenario in ("job", "home")
        for number in range(1, 7)
    ]
    table = folder.parent / f"{folder.name}-pool.csv"
    write_csv(table, list(rows[0]), rows)
    new_study(folder, items=table, scenario_column="scenario", worked=name)


def set_up_link(studies: Studies) -> str:
    """Return the link that `ratify serve` prints while there is no password."""
    with patch("tests.conftest.DASHBOARD_PASSWORD", ""):
        said = studies.server(demo).said
    return next(word for word in said[-1].split() if "/set-up?token=" in word)
