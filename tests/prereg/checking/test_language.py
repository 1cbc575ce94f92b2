"""If this failed, German buttons would stand around an English consent, and nobody would say so."""

from __future__ import annotations

from importlib import resources

import pytest

from prereg.checking.language import OTHER, language_of


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
