"""If this failed, a new kind of task would need changes outside its own modules and template.

The kind made here shows one item and asks yes or no. It is one object in each place that
CONTRIBUTING names, and one line in each registry. A person answers it on the pages and a baseline
in Python; both write rows of the same table, which the analysis reads.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml
from jinja2 import BaseLoader, ChoiceLoader, DictLoader

from analysis.evidence.kinds import EVIDENCE, KindEvidence
from analysis.run import analyze_study
from prereg.design.dealing import Items, draw_sets
from prereg.errors import RatifyError
from prereg.kinds.base import Kind
from prereg.kinds.registry import KINDS
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import read_table, write_csv
from study.bots import Page, arrive
from study.export.files import export
from study.items import Item
from study.judges.runs.offline import run_judge
from study.opening import lock_study, open_study
from study.store.database import open_store
from study.store.tables import Rating
from study.tasks.base import Judge, Reading, Row, Task
from study.tasks.registry import TASKS
from study.web.app import create_app
from tests.support.paths import ROOT

PLAN = {
    "schema": 1,
    "id": "approval",
    "title": "Would people send this?",
    "kind": "approval",
    "seed": 1,
    "design": {"question": "Would you send it?", "raters": 4, "trials": 3},
    "attention_checks": [{"after": 1, "texts": ["Say no."], "expected": {"approved": "no"}}],
    "recruitment": {"codes": {"completed": "DONE"}},
    "exclusions": [{"rule": "incomplete_session"}],
    "judges": [{"id": "length", "kind": "baseline"}],
}
TEMPLATE = """{% extends "_trial.html" %}
{% block heading %}Text {{ position }}{% endblock %}
{% block trial %}{{ words(texts[0], 'A') }}
{% for word in task.kind.answers(plan).approved %}
<label><input type="radio" name="approved" value="{{ word }}"> {{ word }}</label>
{% endfor %}<button>Continue</button>{% endblock %}
"""


class Approval(Kind):
    name = "approval"
    table = "ratings"
    row_of = "dimension"
    compares = False

    def columns(self, plan: Plan) -> tuple[str, ...]:
        return ("item_id",)

    def noun(self, plan: Plan) -> str:
        return "texts"

    def draw(
        self, plan: Plan, pool: Sequence[str], count: int, rng: np.random.Generator
    ) -> list[Items]:
        return draw_sets(pool, 1, count, rng)

    def answers(self, plan: Plan) -> dict[str, list[int | str]]:
        return {"approved": ["no", "yes"]}


class ApprovalTask(Task):
    kind = Approval()
    template = "approval.html"
    table = Rating

    def read(self, form: Mapping[str, str]) -> Reading:
        said = form.get("approved")
        if said in {"no", "yes"}:
            return Reading({"approved": str(said)})
        return Reading({}, ("approved",))

    def ask(self, judge: Judge, items: Sequence[Item], rng: np.random.Generator) -> dict[str, str]:
        warm = judge.rate(items[0], ["validating_emotions"])["validating_emotions"] >= 3
        return {"approved": "yes" if warm else "no"}

    def rows(
        self,
        common: Row,
        items: Sequence[Item],
        answers: Mapping[str, float | str],
        *,
        answer_id: str | None = None,
        purpose: str = "trial",
    ) -> list[Row]:
        score = {
            "item_id": items[0].item_id,
            "dimension": "approved",
            "value": float(answers["approved"] == "yes"),
            "scale_min": 0,
            "scale_max": 1,
        }
        return [{**common, **score}]


class ApprovalEvidence(KindEvidence):
    def counted(self, answers: pd.DataFrame) -> str:
        return f"{len(answers)} approvals"

    def asked(self, plan: Plan) -> str:
        return f"about {plan.design.trials} texts each, yes or no; "


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of the new kind, registered for one test."""
    monkeypatch.setitem(KINDS, "approval", ApprovalTask.kind)
    monkeypatch.setitem(TASKS, "approval", ApprovalTask)
    monkeypatch.setitem(EVIDENCE, "approval", ApprovalEvidence())
    rows = [
        {"item_id": f"i{n}", "scenario": "job", "text": f"Supporter: {'I hear you. ' * n * 8}"}
        for n in range(1, 7)
    ]
    write_csv(tmp_path / "items.csv", list(rows[0]), rows)
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    for name in ("consent.md", "instructions.md"):
        (tmp_path / name).write_text("# Please read\n\nOne text a page.\n")
    return tmp_path


