"""Writes results of people's answers, and logs the look at them before they can be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analysis.evidence.evidence import Evidence
from analysis.evidence.provenance import answers_of, is_a_look, looks_json
from analysis.results.files import WRITTEN, write_results
from analysis.results.quantities import Results
from prereg import files
from prereg.errors import RatifyError
from prereg.lock import read_lock
from prereg.looks import looks_log


def write_looked(
    results: Results, evidence: Evidence, folder: Path, *, place: str, now: str
) -> Results:
    """Write results into a folder of the study; if they are a look, they name all looks.

    The log has the look before the results can be seen. Results that are produced again, at the
    time of a look that it has, are not another look.

    Parameters
    ----------
    results : Results
    evidence : Evidence
        What they were computed from.
    folder : Path
        The study folder.
    place : str
        The name of the folder of results in it.
    now : str
        The time that the results give.

    Returns
    -------
    Results
        As written.

    Raises
    ------
    RatifyError
        If the plan was amended meanwhile, or the log cannot be written.
    """
    if not is_a_look(evidence):
        with files.replaced_folder(folder / place, ours=WRITTEN) as beside:
            write_results(results, beside)
        return results
    answers = answers_of(evidence)
    with looks_log(folder) as log:
        _refuse_amended(folder, evidence)
        known = [look.at for look in log.looks]
        again = now in known
        before = log.looks[: known.index(now)] if again else log.looks
        looks = looks_json(before, now, answers)
        results = replace(results, meta={**results.meta, "looks": looks})
        with files.replaced_folder(folder / place, ours=WRITTEN) as beside:
            write_results(results, beside)
            if not again and evidence.lock is not None:
                log.append(
                    at=now,
                    mode=evidence.mode,
                    plan_hash=evidence.lock.plan_hash,
                    answers=answers,
                    results=files.sha256((beside / "results.json").read_bytes()),
                )
    return results


def _refuse_amended(folder: Path, evidence: Evidence) -> None:
    """Refuse results of a plan that was amended while they were computed.

    The amendment says what was known at its time, and this look is older.
    """
    now, then = read_lock(folder).plan_hash, evidence.lock
    if then is not None and now != then.plan_hash:
        raise RatifyError(
            "was amended while its results were computed", file=folder, allowed="run it again"
        )
