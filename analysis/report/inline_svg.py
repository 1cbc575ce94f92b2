"""Puts a drawing into a page: keeps only shapes and text, and makes its ids unique in the page.

A results folder may come from somebody else, so the drawing is not trusted. Only the elements and
attributes that a figure needs are kept.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from markupsafe import Markup

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
_TAG_WORDS = "svg g defs path rect circle ellipse line polyline polygon text tspan use clipPath"
_ATTRIBUTE_WORDS = (
    "id d x y x1 x2 y1 y2 cx cy r rx ry dx dy points width height viewBox transform version "
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-dasharray "
    "stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit opacity clip-path "
    "clip-rule clipPathUnits href text-anchor dominant-baseline font-family font-size font-style "
    "font-weight font-stretch font-variant preserveAspectRatio"
)
_TAGS = frozenset(_TAG_WORDS.split())
_ATTRIBUTES = frozenset(_ATTRIBUTE_WORDS.split())
_OWN_URL = re.compile(r"url\(#([^)\s'\"]+)\)")


def inline(text: str, *, prefix: str, title: str, description: str) -> Markup:
    """Return an SVG document as an element of a page.

    Parameters
    ----------
    text : str
        The SVG document.
    prefix : str
        Put before every id, so that two drawings on one page do not share one.
    title, description : str
        What a screen reader says instead of the drawing.

    Returns
    -------
    Markup
        Safe to place in HTML.

    Raises
    ------
    ValueError
        If the text is not an SVG document.
    """
    if "<!ENTITY" in text:
        raise ValueError("an SVG with entities")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  (no entities, and filtered below)
    except ElementTree.ParseError as error:
        raise ValueError(f"not XML: {error}") from error
    if root.tag != f"{{{SVG_NAMESPACE}}}svg":
        raise ValueError("not an SVG")
    _filter(root, prefix)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    for place, (name, words) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(f"{{{SVG_NAMESPACE}}}{name}", {"id": f"{prefix}-{name}"})
        element.text = words
        root.insert(place, element)
    ElementTree.register_namespace("", SVG_NAMESPACE)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704


def _filter(element: ElementTree.Element, prefix: str) -> None:
    """Remove what a figure does not need, and prefix the remaining ids."""
    for name, value in list(element.attrib.items()):
        kept = _attribute(name, value, prefix)
        if kept is None:
            del element.attrib[name]
        else:
            element.set(name, kept)
    for child in list(element):
        space, _, tag = str(child.tag).rpartition("}")
        if space == f"{{{SVG_NAMESPACE}" and tag in _TAGS:
            _filter(child, prefix)
        else:
            element.remove(child)


def _attribute(name: str, value: str, prefix: str) -> str | None:
    """Return an attribute's value for the page; None if it is not allowed."""
    if name not in _ATTRIBUTES:
        return None
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else None
    own = _OWN_URL.sub(rf"url(#{prefix}-\1)", value)
    return None if "url(" in _OWN_URL.sub("", own).lower() else own
