"""The style of all figures, and their conversion to SVG text.

Figures use matplotlib's objects without pyplot, which keeps a global list of figures. There is no
global style either: it would change the user's other plots in a notebook.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, cast
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy import stats

P = ParamSpec("P")
T = TypeVar("T")

INK = "#1b1f24"
MUTED = "#5b636d"
HAIR = "#c9ced4"
WASH = "#eef0f2"
# Okabe and Ito's colours in an order in which neighbours also differ in grey; without yellow,
# which is invisible on paper.
BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#0072B2", "#D55E00", "#00785a", "#a4527f", "#b07900"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, INK)
MARKERS = ("o", "s", "^", "D", "v", "P")

# Text is laid out with the font that ships with matplotlib, so that a figure has the same bytes
# on every machine, and shown in the reader's font; DejaVu is the widest, so nothing overlaps.
LAYOUT_FONT = "DejaVu Sans"
FONT_STACK = (
    "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Noto Sans', 'DejaVu Sans', sans-serif"
)

STYLE: Any = {
    "font.family": [LAYOUT_FONT],
    "font.size": 8.5,
    "text.color": INK,
    "text.parse_math": False,  # an item called "$5" is not a formula
    "text.usetex": False,
    "axes.facecolor": "none",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.grid": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.edgecolor": "none",
    "lines.linewidth": 1.4,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "xtick.major.size": 3,
    "xtick.major.width": 0.7,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "ytick.major.size": 3,
    "ytick.major.width": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "ratify",
    "svg.id": None,
}

SVG_NAMESPACE = "http://www.w3.org/2000/svg"
XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
# Characters that XML 1.0 does not allow, not even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


# Whether figures are drawn; see `nothing_drawn`.
_DRAWS: ContextVar[bool] = ContextVar("draws", default=True)


@contextlib.contextmanager
def nothing_drawn() -> Iterator[None]:
    """Leave out all drawing meanwhile: plotting functions return empty Axes, and `svg` no text.

    Drawing takes longer than most analyses, and thousands of simulated studies need no figure.
    """
    token = _DRAWS.set(False)
    try:
        yield
    finally:
        _DRAWS.reset(token)


def draws() -> bool:
    """Say whether figures are drawn, for what only a figure needs."""
    return _DRAWS.get()


@cache
def _no_axes() -> Axes:
    return Figure().add_axes((0, 0, 1, 1))


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run a plotting function in Ratify's style without changing the caller's settings."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        if not draws():
            return cast(T, _no_axes())
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the caller's Axes, or the only Axes of a new figure; the size of its box is in inches.

    The margins are fixed and `svg` crops them: a layout engine would move the box slightly each
    time, so that two drawings of the same data would differ.
    """
    if ax is not None:
        return ax
    left, right, below, above = 2.2, 1.0, 0.7, 0.7
    whole = (left + width + right, below + height + above)
    figure = Figure(figsize=whole)
    FigureCanvasAgg(figure)
    box = (left / whole[0], below / whole[1], width / whole[0], height / whole[1])
    return figure.add_axes(box)


@styled
def fit_width(ax: Axes, width: float, height: float | None = None) -> Axes:
    """Resize a finished figure, including labels and notes, to a width in print.

    Letters keep their size (7 points for tick labels in a column), so a figure for one column of
    a journal is drawn at that width, not shrunk.

    Parameters
    ----------
    ax : Axes
        The only Axes of its figure (panels inside it are resized too).
    width : float
        Width of the whole figure in inches: in most journals a column is 3.3, a page 6.9.
    height : float, optional
        Height of the box of the axes in inches; by default it does not change.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If these Axes do not belong to a figure, or the labels alone are wider.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("fit_width: these Axes do not belong to a figure")
    dpi = float(figure.dpi)
    high = float(ax.bbox.height) / dpi if height is None else height
    if width < 4:
        ax.tick_params(labelsize=7)
    name = ax.xaxis.label
    name.set_text(textwrap.fill(name.get_text(), max(10, round(12 * (width - 0.9)))))
    # repeat, because a narrow box may have fewer tick labels, and labels extend past its ends
    for _ in range(4):
        with _any_script():
            whole = ax.get_tightbbox()
        box = ax.bbox
        if whole is None:
            return ax
        left, right = (box.x0 - whole.x0) / dpi + 0.07, (whole.x1 - box.x1) / dpi + 0.07
        below, above = (box.y0 - whole.y0) / dpi + 0.07, (whole.y1 - box.y1) / dpi + 0.07
        wide = width - left - right
        if wide < 0.5:
            raise ValueError(f"fit_width: the labels leave no room in {width:g} inches")
        tall = high + below + above
        figure.set_size_inches(width, tall)
        ax.set_position((left / width, below / tall, wide / width, high / tall))
    return ax


def tidy(ax: Axes, *, keep: tuple[str, ...] = ("left", "bottom")) -> None:
    """Keep only the axis lines with a scale."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)


