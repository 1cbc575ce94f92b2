"""If this failed, a registered choice would be missing from the document that people register."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from prereg.analyses.registry import ANALYSES
from prereg.documents.analyses.registry import WORDS, in_words
from prereg.documents.full import APPENDICES, full_document
from prereg.documents.material import Material
from prereg.documents.settings import keys_of
from prereg.markdown import dialect
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from study.documented import material_of
from study.scaffold import new_study, worked_plans
from tests.support.paths import WORKED
from tests.support.plans import edited_plan
from tests.support.rich_study import rich_study

# For each kind: the fewest keys that it needs, and another value of every other key. A key may need
# others beside it, which are given with it.
BASE: dict[str, dict[str, Any]] = {
    "ranking": {},
    "rank_correlation": {"judge": "length", "score": "overall"},
    "choice_agreement": {"judges": ["length"]},
    "logit": {"judge": "length", "formula": "select_higher ~ gap", "term": "gap"},
    "selection_by_gap": {"judge": "length", "bins": [[1, 3]]},
    "agreement": {"judges": ["length"]},
    "generalizability": {},
    "many_facet": {"judges": ["length"]},
    "source_ratings": {},
    "best_worst_shares": {},
    "change": {
        "table": "visits",
        "value": "score",
        "control": "video",
        "treatments": ["coach"],
        "baseline_rounds": ["1"],
        "post_rounds": ["2"],
    },
    "regression": {
        "model": "ols",
        "data": "visits",
        "outcomes": ["score"],
        "predictors": "arm",
        "cluster": "person_id",
        "terms": ["arm"],
    },
    "equivalence": {"of": {"analysis": "a", "quantity": "b"}, "margin": 0.5},
    "themes": {"texts": "letters", "columns": ["relief"]},
}
_SOURCES: dict[str, Any] = {
    "source": "writer",
    "sources": ["x", "y"],
    "reference": {"sources": ["x", "y"], "reference": "x"},
    "item_cluster": "scenario",
    "cluster": "item",
    "correction": "bonferroni",
    "level": 0.9,
}
BASE |= {
    "trajectory": {
        "table": "visits",
        "outcomes": ["score"],
        "conditions": ["video", "coach"],
        "occasions": ["1", "2"],
    },
    "explained": {"table": "visits", "outcome": "score", "predictors": {"trait": "empathy"}},
}
OTHER: dict[str, dict[str, Any]] = {
    "ranking": {
        "of": "length",
        "cluster": "sequence_id",
        "level": 0.9,
        "rank_coverage": "all",
        "resamples": 700,
        "pairs": "all",
        "misfit_correction": "bonferroni",
        "misfit_alpha": 0.01,
        "tie_model": "davidson",
        "penalty": "firth",
    },
    "rank_correlation": {
        "judge": "lexical",
        "score": "elo",
        "column": {"judge": None, "score": None, "column": "warmth"},
        "resamples": 999,
        "draws": 123,
        "level": 0.9,
        "penalty": "firth",
    },
    "choice_agreement": {"judges": ["lexical"], "cluster": "rater_id", "level": 0.9},
    "logit": {
        "judge": "lexical",
        "formula": "select_match ~ gap",
        "term": "Intercept",
        "cluster": "session_and_items",
        "level": 0.9,
    },
    "selection_by_gap": {"judge": "lexical", "bins": [[2, None]], "cluster": "none", "level": 0.9},
    "agreement": {
        "judges": ["lexical"],
        "dimensions": ["advice_giving"],
        "weights": "linear",
        "epsilon": 0.15,
        "metric": "absolute",
        "fewest_others": 4,
        "fewest_items": 17,
        "correction": "people_and_dimensions",
        "cuts": [{"at": 3, "side": "at_most", "dimensions": ["advice_giving"]}],
        "interval": {"interval": "bootstrap"},
        "resamples": {"interval": "bootstrap", "resamples": 876},
        "fewest_common": 23,
        "false_discovery": 0.01,
        "level": 0.9,
    },
    "generalizability": {
        "dimensions": ["advice_giving"],
        "target": 0.7,
        "most_raters": 17,
        "items": [33, 66],
        "level": 0.9,
    },
    "many_facet": {"judges": ["lexical"], "dimensions": ["advice_giving"], "level": 0.9},
    "source_ratings": {
        **_SOURCES,
        "dimensions": ["advice_giving"],
        "domain": "scenario",
        "family": "dimension",
        "style": ["emoji"],
        "style_unit": {"style": ["words"], "style_unit": "per_100_words"},
        "text": "reply",
        "language": "de",
    },
    "best_worst_shares": _SOURCES,
    "change": {
        "table": "people",
        "value": "warmth",
        "person": "who",
        "occasion": "day",
        "condition": "arm",
        "control": "wait",
        "treatments": ["talk"],
        "baseline_rounds": ["0"],
        "post_rounds": ["7"],
        "cut": 1.64,
        "student": True,
        "occasion_means": True,
        "pairs": "all",
        "correction": "holm",
        "norm": {"sd": 7.5, "reliability": 0.83},
        "better": "lower",
        "threshold_interval": {"threshold_interval": "bootstrap"},
        "resamples": {"threshold_interval": "bootstrap", "resamples": 877},
        "level": 0.9,
    },
    "regression": {
        "model": "logit",
        "data": "people",
        "outcomes": ["warmth"],
        "predictors": "arm + age",
        "judge": {"data": "judge_ratings", "judge": "length"},
        "differences": {"data": "trials", "judge": "length", "differences": "left_minus_right"},
        "errors": {"errors": "HC3", "cluster": None},
        "cluster": "clinic",
        "distribution": "t",
        "terms": ["age"],
        "contrasts": {"a - b": "arm[T.a] - arm[T.b]"},
        "sd": {"of": "baseline", "column": "round", "value": "0"},
        "family": {"over": "shared", "correction": "bonferroni", "name": "mine"},
        "few_clusters": {
            "below": 31,
            "method": "wild_bootstrap",
            "resamples": 777,
            "weights": "webb",
        },
        "predictions": {"age": [20, 40]},
        "average_effects": ["age"],
        "categories": ["round"],
        "numbers": ["age"],
        "levels": {"model": "ordinal", "levels": [1, 2, 3]},
        "level": 0.9,
    },
    "equivalence": {
        "of": {"analysis": "c", "quantity": "d"},
        "margin": 0.7,
        "unit": "proportion",
        "side": {"side": "not_worse", "better": "higher"},
        "better": {"side": "not_worse", "better": "lower"},
        "reference": "people",
        "alpha": 0.01,
        "family": {"name": "mine", "correction": "bonferroni"},
    },
    "themes": {
        "texts": "diaries",
        "labels": {"labels": "codes", "columns": []},
        "columns": ["joy"],
        "themes": {"labels": "codes", "columns": [], "themes": ["grief"]},
        "text": "doc",
        "person": "who",
        "time": "day",
        "before": "first",
        "after": "last",
        "test": "paired",
        "correction": "holm",
        "level": 0.9,
    },
}
OTHER |= {
    "trajectory": {
        "table": "people",
        "outcomes": ["warmth"],
        "person": "who",
        "occasion": "day",
        "condition": "arm",
        "conditions": ["wait", "talk"],
        "occasions": ["7", "9"],
        "level": 0.9,
    },
    "explained": {
        "table": "people",
        "outcome": "warmth",
        "predictors": {"age": "years"},
        "cluster": "who",
        "only": {"day": ["7"]},
        "level": 0.9,
    },
}
RATING = {"agreement", "generalizability", "many_facet", "source_ratings"}


def plan() -> Plan:
    path = WORKED / "pairwise_preference" / "plan.yaml"
    return parse_plan(path.read_text(encoding="utf-8"), file=path)


def words(kind: str, **keys: Any) -> str:
    model = ANALYSES[kind]
    given = BASE[kind] | keys
    one = model.model_validate({"id": "a", "kind": kind, **given})
    return "\n".join(in_words(one, plan()))


def test_every_kind_of_analysis_has_words_and_is_tried_here() -> None:
    assert set(WORDS) == set(ANALYSES) == set(BASE) == set(OTHER)
    for kind, model in ANALYSES.items():
        keys = set(model.model_fields) - {"id", "kind", "hypothesis"}
        assert keys == set(OTHER[kind]), kind


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, others in OTHER.items() for key in others]
)
def test_every_key_of_every_analysis_changes_its_words(kind: str, key: str) -> None:
    value = OTHER[kind][key]
    model = ANALYSES[kind]
    # a value that is itself a mapping of this analysis's keys gives what the key needs beside it
    beside = isinstance(value, dict) and set(value) <= set(model.model_fields)
    given = value if beside and key in value else {key: value}
    without = {name: one for name, one in given.items() if name != key}
    try:
        before = words(kind, **without)
    except ValueError:  # the key is needed where the others are given
        before = words(kind)
    assert words(kind, **given) != before


def text_of(markdown: str) -> str:
    """Return what a reader of a Markdown text sees, numbers without their separators."""
    shown = re.sub(r"<[^>]+>", " ", dialect().render(markdown))
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", " ".join(html.unescape(shown).split()))


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """Return every value of a plan's JSON with its path."""
    if isinstance(value, dict):
        return [one for key, part in value.items() for one in leaves(part, f"{path}.{key}")]
    if isinstance(value, list):
        return [one for at, part in enumerate(value) for one in leaves(part, f"{path}.{at}")]
    return [(path.lstrip("."), value)]


