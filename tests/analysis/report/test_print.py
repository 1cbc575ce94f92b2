"""If this failed, a printed report would lose a column, waste a page or part a figure's caption."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.audit.audit import audit
from analysis.report.glossary import Glossary
from analysis.report.page import write_report
from analysis.results.files import write_results
from tests.support.browser import chromium
from tests.support.printed import faults, printed, squeezed


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """An audit with long names and many judges, whose tables are wider than a page."""
    folder, rng = tmp_path_factory.mktemp("print"), np.random.default_rng(2)
    names = ["acknowledging_what_was_said", "encouraging_elaboration", "dismissing"]
    judges = [f"model-{n}-with-a-long-name" for n in range(3)]
    truth = rng.integers(1, 6, (25, 3))
    for who in ("first", "second", *judges):
        noise = rng.integers(-1, 2, truth.shape)
        frame = pd.DataFrame(np.clip(truth + noise, 1, 5), columns=names)
        frame.insert(0, "item_id", [f"item-{n}" for n in range(25)])
        frame.to_csv(folder / f"{who}.csv", index=False)
    found = audit(
        [str(folder / f"{who}.csv") for who in ("first", "second")],
        [str(folder / f"{who}.csv") for who in judges],
        id_column="item_id",
        scale=(1, 5),
        texts={f"item-{n}": f"<i>Text {n}</i> " + "word " * 200 for n in range(25)},
    )
    write_results(found, folder)
    write_report(folder)
    return found, folder


@pytest.fixture(scope="module")
def seen(results, tmp_path_factory):
    """The pages of the PDF, and how far the page scrolls sideways on a phone."""
    _, folder = results
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 800})
        sheets = printed(page, folder / "report.html", folder / "report.pdf")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return sheets, wide


@pytest.mark.browser
def test_no_page_is_blank_and_nothing_is_beyond_the_edge(seen):
    sheets, wide = seen
    assert faults(sheets) == []
    assert wide <= 0


@pytest.mark.browser
def test_every_column_of_every_table_is_printed(results, seen):
    found, _ = results
    whole = "".join(sheet.text for sheet in seen[0])
    for table in found.tables:
        for name in table.frame.columns:
            if not name.endswith(("_low", "_high")):
                heading = squeezed(name.replace("_", " "))
                assert heading in whole, f"{table.name}: {name}"


@pytest.mark.browser
def test_captions_are_by_their_figures(results, seen):
    found, _ = results
    for figure in found.figures:
        title = squeezed(f". {figure.title}")
        with_title = {n for n, sheet in enumerate(seen[0]) if title in sheet.text}
        start = squeezed(figure.caption)[:20]
        assert {n for n, sheet in enumerate(seen[0]) if start in sheet.text} & with_title


def test_a_word_is_explained_once_where_it_first_stands():
    words = Glossary()
    assert words.explained("kappa <b>") == (
        '<dfn>kappa</dfn> <span class="gloss">(agreement beyond chance: 0 is chance, '
        "1 is perfect)</span> &lt;b&gt;"
    )
    assert words.explained("kappa and kappa_single") == "kappa and kappa_single"


def test_the_verdict_stands_first_and_texts_are_escaped(results):
    found, folder = results
    page = (folder / "report.html").read_text("utf-8")
    places = [page.index(text) for text in ("stand in for a person", 'id="grid-h"', "In numbers")]
    assert places == sorted(places)
    assert "<i>Text" not in page
    assert "&lt;i&gt;Text" in page
    assert "Read on" in page
    assert "nan" not in {cell for row in found.to_json()["tables"][0]["rows"] for cell in row}
