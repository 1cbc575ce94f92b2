"""If this failed, a rater would meet words in a language they do not read, or a page that breaks.

The catalogues are complete and what their sources make, a study speaks the language of its plan and
no other, and a page that runs from right to left does so everywhere.
"""

from __future__ import annotations

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest
import yaml
from babel import Locale
from babel.messages import Message
from flask_babel import ngettext
from jinja2 import Environment, meta, nodes
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from prereg.errors import RatifyError
from study import language as speaking
from study.bots import Page as BotsPage
from study.opening import open_study
from study.store.database import Store
from study.translations import update
from study.web.app import create_app
from tests.conftest import DASHBOARD_PASSWORD, Serve, Server, make_study, running
from tests.support.browser import layout_faults, press, watched

STUDY = Path(speaking.__file__).parent
TEMPLATES = STUDY / "web" / "templates"
LANGUAGES = ["ar", "de"]
MARKS = {"_", "gettext", "lazy_gettext", "ngettext"}
# The dashboard is for researchers, and speaks English.
RESEARCHERS = {
    *(STUDY / "web" / "views" / f"{name}.py" for name in ("dashboard", "signing_in")),
    STUDY / "web" / "chat" / "dashboard.py",
}
# Words that are the same in every language: the names of the texts, and of a key.
SAME = {"A", "B", "Enter"}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
TRIALS = 4
QUESTION = "أي المحادثتين تجعل الإنسان يشعر أكثر بأنه مسموع؟"
# An order of letters that right-to-left text would turn round.
CODE = "10-HEARD"
FORM = "application/x-www-form-urlencoded"


def known(language: str) -> Callable[[str], str]:
    """Return the translation into a language, an error where there is none."""
    catalog = gettext.translation("messages", update.HERE, [language])

    def translated(text: str) -> str:
        assert catalog.gettext(text) != text or text == "Demo.", text
        return catalog.gettext(text)

    return translated


def english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def messages(language: str) -> list[Message]:
    return [message for message in update.read(language) if message.id]


def strings(message: Message) -> tuple[str, ...]:
    given = message.string if isinstance(message.string, tuple) else (message.string,)
    return tuple(str(string or "") for string in given)


# ---- What is marked, and what is not ------------------------------------------------------------


def marked_in_python() -> Iterator[tuple[Path, list[str | None]]]:
    """Yield every call that marks a string, and the strings; None for what is not a literal."""
    for path in STUDY.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = call.func.id if isinstance(call, ast.Call) and hasattr(call.func, "id") else ""
            if name in MARKS:
                count = 2 if name == "ngettext" else 1
                yield path, [getattr(a, "value", None) for a in call.args[:count]]


def marked_in_templates() -> Iterator[tuple[Path, list[str | None]]]:
    """Yield the same of the templates."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for path in TEMPLATES.rglob("*.html"):
        for call in environment.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            name = getattr(call.node, "name", "")
            if name in MARKS:
                count = 2 if name == "ngettext" else 1
                yield path, [getattr(a, "value", None) for a in call.args[:count]]


def test_every_marked_string_can_be_extracted_and_is_in_the_template() -> None:
    template = update.extract()
    found = [*marked_in_python(), *marked_in_templates()]
    assert len(found) > 80
    for path, given in found:
        assert all(isinstance(text, str) for text in given), f"{path.name}: not a literal: {given}"
        message = template.get(given[0])
        assert message is not None, f"{path.name}: not extracted: {given[0]}"
        if len(given) == 2:
            assert message.id == tuple(given)


def templates_of_raters() -> set[str]:
    """Return the templates that any module but the dashboard's names, and those they build on."""
    found = {
        node.value
        for path in STUDY.rglob("*.py")
        if path not in RESEARCHERS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and str(node.value).endswith(".html")
        if (TEMPLATES / str(node.value)).exists()
    }
    waiting = set(found)
    while waiting:
        source = (TEMPLATES / waiting.pop()).read_text(encoding="utf-8")
        parsed = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
        more = set(filter(None, meta.find_referenced_templates(parsed))) - found
        found |= more
        waiting |= more
    return found


SKIPPED = {"script", "style", "code"}
SPOKEN = {"aria-label", "title", "alt", "placeholder"}


