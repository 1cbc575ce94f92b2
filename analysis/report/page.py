"""The report: one self-contained page made from `results.json` and `figures/*.svg`.

The page needs no network and no script, and its own content policy forbids both. Everything that
comes from the results is escaped; the drawings are filtered (`inline_svg`).
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.evidence.exclusions import RULE_WORDS, UNIT_WORDS
from analysis.evidence.versions import ABSENT
from analysis.report.data import FigureData, ResultsData, TableData, read_results
from analysis.report.direction import isolated
from analysis.report.glossary import Glossary
from analysis.report.inline_svg import inline
from analysis.report.registration import SAID_HERE, minute, registration_of
from analysis.report.tables import TableView, table_view
from analysis.results import factors, numbers
from analysis.results.coverage import said_of
from analysis.results.files import numbers_name
from analysis.results.quantities import Quantity
from analysis.results.verdict import MEANING, SEVERITIES
from analysis.results.words import listed
from prereg import files
from prereg.baselines import BASELINE_MEANING
from prereg.chat.flow import TRIAL_FLOW
from prereg.documents.page import house_css
from prereg.errors import RatifyError

KEY_NUMBERS = 12
# So many sentences of the answer are shown in large letters.
FEW = 2
# The figure of this name is shown with the exclusions.
FLOW_FIGURE = "flow"
# The figure of this name is shown right under the answer, because it is the answer.
LEAD_FIGURE = "effect_three_estimates"
# So many letters of a text are shown before "read on".
SHOWN_LETTERS = 600
# A phone has at least so many points in width, beside its margins.
NARROW_POINTS = 280
_WIDTH = re.compile(r'<svg[^>]*?\swidth="([0-9.]+)pt"')
SEVERITY_WORDS = {"critical": "Critical", "warning": "Warnings", "note": "Notes"}
DRAWN_ON_UNIT_SCALE = ("correlation", "kappa", "alpha", "coefficient", "proportion", "agreement")


def write_report(folder: Path) -> Path:
    """Write `report.html` from the results in a folder.

    Parameters
    ----------
    folder : Path
        A folder with `results.json` and `figures/NAME.svg` for every figure named in it.

    Returns
    -------
    Path
        The page, ready to open, print or send.

    Raises
    ------
    RatifyError
        If the results are missing, incomplete or not what `analysis.results.quantities` writes.
    """
    data = read_results(folder / "results.json")
    page = folder / "report.html"
    files.write_text(page, render(data, folder / "figures"))
    return page


def render(data: ResultsData, drawings: Path) -> str:
    """Return the page of these results, with drawings from a folder."""
    tables = {table.name: table_view(table) for table in data.tables}
    ordered = sorted(
        data.figures, key=lambda one: (one.name == FLOW_FIGURE) - (one.name == LEAD_FIGURE)
    )
    figures = [
        FigureView(
            number=number,
            data=figure,
            drawing=_drawing(figure, drawings, prefix=f"f{number}"),
            table=tables.get(figure.name),
        )
        for number, figure in enumerate(ordered, start=1)
    ]
    beside = {figure.name for figure in data.figures} | {TRIAL_FLOW}
    own = resources.files("analysis.report").joinpath("templates/report.css").read_text("utf-8")
    css = house_css() + own
    key = key_groups(_behind(data))
    behind = [row.quantity for group in key for row in group.rows]
    placed = {
        view.data.name: view for view in figures if view.data.name in (FLOW_FIGURE, LEAD_FIGURE)
    }
    first = len(data.verdict.sentences) or len(data.headline)
    lead, more = data.headline[:first], data.headline[first:]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            r=data,
            css=Markup(css),  # noqa: S704  (our own file)
            css_hash=_csp_hash(css),
            key=key,
            shown=len(behind),
            shown_numbers=behind,
            several=len({q.analysis for q in behind}) > 1,
            tested={h.id: tests_of(h.id, data.quantities) for h in data.hypotheses},
            answered={h.id: answered_for(h.id, data.quantities) for h in data.hypotheses},
            lead=lead,
            more=more,
            severities=SEVERITIES,
            severity_words=SEVERITY_WORDS,
            meanings=MEANING,
            baselines=BASELINE_MEANING,
            never_varies=numbers.NEVER_VARIES,
            why_no_interval=numbers.WHY_NO_INTERVAL,
            most_tests=KEY_NUMBERS,
            few=FEW,
            analyses=by_analysis(data.quantities),
            figures=[view for view in figures if view.data.name not in placed],
            flow_figure=placed.get(FLOW_FIGURE),
            trial_flow=tables.get(TRIAL_FLOW),
            lead_figure=placed.get(LEAD_FIGURE),
            registration=registration_of(data),
            meta={name: value for name, value in data.meta.items() if name not in SAID_HERE},
            blind=bool(data.meta.get("blind")),
            absent=ABSENT,
            tables=[view for name, view in tables.items() if name not in beside],
        )
    )


@dataclass(frozen=True, kw_only=True)
class FigureView:
    """A figure as the page shows it."""

    number: int
    data: FigureData
    drawing: Markup
    table: TableView | None

    @property
    def narrow(self) -> bool:
        """Whether the drawing fits on a phone as it is, so that it needs no scrolling."""
        found = _WIDTH.search(self.drawing)
        return found is not None and float(found[1]) <= NARROW_POINTS


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """A number in the summary, and where its interval is drawn (0 to 100)."""

    quantity: Quantity
    at: float | None
    start: float | None
    end: float | None


@dataclass(frozen=True, kw_only=True)
class KeyGroup:
    """Numbers of one unit, drawn on one scale; `zero` is the place of no difference."""

    unit: str
    low: float
    high: float
    zero: float
    rows: list[KeyRow]


def key_groups(quantities: list[Quantity]) -> list[KeyGroup]:
    """Return the numbers that the summary shows, all of one status, grouped by unit.

    These are the registered numbers that test a hypothesis. If there are none, they are all
    registered numbers; if nothing was registered, the first numbers, because results begin with
    the most important ones. How much a judge answered tests nothing, and is not among them.
    """
    registered = [q for q in quantities if q.status == "confirmatory" and said_of(q) is None]
    tested = [q for q in registered if q.hypothesis]
    rest = [q for q in quantities if said_of(q) is None]
    chosen = (tested or registered or rest)[:KEY_NUMBERS]
    units = dict.fromkeys(q.unit for q in chosen)
    return [_key_group(unit, [q for q in chosen if q.unit == unit]) for unit in units]


def _behind(data: ResultsData) -> list[Quantity]:
    """Return the numbers that may be behind the answer: those of its figure, where it has one."""
    if not any(figure.name == LEAD_FIGURE for figure in data.figures):
        return data.quantities
    return [one for one in data.quantities if one.analysis == data.quantities[0].analysis]


def tests_of(hypothesis: str, quantities: list[Quantity]) -> list[Quantity]:
    """Return the numbers that test a hypothesis."""
    return [q for q in quantities if q.hypothesis == hypothesis and said_of(q) is None]


def answered_for(hypothesis: str, quantities: list[Quantity]) -> str:
    """Return in one line how much each judge answered of what a hypothesis is tested by."""
    said: dict[str, dict[str, str]] = {}
    for q in quantities:
        found = said_of(q)
        if q.hypothesis == hypothesis and found and q.n:
            who, counts = found
            said.setdefault(who, {}).setdefault(q.unit_of_n, counts)
    return "; ".join(f"{who} {listed([*counts.values()])}" for who, counts in said.items())


def by_analysis(quantities: list[Quantity]) -> dict[str, list[Quantity]]:
    """Return the numbers of every analysis, both in the order of the results."""
    names = dict.fromkeys(q.analysis for q in quantities)
    return {name: [q for q in quantities if q.analysis == name] for name in names}


def _key_group(unit: str, quantities: list[Quantity]) -> KeyGroup:
    """Return numbers of one unit on one scale that includes all of them and zero."""
    known = [v for q in quantities for v in (q.estimate, q.low, q.high) if v is not None]
    if factors.is_factor(unit):
        return _key_factors(unit, quantities, known)
    low, high = _outward(min([0.0, *known])), _outward(max([0.0, *known]))
    if any(word in unit.lower() for word in DRAWN_ON_UNIT_SCALE) and -1 <= low <= high <= 1:
        low, high = math.floor(4 * low) / 4, 1.0
    span = high - low or 1.0

    def place(value: float | None) -> float | None:
        return None if value is None else round(100 * (value - low) / span, 2)

    rows = [
        KeyRow(quantity=q, at=place(q.estimate), start=place(q.low), end=place(q.high))
        for q in quantities
    ]
    zero = round(100 * (0.0 - low) / span, 2)
    return KeyGroup(unit=unit, low=low, high=low + span, zero=zero, rows=rows)


def _key_factors(unit: str, quantities: list[Quantity], known: list[float]) -> KeyGroup:
    """Return factors on one logarithmic scale around 1, which is no difference."""

    def power(value: float) -> float:
        return math.log10(min(max(value, 1 / factors.MOST), factors.MOST))

    reach = max(1, math.ceil(max((abs(power(v)) for v in known), default=0.0)))

    def place(value: float | None) -> float | None:
        return None if value is None else round(50 + 50 * power(value) / reach, 2)

    rows = [
        KeyRow(quantity=q, at=place(q.estimate), start=place(q.low), end=place(q.high))
        for q in quantities
    ]
    return KeyGroup(unit=unit, low=10.0**-reach, high=10.0**reach, zero=50.0, rows=rows)


def _outward(value: float) -> float:
    """Return the end of a scale, moved away from zero to two digits so that it can be printed."""
    if value == 0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return math.copysign(round(math.ceil(round(abs(value) / step, 6)) * step, 12), value)


def _drawing(figure: FigureData, folder: Path, *, prefix: str) -> Markup:
    path = folder / f"{figure.name}.svg"
    try:
        text = path.read_text(encoding="utf-8")
        return inline(text, prefix=prefix, title=figure.title, description=figure.alt)
    except FileNotFoundError as error:
        raise RatifyError(
            "results.json names this figure, but the file is missing", file=path
        ) from error
    except (OSError, ValueError) as error:
        raise RatifyError("this figure is not an SVG drawing", file=path) from error


def _csp_hash(css: str) -> str:
    """Return the hash with which the page's content policy allows its own style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()


