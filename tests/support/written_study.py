"""Writes a small study with all its tables, without the web app, so that every cell is known.

It has two scenarios of five items, and six sequences of four pairs with an attention check at
position 3; each sequence is for two raters. In addition to the twelve who finish, three live raters
leave (one returned, one timed out, one screened out), and there are a pilot and a simulated rater.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from prereg.lock import Lock, write_lock
from prereg.parts import study_parts
from prereg.plan.file import load_plan
from prereg.tables.reader import read_table, write_csv
from tests.support.paths import WORKED

PLAN = WORKED / "pairwise_preference"
LATER = "2100-01-01T00:00:00.000Z"
CHECK = ("check_1.1", "check_1.2")
DIMENSIONS = ("warmth", "advice")
FINISHED = 12  # live visits; one of them fails the attention check
FAILS = "live-finished-5"
SEQUENCES = 6

Row = dict[str, Any]
Change = dict[str, Any]


def make_study(folder: Path, **changes: Any) -> Path:
    """Write a locked study with its tables.

    Parameters
    ----------
    folder : Path
    **changes
        Parts of the plan, at its top level.
    """
    folder.mkdir()
    items = [
        {"item_id": f"{scenario}-{n}", "scenario": scenario, "text": f"Seeker: {scenario} {n}"}
        for scenario in ("job", "loss")
        for n in range(1, 6)
    ]
    write_csv(folder / "items.csv", list(items[0]), items)
    for name in ("consent.md", "instructions.md"):
        (folder / name).write_text((PLAN / name).read_text())
    write_plan(folder, **changes)
    sequences = _sequences()
    write_csv(folder / "sequences.csv", list(sequences[0]), sequences)
    lock = lock_study(folder)
    data = folder / "data"
    data.mkdir()
    write_csv(data / "items.csv", list(items[0]), items)
    write_csv(data / "sequences.csv", list(sequences[0]), sequences)
    _write_answers(data, sequences, items, lock.plan_hash)
    return folder


def write_plan(folder: Path, **changes: Any) -> None:
    """Write the worked plan with one judge, an attention check and two raters per sequence."""
    plan = yaml.safe_load((PLAN / "plan.yaml").read_text())
    plan["design"] |= {"raters": 2 * SEQUENCES, "raters_per_sequence": 2, "trials": 4}
    plan["attention_checks"] = [
        {"after": 2, "texts": ["Choose this.", "Not this."], "expected": {"choice": "left"}}
    ]
    plan["exclusions"] = [
        {"rule": "incomplete_session"},
        {"rule": "failed_attention", "max_failed": 0},
        {"rule": "duplicate_sequence"},
    ]
    plan["measures"] = {"scale": {"min": 1, "max": 5}, "adds": ["warmth"], "subtracts": ["advice"]}
    plan["judges"] = [{"id": "length", "kind": "baseline"}]
    plan["hypotheses"], plan["gate"] = [], []
    plan["analyses"] = [
        {"id": "scores", "kind": "rank_correlation", "judge": "length", "score": "overall"},
        {"id": "same", "kind": "choice_agreement", "judges": ["length"]},
    ]
    plan |= changes
    plan = {name: part for name, part in plan.items() if part is not None}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))


def lock_study(folder: Path) -> Lock:
    """Lock the folder as it is."""
    plan = load_plan(folder)
    return write_lock(folder, {**study_parts(folder, plan), "prompts": "none"}, plan)


def _sequences() -> list[Row]:
    """Return pairs along a ring of each scenario's items, with a check at position 3."""
    rows = []
    for number in range(SEQUENCES):
        scenario = ("job", "loss")[number % 2]
        pairs = [
            (f"{scenario}-{(number + k) % 5 + 1}", f"{scenario}-{(number + 2 * k + 1) % 5 + 1}")
            for k in range(1, 5)
        ]
        pairs = [(a, b) if a != b else (a, f"{scenario}-{int(a[-1]) % 5 + 1}") for a, b in pairs]
        pairs.insert(2, CHECK)
        rows += [
            {
                "sequence_id": f"s{number + 1}",
                "position": position,
                "left_id": left,
                "right_id": right,
                "is_attention_check": (left, right) == CHECK,
            }
            for position, (left, right) in enumerate(pairs, start=1)
        ]
    return rows


