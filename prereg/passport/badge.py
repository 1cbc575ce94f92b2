"""Draws the badge of a passport: one word, and never a green one for simulated raters."""

from __future__ import annotations

from xml.sax.saxutils import escape

from prereg.passport.verdict import State

LABEL = "judge gate"
_LETTER, _PAD, _HEIGHT = 6.4, 9, 20


def badge(state: State) -> str:
    """Return the badge as SVG."""
    left = round(len(LABEL) * _LETTER) + 2 * _PAD
    right = round(len(state.word) * _LETTER) + 2 * _PAD
    words = f"{LABEL}: {state.word}"
    text = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" '
        f'role="img" aria-label="{escape(words)}">\n'
        f"<title>{escape(words)}. {escape(state.why)}</title>\n"
        f'<rect width="{left + right}" height="{_HEIGHT}" rx="3" fill="#24292f"/>\n'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z" '
        f'fill="{state.colour}"/>\n'
        f'<text x="{_PAD}" y="14" textLength="{left - 2 * _PAD}" {text}>{escape(LABEL)}</text>\n'
        f'<text x="{left + _PAD}" y="14" textLength="{right - 2 * _PAD}" font-weight="bold" '
        f"{text}>{escape(state.word)}</text>\n</svg>\n"
    )
