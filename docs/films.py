"""Draws the two demo films of the worked plan `coaching_trial`: `python -m docs.films`.

Two figures talk, and a card says what one of them does. Needs ffmpeg with VP9; nothing else does,
because the films are kept beside the plan. Their captions are written by hand.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

PLACE = Path(__file__).resolve().parent.parent / "prereg" / "worked" / "coaching_trial" / "films"
WIDTH, HEIGHT, FPS = 640, 360, 12
PAPER, INK, SOFT, ONE, OTHER = "#f7f5f0", "#22303c", "#d9dfe4", "#2f6f73", "#b4552d"
FADE = 0.5
# For each film its cards: seconds, what the card says, what the person says, what the other says.
FILMS: dict[str, tuple[tuple[float, str, str, str], ...]] = {
    "listening": (
        (3.0, "Before you help, listen", "", ""),
        (4.5, "Name the feeling", "They gave it to someone else.", "That must have stung."),
        (4.5, "Let it be there", "I feel silly for caring.", "It makes sense that you care."),
        (4.0, "No plan is needed yet", "", ""),
    ),
    "asking": (
        (3.0, "Make room for more", "", ""),
        (4.5, "Ask openly", "It has been a strange week.", "What made it strange?"),
        (4.5, "Say what you heard", "Nobody even asked me.", "So you felt passed by."),
        (4.0, "Then wait", "", ""),
    ),
}


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)


def _person(draw: ImageDraw.ImageDraw, x: float, colour: str, lean: float) -> None:
    draw.ellipse((x - 34 + lean, 150, x + 34 + lean, 218), fill=colour)
    draw.pieslice((x - 70, 222, x + 70, 400), 180, 360, fill=colour)


def _bubble(draw: ImageDraw.ImageDraw, x: float, text: str, colour: str) -> None:
    font = _font(17)
    width = draw.textlength(text, font=font)
    left = min(max(x - width / 2, 24), WIDTH - 24 - width)
    box = (left - 14, 92, left + width + 14, 132)
    draw.rounded_rectangle(box, radius=12, fill="white", outline=colour, width=3)
    draw.text((left, 112), text, font=font, fill=INK, anchor="lm")


def _frame(at: float, card: tuple[float, str, str, str], passed: float) -> Image.Image:
    seconds, title, says, answers = card
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 330, WIDTH, HEIGHT), fill=SOFT)
    answering = bool(answers) and at > seconds * 0.45
    sway = 5 * math.sin(2 * math.pi * passed / 4)
    _person(draw, 190, ONE, 0 if answering else sway)
    _person(draw, 450, OTHER, -sway if answering or not says else -3)
    draw.text((WIDTH / 2, 46), title, font=_font(30), fill=INK, anchor="mm")
    if says and at > FADE:
        if answering:
            _bubble(draw, 450, answers, OTHER)
        else:
            _bubble(draw, 190, says, ONE)
    return image


def frames(cards: tuple[tuple[float, str, str, str], ...]) -> Iterator[Image.Image]:
    """Yield every frame of a film."""
    passed = 0.0
    for card in cards:
        for number in range(round(card[0] * FPS)):
            yield _frame(number / FPS, card, passed)
            passed += 1 / FPS


def write(name: str, place: Path = PLACE) -> Path:
    """Draw a film and return its file."""
    path = place / f"{name}.webm"
    path.parent.mkdir(parents=True, exist_ok=True)
    command = f"ffmpeg -y -loglevel error -f rawvideo -pix_fmt rgb24 -s {WIDTH}x{HEIGHT} -r {FPS}"
    command += " -i - -c:v libvpx-vp9 -crf 40 -b:v 0 -threads 1 -pix_fmt yuv420p -an"
    command += " -fflags +bitexact -flags:v +bitexact -map_metadata -1"
    raw = b"".join(frame.tobytes() for frame in frames(FILMS[name]))
    subprocess.run([*command.split(), str(path)], input=raw, check=True)  # noqa: S603 - our own words
    return path


if __name__ == "__main__":
    for film in FILMS:
        made = write(film)
        sys.stdout.write(f"{made}: {made.stat().st_size / 1000:.0f} kB\n")
