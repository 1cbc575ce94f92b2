"""The flow diagram of exclusions: how many came, how many each rule excluded, how many remain.

Boxes on the left show what was there, and boxes on the right what left, as in the flow diagrams in
reports of clinical trials (CONSORT). The figure is narrow enough for a column of a journal and for
a phone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from analysis.evidence.exclusions import FLOW_COLUMNS, RULE_WORDS, UNIT_WORDS
from analysis.results.figure_style import (
    BLUE,
    HAIR,
    INK,
    MUTED,
    WASH,
    axes_or_new,
    label,
    styled,
    tidy,
)

WIDTH = 3.45
MAIN = (0.0, 1.35)  # left and right end of the boxes of what is there, inches
SIDE = (1.65, WIDTH)
LINE, PAD, GAP = 0.15, 0.08, 0.12
SIZE = 7.5
# Characters that fit into a box of what is there.
LONGEST = 22

STATUS_WORDS = {
    "finished": "finished",
    "active": "under way",
    "returned": "gave the study back",
    "timed_out": "ran out of time",
    "screened_out": "screened out",
}


@dataclass(frozen=True)
class _Step:
    """One rule: counts before it, of what it excluded, and after it, by unit."""

    rule: str
    before: dict[str, int]
    gone: dict[str, int]
    after: dict[str, int]


@dataclass(frozen=True)
class FlowWords:
    """The words of a flow diagram.

    Attributes
    ----------
    first, between, last : str
        Headings of the first box of what is there, of those after a rule, and of the last one;
        empty for none.
    units : mapping of str to (str, str)
        Singular and plural of each unit.
    every_unit : bool
        Whether a rule names every unit on a line of its own, `0 visits` too; else it names those
        that it excluded, or says `none`.
    """

    first: str = "Came"
    between: str = "Remained"
    last: str = "Analysed"
    units: Mapping[str, tuple[str, str]] = field(default_factory=lambda: UNIT_WORDS)
    every_unit: bool = False


_OF_A_STUDY = FlowWords()


@styled
def plot_flow(
    flow: pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    visits: Mapping[str, int] | None = None,
    withdrawn: int = 0,
    words: FlowWords = _OF_A_STUDY,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many came, how many left at each rule, and how many remain.

    Parameters
    ----------
    flow : DataFrame or list of mappings
        `rule, unit, before, excluded, after`, rules in their order, with one row per unit.
    visits : mapping, optional
        Number of visits by status before any rule; drawn in a dashed box next to the first one,
        because a status alone excludes nobody.
    withdrawn : int
        Number of people who withdrew: they came, but their visits and answers were deleted.
    words : FlowWords
    ax : Axes, optional

    Returns
    -------
    Axes
        With `gid` `stays` on the boxes of what is there, `leaves` on those of what left.
    """
    steps = _steps(flow)
    boxes = _Boxes()
    first = steps[0].before if steps else {}
    if withdrawn:
        came = {**first, "sessions": first.get("sessions", 0) + withdrawn}
        boxes.stays([words.first, _counted("sessions", came["sessions"], words)])
        boxes.leaves([*_wrapped("Withdrew; answers deleted"), _counted("people", withdrawn, words)])
    known = {status: n for status, n in (visits or {}).items() if n}
    boxes.stays(["Recorded" if withdrawn else words.first, *_counts(first, words)])
    if known:
        boxes.beside([f"{n:,} {STATUS_WORDS.get(s, label(s))}" for s, n in known.items()])
    remain = dict(first)
    for place, step in enumerate(steps):
        remain |= step.after
        boxes.leaves(
            [*_wrapped(RULE_WORDS.get(step.rule, label(step.rule, 60))), *_gone(step, words)],
            nobody=not any(step.gone.values()),
        )
        last = place == len(steps) - 1
        if last or any(step.gone.values()):
            heading = words.last if last else words.between
            boxes.stays([*filter(None, [heading]), *_counts(remain, words)], last=last)
    ax = axes_or_new(ax, WIDTH, max(boxes.bottom, LINE))
    boxes.draw(ax)
    ax.set_xlim(-0.02, WIDTH + 0.02)
    ax.set_ylim(boxes.bottom + 0.02, -0.02)
    ax.set_xticks([])
    ax.set_yticks([])
    tidy(ax, keep=())
    return ax


