"""If this failed, German buttons would stand around an English consent, and nobody would say so."""

from __future__ import annotations

from importlib import resources

import pytest

from prereg.checking.foreign import Foreign, foreign_texts
from prereg.checking.language import OTHER, language_of
from prereg.checking.texts import other_languages
from prereg.plan.file import parse_plan
from prereg.plan.model import Plan
from prereg.worked_plans import Choices, chosen_plan, languages_of, worked_plans
from prereg.yaml_edit import with_values


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Which of the two conversations would leave you feeling more heard?", "en"),
        ("You may stop at any time. There is no right or wrong answer to this.", "en"),
        ("Welches der beiden Gespräche würde Ihnen eher helfen, und wie sehr ist das so?", "de"),
        ("Sie können die Teilnahme jederzeit beenden. Ihre Antworten werden dann gelöscht.", "de"),
        ("أي المحادثتين تجعل الشخص يشعر بأنه مسموع أكثر؟", "ar"),
        ("کدام گفتگو باعث می‌شود فرد احساس کند که بیشتر شنیده شده است؟", OTHER),
        ("Какой из двух разговоров лучше?", OTHER),
        ("Quelle est la conversation qui vous a le plus aidé, et pour qui ?", "fr"),
        ("¿Cuál de las dos conversaciones ayuda más a la persona, y por qué?", "es"),
        ("Het gesprek is niet van een van de mensen en dat zijn we ook.", "nl"),
        ("Warmth", None),
        ("ok", None),
        ("1 2 3 ...", None),
        ("", None),
    ],
)
def test_languages_are_told_apart_or_left_open(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_the_worked_texts_are_in_the_language_of_their_name() -> None:
    found = 0
    for folder in (resources.files("prereg") / "worked").iterdir():
        for path in folder.iterdir():
            name = path.name.split(".")
            if name[-1] == "md":
                language = name[1] if len(name) == 3 else "en"
                assert language_of(path.read_text(encoding="utf-8")) == language, path.name
                found += 1
    assert found >= 6


def rating_plan(language: str, **texts: str) -> Plan:
    """Return the worked rating plan in a language, with other texts at some of its paths."""
    worked = chosen_plan("empathy_rating", Choices(language=language))
    return parse_plan(with_values(worked, texts), file="plan.yaml")


def test_no_worked_plan_is_said_to_be_in_another_language() -> None:
    for worked in worked_plans():
        for language in languages_of(worked):
            plan = parse_plan(chosen_plan(worked, Choices(language=language)), file="plan.yaml")
            assert foreign_texts(plan) == [], (worked, language)


@pytest.mark.parametrize("language", ["de", "ar"])
@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("comprehension.question", "Whose behaviour do you rate?"),
        ("comprehension.options.2", "Both together"),
        ("comprehension.options.1", "The helper's, who answers"),
        ("scales.1.question", "Invites the seeker to say more"),
        ("scales.1.question", "Shows warmth to the user"),
        ("scales.4.labels.5", "to a great extent"),
        ("design.question", "How far does the supporter show each behaviour?"),
    ],
)
def test_one_english_text_among_others_is_found_by_its_key(
    language: str, key: str, text: str
) -> None:
    plan = rating_plan(language, **{key: text})
    (said,) = other_languages(plan, {})
    assert said.key == key
    assert "this seems to be in English" in said.problem


def test_one_english_sentence_of_a_text_is_found() -> None:
    key = "attention_checks.0.texts.0"
    german = rating_plan("de").attention_checks[0].texts[0].partition("\n")[2]
    mixed = f"Seeker: This page is here to see whether the texts are read.\n{german}"
    assert foreign_texts(rating_plan("de", **{key: mixed})) == [Foreign("en", (key,))]


@pytest.mark.parametrize(
    "labels", [("not at all", "somewhat", "throughout"), ("never", "sometimes", "always")]
)
def test_the_english_labels_of_every_scale_are_one_warning(labels: tuple[str, ...]) -> None:
    points = zip((1, 3, 5), labels, strict=True)
    texts = {f"scales.{n}.labels.{at}": text for at, text in points for n in range(6)}
    (said,) = other_languages(rating_plan("de", **texts), {})
    assert str(said.key).startswith("scales.0.labels")
    assert "in English, as do 5 other texts (scales.1.labels" in said.problem


@pytest.mark.parametrize(
    "text", ["Feedback", "State of the Art", "No-Go", "Fair Play", "OK", "Wie „I am what I am“"]
)
def test_a_german_study_may_use_loanwords(text: str) -> None:
    for key in ("scales.0.labels.5", "comprehension.options.0", "scales.2.question"):
        assert foreign_texts(rating_plan("de", **{key: text})) == [], key


def test_german_in_an_english_study_is_found_too() -> None:
    texts = {
        "scales.0.labels.1": "gar nicht",
        "comprehension.question": "Wen bewerten Sie mit der Skala?",
    }
    found = foreign_texts(rating_plan("en", **texts))
    assert found == [
        Foreign("de", ("comprehension.question",)),
        Foreign("de", ("scales.0.labels.1",)),
    ]
