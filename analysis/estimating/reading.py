"""Reads what an estimate needs: the frame, its confounders, and what people said of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import BoolArray, FloatArray, IntArray, sum_by
from analysis.causal.apart import refuse_both_scores
from analysis.causal.covariates import Covariates, covariates
from analysis.causal.embeddings import Embeddings, read_embeddings
from analysis.causal.units import Cuts, Frame, Labels
from analysis.estimating.usable import refuse_unlabelled_strata, refuse_unusable
from analysis.evidence.evidence import Evidence, gather
from analysis.evidence.tables import TABLES_FOLDER
from analysis.results.words import counted
from analysis.tables.tidy import table_path
from prereg.errors import RatifyError
from prereg.frame.labelled import Labelled, read_labelled
from prereg.frame.reading import ID, causal_of, no_clusters, read_frame
from prereg.frame.texts import TEXT_HASH
from prereg.plan.causal import Causal, encoder_name
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.tables.manifest import edited_notes

EMBEDDINGS_FILE = "embeddings.parquet"
TREATMENT, OUTCOME = "treatment", "outcome"


@dataclass(frozen=True)
class Inputs:
    """Everything that an estimate is made from.

    Attributes
    ----------
    evidence : Evidence
        People's ratings after the plan's exclusions.
    causal : Causal
        The plan's section.
    sample : Labelled
        The sample as it was drawn.
    table : DataFrame
        The frame's rows, all columns as text.
    frame : Frame
    confounders : Covariates
    embeddings : Embeddings
    labels : Labels
        What people said of the units with enough ratings.
    ratings : mapping
        By `treatment` and `outcome`: people's single ratings, an array of shape (units, raters) in
        which units that nobody rated are NaN. Each unit has its ratings in random order.
    notes : tuple of str
        What was left out or joined, one sentence each.
    """

    evidence: Evidence
    causal: Causal
    sample: Labelled = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    frame: Frame
    confounders: Covariates
    embeddings: Embeddings = field(repr=False)
    labels: Labels
    ratings: Mapping[str, FloatArray] = field(repr=False)
    notes: tuple[str, ...]

    @property
    def cuts(self) -> Cuts:
        """The cuts of the treatment."""
        return Cuts(self.causal.treatment.treated, self.causal.treatment.control)

    @property
    def scale_of_outcome(self) -> tuple[float, float]:
        """The two ends of the outcome's scale."""
        return self._scale(self.causal.outcome.scale)

    @property
    def scale_of_treatment(self) -> tuple[float, float]:
        """The two ends of the treatment's scale."""
        return self._scale(self.causal.treatment.scale)

    def _scale(self, name: str) -> tuple[float, float]:
        found = next(one for one in self.evidence.plan.rated if one.id == name)
        return float(found.min), float(found.max)


def read_inputs(folder: Path, *, mode: str) -> Inputs:
    """Read a study folder for its causal estimate.

    Parameters
    ----------
    folder : Path
        With a plan that has a `causal` section, its frame, the sample for people, the embeddings,
        and the exported tables in `data/`.
    mode : {'live', 'pilot', 'bot'}
        Whose ratings are used.

    Raises
    ------
    RatifyError
        If something is missing or wrong; if a person rated both scores of a unit; or if no unit
        has enough ratings on both scales.
    """
    plan = load_plan(folder)
    causal = causal_of(plan, folder / PLAN_FILE)
    units = read_frame(folder, plan)
    sample = read_labelled(folder, plan, units)
    evidence = gather(folder, mode=mode)
    path = table_path(folder / TABLES_FOLDER, "ratings")
    scales = (causal.treatment.scale, causal.outcome.scale)
    refuse_both_scores(evidence.ratings, scales, path)
    table = pd.DataFrame(
        [units.table.rows[at] for at in units.rows], columns=list(units.table.columns), dtype=str
    )
    embeddings = _embeddings(folder, causal, table)
    confounders = covariates(
        table,
        embeddings.table,
        components=causal.confounders.components,
        columns=causal.confounders.columns,
        user=causal.user,
        user_buckets=causal.confounders.user_buckets,
        time_bins=causal.confounders.time_bins,
        text=causal.confounders.text,
        file=units.table.path,
    )
    _, user = np.unique(table[causal.user].to_numpy(dtype=str), return_inverse=True)
    frame = Frame(
        table[ID].to_numpy(dtype=str),
        user.astype(np.int64),
        confounders.values,
        confounders.names,
        units.treatment,
        units.outcome,
    )
    ratings = {
        name: _ratings(evidence, frame, scale)
        for name, scale in zip((TREATMENT, OUTCOME), scales, strict=True)
    }
    labels, lost = _labels(ratings, sample, causal)
    if not labels.labelled.any():
        raise RatifyError(
            f"no item has {causal.labels.raters} ratings on both {scales[0]} and {scales[1]}",
            file=path,
            allowed="ratings of the sample by as many people as causal.labels.raters says",
        )
    refuse_unlabelled_strata(labels, sample.strata, path)
    refuse_unusable(labels, causal, path)
    alone = no_clusters(units, causal)
    notes = [
        *edited_notes(evidence.place),
        *confounders.notes,
        *_said_of_frame(units.unscored),
        *_unsure(embeddings),
        *([alone] if alone else []),
        *lost,
    ]
    return Inputs(
        evidence,
        causal,
        sample,
        table,
        frame,
        confounders,
        embeddings,
        labels,
        ratings,
        tuple(notes),
    )