class Words(HTMLParser):
    """What a person reads or hears of a page, but for code and for the texts that are rated."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.root = given
        self.found += [value for name, value in attrs if name in SPOKEN and value]
        if tag not in {"meta", "link", "input", "br", "hr", "img"}:
            aside = tag in SKIPPED or given.get("class") in {"turns", "prompt", "private"}
            self._open.append((tag, aside))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(aside for _, aside in self._open):
            self.found.append(" ".join(data.split()))

    def latin(self) -> list[str]:
        """Return what holds a word of Latin letters."""
        return [t for t in self.found if set(re.findall(r"[A-Za-z]+", t)) - SAME]


def test_no_words_of_a_raters_page_are_left_unmarked() -> None:
    names = templates_of_raters()
    assert {"base.html", "_trial.html", "_leave.html", "pairwise.html", "over.html"} <= names
    assert "dashboard.html" not in names
    for name in sorted(names):
        source = (TEMPLATES / name).read_text(encoding="utf-8")
        source = re.sub(r"{% block body_class %}.*?{% endblock %}", "", source)
        tokens = Environment(autoescape=True).lex(source)
        bare = "".join(value for _, kind, value in tokens if kind == "data")
        kept = Words(bare.replace('class="turns"', "").replace('class="private"', ""))
        assert not kept.latin(), f"{name}: not marked for translation: {kept.latin()}"


def test_words_that_are_not_marked_would_be_found() -> None:
    page = (
        '<html lang="ar"><p title="Hover">أ <code>CODE</code> A</p><div class="turns">Yes</div>No'
    )
    words = Words(page)
    assert words.latin() == ["Hover", "No"]
    assert words.root == {"lang": "ar"}


# ---- The catalogues -----------------------------------------------------------------------------


def test_every_file_is_what_the_sources_make() -> None:
    names = [path.relative_to(STUDY).as_posix() for path in update.stale(update.built())]
    assert not names, f"run `make translations`: {names}"


def test_wherever_and_whenever_it_is_made_it_is_the_same(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "study.translations.update", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TZ": "Pacific/Auckland", "LC_ALL": "C", "LANGUAGE": "de"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for path in update.built():
        kept = path.read_bytes()
        assert str(Path.home()).encode() not in kept
        assert not re.search(rb"Babel|POT-Creation|20\d\d-", kept)


def test_what_a_translator_has_left_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "HERE", tmp_path)
    shutil.copytree(STUDY / "translations" / "de", tmp_path / "de")
    path = update.po_file("de")
    text = path.read_text(encoding="utf-8")
    for right, wrong in (
        ('msgstr "Weiter"', 'msgstr ""'),
        ('msgid "Taking part"', '#, fuzzy\nmsgid "Taking part"'),
        ('msgstr "Paar %(number)d von', 'msgstr "Paar %(nummer)d von'),
    ):
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    path.write_text(text, encoding="utf-8")
    assert [line.partition(":")[2].partition(":")[2].strip() for line in update.faults("de")] == [
        "Continue",
        "Taking part",
        "Pair %(number)d of %(all)d",
    ]
    assert update.stale(update.built()) != []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated(language: str) -> None:
    assert {m.id for m in messages(language)} == {m.id for m in update.extract() if m.id}
    assert update.faults(language) == []
    same = {english(m) for m in messages(language) if english(m) in strings(m)}
    assert same <= {"Demo.", "Text", "Code", "Coach", *SAME}


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_those_of_the_english(language: str) -> None:
    numbers = Locale.parse(language).plural_form.tags | {"other"}
    for message in messages(language):
        given = strings(message)
        ids = (message.id,) if isinstance(message.id, str) else message.id
        assert len(given) == (1 if len(ids) == 1 else len(numbers))
        wanted = sorted(PLACEHOLDER.findall(ids[-1]))
        for form, string in enumerate(given):
            found = sorted(PLACEHOLDER.findall(string))
            # "once more" and "twice" hold their number in a word
            one_number = len(ids) == 2 and form < len(given) - 1
            assert found == wanted or (one_number and found == []), string
            assert "%" not in PLACEHOLDER.sub("", string)
            assert not set("<>&") & set(string), "pages show translations as they are"
            assert string == string.strip()
            assert string[-1:] in ".:?؟" or ids[0][-1] not in ".:?", string


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_was_written(language: str) -> None:
    compiled = gettext.translation("messages", update.HERE, [language])
    written = messages(language)
    for message in written:
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == strings(message)[0]
    kept = {key if isinstance(key, str) else key[0] for key in compiled._catalog}  # type: ignore[attr-defined]
    assert kept - {""} == {english(m) for m in written}


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_take_the_form_that_the_language_gives_them(language: str) -> None:
    compiled = gettext.translation("messages", update.HERE, [language])
    rule = Locale.parse(language).plural_form
    order = [tag for tag in ("zero", "one", "two", "few", "many") if tag in rule.tags] + ["other"]
    counted = [m for m in messages(language) if not isinstance(m.id, str)]
    assert len(counted) >= 2
    for message in counted:
        for number in (*range(130), 1000, 1002, 1011):
            form = order.index(rule(number))
            assert compiled.plural(number) == form  # type: ignore[attr-defined]
            assert compiled.ngettext(*message.id, number) == strings(message)[form]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_button_is_called_by_its_name(language: str) -> None:
    say = known(language)
    naming = [m for m in messages(language) if "press Continue" in english(m)]
    assert len(naming) >= 4
    for message in naming:
        assert say("Continue") in strings(message)[0], english(message)
    for name in ("Most", "Least"):
        assert say(name) in say(
            "Please choose one for most and another for least, then press Continue."
        )


# ---- The plan's language ------------------------------------------------------------------------


def study_in(language: str | bool, folder: Path, *, raters: int = 3) -> Path:
    """Make a study whose pages speak a language; of an Arabic one, its own texts do, too."""
    make_study(folder, raters=raters, trials=TRIALS)
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["language"] = language
    plan["recruitment"]["codes"]["completed"] = CODE
    if language == "ar":
        plan["design"]["question"] = QUESTION
        (folder / "consent.md").write_text("# قبل البدء\n\nدراسة **قصيرة**.\n", encoding="utf-8")
        (folder / "instructions.md").write_text("# التعليمات\n\n1. اقرأ.\n", encoding="utf-8")
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return folder


def test_the_languages_are_those_with_a_catalogue() -> None:
    assert speaking.languages() == ["en", *LANGUAGES]


def test_a_language_without_a_catalogue_is_refused(
    tmp_path: Path, ratify: Callable[..., CompletedProcess[str]]
) -> None:
    folder = study_in("xx", tmp_path / "study")
    with pytest.raises(RatifyError) as caught:
        open_study(folder)
    line = str(caught.value)
    assert line == (
        f"{folder / 'plan.yaml'}, language: the raters' pages are not available in this language, "
        "got 'xx' (allowed: en, ar, de)"
    )
    done = ratify("serve", folder, "--mode", "pilot", "--port", "0")
    assert done.returncode != 0
    assert done.stderr.strip() == f"ratify: {line}"


@pytest.mark.parametrize("language", ["deu", "DE", "../de", "", False])
def test_what_is_no_language_is_refused(language: str | bool, tmp_path: Path) -> None:
    folder = study_in(language, tmp_path / "study")  # False: YAML's `no`, which is Norwegian
    with pytest.raises(RatifyError, match=r"plan\.yaml, language: "):
        open_study(folder)


def test_a_string_without_a_translation_is_english_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogues = tmp_path / "translations"
    monkeypatch.setattr(update, "HERE", catalogues)
    monkeypatch.setattr(speaking, "CATALOGUES", catalogues)
    begun = update.merge("fr", update.extract())
    begun.get("No, thank you").string = "Non, merci"
    begun.get("Taking part").string = "Participer"
    begun.get("Taking part").flags.add("fuzzy")
    path = update.po_file("fr")
    path.parent.mkdir(parents=True)
    path.with_suffix(".mo").write_bytes(update.compiled(begun))
    store = Store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    app = create_app(open_study(study_in("fr", tmp_path / "study")), store, mode="pilot")
    client = app.test_client()
    words = Words(client.get("/?rater=r1").text)
    assert words.root == {"lang": "fr", "dir": "ltr"}
    assert "Non, merci" in words.found
    assert "I agree and want to take part" in words.found
    assert "Taking part" in words.found
    assert Words(client.get("/nowhere").text).found[-2:] == [
        "There is no such page",
        "Please open the study from the page where you found it.",
    ]
    with app.test_request_context("/"):
        assert [ngettext("%(num)d try", "%(num)d tries", n) for n in (1, 5)] == ["1 try", "5 tries"]
    store.close()


# ---- Over HTTP ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arabic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = study_in("ar", tmp_path_factory.mktemp("arabic") / "study", raters=40)
    with running(folder, "--mode", "pilot") as server:
        yield server


def form(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return where a page's first form goes, and its hidden fields."""
    page = BotsPage()
    page.feed(answer.text)
    return page.action, page.fields


