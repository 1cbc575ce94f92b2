"""Writes the power of a plan: numbers, a tidy table, figures and a page."""

from __future__ import annotations

import html
import json
from pathlib import Path

from analysis.planning.points import CURVES
from analysis.planning.power import Power
from analysis.planning.power_figures import plot_curve, plot_power, shares_of
from analysis.planning.power_words import page, sentences
from analysis.results.figure_style import png, svg
from prereg import files
from prereg.markdown import dialect

POWER_FOLDER = "power"
JSON, TABLE, PAGE = "power.json", "power.csv", "power.md"
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;color:#1b1f24;max-width:46rem;margin:2rem auto;"
    "padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #eef0f2;text-align:left}"
    "td[style*=right],th[style*=right]{text-align:right}svg{max-width:100%;height:auto}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}"
    "@media print{body{margin:0;max-width:none}table{display:table}}"
)


def write_power(found: Power, folder: Path) -> list[str]:
    """Write `power.json`, `power.csv`, figures as SVG and PNG, `power.md` and `power.html`.

    Parameters
    ----------
    found : Power
    folder : Path
        Which must exist. Figures of an earlier run that this one does not draw are removed.

    Returns
    -------
    list of str
        The names of the files.
    """
    drawn: dict[str, tuple[str, bytes, str]] = {}
    if shares_of(found.own):
        axes = plot_power(found)
        drawn["power"] = (svg(axes), png(axes), "Power for each hypothesis, and the gate.")
        for curve in CURVES:
            if len(found.curve(curve)) > 1:
                axes = plot_curve(found, curve)
                what = f"Power and the gate by the number of {curve}; the line is the plan."
                drawn[f"power_{curve}"] = (svg(axes), png(axes), what)
    for name in ("power", *(f"power_{curve}" for curve in CURVES)):
        for ending in ("svg", "png"):
            if name not in drawn:
                (folder / f"{name}.{ending}").unlink(missing_ok=True)
    for name, (vector, pixels, _) in drawn.items():
        files.write_text(folder / f"{name}.svg", vector)
        files.write_bytes(folder / f"{name}.png", pixels)
    told = page(found, [(f"{name}.svg", words) for name, (*_, words) in drawn.items()])
    files.write_text(folder / PAGE, told)
    pictures = {f"{name}.svg": vector for name, (vector, *_) in drawn.items()}
    files.write_text(folder / "power.html", _html(found, told, pictures))
    table = found.to_frame().to_csv(index=False, lineterminator="\n", float_format="%.6g")
    files.write_text(folder / TABLE, table)
    content = {**found.to_json(), "sentences": sentences(found)}
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    files.write_text(folder / JSON, text + "\n")
    endings = [f"{name}.{ending}" for name in drawn for ending in ("svg", "png")]
    return [JSON, TABLE, PAGE, "power.html", *endings]


def _html(found: Power, told: str, pictures: dict[str, str]) -> str:
    """Return the page as one file of HTML, with its figures inside."""
    body = dialect().render(told)
    for name, vector in pictures.items():
        before, image, after = body.partition(f'<img src="{name}"')
        _, _, rest = after.partition(">")
        if image:
            body = f"{before}{vector}{rest}"
    title = html.escape(f"Power: {found.plan.title}")
    language = html.escape(found.plan.language, quote=True)
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n{body}</body></html>\n"
    )