def take_part(client: httpx.Client, rater: str) -> list[str]:
    """Answer no on every page, and return the texts that were shown."""
    page, texts = arrive(client, rater), []
    assert page is not None
    while "completion-code" not in page.ids:
        assert page.choices == {"approved": ["no", "yes"]}
        texts.append(page.conversations["A"].strip())
        page, shown = Page(), client.post(page.action, data={**page.fields, "approved": "no"})
        page.feed(shown.text)
    return texts


def test_a_person_and_a_baseline_answer_a_new_kind_of_task(folder: Path) -> None:
    lock_study(folder)
    study = open_study(folder, must_be_locked=True)
    with contextlib.closing(open_store(folder, None)) as store:
        app = create_app(study, store, mode="live")
        pages = app.jinja_loader
        assert isinstance(pages, BaseLoader)
        app.jinja_loader = ChoiceLoader([pages, DictLoader({"approval.html": TEMPLATE})])
        client = httpx.Client(
            transport=httpx.WSGITransport(app), base_url="http://pages", follow_redirects=True
        )
        texts = take_part(client, "ada")
        assert run_judge(store, study, study.plan.judges[0]) == 6  # type: ignore[arg-type]
        export(store, study)
    rows = read_table(folder / "data" / "ratings.csv").rows
    people = [row for row in rows if row["rater_kind"] == "human"]
    shown = study.sequences[next(iter(study.sequences))]
    assert [row["item_id"] for row in people] == [trial.item_ids[0] for trial in shown]
    assert len(texts) == len(people) == 4
    assert {row["value"] for row in people} == {"0.0"}
    assert [row["passed_check"] for row in people] == ["", "true", "", ""]
    judged = {row["item_id"]: row["value"] for row in rows if row["rater_kind"] == "baseline"}
    assert judged == {"i1": "0.0", "i2": "0.0"} | {f"i{n}": "1.0" for n in range(3, 7)}
    results = analyze_study(folder, mode="live")
    assert any("about 3 texts each, yes or no" in said for said in results.methods)
    assert any(said.startswith("Based on 3 approvals by") for said in results.headline)


def test_what_the_new_kind_does_not_take_is_refused(folder: Path) -> None:
    llm = {"id": "m", "kind": "llm", "model": "m"}
    for changes, says in (
        ({"kind": "disapproval"}, r"kind.*disapproval.*pairwise, rating, best_worst, approval"),
        ({"design": {**PLAN["design"], "options": 4}}, r"design\.options.*best_worst"),
        ({"judges": [llm]}, r"judges\.0\.kind.*approval.*baseline"),
        ({"analyses": [{"id": "r", "kind": "ranking"}]}, r"analyses\.0\.kind.*pairwise or"),
    ):
        with pytest.raises(RatifyError, match=says):
            parse_plan(yaml.safe_dump({**PLAN, **changes}), file="plan.yaml")


def test_every_kind_is_in_every_registry() -> None:
    assert list(KINDS) == list(TASKS) == list(EVIDENCE)
    for name, task in TASKS.items():
        assert task.kind is KINDS[name]
        assert task.table.__tablename__ == task.kind.table
        assert (ROOT / "study" / "web" / "templates" / task.template).is_file()


def test_no_other_code_asks_which_kind_a_plan_is() -> None:
    asks = re.compile(r"plan\.kind\s*(==|!=|in\b|not\b)|[\[(][\w.]*plan\.kind[\])]")
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("prereg", "study", "analysis", "ratify")
        for path in (ROOT / room).rglob("*.py")
        if asks.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"prereg/kinds/registry.py"}