def in_arabic(answer: httpx.Response, status: int = 200) -> list[str]:
    """Return the words of a page that must be Arabic throughout."""
    words = Words(answer.text)
    assert answer.status_code == status
    assert words.root == {"lang": "ar", "dir": "rtl"}
    assert words.latin() == []
    return words.found


def test_a_whole_visit_in_arabic(arabic: Server) -> None:
    say = known("ar")
    with httpx.Client(base_url=arabic.url, follow_redirects=True, timeout=60) as client:
        answer = client.get("/", params={"rater": "visitor"})
        assert say("I agree and want to take part") in in_arabic(answer)
        action, fields = form(answer)
        answer = client.post(action, data=fields)
        assert say("Begin") in in_arabic(answer)
        for number in range(1, TRIALS + 1):
            answer = client.get("/trial")
            found = in_arabic(answer)
            assert say("Pair %(number)d of %(all)d") % {"number": number, "all": TRIALS} in found
            assert {QUESTION, say("Continue"), say("Answered so far")} <= set(found)
            action, fields = form(answer)
            missing = in_arabic(client.post(action, data=fields), 422)
            assert say("Please choose one of the two, then press Continue.") in missing
            answer = client.post(action, data={**fields, "choice": "right"})
        assert answer.url.path == "/done"
        assert say("All your answers are saved.") in in_arabic(answer)
        assert f">{CODE}<" in answer.text
        link = re.search(r'href="(/withdraw/[^"]+)"', answer.text)
        assert link is not None
        answer = client.get(link[1])
        assert say("Withdraw and delete your answers?") in in_arabic(answer)
        action, fields = form(answer)
        assert say("Your answers are deleted") in in_arabic(client.post(action, data=fields))
        assert say("Nothing is stored under this link") in in_arabic(client.get(link[1]), 404)


