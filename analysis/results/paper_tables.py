"""Formats tables for a paper: LaTeX with booktabs' rules, or Markdown, numbers as in the report.

Numbers are rounded for reading; the CSV has every digit. `analysis.results.numbers` formats each
kind of number. Text is escaped, so that a name from the data can neither break a page nor run as a
command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.results import factors, numbers
from analysis.results.quantities import ResultTable
from analysis.tables import columns

Form = Literal["latex", "markdown"]
Value = float | int | None

# With more rows, a table breaks over pages; with more columns, it is smaller; longer cells wrap.
LONG, WIDE, BROAD = 40, 8, 36

_ITALIC = frozenset({"p", "n", "z", "t", "r", "d", "se", "sd", "df"})
_BESIDE = frozenset({"n", "se", "sd", "z", "t", "df", "statistic"})
_CAPITALS = frozenset({"se", "sd"})
_NAMES = {
    "icc2_1": "ICC(2,1)",
    "icc2_k": "ICC(2,k)",
    "ac1": "AC1",
    "ac2": "AC2",
    "item_id": "Item",
    "rater_id": "Rater",
    "elo": "Elo",
    "p_value": "p",
    "pvalue": "p",
    "n_clusters": "Clusters",
}
_ABBREVIATIONS = {"CI": "confidence interval", "SE": "standard error", "SD": "standard deviation"}
_REGISTERED = {
    "confirmatory": "Registered before the data were seen.",
    "exploratory": "Exploratory: not registered beforehand.",
}
_IN_THE_PLAN = "The plan has this analysis."

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    # after the end of a row LaTeX would read these as its options
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "−": "$-$",
    "×": r"$\times$",
    "÷": r"$\div$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↔": r"$\leftrightarrow$",
    "√": r"$\surd$",
    "²": "$^2$",
    "³": "$^3$",
    "°": r"$^\circ$",
    "—": "---",
    "–": "--",
    "…": r"\ldots{}",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\u00a0": "~",
    "\u202f": r"\,",
    "\u2009": r"\,",
}
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma "
        "tau upsilon varphi chi psi omega "
        "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega".split(),
        strict=True,
    )
)
_TO_LATEX = str.maketrans(_LATEX | {letter: f"$\\{name}$" for letter, name in _GREEK.items()})
_TO_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~^$@&"})
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column of a paper's table, not yet escaped; a heading's words may be italic."""

    heading: list[tuple[str, bool]]
    cells: list[str]
    numeric: bool


def paper_table(table: ResultTable, form: Form, *, note: str = "", no_result: bool = False) -> str:
    """Return a table formatted for a paper.

    `x`, `x_low` and `x_high` become x with its interval in brackets, and so do plain `low` and
    `high`; a column without values is left out.

    Parameters
    ----------
    table : ResultTable
        Its title becomes the caption, its caption the note below, its name the label.
    form : {'latex', 'markdown'}
        LaTeX needs booktabs and the packages named in the comment at its top. Markdown is a pipe
        table with a caption in pandoc's form.
    note : str
        Text for the end of the note.
    simulated : bool
        Whether the raters are simulated or the answers shuffled: no table confirms anything.

    Returns
    -------
    str
        Ends in a newline.

    Raises
    ------
    RatifyError
        If `form` is neither.

    Notes
    -----
    Numbers look as in the report: a zero before every point, p < 0.001, intervals in brackets.
    """
    columns.one_of("form", form, ["latex", "markdown"])
    shown = _columns(table)
    said = " ".join(part for part in (*_sentences(table, shown, no_result=no_result), note) if part)
    return _latex(table, shown, said) if form == "latex" else _markdown(table, shown, said)


def latex_text(text: str) -> str:
    """Return LaTeX that prints a text; nothing in it is a command."""
    # LaTeX would print two hyphens as a dash; the mark between them cannot be in the text
    apart = re.sub("-(?=-)", "-\x00", _one_line(text))
    return apart.translate(_TO_LATEX).replace("\x00", "{}")


def markdown_text(text: str) -> str:
    """Return Markdown that shows a text, also within a cell of a table."""
    return _one_line(text).translate(_TO_MARKDOWN)


def _one_line(text: str) -> str:
    """Return text without line breaks and unprintable characters."""
    return _UNSEEN.sub("", " ".join(text.split()))