def _visits() -> list[tuple[str, str, str, int, int]]:
    """Return the mode, status, sequence, slot and number of answers of every visit."""
    done = [
        ("live", "finished", f"s{number}", slot, 5)
        for slot, number in itertools.product((1, 2), range(1, SEQUENCES + 1))
    ]
    gone = [
        ("live", "returned", "s1", 1, 2),
        ("live", "timed_out", "s1", 1, 4),
        ("live", "screened_out", "s2", 2, 0),
    ]
    return [*done, *gone, ("pilot", "finished", "s1", 1, 5), ("bot", "finished", "s1", 1, 5)]


def _write_answers(data: Path, sequences: list[Row], items: list[Row], plan_hash: str) -> None:
    rng = np.random.default_rng(7)
    visits, judgments = [], []
    for number, (mode, status, sequence, slot, answers) in enumerate(_visits()):
        session = f"{mode}-{status}-{number}"
        visits.append(
            {
                "session_id": session,
                "rater_id": f"r{number}",
                "condition": "",
                "sequence_id": sequence,
                "consented_at": LATER,
                "finished_at": LATER if status == "finished" else "",
                "status": status,
                "mode": mode,
                "plan_hash": plan_hash,
                "slot": slot,
                "platform_study_id": "",
                "platform_session_id": "",
                "comprehension_attempts": 1,
            }
        )
        trials = [row for row in sequences if row["sequence_id"] == sequence]
        for trial in trials[:answers]:
            choice = str(rng.choice(["left", "right"]))
            if trial["is_attention_check"]:
                choice = "right" if session == FAILS else "left"
            judgments.append(
                _judgment(trial, plan_hash, mode, session, f"r{number}", "human", choice)
            )
    for trial in (row for row in sequences if not row["is_attention_check"]):
        choice = "left" if trial["left_id"] > trial["right_id"] else "right"
        judgments.append(_judgment(trial, plan_hash, "live", "j", "length", "baseline", choice))
    write_csv(data / "participants.csv", list(visits[0]), visits)
    write_csv(data / "judgments.csv", list(judgments[0]), judgments)
    ratings = [
        {
            "rater_id": "length",
            "rater_kind": "baseline",
            "item_id": item["item_id"],
            "dimension": dimension,
            "value": (number * step) % 5 + 1,
            "scale_min": 1,
            "scale_max": 5,
            "plan_hash": plan_hash,
        }
        for number, item in enumerate(items)
        for step, dimension in enumerate(DIMENSIONS, start=1)
    ]
    write_csv(data / "ratings.csv", list(ratings[0]), ratings)


def _judgment(
    trial: Row, plan_hash: str, mode: str, session: str, rater: str, kind: str, choice: str
) -> Row:
    check, person = trial["is_attention_check"], kind == "human"
    return {
        "judgment_id": f"{session}:{trial['sequence_id']}:{trial['position']}",
        "plan_hash": plan_hash,
        "mode": mode,
        "session_id": session,
        "rater_id": rater,
        "rater_kind": kind,
        "scenario": "attention_check" if check else trial["left_id"].partition("-")[0],
        "left_id": trial["left_id"],
        "right_id": trial["right_id"],
        "choice": choice,
        "position": trial["position"],
        "is_attention_check": check,
        "shown_at": LATER if person else "",
        "answered_at": LATER,
        "response_ms": 4000 if person else "",
        "hidden_ms": "",
        "purpose": "trial",
        "passed_check": choice == "left" if check else "",
    }


def change_row(folder: Path, table: str, wanted: Change, change: Change) -> int:
    """Change the first row of a table that has the wanted cells; return its number."""
    path = folder / "data" / f"{table}.csv"
    found = read_table(path)
    at = next(n for n, row in enumerate(found.rows) if all(row[k] == v for k, v in wanted.items()))
    found.rows[at].update(change)
    write_csv(path, found.columns, found.rows)
    return at + 2
