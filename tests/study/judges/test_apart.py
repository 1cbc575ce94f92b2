"""If this failed, a judge would give both scores of an item in one request: errors that agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prereg.plan.judging import LLMJudge
from study.folder import Study
from study.judges.wanted.asked import Asked
from tests.support.apart_studies import apart_study

SIX = ("validating_emotions", "advice_giving")
ENDS = {"min": 1, "max": 5, "labels": {1: "no", 5: "yes"}}
OWN = """
schema: 1
task: rating
version: 1
system: Rate both.
user: "{scales} {text} {answer}"
dimensions:
"""
DIMENSION = """
  NAME: {title: A, definition: B, min: 1, max: 5, levels: {1: a, 2: b, 3: c, 4: d, 5: e}}
"""


def study_of(folder: Path, names: tuple[str, ...], *, apart: bool = True) -> Study:
    scales = [{"id": name, "question": f"{name}?", **ENDS} for name in names]
    check = {"after": 1, "texts": ["Choose 2."], "expected": dict.fromkeys(names, 2)}
    study = apart_study(folder, scales=scales, attention_checks=[check])
    if apart:
        return study
    design = study.plan.design.model_copy(update={"apart": False})
    plan = study.plan.model_copy(update={"design": design})
    return Study(**{**vars_of(study), "plan": plan})


def vars_of(study: Study) -> dict[str, Any]:
    return {name: getattr(study, name) for name in Study.__dataclass_fields__}


def requests(study: Study, *prompts: str) -> list[tuple[str, ...]]:
    """Return the scales that each request about the first item asks for."""
    judge = LLMJudge(id="gpt", kind="llm", model="m", prompts=prompts)
    asked = Asked.of(study, judge)
    first = next(iter(study.items.values()))
    found = []
    for wanted in asked.rating(first, position=1):
        said = wanted.ask().messages[1]["content"]
        scales = tuple(scale.id for scale in wanted.scales)
        for other in study.plan.scales:
            assert (f'"{other.id}"' in said) == (other.id in scales)
        assert tuple(wanted.prompt.rubric) == scales
        found.append(scales)
    ids = [one.request_id for one in asked.ratings()]
    assert len(set(ids)) == len(ids) == len(found) * len(study.used_items())
    return found


@pytest.mark.parametrize("prompts", [(), ("six_behaviours",)])
def test_scales_of_one_rubric_are_asked_in_a_request_each(
    tmp_path: Path, prompts: tuple[str, ...]
) -> None:
    assert requests(study_of(tmp_path / "a", SIX), *prompts) == [(name,) for name in SIX]
    together = study_of(tmp_path / "b", SIX, apart=False)
    assert requests(together, *prompts) == [SIX], "as one request, where people see both"


def test_scales_in_the_plans_words_are_asked_apart_anyway(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a", ("wit", "tact"))
    assert requests(study) == [("wit",), ("tact",)]


def test_a_prompt_of_ones_own_is_asked_once_for_each_scale(tmp_path: Path) -> None:
    study = study_of(tmp_path / "a", ("wit", "tact"))
    (study.folder / "prompts").mkdir()
    words = OWN + "".join(DIMENSION.replace("NAME", name) for name in ("wit", "tact"))
    (study.folder / "prompts" / "mine.yaml").write_text(words)
    assert requests(study, "prompts/mine.yaml") == [("wit",), ("tact",)]
