"""Writes what a number of labels can find: a table, JSON and a figure."""

from __future__ import annotations

import json
import math
from pathlib import Path

from analysis.causal.correction.width_figures import plot_widths
from analysis.planning.label_power import LabelPower
from analysis.planning.label_words import label_sentences
from analysis.results.figure_style import png, svg
from prereg import files

TABLE, JSON, FIGURE = "causal.csv", "causal.json", "causal_width"


def write_label_power(found: LabelPower, folder: Path) -> list[str]:
    """Write `causal.csv`, `causal.json`, and the width by labels as SVG and PNG.

    Parameters
    ----------
    found : LabelPower
    folder : Path
        Which must exist. Without any width there is no figure, and that of an earlier run is
        removed.

    Returns
    -------
    list of str
        The names of the files.
    """
    table = found.to_frame().to_csv(index=False, lineterminator="\n", float_format="%.6g")
    files.write_text(folder / TABLE, table)
    content = {**found.to_json(), "sentences": label_sentences(found)}
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    files.write_text(folder / JSON, text + "\n")
    known = [one for one in found.sizes if math.isfinite(one.width)]
    pictures = [f"{FIGURE}.{ending}" for ending in ("svg", "png")]
    if not known:
        for name in pictures:
            (folder / name).unlink(missing_ok=True)
        return [TABLE, JSON]
    curve = found.curve
    axes = plot_widths(
        [one.labelled for one in known],
        [one.width for one in known],
        None if curve is None else curve.width_at,
        own=found.own.labelled,
        wanted=found.wanted,
        units=found.assumed.units,
        warning="Simulated studies",
    )
    files.write_text(folder / pictures[0], svg(axes))
    files.write_bytes(folder / pictures[1], png(axes))
    return [TABLE, JSON, *pictures]
