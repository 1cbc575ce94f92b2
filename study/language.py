"""The language of the rater's pages: gettext catalogues, one language a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from flask import Flask

CATALOGUES = Path(__file__).parent / "translations"


def languages() -> list[str]:
    """Return the languages there is a catalogue of, English first."""
    found = sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.mo"))
    return ["en", *found]


def speak(app: Flask, language: str) -> None:
    """Have the rater's pages speak a language; the researcher's stay English.

    Parameters
    ----------
    app : Flask
    language : str
        Two letters, from the plan; see `check_language`.
    """
    # here, so that a study can be opened and locked without them
    from babel import Locale
    from flask import request
    from flask_babel import Babel

    direction = Locale.parse(language).text_direction

    def chosen() -> str:
        return "en" if request.path.startswith("/dashboard") else language

    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app, locale_selector=chosen)
    app.context_processor(
        lambda: {"language": chosen(), "direction": direction if chosen() == language else "ltr"}
    )


def check_language(language: str, file: Path) -> None:
    """Raise `RatifyError` where the rater's pages do not speak the language of a plan."""
    if language not in languages():
        raise RatifyError(
            "the rater's pages do not speak this language",
            file=file,
            column="language",
            value=language,
            allowed=", ".join(languages()),
        )
