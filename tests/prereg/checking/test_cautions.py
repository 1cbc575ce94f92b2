"""If these failed, a lab would learn after collection what was to be seen before the lock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from prereg.checking.analyses import of_analyses
from prereg.checking.design import answers_per_item, of_design
from prereg.checking.remark import WARNING
from prereg.checking.texts import left_from_worked_plan
from prereg.design.sequences import Trial
from prereg.errors import RatifyError
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.tables.reader import write_csv
from ratify import main
from study.opening import lock_study, open_study
from study.scaffold import new_study
from tests.support.paths import WORKED
from tests.support.plans import edited_plan

Run = Callable[..., CompletedProcess[str]]
LLM = {"id": "gpt", "kind": "llm", "model": "m"}


def plan_of(worked: str = "pairwise_preference", **parts: Any) -> Plan:
    content = yaml.safe_load((WORKED / worked / "plan.yaml").read_text(encoding="utf-8"))
    return parse_plan(yaml.safe_dump(content | parts), file="plan.yaml")


def sequences(*hands: str) -> dict[str, list[Trial]]:
    """Return sequences of trials: "ab cd" shows a and b, then c and d."""
    return {
        f"S{n}": [Trial(f"S{n}", at, tuple(t)) for at, t in enumerate(hand.split(), start=1)]
        for n, hand in enumerate(hands, start=1)
    }


def said(*hands: str, items: str = "", plan: Plan | None = None) -> str:
    shown = sequences(*hands)
    names = items or "".join(sorted({i for h in shown.values() for t in h for i in t.item_ids}))
    one = plan or plan_of()
    found = [*of_analyses(one), *of_design(one, dict.fromkeys(names, "job"), shown)]
    return "\n".join(str(remark) for remark in found if remark.severity == WARNING)


def ring(items: str, times: int) -> list[str]:
    pairs = [a + b for a, b in zip(items, items[1:] + items[0], strict=True)]
    return [" ".join(pairs[n:] + pairs[:n]) for n in range(times)]


def test_a_sound_design_gets_no_warning() -> None:
    hands = [" ".join(one.split()[:3]) for one in ring("abcdef", 6)]
    assert said(*hands) == ""


def test_one_pair_for_everybody_is_said() -> None:
    found = said(*["ab", "ba"] * 20)
    assert "all 40 sequences show one and the same trial, 'a' and 'b'" in found
    assert "all 20 sequences show the same 2 pairs" in said(*["ab bc", "cb ba"] * 10)
    few = said(*(["ab bc", "cd da", "ac bd"] * 60))
    assert "there are only 6 different pairs for 360 trials" in few


def test_groups_that_nothing_compares_are_said() -> None:
    hands = ["ab bc", "de ef", "ca fd"] * 3
    assert "its comparisons fall into 2 groups" in said(*hands)
    assert "groups" not in said(*hands, "cd")


def test_items_that_nobody_or_hardly_anybody_sees_are_said() -> None:
    found = said(*ring("abcdef", 6), "ag", items="abcdefgxyzw")
    assert "4 of 11 items are in no trial: 'x', 'y', 'z' and 1 more" in found
    assert "1 of 7 items get fewer than 5 answers, too few to rank them: 'g'" in found
    rated = said("a b", "b c", "c d", plan=plan_of("empathy_rating"))
    assert "2 of 4 items get fewer than 2 answers, so people cannot agree: 'a', 'd'" in rated
    assert answers_per_item(plan_of(), sequences("ab bc")).endswith("shown 1 to 2 answers")


def test_a_judge_that_no_analysis_names_is_said() -> None:
    baselines = [{"id": n, "kind": "baseline"} for n in ("lexical", "length")]
    same = {"id": "same", "kind": "choice_agreement", "judges": ["length"]}
    judges: dict[str, Any] = {"judges": [LLM, *baselines], "gate": [], "analyses": [same]}
    assert "judge 'gpt' is asked, and perhaps paid for" in said("ab", plan=plan_of(**judges))
    judges["analyses"] = [same | {"judges": ["gpt"]}]
    assert "judge" not in said("ab", plan=plan_of(**judges))
    gate = {"analysis": "other", "quantity": "length: agreement", "at_least": 0.5}
    other = {"id": "other", "kind": "choice_agreement", "judges": ["length"]}
    gated = plan_of(**{**judges, "analyses": [*judges["analyses"], other], "gate": [gate]})
    assert "the gate has no threshold about judge 'gpt'" in said("ab", plan=gated)


def test_elo_of_pairs_by_information_is_said_with_what_to_do() -> None:
    pairs = {"scheme": "information", "per_scenario": 100}
    match = {"id": "m", "kind": "logit", "judge": "gpt", "cluster": "rater_id", "term": "gap"}
    match |= {"formula": "select_match ~ gap"}
    elo = {"id": "e", "kind": "rank_correlation", "judge": "gpt", "score": "elo"}
    fitted = {"id": "f", "kind": "regression", "data": "trials", "judge": "gpt"}
    fitted |= {"outcomes": ["select_match"], "model": "logit", "terms": ["gap"]}
    fitted |= {"predictors": "gap", "cluster": "rater_id"}
    judges: dict[str, Any] = {"judges": [LLM | {"pairs": pairs}], "gate": []}
    advised = (
        (match, "Write select_higher"),
        (fitted, "Write select_higher"),
        (elo, "Write score: bradley_terry"),
    )
    for analysis, advice in advised:
        found = said("ab", plan=plan_of(**judges, analyses=[analysis]))
        assert f"analysis '{analysis['id']}' uses the Elo of judge 'gpt'" in found
        assert advice in found
        assert "scheme: elo_neighbours" in found
    higher = match | {"formula": "select_higher ~ gap"}
    scored = elo | {"score": "bradley_terry"}
    assert "Elo" not in said("ab", plan=plan_of(**judges, analyses=[higher, scored]))
    judges["judges"] = [LLM | {"pairs": pairs | {"scheme": "elo_neighbours"}}]
    assert "Elo" not in said("ab", plan=plan_of(**judges, analyses=[match, elo]))


def test_regressions_that_would_be_misread_are_said() -> None:
    fitted = {"id": "f", "kind": "regression", "data": "trials", "judge": "length"}
    fitted |= {"outcomes": ["select_higher"], "model": "ols", "terms": ["diff_warmth"]}
    fitted |= {"predictors": "diff_warmth"}
    assert "left minus right" not in said("ab", plan=plan_of(analyses=[fitted], gate=[]))
    left = fitted | {"differences": "left_minus_right"}
    assert "say nothing about agreement" in said("ab", plan=plan_of(analyses=[left], gate=[]))
    chose = left | {"outcomes": ["chose_left"]}
    assert "agreement" not in said("ab", plan=plan_of(analyses=[chose], gate=[]))
    plain = fitted | {"errors": "HC3"}
    assert "errors: HC3" in said("ab", plan=plan_of(analyses=[plain], gate=[]))


def test_an_attention_check_that_excludes_nobody_is_said() -> None:
    hands = [" ".join(one.split()[:3]) for one in ring("abcdef", 6)]
    checks = [
        {
            "after": 1,
            "texts": ["Choose the other one.", "Choose this one."],
            "expected": {"choice": "right"},
        }
    ]
    rule = {"rule": "failed_attention", "max_failed": 0}
    plan = plan_of(attention_checks=checks, exclusions=[])
    assert "nobody is left out for a wrong answer" in said(*hands, plan=plan)
    assert said(*hands, plan=plan_of(attention_checks=checks, exclusions=[rule])) == ""


def test_what_is_left_of_the_worked_plan_is_said() -> None:
    texts = {
        n: (WORKED / "best_response" / f"{n}.md").read_text() for n in ("consent", "instructions")
    }
    left = left_from_worked_plan(plan_of("best_response"), texts)
    assert [str(line).split(" is still")[0] for line in left[:2]] == [
        "consent.md",
        "instructions.md",
    ]
    assert "id, title, hypotheses and recruitment.codes.completed" in str(left[-1])
    own = plan_of(
        id="mine", hypotheses=[], analyses=[], gate=[], recruitment={"codes": {"completed": "X-1"}}
    )
    (title,) = left_from_worked_plan(own, {"consent": "# Mine", "instructions": "# Mine"})
    assert "worked plan's title." in str(title)
    assert left_from_worked_plan(own.model_copy(update={"title": "Mine"}), {}) == []


# ---- Prompts within a scenario ------------------------------------------------------------------


def items_with_prompts(path: Path, *prompts: str) -> Path:
    rows = [
        {"item_id": f"i{n}", "scenario": "job", "text": f"Answer {n}.", "prompt": prompt}
        for n, prompt in enumerate(prompts, start=1)
    ]
    write_csv(path, list(rows[0]), rows)
    return path


MIXED = ("What now?", " What  now?", "And then?", "What now?", "What now?", "What now?")


@pytest.mark.parametrize("worked", ["pairwise_preference", "best_response"])
def test_items_of_two_prompts_are_not_compared(tmp_path: Path, worked: str) -> None:
    items = items_with_prompts(tmp_path / "mine.csv", *MIXED)
    with pytest.raises(
        RatifyError, match=r"item 'i3' has another prompt than item 'i1' \(row 2\)"
    ) as no:
        new_study(tmp_path / "study", items=items, scenario_column="scenario", worked=worked)
    assert (no.value.file, no.value.row, no.value.column) == (str(items), 4, "prompt")
    assert not (tmp_path / "study").exists()
    new_study(
        tmp_path / "study",
        items=items_with_prompts(items, *["Same?"] * 6),
        scenario_column="scenario",
        worked=worked,
    )
    items_with_prompts(tmp_path / "study" / "items.csv", *MIXED)
    with pytest.raises(RatifyError, match="another prompt"):
        lock_study(tmp_path / "study")


def test_single_texts_may_answer_different_prompts(tmp_path: Path) -> None:
    items = items_with_prompts(tmp_path / "mine.csv", *MIXED)
    assert (
        len(
            new_study(
                tmp_path / "study", items=items, scenario_column="scenario", worked="empathy_rating"
            ).items
        )
        == 6
    )


def test_a_study_that_an_earlier_release_locked_is_still_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_study(
        tmp_path / "study",
        items=items_with_prompts(tmp_path / "m.csv", *["Same?"] * 6),
        scenario_column="scenario",
    )
    items_with_prompts(tmp_path / "study" / "items.csv", *MIXED)
    with monkeypatch.context() as before:
        before.setattr("study.opening.refuse_mixed_prompts", lambda *_: None)
        lock_study(tmp_path / "study")
    assert open_study(tmp_path / "study", must_be_locked=True).lock is not None


# ---- The command line ---------------------------------------------------------------------------


def test_the_lock_warns_and_freezes(tmp_path: Path, ratify: Run) -> None:
    folder = tmp_path / "study"
    new_study(
        folder, items=items_with_prompts(tmp_path / "m.csv", "x", "x"), scenario_column="scenario"
    )
    with edited_plan(folder) as plan:
        plan["design"] |= {"trials": 1}
    done = ratify("lock", folder)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (2, "")
    assert last.startswith("ratify: ")
    assert "5 warnings, so it is not locked (allowed: mend them, or lock with --yes)" in last
    assert not (folder / "plan.lock.json").exists()
    done = ratify("lock", folder, "--yes")
    assert done.returncode == 0, done.stderr
    assert "all 150 sequences show one and the same trial, 'i1' and 'i2'" in done.stderr
    assert "150 raters give each of the 2 items that are shown 150 answers" in done.stderr
    for name in ("consent.md", "instructions.md"):
        assert f"materials.{name[:-3]}: {name} is still the text of a worked plan" in done.stderr
    assert "locked" in done.stdout
    assert ratify("lock", folder).stderr == "", "what is locked already is not warned about"


def test_on_a_terminal_the_lock_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratify.lock.on_terminal", lambda: True)
    folder = tmp_path / "study"
    new_study(folder)
    with edited_plan(folder) as plan:
        plan["hypotheses"].append({"id": "H9", "text": "Nothing tests this."})
    words = ["lock", str(folder)]
    no = CliRunner().invoke(main, words, input="n\n")
    assert (no.exit_code, (folder / "plan.lock.json").exists()) == (1, False)
    assert "1 warning. Lock all the same? [y/N]" in no.stderr
    assert CliRunner().invoke(main, words, input="y\n").exit_code == 0
    assert (folder / "plan.lock.json").exists()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        ({"plan.yaml": "x"}, "holds a study already"),
        ({"__init__.py": ""}, "is a folder of Python code"),
        ({"notes.txt": "x"}, "is not empty: it holds 'notes.txt'"),
    ],
)
def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, make: dict[str, str], problem: str
) -> None:
    (tmp_path / "study").mkdir()
    for name, text in make.items():
        (tmp_path / "study" / name).write_text(text)
    with pytest.raises(RatifyError, match=problem) as refused:
        new_study(tmp_path / "study")
    assert "folder" in str(refused.value.allowed)
    assert sorted(p.name for p in (tmp_path / "study").iterdir()) == sorted(make)


def test_an_empty_folder_may_be_the_one_where_one_stands(tmp_path: Path, ratify: Run) -> None:
    (tmp_path / "mine").mkdir()
    here = (tmp_path / "mine").stat().st_ino
    done = ratify("new", ".", cwd=tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine" / "plan.yaml").exists()
    checked = ratify("check", tmp_path / "mine")
    assert (checked.returncode, "worked plan" in checked.stderr) == (0, False), "the demo's items"
    assert (tmp_path / "mine").stat().st_ino == here, "not another folder of the same name"
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
