"""Writes words above a finished drawing, which stay with it wherever it is copied."""

from __future__ import annotations

import textwrap
from xml.etree import ElementTree

from analysis.results.figure_style import SVG_NAMESPACE, label

_STRIP, _LINE = 16.0, 10.0
# A bold letter of 7.5 points is at most about so wide, on average over a line.
_LETTER = 4.9
# Longer words than this are cut: a reason is a sentence, not a document.
_LONGEST = 2_000
_COLOUR = "#a84300"


def with_mark(svg: str, words: str, *, wrapped: bool = False) -> str:
    """Return a drawing with words in a strip above it.

    Parameters
    ----------
    svg : str
        From `figure_style.svg`: its size is in points, and so is its `viewBox`.
    words : str
    wrapped : bool
        Whether words that are wider than the drawing go on in a further line; else there is one
        line.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314  (drawn by us)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    lines = [words]
    if wrapped:
        lines = textwrap.wrap(label(words, _LONGEST), max(10, int((width - 8) / _LETTER)))
    strip = _STRIP + _LINE * (len(lines) - 1)
    root.set("viewBox", f"{left:g} {top - strip:g} {width:g} {height + strip:g}")
    root.set("height", f"{float(root.attrib['height'].removesuffix('pt')) + strip:g}pt")
    for number, text in enumerate(reversed(lines)):
        line = ElementTree.Element(
            f"{{{SVG_NAMESPACE}}}text",
            {
                "x": f"{left + 4:g}",
                "y": f"{top - 5 - _LINE * number:g}",
                "font-size": "7.5",
                "font-weight": "bold",
                "fill": _COLOUR,
            },
        )
        line.text = text
        root.insert(len(root) - number, line)
    ElementTree.register_namespace("", SVG_NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