def is_said(value: Any, said: str) -> bool:
    if isinstance(value, bool):
        return True  # in words; the keys of analyses are tried one by one above
    if isinstance(value, float | int):
        forms = {f"{value:g}", str(value), f"{round(100 * value, 6):g}%"}
        return any(re.search(rf"(?<![\w.]){re.escape(form)}(?!\w|\.\d)", said) for form in forms)
    text = " ".join(str(value).split())
    return text in said or text.replace("_", " ") in said


# Words of the plan that the document says in other words, each by itself.
IN_OTHER_WORDS = {
    "pairs_within": "within",
    "rank_coverage": "true rank inside",
    "pairs": "neighbours",
    "misfit_correction": "corrected after Holm",
    "cluster": "rater",
    "interval": "jackknife",
    "metric": "root mean squared error",
    "model": ("ordinary least squares", "logit"),
    "differences": "taken as",
    "distribution": "by z",
    "over": "family of tests",
    "weights": "kappa",
    "side": ("at least", "is worse than", "left as often"),
    "correction": "people",
    "penalty": "ridge",
    "tie_model": "tie",
    "score": "scores",
    "schema": "schema 1",
}


def check_complete(material: Material) -> None:
    """Compare the body of the document, without the appendices, with the plan's JSON."""
    body = full_document(material).partition(f"\n## {APPENDICES}\n")[0]
    said = text_of(body)
    for path, value in leaves(material.plan.to_json()):
        key = path.rpartition(".")[2]
        other = IN_OTHER_WORDS.get(key, ())
        others = (other,) if isinstance(other, str) else other
        there = is_said(value, said) or any(words in said for words in others)
        assert there, f"{path}: {value!r} is not in the document"