def _embeddings(folder: Path, causal: Causal, table: pd.DataFrame) -> Embeddings:
    """Return the embeddings, if they are of every unit and, as far as they say, of these texts."""
    path = folder / EMBEDDINGS_FILE
    if not path.exists():
        raise RatifyError("no such file", file=path, allowed="run `ratify embed`")
    found = read_embeddings(path)
    wanted = encoder_name(causal.confounders.encoder)
    for said, planned, key, words in (
        (found.encoder, wanted, "encoder", "by another encoder than the plan's"),
        (found.text, causal.confounders.text, "text", "of another column than the plan's"),
    ):
        if said and said != planned:
            raise RatifyError(
                f"was made {words}",
                file=path,
                column=f"causal.confounders.{key}",
                value=said,
                allowed=f"{planned}: run `ratify embed` again",
            )
    units = table[ID].tolist()
    missing = set(units).difference(found.table[ID])
    if missing:
        first = next(name for name in units if name in missing)
        raise RatifyError(
            f"{counted(len(missing), 'unit')} of the frame without an embedding",
            file=path,
            column=ID,
            value=first,
            allowed="an embedding of every unit of the frame: run `ratify embed`",
        )
    changed = found.changed(units, table[causal.confounders.text])
    if changed:
        raise RatifyError(
            f"{counted(len(changed), 'text')} of {causal.frame} "
            f"{'is another' if len(changed) == 1 else 'are others'} than when the vectors were "
            f"made; first that of unit {changed[0]}",
            file=path,
            row=f"unit {changed[0]}",
            column=causal.confounders.text,
            value=_start(table.loc[table[ID] == changed[0], causal.confounders.text].iloc[0]),
            allowed="vectors of the frame's texts: run `ratify embed` again",
        )
    return found


def _start(text: str) -> str:
    """Return the beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:40]}..."


def _unsure(embeddings: Embeddings) -> list[str]:
    """Return what to know of vectors that do not say which texts they were made from."""
    if embeddings.hashes:
        return []
    return [
        f"{EMBEDDINGS_FILE} does not say which texts its vectors were made from, so a text that "
        f"changed since is not noticed: `ratify embed` writes the column {TEXT_HASH}"
    ]


def _said_of_frame(unscored: int) -> list[str]:
    if not unscored:
        return []
    return [f"{counted(unscored, 'unit')} of the frame without both of the judge's scores left out"]


def _ratings(evidence: Evidence, frame: Frame, scale: str) -> FloatArray:
    """Return people's ratings of each unit on one scale, in an order that no rater chose."""
    rows = evidence.ratings
    rows = rows[(rows["dimension"] == scale) & rows["value"].notna()]
    # the order of the table and the random names of visits do not matter
    rows = rows.sort_values(["item_id", "rater_id"], kind="stable")
    place = {name: at for at, name in enumerate(frame.unit.tolist())}
    unit = rows["item_id"].map(place).to_numpy(dtype=float)
    values = rows["value"].to_numpy(dtype=float)[~np.isnan(unit)]
    unit = unit[~np.isnan(unit)].astype(np.int64)
    order = evidence.rng(f"causal:{scale}").permutation(len(unit))
    order = order[np.argsort(unit[order], kind="stable")]
    unit, values = unit[order], values[order]
    count = np.bincount(unit, minlength=len(frame))
    found = np.full((len(frame), max(int(count.max(initial=0)), 1)), np.nan)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    found[unit, np.arange(len(unit)) - first[unit]] = values
    return found


def _labels(
    ratings: Mapping[str, FloatArray], sample: Labelled, causal: Causal
) -> tuple[Labels, list[str]]:
    """Return the aggregates of units with as many ratings as the plan says, on both scales.

    A unit with fewer is not labelled, because the number of raters belongs to the estimand. The
    probability of its stratum is multiplied by the share of its drawn units that are labelled.
    """
    k = causal.labels.raters
    found = {
        name: _aggregate(values, k, causal.labels.aggregate) for name, values in ratings.items()
    }
    complete: BoolArray = ~np.isnan(found[TREATMENT] + found[OUTCOME])
    drawn = np.zeros(len(complete), dtype=bool)
    drawn[sample.units] = True
    complete &= drawn
    stratum = sample.strata.of_unit
    share = _by_stratum(complete, stratum) / np.maximum(_by_stratum(drawn, stratum), 1)
    inclusion = sample.probability * share[stratum]
    labels = Labels(
        np.where(complete, found[TREATMENT], np.nan),
        np.where(complete, found[OUTCOME], np.nan),
        inclusion,
        stratum,
    )
    lost = int(drawn.sum() - complete.sum())
    if not lost:
        return labels, []
    return labels, [
        f"{counted(lost, 'drawn unit')} of {int(drawn.sum()):,} without {k} ratings on both scales "
        "left out; the probabilities of their strata are smaller by their share"
    ]


def _aggregate(ratings: FloatArray, raters: int, how: str) -> FloatArray:
    """Return the score of each unit from its first ratings; NaN with fewer than `raters`."""
    if ratings.shape[1] < raters:
        return np.full(len(ratings), np.nan)
    first = ratings[:, :raters]
    return np.asarray(np.median(first, axis=1) if how == "median" else first.mean(axis=1))


def _by_stratum(which: BoolArray, stratum: IntArray) -> FloatArray:
    return sum_by(stratum, which.astype(np.float64), int(stratum.max()) + 1)