def _columns(table: ResultTable) -> list[_Column]:
    """Return the columns to show, with cells as text."""
    data = table.to_json()
    names: list[str] = data["columns"]
    cells = {name: [row[i] for row in data["rows"]] for i, name in enumerate(names)}
    said = {name for name in names if any(cell is not None and cell != "" for cell in cells[name])}
    names = [name for name in names if name in said or not cells[name]]
    ends = {low: (low.removesuffix("low") + "high") for low in names if _is_end(low, names)}
    units = [str(unit or "") for unit in cells["unit"]] if "unit" in cells else None
    interval = [("CI" if table.level is None else f"{100 * table.level:g}% CI", False)]
    shown: list[_Column] = []
    for name in names:
        if name in ends.values():
            continue
        if name in ends:
            both = cells[name], cells[ends[name]]
            owner = name.removesuffix("_low") if name != "low" else _owner(names)
            style = _styles(owner, [*cells.get(owner, []), *both[0], *both[1]], units, table)
            pairs = zip(*both, style, strict=False)
            owned = cells.get(owner, [None] * len(cells[name]))
            texts = [
                factors.paper_interval(value, low, high, *how)
                for value, (low, high, how) in zip(owned, pairs, strict=False)
            ]
            shown.append(_Column(heading=interval, cells=texts, numeric=True))
            continue
        if not numbers.all_numbers(cells[name]):
            texts = [numbers.word(cell) for cell in cells[name]]
            shown.append(_Column(heading=_heading(name), cells=texts, numeric=False))
            continue
        low = f"{name}_low" if f"{name}_low" in ends else "low"
        beside = (
            [*cells[low], *cells[ends[low]]]
            if low in ends and (low != "low" or name == _owner(names))
            else []
        )
        style = _styles(name, [*cells[name], *beside], units, table)
        texts = [factors.paper_number(v, *how) for v, how in zip(cells[name], style, strict=False)]
        shown.append(_Column(heading=_heading(name), cells=texts, numeric=True))
    return shown


def _is_end(name: str, names: Sequence[str]) -> bool:
    """Return whether a column is the lower end of an interval."""
    if name == "low":
        return "high" in names
    stem = name.removesuffix("_low")
    return name.endswith("_low") and stem in names and f"{stem}_high" in names


def _owner(names: Sequence[str]) -> str:
    """Return the column of the estimate that `low` and `high` belong to."""
    before = names[: names.index("low")]
    if "estimate" in before:
        return "estimate"
    likely = [n for n in before if not (numbers.is_p(n) or n in _BESIDE or n.startswith("n_"))]
    return likely[-1] if likely else "low"


def _styles(
    name: str, values: Sequence[Value], units: list[str] | None, table: ResultTable
) -> list[tuple[numbers.Kind, int]]:
    """Return the format of each row's number; it depends on the row's unit."""
    rows = len(table.frame)
    declared = name in table.bounded
    if units is None or name not in ("estimate", "se", "found", "allowed"):
        kind = numbers.kind_of(name, values, bounded=declared)
        return [(kind, numbers.apa_decimals(kind, values))] * rows
    of_unit: dict[str, list[Value]] = {}
    for place, value in enumerate(values):
        of_unit.setdefault(units[place % rows], []).append(value)
    styles: dict[str, tuple[numbers.Kind, int]] = {}
    for unit, mine in of_unit.items():
        if factors.is_factor(unit):
            styles[unit] = "factor", 0
            continue
        kind = numbers.kind_of(unit, mine, bounded=declared)
        styles[unit] = kind, numbers.apa_decimals(kind, mine)
    return [styles[unit] for unit in units]


def _heading(name: str) -> list[tuple[str, bool]]:
    """Return a column's name as words of a heading, each with whether it is italic."""
    if name in _NAMES:
        words = [_NAMES[name]]
    else:
        words = _one_line(name.removesuffix("_value").replace("_", " ")).split() or [name]
    set_words = [
        (word.upper() if word.lower() in _CAPITALS else word, word.lower() in _ITALIC)
        for word in words
    ]
    first, italic = set_words[0]
    return [(first if italic else first[:1].upper() + first[1:], italic), *set_words[1:]]


def _sentences(table: ResultTable, shown: Sequence[_Column], *, no_result: bool) -> list[str]:
    """Return the note's sentences: the caption, abbreviations, and whether it was registered."""
    heads = " ".join(word for column in shown for word, _ in column.heading)
    used = [
        f"{a} = {words}" for a, words in _ABBREVIATIONS.items() if re.search(rf"\b{a}\b", heads)
    ]
    cells = {cell for column in shown for cell in column.cells}
    beyond = any(cell.startswith(("> 1,000", "< 1/1,000")) for cell in cells)
    caption = table.caption.strip()
    return [
        caption if not caption or caption.endswith((".", "!", "?")) else caption + ".",
        "; ".join(used) + "." if used else "",
        "A dash stands for a value that could not be computed or does not apply."
        if numbers.MISSING in cells
        else "",
        numbers.WHY_NO_INTERVAL if numbers.NO_INTERVAL in cells else "",
        factors.BEYOND if beyond else "",
        _IN_THE_PLAN if no_result and table.status == "confirmatory" else _REGISTERED[table.status],
    ]