@pytest.mark.parametrize("worked", worked_plans())
def test_every_value_of_a_worked_plan_is_in_the_words_of_the_document(
    worked: str, tmp_path: Path
) -> None:
    new_study(tmp_path / "study", worked=worked)
    check_complete(material_of(tmp_path / "study"))


def test_every_value_of_a_plan_of_many_parts_is_in_the_words_of_the_document(
    tmp_path: Path,
) -> None:
    check_complete(material_of(rich_study(tmp_path / "study")))


def test_every_key_is_in_the_appendix_defaults_too(tmp_path: Path) -> None:
    material = material_of(rich_study(tmp_path / "study"))
    appendix = full_document(material).partition(f"\n## {APPENDICES}\n")[2]

    def paths(part: Any, path: str = "") -> list[str]:
        if isinstance(part, BaseModel):
            found = []
            for name, field in type(part).model_fields.items():
                inner = getattr(part, name)
                there = f"{path}.{field.alias or name}".lstrip(".")
                found += paths(inner, there) if isinstance(inner, BaseModel) else [there]
            return found
        return [path]

    listed = {path for path, _, _ in keys_of(material.plan)}
    for path in paths(material.plan):
        assert any(one == path or one.startswith(f"{path}.") for one in listed), path
    for path in listed:
        assert f"`{path}`" in appendix, path
    assert "| `design.lease_minutes` | `47.0` |  |" in appendix
    assert "| `design.raters_per_sequence` | `1` | default |" in appendix
    assert "| `design.ties` | offered |  |" in appendix


