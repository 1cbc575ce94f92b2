"""The table of annotators, the same in an audit of ratings and of labels."""

from __future__ import annotations

import pandas as pd

from analysis.audit.annotators import Annotators
from analysis.results.quantities import ResultTable


def annotators_table(found: Annotators) -> ResultTable:
    """Return the table of who rated how many items."""
    return ResultTable(
        name="annotators",
        title="Annotators",
        caption="items: with at least one rating; missing: empty ratings; common: items also "
        "rated by somebody it is compared with (for a judge, a person); dropped: the others.",
        frame=pd.DataFrame(
            [
                (one.name, one.kind, one.path.name, len(one.items), one.missing, *found.common(one))
                for one in (*found.humans, *found.judges)
            ],
            columns=["name", "kind", "file", "items", "missing", "common", "dropped"],
        ),
    )
