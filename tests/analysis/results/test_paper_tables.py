"""If this failed, a paper would print a wrong number, or a table that no editor can compile."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.results.files import quantity_table, write_results
from analysis.results.paper_tables import latex_text, markdown_text, paper_table
from analysis.results.quantities import Quantity, Results, ResultTable
from prereg.errors import RatifyError

HOSTILE = r"50% of $x_1 & {y}^2 ~ #3 \input{x} | [a] *b* <b> “q” — ≥ α"


def table(**changes) -> ResultTable:
    frame = pd.DataFrame(
        {
            "term": ["gap", HOSTILE, "const"],
            "estimate": [0.14382, -1.0871, math.nan],
            "se": [0.01783, 0.0912, math.nan],
            "z": [8.0662, -0.96, math.nan],
            "p": [1e-12, 0.3344, math.nan],
            "low": [0.10887, -2.1, math.nan],
            "high": [0.17877, 0.05, math.nan],
            "kappa": [0.571, -0.004, 1.0],
            "kappa_low": [0.41, -0.2, 0.9],
            "kappa_high": [0.68, 0.2, 1.0],
            "n": [1409, 1409, 12],
            "note": ["", "", ""],
        }
    )
    fields = {
        "name": "h1_choice",
        "title": "A title: 5% & more",
        "caption": "Log-odds a point",
        "frame": frame,
        "status": "confirmatory",
    }
    return ResultTable(**{**fields, **changes})


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table, its header first, read as Markdown reads it."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert len({len(row) for row in cells}) == 1
    return [[cell.strip() for cell in row] for row in cells]


def test_numbers_look_as_in_the_report():
    head, align, first, _, last = rows_of(paper_table(table(), "markdown"))
    assert head == ["Term", "Estimate", "*SE*", "*z*", "*p*", "95% CI", "Kappa", "95% CI", "*n*"]
    assert align == [":---", *["---:"] * 8]
    assert first == [
        "gap",
        "0.144",
        "0.018",
        "8.07",
        "< 0.001",
        "[0.109, 0.179]",
        "0.57",
        "[0.41, 0.68]",
        "1,409",
    ]
    assert last[1:] == ["—", "—", "—", "—", "—", "1.00", "[0.90, 1.00]", "12"]


def test_title_caption_status_and_abbreviations_are_told():
    text = paper_table(table(), "markdown", note="A last word.")
    assert text.startswith("Table: A title: 5% \\& more {#tbl-h1_choice}\n\n|")
    assert text.endswith(
        "\n\n*Note.* Log-odds a point. CI = confidence interval; SE = standard error. "
        "A dash stands for a value that could not be computed or does not apply. "
        "Registered before the data were seen. A last word.\n"
    )
    simulated = paper_table(table(), "markdown", note="Simulated raters.", no_result=True)
    assert simulated.endswith("The plan has this analysis. Simulated raters.\n")
    assert "Exploratory" in paper_table(table(status="exploratory"), "markdown")
    assert "90% CI" in paper_table(table(level=0.9), "markdown")


def test_the_latex_is_a_table_with_the_rules_of_booktabs():
    text = paper_table(table(), "latex")
    assert text.splitlines()[0] == r"% In the preamble: \usepackage{booktabs}"
    for part in (
        r"\caption{A title: 5\% \& more}",
        r"\label{tab:h1-choice}",
        r"\toprule",
        r"\midrule",
        r"\bottomrule",
        r"\textit{p}",
        r"95\% CI",
        r"\textit{Note.} Log-odds a point.",
    ):
        assert text.count(part) >= 1, part
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 3
    assert body[0] == (
        r"gap & 0.144 & 0.018 & 8.07 & $<$ 0.001 & {[}0.109, 0.179{]} & 0.57 & {[}0.41, 0.68{]} & "
        r"1,409 \\"
    )
    assert r"$-$1.087" in body[1]
    layout = re.search(r"\\begin{tabular}{@{}(.*)@{}}", text)
    assert layout is not None
    assert layout[1] == "p{0.50\\linewidth}rrrrrrrr"
    assert _begins(text) == []


def _begins(text: str) -> list[str]:
    """Return the environments that stay open; raises where one closes that is not open."""
    stack: list[str] = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if what == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    return stack


def test_a_long_table_breaks_over_pages_and_a_wide_one_says_so():
    long = table(frame=pd.DataFrame({"item_id": [f"i{n}" for n in range(150)], "score": 0.5}))
    text = paper_table(long, "latex")
    assert r"\usepackage{booktabs} \usepackage{longtable}" in text
    assert text.count(r" \\") == 152  # the head is there twice
    assert text.count(r"\endhead") == 1
    assert _begins(text) == []
    wide = table(frame=pd.DataFrame({f"c{n}": [1.5] for n in range(12)}))
    assert "landscape" in paper_table(wide, "latex")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50% & #1_a $5", r"50\% \& \#1\_a \$5"),
        ("{~^\\}", r"\{\textasciitilde{}\textasciicircum{}\textbackslash{}\}"),
        ("−.5 < x ≥ α", r"$-$.5 $<$ x $\geq$ $\alpha$"),
        ("[0] *a", "{[}0{]} {*}a"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("one\n\n two\tthree\x00", "one two three"),
        ("Käthe — “so”…", r"Käthe --- ``so''\ldots{}"),
    ],
)
def test_text_becomes_latex_that_prints_it(text: str, latex: str):
    assert latex_text(text) == latex


def test_letters_that_need_another_latex_are_announced():
    plain, chinese = table(title="Käthe α ≥"), table(title="中文")
    assert "XeLaTeX" not in paper_table(plain, "latex")
    assert "XeLaTeX" in paper_table(chinese, "latex")
    assert "中文" in paper_table(chinese, "latex")


_SAFE = re.compile(
    r"\\(?:text\w+|ldots|times|div|pm|cdot|leq|geq|neq|approx|infty|\w*arrow|surd|circ){}"
    r"|\$[<>]\$|\$-\$|\$\\?[a-zA-Z]+\$|\$\^(?:[23]|\\circ)\$|\\[&%$#_{}]|\\,|\{\[\}|\{\]\}|\{\*\}|\{\}"
)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_no_text_can_command_latex_or_leave_its_cell(text: str):
    rest = _SAFE.sub("", latex_text(text))
    assert not set(rest) & set('\\&%$#_^{}\n\r<>|"[]*')
    assert "--" not in rest.replace("---", "").replace("--", "") or "—" in text or "–" in text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=3), st.text(max_size=12))
def test_any_names_make_a_whole_markdown_table(cells: list[str], name: str):
    frame = pd.DataFrame({name: cells, "x": range(len(cells))}, dtype=object)
    rows = rows_of(paper_table(table(frame=frame, title=name), "markdown"))
    assert len(rows) == len(cells) + 2
    assert {len(row) for row in rows} <= {1, 2}  # a column without a word is left out


def test_markdown_shows_what_was_written():
    shown = markdown_text(HOSTILE)
    assert re.sub(r"\\(.)", r"\1", shown) == HOSTILE
    assert not re.search(r"(?<!\\)[|<*_`\[$]", shown)


def test_numbers_of_different_units_in_one_column_are_set_each_in_its_way():
    frame = pd.DataFrame(
        {
            "label": ["a", "b"],
            "estimate": [0.41, -12.345],
            "low": [-0.004, -20.0],
            "high": [1.0, 0.2],
            "unit": ["kappa", "points"],
        }
    )
    _, _, kappa, points = rows_of(paper_table(table(frame=frame), "markdown"))
    assert kappa[1:3] == ["0.41", "[0.00, 1.00]"]
    assert points[1:3] == ["−12.35", "[−20.00, 0.20]"]


def test_a_column_may_be_declared_bounded():
    frame = pd.DataFrame({"single": [0.4], "single_low": [0.2], "single_high": [0.6]})
    shown = paper_table(table(frame=frame, bounded=("single",)), "markdown")
    assert rows_of(shown)[2] == ["0.40", "[0.20, 0.60]"]
    assert rows_of(paper_table(table(frame=frame), "markdown"))[2] == ["0.400", "[0.200, 0.600]"]


def test_low_and_high_follow_the_estimate_they_belong_to():
    frame = pd.DataFrame({"bin": ["1-3"], "n": [20], "rate": [0.8], "low": [0.6], "high": [0.9]})
    assert rows_of(paper_table(table(frame=frame), "markdown"))[2] == [
        "1-3",
        "20",
        "0.80",
        "[0.60, 0.90]",
    ]


def test_an_unknown_form_is_refused():
    with pytest.raises(RatifyError, match=r"unknown form, got 'word' \(allowed: latex, markdown\)"):
        paper_table(table(), "word")  # type: ignore[arg-type]


def quantity(**changes) -> Quantity:
    fields = {
        "analysis": "h1 choice",
        "name": "k",
        "label": "Kappa",
        "estimate": 0.51,
        "low": 0.4,
        "high": 0.6,
        "n": 50,
        "unit_of_n": "items",
        "method": "bootstrap",
        "unit": "kappa",
    }
    return Quantity(**{**fields, **changes})


def test_the_numbers_of_an_analysis_are_a_table():
    found = quantity_table("h1 choice", [quantity(), quantity(name="b", estimate=None, low=None)])
    assert found.name == "numbers_h1_choice"
    assert found.status == "exploratory"
    rows = rows_of(paper_table(found, "markdown"))
    assert rows[0] == ["Label", "Estimate", "95% CI", "*n*", "Unit of *n*", "Unit"]
    assert rows[2][1:3] == ["0.51", "[0.40, 0.60]"]
    assert rows[3][1:3] == ["—", "[—, 0.60]"]
    mixed = quantity_table("a", [quantity(level=0.9, status="confirmatory"), quantity()])
    head = rows_of(paper_table(mixed, "markdown"))[0]
    assert "CI" in head
    assert "Status" in head


def test_every_table_is_written_in_three_forms_and_the_csv_keeps_every_digit(tmp_path: Path):
    found = Results(
        kind="study",
        title="",
        question="",
        headline=[],
        simulated=True,
        meta={},
        methods=[],
        quantities=[quantity()],
        tables=[table()],
        figures=[],
        limits=[],
    )
    write_results(found, tmp_path)
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert names == {
        f"{name}.{end}"
        for name in ("h1_choice", "numbers_h1_choice")
        for end in ("csv", "tex", "md")
    }
    assert "0.14382" in (tmp_path / "tables/h1_choice.csv").read_text(encoding="utf-8")
    for end in ("tex", "md"):
        text = (tmp_path / f"tables/h1_choice.{end}").read_text(encoding="utf-8")
        assert "0.144" in text
        assert "Simulated raters." in text


def test_it_compiles(tmp_path: Path):
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("no LaTeX here")
    long = table(frame=pd.DataFrame({"item_id": ["*[a]", HOSTILE] * 40, "kappa": 0.5}), name="long")
    body = "\n".join(paper_table(one, "latex") for one in (table(), long))
    source = (
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}"
        f"\\usepackage{{longtable}}\\begin{{document}}{body}\\end{{document}}"
    )
    (tmp_path / "t.tex").write_text(source, encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
