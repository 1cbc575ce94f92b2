"""Were this broken, a drawing from somebody else's folder could run a script in the report."""

from __future__ import annotations

import pytest

from analysis.report.inline_svg import inline


def test_a_drawing_from_elsewhere_is_filtered() -> None:
    drawing = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:h="http://www.w3.org/1999/xhtml"
      onload="alert(1)"><script>alert(1)</script><style>*{display:none}</style>
      <foreignObject><h:img src="https://example.org/x"/></foreignObject>
      <image href="https://example.org/x"/><a href="https://example.org"><path d="M0 0"/></a>
      <defs><path id="p" d="M0 0"/></defs><use href="#p"/><use href="https://example.org/#p"/>
      <path style="fill:red" fill="url(https://example.org)" clip-path="url(#p)"/>
      <text>kept</text></svg>"""
    text = str(inline(drawing, prefix="f1", title="T", description="D"))
    for gone in ("script", "alert", "style", "foreignObject", "example.org", "image", "<a"):
        assert gone not in text
    assert 'id="f1-p"' in text
    assert 'href="#f1-p"' in text
    assert 'clip-path="url(#f1-p)"' in text
    assert "kept" in text


@pytest.mark.parametrize(
    "drawing", ["", "<svg", "<html/>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>']
)
def test_what_is_no_drawing_is_refused(drawing: str) -> None:
    with pytest.raises(ValueError, match=r"SVG|XML"):
        inline(drawing, prefix="f1", title="T", description="D")
