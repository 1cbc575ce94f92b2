"""How this study was made: `python make.py FOLDER`, at the root of a checkout of release 0.4.0.

Eight people of a plan for nine go through the pages; one of them leaves in the middle and one
withdraws. The judges answer, one an LLM whose server now and then writes nonsense.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import yaml

from study.bots import answer_all, arrive
from tests.llm_server import running_llm_server
from tests.study.llm_studies import KEY, VARIABLE, make_llm_study

PAIRS = {"scheme": "elo_neighbours", "per_scenario": 6, "start": 1000, "k": 32}
FAKE = {"kind": "rank_correlation", "hypothesis": "H1", "judge": "fake"}
ANALYSES = [
    {"id": "elo", **FAKE, "score": "elo"},
    {"id": "overall", **FAKE, "score": "overall"},
    {"id": "gaps", "kind": "selection_by_gap", "judge": "fake", "bins": [[1, 4], [5, 24]]},
    {"id": "same_trials", "kind": "choice_agreement", "judges": ["fake", "lexical"]},
    {"id": "order", "kind": "ranking"},
]
GATE = [{"analysis": "overall", "quantity": "spearman", "field": "estimate", "at_least": 0.1}]


def ratify(*words: object) -> None:
    done = subprocess.run([sys.executable, "-m", "ratify", *map(str, words)], check=False)
    assert done.returncode < 2, done  # 1: the judge left something, the gate does not hold


def answer(folder: Path) -> None:
    """Send people through the pages; they prefer the conversation that says the higher number."""
    command = [sys.executable, "-m", "ratify", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().partition("http://")[2].partition("/")[0]
        for number in range(1, 9):
            with httpx.Client(base_url=f"http://{address}", follow_redirects=True) as client:
                page = arrive(client, f"person-{number}")
                assert page is not None
                if number != 5:  # who leaves after having seen one trial
                    lean = number % 3 == 0

                    def choose(a: str, b: str, lean: bool = lean) -> str:
                        return "left" if lean or a[-6:] > b[-6:] else "right"

                    answer_all(client, page, choose)
        server.terminate()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    os.environ[VARIABLE] = KEY
    faults = {"prose": 0.2, "500": 0.1}
    with running_llm_server(
        key=KEY, seed=4, faults=faults, rating_slope={"validating_emotions": 4}
    ) as llm:
        habits = {"pairs": 3, "repeats": 1, "items": 2, "perturbations": ["misspelling"]}
        judge = {"pairs": PAIRS, "both_orders": True, "habits": habits, "attempts": 2}
        make_llm_study(folder, llm, raters=9, trials=3, per_scenario=3, locked=False, **judge)
        plan = yaml.safe_load((folder / "plan.yaml").read_text())
        plan |= {"analyses": ANALYSES, "gate": GATE}
        (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
        ratify("lock", folder)
        answer(folder)
        ratify("withdraw", folder, "person-8")
        ratify("judge", folder, "--yes")
    ratify("export", folder)
    ratify("analyze", folder)
    with sqlite3.connect(folder / "study.sqlite3") as store:
        (folder / "store.sql").write_text("\n".join(store.iterdump()) + "\n")