class _Boxes:
    """The boxes, placed from top to bottom in inches, with the lines between them."""

    def __init__(self) -> None:
        self.bottom = 0.0
        self._drawn: list[tuple[tuple[float, float], float, list[str], str]] = []
        self._lines: list[tuple[list[float], list[float], bool]] = []
        self._trunk = 0.0  # where the line down to the next box begins

    def stays(self, lines: list[str], *, last: bool = False) -> None:
        """Add a box of what is there, below all other boxes."""
        lines = [part for line in lines for part in textwrap.wrap(line, LONGEST) or [line]]
        top = self.bottom + (GAP if self._drawn else 0.0)
        if self._drawn:
            middle = sum(MAIN) / 2
            self._lines.append(([middle, middle], [self._trunk, top], True))
        self._add(MAIN, top, lines, "analysed" if last else "stays")
        self._trunk = self.bottom

    def leaves(self, lines: list[str], *, nobody: bool = False) -> None:
        """Add a box of what left, and a line to it from the vertical line."""
        top = self.bottom + GAP
        self._add(SIDE, top, lines, "nobody" if nobody else "leaves")
        at = (top + self.bottom) / 2
        self._lines.append(([sum(MAIN) / 2, SIDE[0]], [at, at], True))

    def beside(self, lines: list[str]) -> None:
        """Add a box next to the last one, with what that one consists of."""
        _, top, _, _ = self._drawn[-1]
        before = self.bottom
        middle = (top + before) / 2
        self._add(SIDE, top, lines, "beside")
        self._lines.append(([MAIN[1], SIDE[0]], [middle, middle], False))
        self.bottom = max(self.bottom, before)

    def draw(self, ax: Axes) -> None:
        """Draw everything on an Axes whose units are inches."""
        for xs, ys, arrow in self._lines:
            style = "-|>,head_length=0.35,head_width=0.16" if arrow else "-"
            ax.annotate(
                "",
                xy=(xs[1], ys[1]),
                xytext=(xs[0], ys[0]),
                zorder=1,
                arrowprops={
                    "arrowstyle": style,
                    "color": MUTED,
                    "lw": 0.8,
                    "shrinkA": 0,
                    "shrinkB": 0,
                    "linestyle": "-" if arrow else (0, (3, 2)),
                },
            )
        for (left, right), top, lines, kind in self._drawn:
            _box(ax, left, right, top, lines, kind)

    def _add(self, ends: tuple[float, float], top: float, lines: list[str], kind: str) -> None:
        self._drawn.append((ends, top, lines, kind))
        self.bottom = top + len(lines) * LINE + 2 * PAD


def _box(ax: Axes, left: float, right: float, top: float, lines: list[str], kind: str) -> None:
    """Draw one box: the first line says what it counts, the others how many."""
    quiet = kind in ("nobody", "beside")
    colour = MUTED if quiet else INK
    box = Rectangle(
        (left, top),
        right - left,
        len(lines) * LINE + 2 * PAD,
        facecolor=WASH if kind == "analysed" else "white",
        edgecolor=BLUE if kind == "analysed" else HAIR if kind == "nobody" else MUTED,
        lw=1.4 if kind == "analysed" else 0.8,
        linestyle=(0, (3, 2)) if kind == "beside" else "-",
        gid="stays" if kind == "analysed" else "leaves" if kind == "nobody" else kind,
        zorder=2,
    )
    ax.add_patch(box)
    for place, line in enumerate(lines):
        heading = place == 0 and kind in ("stays", "analysed") and not line[:1].isdigit()
        ax.text(
            left + 0.09,
            top + PAD + (place + 0.5) * LINE,
            line,
            fontsize=SIZE,
            color=colour,
            va="center_baseline",
            fontweight="bold" if heading else "normal",
            zorder=3,
        )


def _steps(flow: pd.DataFrame | Sequence[Mapping[str, Any]]) -> list[_Step]:
    """Return the rules in their order; neighbouring rows of one rule are its units."""
    table = flow if isinstance(flow, pd.DataFrame) else pd.DataFrame(list(flow))
    rows = [{name: row[name] for name in FLOW_COLUMNS} for row in table.to_dict("records")]
    steps: list[_Step] = []
    for row in rows:
        rule, unit = str(row["rule"]), str(row["unit"])
        if not steps or steps[-1].rule != rule or unit in steps[-1].before:
            steps.append(_Step(rule, {}, {}, {}))
        step = steps[-1]
        step.before[unit], step.gone[unit] = int(row["before"]), int(row["excluded"])
        step.after[unit] = int(row["after"])
    return steps


def _counts(numbers: Mapping[str, int], words: FlowWords) -> list[str]:
    return [_counted(unit, number, words) for unit, number in numbers.items()]


def _counted(unit: str, number: int, words: FlowWords) -> str:
    one, many = words.units.get(unit, (label(unit), label(unit)))
    return f"{number:,} {one if number == 1 else many}"


def _gone(step: _Step, words: FlowWords) -> list[str]:
    """Return the lines on what a rule excluded."""
    if words.every_unit:
        return _counts(step.gone, words)
    if not any(step.gone.values()):
        return ["none"]
    gone = {unit: n for unit, n in step.gone.items() if n}
    return _wrapped(", ".join(_counts(gone, words)))


def _wrapped(words: str) -> list[str]:
    """Return words as lines that fit a box on the right."""
    return textwrap.wrap(words, 26, max_lines=3, placeholder="…") or [""]