def test_what_goes_wrong_is_said_in_arabic(arabic: Server) -> None:
    say = known("ar")
    with httpx.Client(base_url=arabic.url, follow_redirects=True, timeout=60) as client:
        assert say("There is no such page") in in_arabic(client.get("/nowhere"), 404)
        assert say("There is no such page") in in_arabic(client.post("/"), 405)
        assert say("This link is not complete") in in_arabic(client.get("/?rater=a%20b"), 400)
        assert say("That is fine") in in_arabic(client.get("/declined"))
        assert say("Please open your link again") in in_arabic(client.post("/consent"), 400)
        many = "&".join(f"f{n}=1" for n in range(2000)).encode()
        for body in (many, b"x" * 100_000):
            answer = client.post("/trial", content=body, headers={"Content-Type": FORM})
            in_arabic(answer, answer.status_code)
            assert answer.status_code in {400, 413}


def test_the_dashboard_stays_english(arabic: Server) -> None:
    with httpx.Client(base_url=arabic.url, follow_redirects=True, timeout=60) as client:
        answer = client.get("/dashboard/")
        assert answer.url.path == "/dashboard/sign-in"
        pages = [answer]
        action, fields = form(answer)
        pages.append(client.post(action, data={**fields, "password": "not the password"}))
        pages.append(client.post(action, data={**fields, "password": DASHBOARD_PASSWORD}))
        assert pages[-1].url.path == "/dashboard/"
        pages.append(client.get("/dashboard/nowhere"))
    banner = "Answers given here are kept apart from the study's data."
    for answer in pages:
        words = Words(answer.text)
        assert words.root == {"lang": "en", "dir": "ltr"}
        own = [text for text in words.found if text != QUESTION]
        assert not re.search("[\u0600-\u06ff]", " ".join(own))
        assert banner in words.found or answer.status_code == 404


def test_german_pages(tmp_path: Path, serve: Serve) -> None:
    say = known("de")
    server = serve(study_in("de", tmp_path / "study"), "--mode", "pilot")
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as client:
        answer = client.get("/", params={"rater": "r1"})
        assert Words(answer.text).root == {"lang": "de", "dir": "ltr"}
        assert say("I agree and want to take part") in Words(answer.text).found
        action, fields = form(answer)
        client.post(action, data=fields)
        trial = Words(client.get("/trial").text).found
        assert {"Paar 1 von 4", "Weiter", "Gespräch A", "Gespräch B"} <= set(trial)


# ---- In a browser -------------------------------------------------------------------------------

in_browser = pytest.mark.browser
SIZES = [(320, 640), (1280, 800)]


