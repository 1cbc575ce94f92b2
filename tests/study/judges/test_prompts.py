"""If this failed, a prompt would differ from what was locked, or a wrong one would be sent."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from prereg.errors import RatifyError
from study.judges.prompts import fences, prompt
from study.judges.prompts.chosen import ask_pairwise, ask_rating, load_prompt, packaged_prompts
from study.judges.prompts.files import NEVER_TOGETHER, parse_prompt
from tests.support.prompting import COMPARISONS, RUBRICS, SIX, item, own, packaged, user

# What reaches the model, beside the version under which it does. When a prompt changes, raise the
# version in its file and write the new digest here: studies locked with the old one will notice.
DIGESTS: dict[str, tuple[int, str]] = {
    "attachment": (1, "e02be1d915313c46"),
    "best_worst": (1, "0c21526e16f559ff"),
    "empathy": (1, "a80fea2ea02b349f"),
    "pairwise": (1, "d996af00522e77d1"),
    "pairwise_reader": (1, "bb3436152e957d00"),
    "pairwise_terse": (1, "c7b74bc7fcead49a"),
    "pairwise_ties": (1, "c3046abe162c212f"),
    "pairwise_ties_terse": (1, "f82a8e59d0d3bb11"),
    "plan_labels": (1, "4e6ddd2c04b427f8"),
    "plan_scale": (1, "8c123651e68c7dc9"),
    "six_behaviours": (1, "0b10f802e8a11e8f"),
    "support_functions": (1, "f9eee652699fd1f6"),
}


def test_every_packaged_prompt_loads_and_its_digest_belongs_to_its_version() -> None:
    assert set(packaged_prompts()) == {*RUBRICS, *COMPARISONS, "plan_labels", "plan_scale"}
    found = {name: packaged(name) for name in packaged_prompts()}
    assert {n: (p.version, p.digest[:16]) for n, p in found.items()} == DIGESTS
    assert all(p.name == name for name, p in found.items())


@pytest.mark.parametrize("name", RUBRICS)
def test_every_level_of_a_rubric_is_defined_in_its_own_words(name: str) -> None:
    for dimension in packaged(name).rubric.values():
        assert list(dimension.levels) == list(dimension.points)
        assert len(set(dimension.levels.values())) == len(dimension.levels)
        assert all(len(text) > 15 for text in dimension.levels.values())
        assert dimension.title
        assert dimension.definition


@pytest.mark.parametrize("name", ["empathy", "attachment"])
def test_the_seven_levels_have_a_worked_example_each(name: str) -> None:
    rubric = packaged(name).rubric
    assert set(rubric) == {name}
    examples = rubric[name].examples
    assert list(examples) == [1, 2, 3, 4, 5, 6, 7]
    assert all(text.count("Why:") == 1 for text in examples.values())
    words = {level: len(text.split()) for level, text in examples.items()}
    assert max(words[1], words[2]) > words[6] + 10, "length must not give a level away"


def test_the_rubrics_are_the_promised_scales() -> None:
    ends = {
        name: {key: (d.min, d.max) for key, d in packaged(name).rubric.items()} for name in RUBRICS
    }
    assert ends["six_behaviours"] == dict.fromkeys(SIX, (1, 5))
    assert ends["support_functions"] == dict.fromkeys(
        ("cognitive", "emotional", "behavioural"), (1, 3)
    )
    assert ends["empathy"] == {"empathy": (1, 7)}
    assert ends["attachment"] == {"attachment": (1, 7)}


def test_a_dimension_is_known_to_one_packaged_rubric_only() -> None:
    known = [key for name in RUBRICS for key in packaged(name).rubric]
    assert len(known) == len(set(known))


def test_treatment_and_outcome_cannot_share_a_request() -> None:
    for name in packaged_prompts():
        assert not set(packaged(name).rubric) >= NEVER_TOGETHER
    both = yaml.safe_load(own("rating"))
    both["dimensions"] = dict.fromkeys(("empathy", "attachment", "x"), both["dimensions"]["warmth"])
    assert "treatment and outcome" in own_fault(yaml.safe_dump(both))


def test_the_outcome_is_rated_without_a_look_at_the_treatment() -> None:
    words = item("Thank you, friend.", context="the reply before it")
    assert "the reply before it" not in user(
        ask_rating(packaged("attachment"), words, ["attachment"])
    )
    assert "the reply before it" in user(ask_rating(packaged("empathy"), words, ["empathy"]))


def test_the_wordings_share_the_question_and_little_else() -> None:
    sentences = []
    for name in ("pairwise", "pairwise_terse", "pairwise_reader"):
        asked_so = ask_pairwise(packaged(name), "Who listens?", item("x"), item("y"))
        assert user(asked_so).count("Who listens?") == 1
        sentences.append(set(packaged(name).system.replace("\n", " ").split(". ")))
    assert not sentences[0] & sentences[1]
    assert not sentences[0] & sentences[2]
    assert not sentences[1] & sentences[2]


# ---- Digests ------------------------------------------------------------------------------------


def test_a_comment_or_the_order_of_keys_changes_no_digest() -> None:
    text = (resources.files("study.judges") / "prompts" / "six_behaviours.yaml").read_text()
    content = yaml.safe_load(text)
    content["dimensions"] = dict(reversed(content["dimensions"].items()))
    for dimension in content["dimensions"].values():
        dimension["levels"] = dict(reversed(dimension["levels"].items()))
    turned = yaml.safe_dump(dict(reversed(content.items())), sort_keys=False, width=60)
    digests = {
        parse_prompt(words, name=name, file="f").digest
        for words, name in ((text, "six"), (f"# new\n{text}", "other"), (turned, "six"))
    }
    assert digests == {packaged("six_behaviours").digest}


CHANGES: list[tuple[str, Any]] = [
    ("system", "Something else."),
    ("user", "{text}\n{scales}\n{answer}"),
    ("version", 2),
    ("noun", "reply"),
    ("context", "hidden"),
]


@pytest.mark.parametrize(("key", "value"), CHANGES)
def test_whatever_reaches_the_model_is_in_the_digest(key: str, value: Any) -> None:
    content = yaml.safe_load(own("rating"))
    before = parse_prompt(yaml.safe_dump(content), name="p", file="f").digest
    content[key] = value
    assert parse_prompt(yaml.safe_dump(content), name="p", file="f").digest != before


@pytest.mark.parametrize("key", ["title", "definition", "levels", "examples", "min"])
def test_every_part_of_a_rubric_is_in_the_digest(key: str) -> None:
    content = yaml.safe_load(own("rating"))
    before = parse_prompt(yaml.safe_dump(content), name="p", file="f").digest
    dimension = content["dimensions"]["warmth"]
    if key == "min":
        dimension["min"] = 0
        dimension["levels"][0] = "less than none"
    elif key in {"levels", "examples"}:
        dimension[key] = {**dimension.get(key, {}), 2: "changed"}
    else:
        dimension[key] = "changed"
    assert parse_prompt(yaml.safe_dump(content), name="p", file="f").digest != before


@pytest.mark.parametrize("name", ["pairwise", "best_worst", "empathy"])
def test_our_own_words_around_a_prompt_are_in_its_digest(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (resources.files("study.judges") / "prompts" / f"{name}.yaml").read_text()
    monkeypatch.setattr(prompt, "RULE", fences.RULE + " Really.")
    one = parse_prompt(text, name=name, file="f").digest
    monkeypatch.undo()
    monkeypatch.setattr(prompt, "fence", lambda name, text, code: f"[{name} {code}]{text}[{code}]")
    two = parse_prompt(text, name=name, file="f").digest
    assert len({one, two, packaged(name).digest}) == 3


# ---- A researcher's own prompt ------------------------------------------------------------------


def own_fault(text: str) -> str:
    with pytest.raises(RatifyError) as caught:
        parse_prompt(text, name="prompts/mine.yaml", file="prompts/mine.yaml")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("prompts/mine.yaml")
    return line


def test_a_prompt_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    for task in ("pairwise", "best_worst", "rating"):
        (tmp_path / "prompts" / f"{task}.yaml").write_text(own(task))
        mine = load_prompt(f"prompts/{task}.yaml", tmp_path)
        assert (mine.name, mine.task, mine.version) == (f"prompts/{task}.yaml", task, 1)
    warmth = mine.rubric["warmth"]
    assert (warmth.levels, warmth.examples) == ({1: "cold", 2: "lukewarm", 3: "warm"}, {})
    assert '"warmth", from 1 to 3: Warmth' in user(ask_rating(mine, item("x"), ["warmth"]))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("system: Rate", "sistem: Rate", ["sistem", "unknown key", "system, user"]),
        ("system: Rate the warmth.", "", ["system", "is missing"]),
        ("system: Rate the warmth.", "system: ' '", ["system", "is empty"]),
        ("schema: 1", "schema: 2", ["schema", "2", "allowed: 1"]),
        ("task: rating", "task: ranking", ["task", "'ranking'", "'pairwise'", "'rating'"]),
        ("task: rating", "task: pairwise", ["dimensions", "'pairwise'", "task: rating"]),
        ("version: 1", "version: 0", ["version", "0"]),
        ("version: 1", "version: '1'", ["version", "'1'"]),
        ("version: 1", "version: true", ["version", "True"]),
        ("version: 1", "version: 1\nversion: 2", ["'version' occurs more than once"]),
        ("version: 1", "version: 1\nnoun: 'a\\nb'", ["noun"]),
        ("version: 1", "version: 1\ncontext: maybe", ["context", "'maybe'", "'shown' or 'hidden'"]),
        ("{scales} ", "", ["user", "lacks the placeholder {scales}", "{text}"]),
        ("{scales} ", "{scale} ", ["user", "unknown placeholder", "'{scale}'", "{scales}, {text}"]),
        ("{scales} ", "{scales} {scales} ", ["user", "occurs more than once", "'{scales}'"]),
        ("{scales} ", "{scales} {question} ", ["user", "unknown placeholder", "'{question}'"]),
        ("Rate the warmth.", "Rate {text}.", ["system", "'{text}'", "user text"]),
        ("min: 1", "min: 3", ["dimensions.warmth", "max must lie"]),
        ("max: 3", "max: 30", ["dimensions.warmth", "max must lie"]),
        ("max: 3", "max: 3.0", ["dimensions.warmth.max", "3.0"]),
        (", 3: warm", "", ["dimensions.warmth", "every point; 3 is missing"]),
        ("3: warm}", "3: warm, 4: hot}", ["dimensions.warmth", "levels has 4", "1 to 3"]),
        ("3: warm}", "3: warm, 3: hot}", ["'3' occurs more than once"]),
        ("3: warm}", "3: warm}\n    examples: {9: x}", ["dimensions.warmth", "examples has 9"]),
        ("3: warm}", "3: warm}\n    weight: 2", ["dimensions.warmth.weight", "levels, examples"]),
        ("  warmth:", "  how warm:", ["dimensions.how warm", "wrong form", "a letter"]),
        ("schema: 1", "schema: [", ["not YAML", "line"]),
        ("schema: 1", "? [a, b]\n: c\nschema: 1", ["not YAML"]),
        ("schema: 1", "when: 2026-99-99\nschema: 1", ["YAML that cannot be read"]),
    ],
)
def test_a_mistake_in_it_is_named_in_one_line(old: str, new: str, says: list[str]) -> None:
    text = own("rating")
    assert old in text
    line = own_fault(text.replace(old, new, 1))
    for words in says:
        assert words in line


def test_a_file_that_is_no_mapping_is_refused() -> None:
    assert "is not a prompt" in own_fault("- a list")
    assert "is not a prompt" in own_fault("")


def test_a_comparison_needs_a_place_for_everything() -> None:
    for lacking in ("question", "texts", "answer"):
        text = own("pairwise").replace(f"{{{lacking}}}", "")
        assert f"lacks the placeholder {{{lacking}}}" in own_fault(text)


@pytest.mark.parametrize(
    "name",
    [
        "../mine.yaml",
        "prompts/../../mine.yaml",
        "/etc/mine.yaml",
        "prompts\\mine.yaml",
        "C:mine.yaml",
        "prompts/mine\x00.yaml",
        "prompts/link.yaml",
        f"{'x' * 60}.yaml",
    ],
)
def test_a_prompt_outside_the_study_folder_is_refused(name: str, tmp_path: Path) -> None:
    study = tmp_path / "study"
    (study / "prompts").mkdir(parents=True)
    (tmp_path / "mine.yaml").write_text(own("pairwise"))
    (study / "prompts" / "link.yaml").symlink_to(tmp_path / "mine.yaml")
    with pytest.raises(RatifyError, match=r"inside the study folder, got .*prompts/mine\.yaml"):
        load_prompt(name, study)


def test_a_prompt_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RatifyError, match=r"no such prompt, got 'pairwize' .*pairwise_terse"):
        load_prompt("pairwize", tmp_path)
    with pytest.raises(RatifyError, match=r"prompts/mine\.yaml: no such prompt"):
        load_prompt("prompts/mine.yaml", tmp_path)
    (tmp_path / "latin.yaml").write_bytes("é".encode("latin-1"))
    with pytest.raises(RatifyError, match=r"latin\.yaml: is not text in UTF-8"):
        load_prompt("latin.yaml", tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(RatifyError, match=r"folder\.yaml: cannot be read"):
        load_prompt("folder.yaml", tmp_path)
