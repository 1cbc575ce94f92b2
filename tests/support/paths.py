"""Paths of the checkout, of its parts, and of the real data next to it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference"
WORKED = ROOT / "prereg" / "worked"
DEMO_ITEMS = ROOT / "data" / "demo" / "items.csv"
REAL_DATA = ROOT.parent / "shared" / "data"
