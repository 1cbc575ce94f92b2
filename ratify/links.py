"""`ratify links`: makes the signed link of every rater."""

from __future__ import annotations

from pathlib import Path

import click

from prereg.errors import RatifyError
from ratify.command_line import STUDY, main


@main.command()
@STUDY
@click.argument(
    "raters", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option(
    "--count",
    type=click.IntRange(1, 100_000),
    help="Make links for so many new ids: p0001, p0002, ...",
)
@click.option(
    "--first",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="With --count: number of the first new id.",
)
@click.option(
    "--host",
    required=True,
    help="Address at which raters reach the study, such as https://study.example.org.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV file to write, which only you can read. Without it, the links are printed.",
)
def links(
    folder: Path, raters: Path | None, count: int | None, first: int, host: str, out: Path | None
) -> None:
    """Make a personal link for each rater, so that nobody can take part under another's id.

    Give either FILE, a table with a column rater_id, or --count. The links come as a table with
    the columns rater_id and link. Each holds a signature of its rater's id. With
    recruitment.links: signed in the plan, the pages accept no other link. The key of the
    signatures is in DIR/.ratify-links: run this where the study is served, or copy that file
    there.
    """
    import csv
    import io

    from prereg import files
    from prereg.chat.file import is_chat
    from study.chat.opening import open_chat
    from study.opening import open_study
    from study.visits.links import read_rater_ids, signed_links, signing_key

    if (raters is None) == (count is None):
        raise RatifyError("needs a table of raters or --count, and not both", file="ratify links")
    study = open_chat(folder) if is_chat(folder) else open_study(folder, same_judges=False)
    if study.plan.recruitment.platform == "prolific":
        raise RatifyError(
            "Prolific makes each rater's link itself, so Ratify cannot sign it",
            file=folder / "plan.yaml",
            column="recruitment.platform",
            value="prolific",
            allowed="generic",
        )
    if raters is not None:
        ids = read_rater_ids(raters)
    else:
        ids = [f"p{number:04d}" for number in range(first, first + (count or 0))]
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(("rater_id", "link"))
    table.writerows(signed_links(signing_key(study.folder), host, ids))
    if out is None:
        click.echo(written.getvalue(), nl=False)
    else:
        files.write_text(out, written.getvalue(), private=True)
        click.echo(f"wrote {len(ids)} links to {out}")