def _latex(table: ResultTable, shown: Sequence[_Column], note: str) -> str:
    """Return the table for LaTeX; a long one breaks over pages."""
    head = " & ".join(_set_latex(column.heading) for column in shown) + r" \\"
    rows = [
        " & ".join(latex_text(cell) for cell in row) + r" \\"
        for row in zip(*(column.cells for column in shown), strict=True)
    ]
    layout = _layout(shown)
    caption = f"\\caption{{{latex_text(table.title)}}}"
    label = f"\\label{{tab:{re.sub('[^A-Za-z0-9:.-]', '-', table.name)}}}"
    below = f"\\textit{{Note.}} {latex_text(note)}"
    size = r"\footnotesize" if len(shown) > WIDE else r"\small"
    squeeze = [r"\setlength{\tabcolsep}{3pt}"] if len(shown) > WIDE else []
    if len(rows) > LONG:
        lines = [
            "{",
            size,
            *squeeze,
            f"\\begin{{longtable}}{{{layout}}}",
            f"{caption}{label}\\\\",
            r"\toprule",
            head,
            r"\midrule",
            r"\endfirsthead",
            r"\toprule",
            head,
            r"\midrule",
            r"\endhead",
            r"\bottomrule",
            r"\endfoot",
            *rows,
            r"\end{longtable}",
            f"\\noindent {below}\\par",
            "}",
        ]
    else:
        whole = [
            f"\\begin{{tabular}}{{{layout}}}",
            r"\toprule",
            head,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
        lines = [
            r"\begin{table}[htbp]",
            r"\centering",
            caption,
            label,
            size,
            *squeeze,
            *whole,
            r"\par\smallskip",
            f"\\parbox{{\\linewidth}}{{\\footnotesize {below}}}",
            r"\end{table}",
        ]
    return "\n".join([*_needs(lines, len(shown) > WIDE), *lines]) + "\n"


def _layout(shown: Sequence[_Column]) -> str:
    """Return LaTeX's column types: numbers on the right, long texts as paragraphs."""
    broad = [not c.numeric and max(map(len, c.cells), default=0) > BROAD for c in shown]
    share = f"p{{{0.7 / max(sum(broad), 1.4):.2f}\\linewidth}}"
    kinds = ["r" if c.numeric else share if b else "l" for c, b in zip(shown, broad, strict=True)]
    return "@{}" + "".join(kinds) + "@{}"


def _needs(lines: Sequence[str], wide: bool) -> list[str]:
    """Return the comment on the packages that the table needs."""
    packages = ["booktabs"] + ["longtable"] * (r"\endhead" in lines)
    said = ["% In the preamble: " + " ".join(f"\\usepackage{{{p}}}" for p in packages)]
    if wide:
        said.append("% Wide: print it on a landscape page, or remove columns.")
    if any(ord(letter) > 0x17F for line in lines for letter in line):
        said.append("% Contains letters that need XeLaTeX or LuaLaTeX and a font with them.")
    return said


def _set_latex(heading: Sequence[tuple[str, bool]]) -> str:
    return " ".join(
        f"\\textit{{{latex_text(word)}}}" if italic else latex_text(word)
        for word, italic in heading
    )


def _markdown(table: ResultTable, shown: Sequence[_Column], note: str) -> str:
    """Return the table for Markdown, with a caption as pandoc reads it."""
    heads = [
        " ".join(
            f"*{markdown_text(word)}*" if italic else markdown_text(word)
            for word, italic in column.heading
        )
        for column in shown
    ]
    texts = [
        column.cells if column.numeric else [markdown_text(cell) for cell in column.cells]
        for column in shown
    ]
    lines = [
        f"Table: {markdown_text(table.title)} {{#tbl-{table.name}}}",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + "|".join("---:" if column.numeric else ":---" for column in shown) + "|",
        *("| " + " | ".join(row) + " |" for row in zip(*texts, strict=True)),
        "",
        f"*Note.* {markdown_text(note)}",
    ]
    return "\n".join(lines) + "\n"