def test_texts_of_the_plan_are_words_and_no_marks(tmp_path: Path) -> None:
    folder = rich_study(tmp_path / "study")
    with edited_plan(folder) as given:
        given["title"] = "# <b>Title</b> | with [marks](x) and ~~~ *stars* `ticks` \\"
        given["design"]["question"] = "- one\n> two\n# three\n1. four\n| five |\n~~~"
    text = full_document(material_of(folder))
    shown = dialect().render(text.partition("## 1. Hypotheses")[0])
    assert "<h1>" in shown
    assert "&lt;b&gt;Title&lt;/b&gt; | with [marks](x) and ~~~ *stars* `ticks` \\" in shown
    design = text.partition("## 3. Design")[2].partition("## 4.")[0]
    rendered = dialect().render(design)
    assert "<h1>" not in rendered
    assert "<ul>" not in rendered
    assert "<ol>" not in rendered
    assert "- one" in rendered


def test_a_page_needs_no_network_and_shows_texts_as_raters_see_them(tmp_path: Path) -> None:
    from prereg.documents.writing import documents

    made = documents(material_of(rich_study(tmp_path / "study")))
    for name, page in made.items():
        if not name.endswith(".html"):
            continue
        assert "default-src 'none'" in page
        assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page), name
        assert "Not locked" in page
    study = made["study.html"]
    assert 'lang="ar" dir="rtl"' in study
    assert 'src="data:image/png;base64,' in study
    assert "<h5>مرحبا</h5>" in study
    assert "Everything above this line" not in study


def test_what_may_be_public_has_no_codes_and_no_right_answers(tmp_path: Path) -> None:
    from prereg.documents.writing import documents

    made = documents(material_of(rich_study(tmp_path / "study")))
    assert "DONE-1" in made["study.md"]
    for name in ("osf.md", "osf.html", "aspredicted.md", "aspredicted.html", "data_management.md"):
        assert "DONE-1" not in made[name]
        assert "FAIL-2" not in made[name]
        assert "is right" not in made[name]


def test_what_the_plan_does_not_say_of_its_data_is_called_missing(tmp_path: Path) -> None:
    from prereg.documents.data_management import data_management

    folder = rich_study(tmp_path / "study")
    said = data_management(material_of(folder))
    assert "Dr Who" in said
    assert "2036-12-31" in said
    assert said.count("**Missing.**") == 3
    assert "some-model-9" in said
    with edited_plan(folder) as given:
        given["data_management"] |= {"contact": "x", "where": "y", "shared_with": "z"}
    assert "issing" not in data_management(material_of(folder)).partition("## What is")[0]


def test_a_plan_that_says_nothing_of_its_data_keeps_its_hash() -> None:
    text = (WORKED / "best_response" / "plan.yaml").read_text(encoding="utf-8")
    assert "data_management" not in parse_plan(text, file="plan.yaml").to_json()
    told = yaml.safe_load(text) | {"data_management": {"kept_until": "2036"}}
    with_it = parse_plan(yaml.safe_dump(told), file="plan.yaml").to_json()
    assert with_it["data_management"] == {"kept_until": "2036"}