def label(value: object, limit: int = 34) -> str:
    """Return an id or a name as one short line that fits into any figure."""
    text = _NOT_XML.sub("\ufffd", " ".join(str(value).split()))
    return text if len(text) <= limit else text[: limit - 1] + "…"


@styled
def stamp(ax: Axes, text: str = "Simulated raters") -> Axes:
    """Print a warning on a figure that stays with it wherever it is copied.

    Parameters
    ----------
    ax : Axes
    text : str
        The warning.

    Returns
    -------
    Axes
    """
    words = label(text, 80)
    box = {"boxstyle": "square,pad=0.35", "fc": "white", "ec": VERMILLION, "lw": 0.8}
    ax.annotate(
        words,
        xy=(0.0, 1.0),
        xycoords="axes fraction",
        # On the left, where a small screen begins to scroll; centred in its box, because the
        # reader's font is narrower than the one it is laid out in.
        xytext=(0.32 * 7.5 * len(words) + 3, _room_above(ax) + 9),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=7.5,
        fontweight="bold",
        color="#a84300",
        bbox=box,
        annotation_clip=False,
        gid="stamp",
    )
    return ax


@contextlib.contextmanager
def _any_script() -> Iterator[None]:
    """Lay out text in any script: the layout font lacks some scripts that browsers can show."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=Warning)
        yield


def _room_above(ax: Axes) -> float:
    """Return how far labels and legends extend above the Axes' box, in points."""
    figure = ax.get_figure(root=True)
    with _any_script():
        box = ax.get_tightbbox()
    if figure is None or box is None:
        return 0.0
    return max(0.0, float(box.y1 - ax.bbox.y1) * 72 / float(figure.dpi))


def svg(ax: Axes) -> str:
    """Return the figure of an Axes as SVG text; the same data give the same bytes.

    Text remains text, so it can be searched, selected and read in the reader's own font. Styles
    are attributes, because a page with a strict content policy refuses `style=`.

    Parameters
    ----------
    ax : Axes

    Returns
    -------
    str
        A complete SVG document.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("svg: these Axes do not belong to a figure")
    if not draws():
        return ""
    buffer = io.StringIO()
    with _any_script(), mpl.rc_context(STYLE):
        figure.savefig(
            buffer,
            format="svg",
            bbox_inches="tight",
            pad_inches=0.06,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _cleaned(buffer.getvalue())


@styled
def png(ax: Axes) -> bytes:
    """Return the figure of an Axes as PNG, 200 dots per inch; the same data give the same bytes."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("png: these Axes do not belong to a figure")
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=200,
        bbox_inches="tight",
        pad_inches=0.06,
        metadata={"Software": None},
    )
    return buffer.getvalue()


def _cleaned(text: str) -> str:
    """Return matplotlib's SVG without its style sheet, metadata and inline styles."""
    root = ElementTree.fromstring(text)  # noqa: S314  (written by matplotlib a moment ago)
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        for name, value in _declarations(element.attrib.pop("style", "")):
            element.set(name, value)
        link = element.attrib.pop(XLINK_HREF, None)
        if link is not None:
            element.set("href", link)
    root.set("stroke-linejoin", "round")
    root.set("font-family", FONT_STACK)
    ElementTree.register_namespace("", SVG_NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _declarations(style: str) -> list[tuple[str, str]]:
    """Return a style attribute as presentation attributes, without the font family set above."""
    pairs = [item.split(":", 1) for item in style.split(";") if ":" in item]
    return [
        (name.strip(), value.strip())
        for name, value in pairs
        if name.strip() not in {"font-family", "mix-blend-mode"}
    ]


def _local(tag: object) -> str:
    """Return an element's name without its namespace."""
    return str(tag).rpartition("}")[2]


def mean_half_width(values: NDArray[np.floating[Any]], level: float) -> float:
    """Return half the width of the t interval of a mean; NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error


def note(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float],
    *,
    va: str = "center",
    colour: str = INK,
) -> None:
    """Write a label next to a point."""
    ax.annotate(
        text,
        xy=at,
        xytext=offset,
        textcoords="offset points",
        ha="left",
        va=va,
        fontsize=7.5,
        color=colour,
        annotation_clip=False,
    )


def legend(ax: Axes, names: dict[str, tuple[Any, str]]) -> None:
    """Name the marks above the drawing, where the legend hides nothing."""
    marks = [
        Line2D([], [], ls="", marker=marker, color=colour, ms=5.5)
        for colour, marker in names.values()
    ]
    ax.legend(
        marks,
        [label(name, 24) for name in names],
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=min(len(names), 3),
        frameon=False,
        fontsize=7.5,
        handletextpad=0.2,
        columnspacing=1.0,
        borderaxespad=0.2,
    )
