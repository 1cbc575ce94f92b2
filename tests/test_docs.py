"""If this failed, what README and docs tell a newcomer to type would not work."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, get_args

import httpx
import numpy as np
import pytest
import yaml
from pydantic import BaseModel

from docs import architecture
from docs.commands import PAGE, page
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import read_table
from prereg.worked_plans import WORKED
from prereg.yaml_file import read_mapping
from study.judges.wanted.asked import Asked
from study.judges.wanted.probes import everything
from study.opening import lock_study
from study.scaffold import new_study
from tests.conftest import make_study, running
from tests.support import warm
from tests.support.paths import ROOT
from tests.support.plans import edited_plan
from tests.support.raters import take_part

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(name: str) -> list[list[str]]:
    """Return the commands of one marked block of the README, without comments."""
    block = re.search(rf"<!-- test: {name} -->\n```console\n(.*?)```", README, re.DOTALL)
    assert block, f"README has no block '{name}'"
    return [shlex.split(line, comments=True) for line in block[1].splitlines() if line.strip()]


def test_the_reshaping_of_the_docs_makes_a_long_table(tmp_path: Path) -> None:
    """What docs/audit.md says about one row per respondent, done with an export of Qualtrics."""
    guide = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- test: the reshaping -->\n```python\n(.*?)```", guide, re.DOTALL)
    assert block
    names = [f"T0{text}_{asked}" for text in range(1, 5) for asked in ("warm", "clear")]
    (tmp_path / "qualtrics.csv").write_text(
        f"StartDate,ResponseId,{','.join(names)}\n"
        f"Start Date,Response ID,{','.join(names)}\n"
        + ",".join(f'"{{""ImportId"":""{name}""}}"' for name in ("a", "b", *names))
        + "\n2026-11-01,R_1,1,2,3,4,5,1,2,\n2026-11-01,R_2,2,3,4,5,1,2,3,4\n"
    )
    subprocess.run([sys.executable, "-c", block[1]], cwd=tmp_path, check=True, timeout=120)
    table = read_table(tmp_path / "long.csv")
    assert set(table.columns) == {"rater_id", "item_id", "dimension", "value"}
    assert len(table.rows) == 15
    first = {"rater_id": "R_1", "item_id": "T01", "dimension": "warm", "value": "1"}
    assert first in table.rows


def run(words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does; the first of each block has a cold start."""
    assert words[0] == "ratify"
    if words[1] not in {"new", "audit"}:
        process = warm.Process(warm.ratify, words[1:], cwd=cwd)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(words, process.wait(), out, err)
    return subprocess.run(
        [sys.executable, "-P", "-m", "ratify", *words[1:]],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with what a clone has and the README's commands meet."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "__init__.py").touch()
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


def test_the_first_study_works_as_written(clone: Path) -> None:
    rng = np.random.default_rng(1)
    for words in commands("the first study"):
        if words[1] != "serve":
            done = run(words, clone)
            assert done.returncode in ({0, 1} if words[1] == "gate" else {0}), done.stderr
            if words[1] == "new":  # the demo is made with as many pairs as the plan asks for
                with edited_plan(clone / words[2]) as plan:
                    plan["judges"][0]["pairs"]["per_scenario"] = 200
            continue
        with running(clone / words[2], *words[3:]) as server:
            for number in range(3):
                url = server.url.replace("0.0.0.0", "127.0.0.1")
                with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as client:
                    choose = lambda a, b: rng.choice(["left", "right"])  # noqa: E731
                    assert take_part(client, f"rater-{number}", choose)
    assert (clone / "my-study" / "results" / "report.html").exists()


def test_the_audit_works_as_written(clone: Path) -> None:
    (words,) = commands("the audit")
    done = run(words, clone)
    assert done.returncode == 0, done.stderr
    assert (clone / "audit" / "report.html").exists()


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m docs.commands`"


def keys(model: Any) -> set[str]:
    """Return every key that a part of the plan and the parts inside it may have."""
    found = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        queue = [field.annotation]
        while queue:
            kind = queue.pop()
            queue.extend(get_args(kind))
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= keys(kind)
    return found


def test_every_key_of_the_plan_is_in_its_reference() -> None:
    pages = [ROOT / "docs" / name for name in ("plan.md", "analyses.md", "causal.md")]
    reference = "".join(page.read_text(encoding="utf-8") for page in pages)
    missing = {key for key in keys(Plan) if f"`{key}`" not in reference}
    assert not missing
    assert len(keys(Plan)) > 70, "the keys of parts inside parts are found too"


def yaml_blocks() -> list[tuple[str, str]]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [
        (f"{page.relative_to(ROOT)}, line {text[: block.start()].count(chr(10)) + 1}", block[2])
        for page in pages
        for text in [page.read_text(encoding="utf-8")]
        for block in re.finditer(r"^( *)```yaml\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("where", "block"), [pytest.param(*one, id=one[0]) for one in yaml_blocks()]
)
def test_every_example_of_a_plan_can_be_in_a_plan(where: str, block: str, tmp_path: Path) -> None:
    given = read_mapping(textwrap.dedent(block), file=where, what="plan")
    new_study(tmp_path / "s", worked="empathy_attachment" if "causal" in given else WORKED)
    path = tmp_path / "s" / "plan.yaml"
    plan = read_mapping(path.read_text(encoding="utf-8"), file=path, what="plan")
    if set(given) & {"judges", "analyses"}:  # nothing else may name what they replace
        plan |= {"analyses": [], "gate": []}
    assert parse_plan(yaml.safe_dump(plan | given), file=path)


