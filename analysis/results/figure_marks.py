"""Writes a line above a finished drawing, which stays with it wherever it is copied."""

from __future__ import annotations

from xml.etree import ElementTree

from analysis.results.figure_style import SVG_NAMESPACE

_STRIP = 16.0
_COLOUR = "#a84300"


def with_mark(svg: str, words: str) -> str:
    """Return a drawing with a line of words in a strip above it.

    Parameters
    ----------
    svg : str
        From `figure_style.svg`: its size is in points, and so is its `viewBox`.
    words : str
    """
    root = ElementTree.fromstring(svg)  # noqa: S314  (drawn by us)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    root.set("viewBox", f"{left:g} {top - _STRIP:g} {width:g} {height + _STRIP:g}")
    root.set("height", f"{float(root.attrib['height'].removesuffix('pt')) + _STRIP:g}pt")
    line = ElementTree.SubElement(
        root,
        f"{{{SVG_NAMESPACE}}}text",
        {
            "x": f"{left + 4:g}",
            "y": f"{top - 5:g}",
            "font-size": "7.5",
            "font-weight": "bold",
            "fill": _COLOUR,
        },
    )
    line.text = words
    ElementTree.register_namespace("", SVG_NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