def left(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["x"]


def seen(found: Locator) -> str:
    """Return the letters of a text that stands on one line, as the eye meets them from the left."""
    letters: list[tuple[float, str]] = found.evaluate("""e => {
      const walker = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), found = [];
      while (walker.nextNode()) {
        const text = walker.currentNode;
        for (let i = 0; i < text.length; i++) {
          const range = document.createRange();
          range.setStart(text, i); range.setEnd(text, i + 1);
          const box = range.getBoundingClientRect();
          if (text.data[i].trim() && box.width) found.push([box.left, text.data[i]]);
        }
      }
      return found;
    }""")
    return "".join(letter for _, letter in sorted(letters))


def begin(page: Page, url: str, rater: str, say: Callable[[str], str]) -> None:
    page.goto(f"{url}/?rater={rater}")
    press(page, say("I agree and want to take part"))
    press(page, say("Begin"))


@in_browser
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_trial_runs_from_right_to_left(
    browser: Browser, arabic: Server, width: int, height: int
) -> None:
    say = known("ar")
    with watched(browser, width, height) as page:
        begin(page, arabic.url, f"reader-{width}", say)
        for _ in range(2):
            page.get_by_role("radio").last.check()
            press(page, say("Continue"))
        assert layout_faults(page) == []
        for part in ("body", ".where", ".answer", ".options", "progress"):
            assert page.locator(part).evaluate("e => getComputedStyle(e).direction") == "rtl", part
        first, second = page.locator(".option").all()
        assert left(first) > left(second) > left(page.locator(".options button"))
        assert left(page.locator("h1")) > left(page.locator("progress"))
        pair = page.locator(".conversation").all()
        assert left(pair[0]) > left(pair[1]) if width > 800 else left(pair[0]) == left(pair[1])
        shown = page.locator("progress").screenshot()
        with Image.open(BytesIO(shown)) as picture:
            line = picture.convert("L").resize((4, 1), Image.Resampling.BOX).tobytes()
        assert line[3] < line[0] - 50, "half is done, and that half is the right one"
        press(page, say("Continue"))
        assert layout_faults(page) == []


@in_browser
def test_what_is_not_arabic_keeps_its_own_order(browser: Browser, arabic: Server) -> None:
    say = known("ar")
    with watched(browser) as page:
        begin(page, arabic.url, "copyist", say)
        turn = page.locator(".turn .words").first
        assert seen(turn) == turn.inner_text().replace(" ", "")
        for _ in range(TRIALS):
            page.get_by_role("radio").first.check()
            press(page, say("Continue"))
        assert seen(page.locator("#completion-code")) == CODE
        link = page.locator(".private a")
        assert seen(link) == link.inner_text()


@in_browser
def test_a_researchers_english_reads_well_on_an_arabic_page(
    browser: Browser, tmp_path: Path, serve: Serve
) -> None:
    folder = study_in("ar", tmp_path / "study")
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["design"]["question"] = "Which is warmer (A or B)?"
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    (folder / "consent.md").write_text("# Before you begin!\n\nIt is short.\n", encoding="utf-8")
    items = folder / "items.csv"
    arabic_words = items.read_text(encoding="utf-8").replace("Not well.", "لست بخير.")
    items.write_text(arabic_words, encoding="utf-8")
    say = known("ar")
    with watched(browser) as page:
        page.goto(f"{serve(folder, '--mode', 'pilot').url}/?rater=r1")
        assert seen(page.locator("main h1")) == "Beforeyoubegin!"
        assert seen(page.locator("main p").first) == "Itisshort."
        press(page, say("I agree and want to take part"))
        press(page, say("Begin"))
        assert seen(page.locator("legend")) == "Whichiswarmer(AorB)?"
        turn = page.locator(".turn .words").nth(2)
        assert seen(turn).startswith("."), "the full stop of an Arabic sentence stands at its left"


@in_browser
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_german_words_have_room(
    browser: Browser, tmp_path: Path, serve: Serve, width: int, height: int
) -> None:
    say = known("de")
    server = serve(study_in("de", tmp_path / "study"), "--mode", "pilot")
    with watched(browser, width, height) as page:
        page.goto(f"{server.url}/?rater=r1")
        assert layout_faults(page) == []
        press(page, say("I agree and want to take part"))
        press(page, say("Begin"))
        press(page, say("Continue"))
        assert layout_faults(page) == []
        press(page, say("Withdraw and delete my answers"))
        assert layout_faults(page) == []
