"""Where the checkout, its parts, and the real data beside it lie."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "tests" / "reference"
WORKED = ROOT / "prereg" / "worked"
DEMO_ITEMS = ROOT / "data" / "demo" / "items.csv"
REAL_DATA = ROOT.parent / "shared" / "data"
