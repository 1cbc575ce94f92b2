"""Were this broken, the report would leave something out, ask a network, or run what it is told."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.evidence.figures import plot_flow
from analysis.ranking.figures import plot_ranking
from analysis.report.page import LEAD_FIGURE, key_groups, write_report
from analysis.results.coverage import CHOSEN, SCORED, coverage_label, unit_of
from analysis.results.figure_style import stamp, svg
from analysis.results.files import write_results
from analysis.results.quantities import Quantity, ResultFigure, Results, ResultTable
from analysis.results.verdict import NotRun, Verdict
from prereg.errors import RatifyError

HOSTILE = "<script>alert('x')</script><b>&"
VOID = {"meta", "link", "br", "img", "input", "hr"}


def quantity(name: str = "gap", **changes: Any) -> Quantity:
    fields: dict[str, Any] = {
        "analysis": "h1_choice",
        "name": name,
        "label": f"Effect of {name}",
        "estimate": 0.1438,
        "low": 0.1089,
        "high": 0.1787,
        "p_value": 0.0000001,
        "n": 1409,
        "unit_of_n": "judgments",
        "clusters": 150,
        "method": "clustered logit",
        "unit": "log-odds per point",
        "status": "confirmatory",
        "hypothesis": "H1",
    }
    return Quantity(**{**fields, **changes})


@functools.cache
def ranking_figure(name: str) -> ResultFigure:
    frame = pd.DataFrame({"item_id": [HOSTILE, "b"], "score": [1.0, -1.0], "low": 0, "high": 1})
    ax = stamp(plot_ranking(frame))
    return ResultFigure(
        name=name,
        title=f"Title of {name} {HOSTILE}",
        caption=f"Caption of {name}. Simulated raters.",
        alt=f"In words: {name} {HOSTILE}",
        svg=svg(ax),
    )


def study(**changes: Any) -> Results:
    long = pd.DataFrame(
        {
            "item_id": [f"12345678901234567{n:03}" for n in range(150)],
            "score": [n / 7 for n in range(150)],
            "score_low": [n / 7 - 1 for n in range(150)],
            "score_high": [n / 7 + 1 for n in range(150)],
        }
    )
    short = pd.DataFrame(
        {"bin": ["1-3", HOSTILE], "n": [1200, 300], "rate": [0.55, None], "p": [0.0001, 0.034]}
    )
    fields: dict[str, Any] = {
        "kind": "study",
        "title": f"A study of {HOSTILE}",
        "question": f"Which one? {HOSTILE}",
        "headline": ["People chose the higher-scored side 64% of the time.", f"Second {HOSTILE}"],
        "simulated": True,
        "meta": {
            "plan_hash": "ab" * 32,
            "seed": 42,
            "files": {"judgments.csv": "cd" * 32},
            "amendments": [{"at": "2026-02-01", "reason": HOSTILE, "known": "no data yet"}],
            "nothing": None,
            "blank": {},
            "scale": [1, 5],
        },
        "quantities": [
            quantity(),
            quantity("const", estimate=-0.5, status="exploratory", hypothesis="", note=HOSTILE),
            quantity("infinite", analysis="ranking", estimate=None, low=None, high=None),
        ],
        "tables": [
            ResultTable(name="first", title="Rates", caption="One row a bin.", frame=short),
            ResultTable(name="long", title="All items", caption="One row an item.", frame=long),
        ],
        "figures": [ranking_figure("first"), ranking_figure("second")],
        "methods": ["How it was done."],
        "limits": [f"What it cannot say. {HOSTILE}"],
        "hypotheses": [{"id": "H1", "text": "The gap matters."}, {"id": "H2", "text": "Untested."}],
        "flow_notes": [f"Visits {HOSTILE}", "2 people withdrew; their answers were deleted."],
        "flow": [{"rule": HOSTILE, "unit": "people", "before": 1040, "excluded": 7, "after": 1033}],
    }
    return Results(**{**fields, **changes})


def page(folder: Path, results: Results) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "figures").mkdir(exist_ok=True)
    write_results(results, folder)
    return write_report(folder).read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects what the tests ask about; refuses tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "a tag was left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return Reader(page(tmp_path_factory.mktemp("study"), study()))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(tmp_path_factory.mktemp("study"), study())


def test_it_asks_nothing_of_a_network(report: Reader, source: str) -> None:
    outside = [
        (tag, name, value)
        for tag, name, value in report.attributes
        if name in {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
        and not value.startswith(("#", "data:,"))
    ]
    assert outside == []
    assert "url(" not in re.sub(r"url\(#f\d+-", "", source)
    assert "@import" not in source


def test_it_runs_nothing(report: Reader) -> None:
    assert report.tags["script"] == 0
    assert not [name for _, name, _ in report.attributes if name.startswith("on")]
    assert report.values("style") == [], "a strict content policy refuses style attributes"


def test_its_content_policy_admits_its_own_style_sheet_and_no_other(source: str) -> None:
    css = re.search("<style>(.*?)</style>", source, re.DOTALL)
    assert css is not None
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in source
    assert source.count("<style") == 1


def test_what_comes_from_the_results_is_text(report: Reader, source: str) -> None:
    assert "<script" not in source
    assert report.tags["b"] == source.count("<b>"), "a <b> of the data became a tag"
    for place in ("A study of", "Which one?", "Second", "What it cannot say."):
        assert f"{place} {HOSTILE}" in report.text
    # title, note, cell of a table, rule, amendment, figure's title and alt, item in the drawing
    assert report.text.count(HOSTILE) >= 14


def test_it_has_one_h1_and_headings_in_order(report: Reader) -> None:
    assert report.headings.count(1) == 1
    assert report.headings[0] == 1
    steps = [b - a for a, b in zip(report.headings, report.headings[1:], strict=False)]
    assert max(steps) == 1


def test_it_has_every_section_and_landmark(report: Reader) -> None:
    ids = report.values("id")
    sections = ["answer", "hypotheses", "evidence"]
    sections += ["exclusions", "methods", "limits", "provenance"]
    assert [name for name in ids if name in sections] == sections
    for tag in ("header", "nav", "main", "footer"):
        assert report.tags[tag] == 1
    links = [value[1:] for tag, name, value in report.attributes if (tag, name) == ("a", "href")]
    assert set(links) <= set(ids)


def test_no_id_is_used_twice_and_every_reference_is_met(report: Reader) -> None:
    ids = Counter(report.values("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    named = " ".join(report.values("aria-labelledby")).split()
    inside = [value[1:] for tag, name, value in report.attributes if (tag, name) == ("use", "href")]
    clips = [value[5:-1] for value in report.values("clip-path")]
    assert named
    assert inside
    assert set(named + inside + clips) <= set(ids)


def test_every_number_of_the_results_is_there(report: Reader) -> None:
    for q in study().quantities:
        assert q.label in report.text
        assert q.method in report.text
        assert q.unit in report.text
    assert "0.144" in report.text
    assert "[0.109, 0.179]" in report.text
    assert "−0.50" in report.text
    assert "< 0.001" in report.text
    assert "1,409" in report.text
    assert "registered" in report.text
    assert "exploratory" in report.text


def test_hypotheses_stand_with_what_tested_them(report: Reader) -> None:
    after = report.text.partition("Hypotheses and their tests")[2]
    first, _, rest = after.partition("Untested.")
    assert "The gap matters. Effect of gap: 0.144, 95% interval [0.109, 0.179]" in first
    assert rest.strip().startswith("These results have no number that tests it.")


def test_what_became_of_visits_stands_with_the_exclusions(report: Reader, tmp_path: Path) -> None:
    section = report.text.partition("What each rule excluded")[2].partition("How it was done.")[0]
    assert f"Visits {HOSTILE} 2 people withdrew; their answers were deleted." in section
    folder = tmp_path / "old"
    page(folder, study())
    saved = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    del saved["flow_notes"]  # results from before there were any
    (folder / "results.json").write_text(json.dumps(saved), encoding="utf-8")
    assert "withdrew" not in write_report(folder).read_text(encoding="utf-8")


def test_the_flow_is_told_in_words_and_drawn_beside(tmp_path: Path) -> None:
    rows = [
        {"rule": "duplicate_sequence", "unit": "sessions", "before": 9, "excluded": 2, "after": 7},
        {
            "rule": "attention_check_trials",
            "unit": "ratings",
            "before": 9,
            "excluded": 1,
            "after": 8,
        },
    ]
    ax = plot_flow(rows)
    drawn = ResultFigure(
        name="flow", title="Who came", caption="Caption of flow.", alt="In words.", svg=svg(ax)
    )
    text = page(tmp_path, study(flow=rows, figures=[drawn, ranking_figure("first")]))
    evidence, _, exclusions = text.partition('<section id="exclusions"')
    assert "Figure 2. Who came" in exclusions
    assert "Caption of flow." in exclusions
    assert "Caption of flow." not in evidence
    assert "Figure 1. Title of first" in evidence
    table = Reader(page(tmp_path / "t", study(flow=rows, figures=[]))).text
    assert "Same sequence as another visit (one kept at random) visits 9 2 7" in table
    assert "Attention checks set aside ratings 9 1 8" in table


def test_it_names_the_files_of_every_table(report: Reader, tmp_path: Path) -> None:
    page(tmp_path, study())
    stems = {path.stem for path in (tmp_path / "tables").iterdir()}
    assert stems == {"first", "long", "numbers_h1_choice", "numbers_ranking"}
    for stem in stems:
        assert f"tables/{stem} .csv .tex .md" in report.text


def test_what_could_not_be_computed_is_said_in_plain_words(source: str) -> None:
    assert 'title="could not be computed from these data"' in source
    assert "finite estimate" not in source


def test_figures_are_described_captioned_and_stamped(report: Reader) -> None:
    assert report.tags["figure"] == report.tags["figcaption"] == 2
    assert report.values("role").count("img") == 2
    for name in ("first", "second"):
        assert f"In words: {name}" in report.text
        assert f"Caption of {name}." in report.text
    # the banner, the page's title, two captions, two drawings
    assert report.text.lower().count("simulated raters") == 6
    assert "it confirms nothing" in report.text
    assert "was registered in the locked plan" not in report.text


def test_a_table_stands_once_beside_the_figure_of_its_name(source: str) -> None:
    figure = source.partition('<figure id="figure-first">')[2].partition("</figure>")[0]
    assert "One row a bin." in figure
    assert source.count("One row a bin.") == 1
    assert source.count("One row an item.") == 1


def test_tables_are_set_to_be_read(report: Reader, source: str) -> None:
    assert "12345678901234567149" in report.text, "an id is a word, not a number"
    assert "21.3 [20.3, 22.3]" in report.text, "an estimate and its interval share a cell"
    assert 'title="not available">—' in source
    assert "0.034" in report.text
    assert " .034" not in report.text, "a number has a digit before its point"
    assert report.tags["details"] == 1, "only the long table is folded"
    assert report.tags["caption"] == report.tags["table"]
    cells = [value for tag, name, value in report.attributes if (tag, name) == ("th", "scope")]
    assert len(cells) == report.tags["th"]
    regions = [tag for tag, name, value in report.attributes if (name, value) == ("tabindex", "0")]
    assert len(regions) == report.values("role").count("region") >= 4


def test_provenance_is_told_whole(report: Reader) -> None:
    for fragment in (
        "ab" * 32,
        "cd" * 32,
        "judgments.csv",
        "no data yet",
        "2026-02-01",
        "42",
        "1, 5",
    ):
        assert fragment in report.text


def test_people_get_no_banner(tmp_path: Path) -> None:
    text = page(tmp_path, study(simulated=False, figures=[]))
    assert "simulated" not in text.lower()
    assert '<span class="badge confirmatory">confirmatory</span>' in text


def test_an_audit_without_hypotheses_or_flow_is_whole(tmp_path: Path) -> None:
    bare = study(
        kind="audit", question="", hypotheses=[], flow=[], headline=[], quantities=[], tables=[]
    )
    report = Reader(page(tmp_path, bare))
    assert "Audit of a judge" in report.text
    assert "No exclusion rule was applied." in report.text
    assert "hypotheses" not in report.values("id")


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    assert page(tmp_path / "a", study()) == page(tmp_path / "b", study())


def test_the_summary_shows_what_was_registered() -> None:
    loose = quantity("loose", status="exploratory")
    assert [g.rows[0].quantity.name for g in key_groups([loose, quantity()])] == ["gap"]
    assert [g.rows[0].quantity.name for g in key_groups([loose])] == ["loose"]


def coverage(what: str, share: float, n: int) -> Quantity:
    return quantity(
        "coverage",
        label=coverage_label(what, "gpt"),
        estimate=share,
        n=n,
        unit_of_n=unit_of(what),
        unit="proportion",
        low=None,
        high=None,
        p_value=None,
    )


def test_how_much_was_answered_is_one_line_and_no_test(tmp_path: Path) -> None:
    rows = [
        quantity(),
        coverage("items", 11 / 12, 24),
        coverage("pairs", 1.0, 1511),
        coverage(CHOSEN, 0.9, 60),
        coverage(SCORED, 1.0, 60),
    ]
    assert [row.quantity.name for g in key_groups(rows) for row in g.rows] == ["gap"]
    source = page(tmp_path, study(quantities=rows))
    hypotheses = source.partition('id="hypotheses"')[2].partition("</section>")[0]
    assert (
        "Coverage: gpt answered 22 of 24 items and 1,511 of 1,511 pairs; gpt chose a side in "
        in (hypotheses)
    )
    assert "54 of 60 trials; gpt scored both items in 60 of 60 trials." in hypotheses
    assert "Share of the" not in hypotheses


def test_numbers_of_one_unit_have_the_same_decimals(tmp_path: Path) -> None:
    rows = [
        quantity("a", unit="correlation", estimate=-0.0231, low=-0.46, high=0.44),
        quantity("b", unit="correlation", estimate=-0.0376, low=None, high=None),
        quantity("c", unit="correlation", estimate=-0.155, low=-0.3234, high=-0.0034),
        coverage("items", 11 / 12, 24),
        coverage("pairs", 1.0, 511),
    ]
    source = page(tmp_path, study(quantities=rows))
    numbers = source.partition('id="numbers"')[2].partition("</table>")[0]
    shown = re.findall(r"<b>(−?[0-9.]+)</b>", numbers)
    assert shown == ["−0.02", "−0.04", "−0.155", "0.92", "1.00"]
    assert "[−0.323, −0.003]" in numbers


def test_a_short_answer_and_its_gate_stand_in_the_same_letters(tmp_path: Path) -> None:
    said = ("gpt cannot stand in for people.", "The gate is not passed: 0 of 2 thresholds hold.")
    results = study(headline=[*said, "More."], verdict=Verdict(sentences=said))
    source = page(tmp_path, results)
    lead = source.partition('<div class="headline few">')[2].partition("</div>")[0]
    assert [one in lead for one in (*said, "More.")] == [True, True, False]
    css = source.partition("<style>")[2].partition("</style>")[0]
    large = [rule for rule in css.splitlines() if rule.startswith(".headline") and "clamp" in rule]
    assert [rule.partition(" {")[0] for rule in large] == [".headline.few p"]


def test_the_summary_draws_intervals_to_one_scale() -> None:
    (group,) = key_groups(
        [
            quantity("a", estimate=0.5, low=0.25, high=0.75, unit="quadratic kappa"),
            quantity("b", estimate=0.0, low=-0.2, high=0.25, unit="quadratic kappa"),
        ]
    )
    assert (group.low, group.high, group.zero) == (-0.25, 1.0, 20.0)
    assert [(row.start, row.at, row.end) for row in group.rows] == [(40, 60, 80), (4, 20, 40)]


def test_factors_are_drawn_around_one_and_never_in_full(tmp_path: Path) -> None:
    odds = quantity("odds", estimate=1.6e207, low=20.0, high=9e300, unit="odds ratio")
    (group,) = key_groups(
        [odds, quantity("small", estimate=0.5, low=0.1, high=1.0, unit=odds.unit)]
    )
    assert (group.low, group.high, group.zero) == (0.001, 1000.0, 50.0)
    assert (group.rows[0].at, group.rows[1].end) == (100.0, 50.0)
    source = page(tmp_path, study(quantities=[odds]))
    assert "[20.0, &gt; 1,000]" in source
    assert not re.search(r"\d,000,000", source)
    paper = (tmp_path / "tables" / "numbers_h1_choice.md").read_text(encoding="utf-8")
    assert "| > 1,000 | [20.0, > 1,000] |" in paper
    exact = (tmp_path / "tables" / "numbers_h1_choice.csv").read_text(encoding="utf-8")
    assert "1.6e+207" in exact
    assert json.loads((tmp_path / "results.json").read_text())["quantities"][0]["high"] == 9e300


def test_an_interval_without_width_is_said_and_not_printed(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"bias": [-1.0, 0.5], "bias_low": [-1.0, 0.1], "bias_high": [-1.0, 0.9]}
    ).assign(rank=[1, 2], rank_low=[1, 1], rank_high=[1, 2])
    table = ResultTable(name="flat", title="Bias", caption="One row a judge.", frame=frame)
    flat = quantity("flat", estimate=-1.0, low=-1.0, high=-1.0)
    source = page(tmp_path, study(tables=[table], quantities=[flat], figures=[]))
    text = Reader(source).text
    assert "−1.00 [no interval]" in text
    assert text.count("[no interval]") == 1
    assert re.search(r"\[1\.?0*, 1\.?0*\]", text), "a rank may be known exactly"
    assert "the answers behind a number never vary" in text
    assert text.count("no interval: never varies") == 3
    assert "[−1.0" not in source
    paper = (tmp_path / "tables" / "flat.md").read_text(encoding="utf-8")
    assert "| no interval |" in paper
    assert "never vary" in paper
    assert "never vary" not in page(tmp_path / "wide", study())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda d: d.pop("quantities"), "quantities: is missing"),
        (lambda d: d["quantities"][0].update(n="many"), "quantities.0.n: "),
        (lambda d: d["quantities"][0].update(status="sure"), "'confirmatory' or 'exploratory'"),
        (lambda d: d["tables"][0]["rows"][1].pop(), "row 2 has 3 cells for 4 columns"),
        (lambda d: d["figures"][0].update(name="../../etc"), "figures.0.name: "),
        (lambda d: d["figures"][0].update(name="missing"), "missing.svg: results.json names this"),
        (lambda d: d["figures"][1].update(name="first"), "have the name first"),
    ],
)
def test_bad_results_end_in_one_line(tmp_path: Path, spoil: Any, says: str) -> None:
    page(tmp_path, study())
    (tmp_path / "report.html").unlink()
    file = tmp_path / "results.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    spoil(data)
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(RatifyError) as caught:
        write_report(tmp_path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff\xfe", b'{"title": 1}'])
def test_a_file_that_is_no_result_ends_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(RatifyError, match=r"results\.json") as caught:
        write_report(tmp_path)
    assert "\n" not in str(caught.value)
    if content == b"{":
        assert "is not JSON, or only a part of it" in str(caught.value)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_in_a_browser_it_fits_and_prints_and_keeps_its_policy(tmp_path: Path, width: int) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium here")
    playwright = pytest.importorskip("playwright.sync_api")
    gap = NotRun(check="Halo", why="people gave no ratings")
    page(tmp_path, study(verdict=Verdict(not_run=(gap,), limits=("Limits of this verdict.",))))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": 800})
        said: list[str] = []
        asked: list[str] = []
        view.on("console", lambda message: said.append(message.text))
        view.on("request", lambda request: asked.append(request.url))
        view.goto((tmp_path / "report.html").as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") == width
        assert view.evaluate("getComputedStyle(document.querySelector('h2')).fontWeight") == "600"
        margin = "getComputedStyle(document.querySelector('#findings > p.about')).marginTop"
        assert float(view.evaluate(margin).removesuffix("px")) >= 20
        view.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        beyond = [box for box in view.locator(".scroll, .drawing").all() if box.is_visible()]
        assert beyond
        for box in beyond:
            assert box.get_attribute("tabindex") == "0"
            assert box.get_attribute("role") == "region"
            assert box.get_attribute("aria-label") or box.get_attribute("aria-labelledby")
        cell = "getComputedStyle(document.querySelector('.key td.drawn')).display"
        assert view.evaluate(cell) == ("none" if width < 700 else "table-cell")
        if width < 400:
            wide = next(b for b in beyond if b.evaluate("b => b.scrollWidth > b.clientWidth + 20"))
            shaded, at_end = _edge(wide), _edge(wide, scrolled=True)
            assert shaded < 225, "a shadow says that there is more to the right"
            assert at_end > 240, "at the end there is none"
        view.emulate_media(media="print")
        folded = view.locator("details tbody tr").last
        assert folded.is_visible(), "a folded table is printed open"
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def _edge(box: Any, *, scrolled: bool = False) -> float:
    """Return how light the right edge of a scrolling box is, in the middle of its height."""
    box.evaluate(f"b => b.scrollLeft = {'b.scrollWidth' if scrolled else 0}")
    box.scroll_into_view_if_needed()
    shown = Image.open(io.BytesIO(box.screenshot())).convert("L")
    column = [shown.getpixel((shown.width - 2, y)) for y in range(shown.height)]
    return float(np.median(column))


def test_the_figure_that_is_the_answer_comes_right_after_it(tmp_path: Path) -> None:
    later = [quantity("halo", analysis="gate")]
    results = study(
        figures=[ranking_figure("first"), ranking_figure(LEAD_FIGURE)],
        hypotheses=[],
        quantities=[quantity(hypothesis=""), *later],
    )
    shown = page(tmp_path, results)
    places = [
        shown.index(words)
        for words in (
            "People chose the higher-scored side",
            f'<figure id="figure-{LEAD_FIGURE}">',
            "The numbers behind the answer",
            'id="evidence"',
            '<figure id="figure-first">',
        )
    ]
    assert places == sorted(places)
    assert shown.count(f'<figure id="figure-{LEAD_FIGURE}">') == 1
    assert "Figure 1. Title of effect_three_estimates" in shown
    table = shown.partition('<table class="key">')[2].partition("</table>")[0]
    assert "Effect of gap" in table
    assert "Effect of halo" not in table  # of another chapter than the figure


def test_ids_are_not_printed_under_the_numbers_behind_the_answer(tmp_path: Path) -> None:
    shown = page(tmp_path, study(quantities=[quantity("gap_1"), quantity("gap_2")]))
    table = shown.partition('<table class="key">')[2].partition("</table>")[0]
    assert 'title="h1_choice: gap_1"' in table
    assert "h1_choice: gap_1" not in table.replace('title="h1_choice: gap_1"', "")
    two = [quantity("a"), quantity("b", analysis="h2_warmth", hypothesis="H2")]
    table = page(tmp_path, study(quantities=two)).partition('<table class="key">')[2]
    assert "<small>h2 warmth</small>" in table  # several analyses are named, in words


def test_what_a_check_found_has_the_digits_of_its_own_unit(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "name": ["a", "b", "c"],
            "found": [0.0334, 19.0, 274.31],
            "allowed": [0.052, 16.0, 50.0],
            "unit": ["points", "intervals", "units"],
        }
    )
    checks = ResultTable(name="first", title="Checks", caption="", frame=frame)
    shown = page(tmp_path, study(tables=[checks], figures=[]))
    cells = re.findall(r'<td class="num">([^<]*)</td>', shown.partition('id="table-first"')[2])
    assert cells[:6] == ["0.033", "0.052", "19", "16", "274.3", "50.0"]
    paper = (tmp_path / "tables" / "first.md").read_text(encoding="utf-8")
    assert "0.033" in paper