def _environment() -> Environment:
    """Return the template environment, which escapes everything; a missing value is an error."""
    environment = Environment(
        loader=PackageLoader("analysis.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    glossary = Glossary()
    environment.filters.update(
        count=numbers.count,
        number=numbers.number,
        p_value=numbers.p_value,
        estimate=_estimate,
        interval=_interval,
        bound=_bound,
        words=_words,
        rule=lambda name: RULE_WORDS.get(name, name),
        unit=lambda name: UNIT_WORDS.get(name, (name, name))[1],
        numbers_name=numbers_name,
        explained=lambda text: isolated(glossary.explained(text)),
        isolated=isolated,
        cut=_cut,
        minute=minute,
    )
    environment.tests["flat"] = lambda q: numbers.flat(q.low, q.high)
    environment.tests["table_data"] = lambda value: isinstance(value, TableData)
    return environment


def _estimate(quantity: Quantity, rows: list[Quantity] | None = None) -> str:
    """Return a number's estimate with the decimals of the numbers beside it."""
    if factors.is_factor(quantity.unit):
        return factors.factor(quantity.estimate)
    return numbers.number(quantity.estimate, _decimals(quantity, rows))


def _interval(quantity: Quantity, rows: list[Quantity] | None = None) -> str:
    """Return a number's interval with the same decimals as its estimate."""
    if factors.is_factor(quantity.unit):
        shown = factors.factor_interval(quantity.estimate, quantity.low, quantity.high)
        return shown or factors.factor(quantity.estimate)
    return numbers.interval(quantity.low, quantity.high, _decimals(quantity, rows))


def _bound(value: float) -> str:
    """Return the end of a scale as text, without trailing zeros."""
    text = numbers.number(float(value))
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimals(quantity: Quantity, rows: list[Quantity] | None) -> int:
    """Return the decimals of a number: those of all rows in its unit, by their typical interval."""
    alike = [q for q in rows or [quantity] if q.unit == quantity.unit]
    return numbers.decimals_among(
        [(q.estimate, q.low, q.high) for q in alike],
        (quantity.estimate, quantity.low, quantity.high),
        bounded=numbers.kind_of(quantity.unit, [q.estimate for q in alike]) == "bounded",
    )


def _cut(text: str) -> tuple[str, str]:
    """Return the beginning of a text, up to the end of a word, and the rest of it."""
    if len(text) <= SHOWN_LETTERS:
        return text, ""
    end = text.rfind(" ", SHOWN_LETTERS // 2, SHOWN_LETTERS)
    end = SHOWN_LETTERS if end < 0 else end
    return text[:end], text[end:].lstrip()


def _words(name: Any) -> str:
    return str(name).replace("_", " ")
