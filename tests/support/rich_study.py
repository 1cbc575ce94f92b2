"""Makes a study with everything that its hash depends on: own prompts, images, odd line ends."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import yaml
from PIL import Image as Picture

PROMPT = """\
schema: 1
task: pairwise
version: {version}
noun: reply
ties: offered
system: |
  You compare two replies. ~~~ and ``` are signs of code.
user: |
  {{question}}

  {{texts}}

  Ties are allowed. {{answer}}
"""
ITEMS = [
    ("a-1", "home", "أشعر بالحزن اليوم.\nأنا هنا معك.", "ماذا حدث؟"),
    ("a-2", "home", "Ein Text mit Umlauten: äöü, und | einem Strich.", "ماذا حدث؟"),
    ("a-3", "home", '"quoted", and a line\nwith ~~~ in it\n~~~~\n```csv', "ماذا حدث؟"),
    ("a-4", "home", "=SUM(A1) 🙂\u2028 after a line separator", "ماذا حدث؟"),
    ("b-1", "work", "Plain words, one.", "Why?"),
    ("b-2", "work", "Plain words, two.", "Why?"),
    ("b-3", "work", "Plain words, three.\n\n\nAfter empty lines.", "Why?"),
    ("b-4", "work", " spaces at both ends ", "Why?"),
]


def picture() -> bytes:
    """Return a small PNG."""
    stream = BytesIO()
    Picture.new("RGB", (8, 5), (10, 90, 140)).save(stream, "PNG")
    return stream.getvalue()


def rich_plan(**changes: Any) -> dict[str, Any]:
    """Return a pairwise plan that uses every kind of judge."""
    return {
        "schema": 1,
        "id": "rich",
        "title": "Which reply | would *you* rather read? [draft_1]",
        "kind": "pairwise",
        "seed": 8675309,
        "language": "ar",
        "hypotheses": [
            {"id": "H1", "text": "People prefer <longer> replies.", "direction": "positive"}
        ],
        "design": {
            "question": "أي رد أفضل؟\nPlease choose.",
            "raters": 4,
            "trials": 3,
            "lease_minutes": 47,
            "first_lease_minutes": 13,
            "min_reading_seconds": 2.5,
            "ties": "offered",
            "tie_answer": "كلاهما سواء",
        },
        "display": {"noun": "Reply", "labels": [1, 2], "speakers": ["Anna"]},
        "comprehension": {"question": "What?", "options": ["this", "that"], "answer": 2},
        "practice": [{"texts": ["# one", "- two"], "prompt": "1. first"}],
        "attention_checks": [
            {"after": 1, "texts": ["left\nis right", "no"], "expected": {"choice": "left"}}
        ],
        "survey": [
            {"id": "age", "question": "How old?", "kind": "choice", "options": ["18-29", "30+"]},
            {
                "id": "trust",
                "question": "How far?",
                "kind": "scale",
                "min": 1,
                "max": 9,
                "labels": {1: "not at all", 9: "كثيرا"},
            },
            {"id": "note", "question": "Else?", "kind": "text", "required": False},
        ],
        "recruitment": {
            "codes": {"completed": "DONE-1", "failed_attention": "FAIL-2"},
            "reward": {"amount": 3.75, "currency": "EUR"},
        },
        "exclusions": [
            {"rule": "incomplete_session"},
            {"rule": "failed_attention", "max_failed": 0},
            {"rule": "too_fast", "min_median_ms": 900},
        ],
        "sensitivity": {"on": "everybody", "cluster": "sequence_id"},
        "ranking": {"ridge": 0.043, "elo": {"start": 1234, "k": 27, "reorderings": 53}},
        "large": {"bias": 0.123, "shown": 7},
        "assumptions": {
            "raters": {"sensitivity": 1.37, "careless": 0.067},
            "judges": {"good": 0.88},
        },
        "data": {"missing": ["+", "refused", "-99"], "decimal": ",", "columns": {"items": {}}},
        "measures": {"scale": {"min": 1, "max": 5}, "adds": ["advice_giving"]},
        "judges": [
            {
                "id": "model",
                "kind": "llm",
                "model": "some-model-9",
                "base_url": "http://127.0.0.1:9/v1",
                "prompts": ["prompts/mine.yaml", "six_behaviours"],
                "temperature": 0.3,
                "parameters": {"top_p": 0.9},
                "both_orders": True,
                "logprobs": True,
                "max_tokens": 271,
                "concurrency": 19,
                "timeout_seconds": 83,
                "attempts": 21,
                "patience_minutes": 29,
                "failures_in_a_row": 31,
                "requests_per_minute": 37,
                "batch_size": 41,
                "headers": {"X-Lab": "our-lab"},
                "query": {"api-version": "2024-10-21"},
                "pairs": {"scheme": "information", "per_scenario": 5, "reliability": 0.77},
                "prices": {"input": 0.15, "output": 0.6, "currency": "USD"},
                "budget": {"calls": 5000, "money": 20},
                "habits": {"pairs": 2, "repeats": 3, "wordings": ["prompts/other.yaml"]},
            },
            {
                "id": "given",
                "kind": "table",
                "ratings": "scores.csv",
                "columns": {"value": "points"},
            },
            {"id": "length", "kind": "baseline"},
            {"id": "lexical", "kind": "baseline"},
            {"id": "trio", "kind": "panel", "of": ["given", "length", "lexical"], "rule": "median"},
        ],
        "analyses": [
            {
                "id": "same",
                "kind": "choice_agreement",
                "hypothesis": "H1",
                "judges": ["model", "trio"],
            },
            {"id": "order", "kind": "ranking", "tie_model": "davidson", "level": 0.9},
        ],
        "gate": [
            {"analysis": "same", "quantity": "model: kappa", "at_least": 0.2, "coverage": 0.85}
        ],
        "data_management": {"responsible": "Dr Who", "kept_until": "2036-12-31"},
    } | changes


def rich_study(folder: Path, **changes: Any) -> Path:
    """Write the study folder, with Windows line ends wherever they make no difference."""
    (folder / "prompts").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "images" / "a b.png").write_bytes(picture())
    for number, name in enumerate(("mine", "other"), start=1):
        text = PROMPT.format(version=number)
        (folder / "prompts" / f"{name}.yaml").write_text(text + "\n" * (number - 1), newline="\r\n")
    cells = [
        ",".join('"' + cell.replace('"', '""') + '"' for cell in (*row, "-99"))
        for row in (("item_id", "scenario", "text", "prompt"), *ITEMS)
    ]
    cells[0] = cells[0].replace('"-99"', '" score "')
    table = "\n".join(cells) + "\n"
    (folder / "items.csv").write_bytes(("\ufeff" + table.replace("\n", "\r\n")).encode("utf-8"))
    scores = "item_id,points\n" + "".join(f"{row[0]},{n % 5 + 1}\n" for n, row in enumerate(ITEMS))
    (folder / "scores.csv").write_bytes(scores.replace("\n", "\r\n").encode("utf-8"))
    consent = "# مرحبا\r\n\r\n![شعار](images/a%20b.png)\r\n\r\n~~~\r\ncode\r\n~~~"
    (folder / "consent.md").write_bytes(consent.encode("utf-8"))
    (folder / "instructions.md").write_text("# كيف\n\n- واحد\n- اثنان   \n", encoding="utf-8")
    plan = yaml.safe_dump(rich_plan(**changes), allow_unicode=True, sort_keys=False)
    (folder / "plan.yaml").write_text(f"# a comment\n{plan}", encoding="utf-8")
    return folder