def test_the_llm_judge_of_the_docs_fits_the_worked_plan(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "judges.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- test: an LLM judge -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    assert block
    folder = make_study(tmp_path / "study", raters=6, judged=10)
    plan = yaml.safe_load((folder / "plan.yaml").read_text())
    judges = yaml.safe_load(block[1])["judges"]
    plan |= {"judges": judges, "gate": []}
    plan["analyses"] = [
        {
            "id": "ranks",
            "kind": "rank_correlation",
            "judge": "small_model",
            "score": "bradley_terry",
        }
    ]
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan))
    study, _ = lock_study(folder)
    asked = list(everything(Asked.of(study, study.plan.judge("small_model"))))
    assert {one.purpose for one in asked} == {"trial", "reversed", "rating", "probe"}


def test_the_llm_judge_of_the_worked_plan_is_one_when_its_marks_are_gone() -> None:
    path = ROOT / "prereg" / "worked" / "pairwise_preference" / "plan.yaml"
    text = re.sub(r"(?m)^  # (- id: small_model|  \w+: .*)$", r"  \1", path.read_text())
    assert parse_plan(text, file=path).judge("small_model").kind == "llm"


@pytest.mark.parametrize(
    "path", ["README.md", "CONTRIBUTING.md", "data/README.md", "docs/judges.md", "docs/analyses.md"]
)
def test_links_and_pictures_lead_somewhere(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert ((ROOT / path).parent / target).exists(), target


def test_make_knows_what_the_readme_names() -> None:
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make (\w+)`?", README)) - {"and"}:
        assert re.search(rf"^{target}:", made, re.MULTILINE), target


def test_the_picture_of_the_house_follows_the_imports() -> None:
    assert architecture.page() == architecture.PAGE.read_text("utf-8"), (
        "run python -m docs.architecture"
    )


def test_an_import_against_the_layers_would_show_in_the_picture() -> None:
    rooms = {"web": {"store", "visits"}, "visits": {"store"}, "store": set[str]()}
    assert architecture.reduced(rooms) == {"web": {"visits"}, "visits": {"store"}, "store": set()}
    circle = rooms | {"store": {"visits"}}
    assert architecture.reduced(circle)["store"] == {"visits"}
    assert architecture.reduced(circle)["visits"] == {"store"}


@pytest.mark.parametrize(
    "station", re.findall(r"`(\w+/[\w/]+\.py)(?::(\w+))?`", architecture.PAGE.read_text("utf-8"))
)
def test_every_station_of_the_ways_exists(station: tuple[str, str]) -> None:
    path, name = station
    source = (ROOT / path).read_text("utf-8")
    assert not name or re.search(rf"^(?:async )?(?:def|class) {name}\b", source, re.M), station
