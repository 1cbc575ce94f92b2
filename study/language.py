"""The language of the raters' pages: gettext catalogues, one language per study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from prereg.errors import RatifyError

if TYPE_CHECKING:
    from flask import Flask

CATALOGUES = Path(__file__).parent / "translations"


def languages() -> list[str]:
    """Return the languages that have a catalogue, English first."""
    found = sorted(path.parent.parent.name for path in CATALOGUES.glob("*/LC_MESSAGES/messages.mo"))
    return ["en", *found]


def speak(app: Flask, language: str) -> None:
    """Show the raters' pages in a language; the researcher's pages stay in English.

    Parameters
    ----------
    app : Flask
    language : str
        Two letters, from the plan; see `check_language`.
    """
    # imported here, so that a study can be opened and locked without them
    from babel import Locale
    from babel.support import NullTranslations, Translations
    from flask import request
    from flask_babel import Babel

    direction = Locale.parse(language).text_direction

    def chosen() -> str:
        return "en" if request.path.startswith("/dashboard") else language

    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    Babel(app, locale_selector=chosen)
    # flask-babel looks for the language at every sentence, which took a third of a page's time
    plain, translated = NullTranslations(), Translations.load(CATALOGUES, [language])

    def catalogue() -> NullTranslations:
        return plain if chosen() == "en" else translated

    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue().ugettext(text),
        lambda one, many, number: catalogue().ungettext(one, many, number),
        newstyle=True,
    )
    app.context_processor(
        lambda: {"language": chosen(), "direction": direction if chosen() == language else "ltr"}
    )


def no_difference(language: str) -> str:
    """Return what the third answer of a pair is called, unless the plan has words of its own."""
    from babel.support import Translations

    return str(Translations.load(CATALOGUES, [language]).ugettext("No difference"))


def language_name(language: str) -> str:
    """Return the English name of a language of the raters' pages."""
    from babel import Locale

    return str(Locale.parse(language).get_display_name("en"))


def check_language(language: str, file: Path) -> None:
    """Raise `RatifyError` if the raters' pages are not available in the language of a plan."""
    if language not in languages():
        raise RatifyError(
            "the raters' pages are not available in this language",
            file=file,
            column="language",
            value=language,
            allowed=", ".join(languages()),
        )
