"""Finds what a number of labels can find in a causal study: simulates the studies that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.planning.kept import Kept
from analysis.planning.label_power import LabelPower, at_labels, truth_of
from analysis.planning.label_studies import Assumed, AtSize, Truth, label_study
from analysis.planning.power_files import POWER_FOLDER
from analysis.planning.working import Keyed, Once, Studies
from prereg import files
from prereg.code import analysis_code
from prereg.errors import RatifyError
from prereg.frame.reading import causal_of, read_units
from prereg.plan.assumptions import CausalAssumptions
from prereg.plan.causal import Causal
from prereg.plan.file import PLAN_FILE, load_plan
from prereg.plan.model import Plan

LABELS_FILE = "causal-studies.jsonl"
FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)
# Without a frame: the units, and the units per user, of the trials behind docs/causal.md.
UNITS, UNITS_PER_USER = 6_000, 3
# Large worlds, and the units of each, that the truth is the mean of.
TRUTHS, TRUTH_UNITS = 10, 50_000
# Points of the simulated worlds.
_ENDS = (1, 7)


@dataclass(frozen=True)
class LabelWork(Studies):
    """Simulated studies to be made for numbers of labels.

    Attributes
    ----------
    assumed : Assumed
    folder : Path
        Where they are kept.
    truth : Truth
    sizes : tuple of AtSize
    skipped : tuple of int
        Numbers of labels that the frame has too few units for.
    wanted : mapping of str to int
        How many studies of each size, and how many large worlds.
    kept : Kept
    """

    assumed: Assumed
    folder: Path
    truth: Truth
    sizes: tuple[AtSize, ...]
    skipped: tuple[int, ...]
    wanted: Mapping[str, int]
    kept: Kept

    @property
    def _sizes(self) -> Sequence[Keyed]:
        return (self.truth, *self.sizes)

    @property
    def _once(self) -> Once:
        return label_study

    def power(self) -> LabelPower:
        """Return what the finished studies say."""
        truth, error, treated = truth_of(self._records(self.truth.key))
        return LabelPower(
            assumed=self.assumed,
            key=_said_key(self.assumed),
            truth=truth,
            truth_se=error,
            treated=treated,
            sizes=tuple(at_labels(one, self._records(one.key), truth) for one in self.sizes),
            skipped=self.skipped,
        )

    def _records(self, key: str) -> list[dict[str, object]]:
        return self.kept.of(key, self.wanted[key])


def label_work_of(folder: Path, *, studies: int | None = None, curves: bool = True) -> LabelWork:
    """Return the simulated studies that a plan's numbers of labels need, with those kept.

    Parameters
    ----------
    folder : Path
        A study folder with a plan that has a `causal` section. The frame need not be there.
    studies : int, optional
        For each number of labels, instead of what the plan assumes.
    curves : bool
        Whether other numbers of labels are simulated too.

    Raises
    ------
    RatifyError
        If the plan is wrong, has no causal section, or has scales or cuts that no simulated world
        has; if the frame is there and wrong; or if it has fewer units than the plan has labels.
    """
    plan = load_plan(folder)
    causal = causal_of(plan, folder / PLAN_FILE)
    _refuse_other_scales(plan, causal, folder / PLAN_FILE)
    assumed = _assumed(plan, causal, folder)
    sizes: list[AtSize] = []
    skipped: list[int] = []
    for factor in FACTORS if curves else (1.0,):
        stratified = round(causal.labels.stratified * factor)
        random = round(causal.labels.random * factor)
        if max(stratified, random) > assumed.units:
            skipped.append(stratified + random)
            continue
        sizes.append(AtSize(assumed, max(stratified, 1), random))
    if causal.labels.stratified + causal.labels.random in skipped:
        raise RatifyError(
            "the plan labels more units than there are",
            file=folder / PLAN_FILE,
            column="causal.labels",
            value=causal.labels.stratified,
            allowed=f"at most {assumed.units:,}, the units",
        )
    truth = Truth(assumed, TRUTH_UNITS)
    count = assumed.causes.studies if studies is None else studies
    place = folder / POWER_FOLDER
    return LabelWork(
        assumed=assumed,
        folder=place,
        truth=truth,
        sizes=tuple(sizes),
        skipped=tuple(skipped),
        wanted={truth.key: TRUTHS} | {one.key: count for one in sizes},
        kept=Kept(place, _key(assumed), plan.id, file=LABELS_FILE),
    )


def label_key_of(folder: Path) -> str:
    """Return the hash of all that the sentences on a plan's labels follow from, as it is now.

    Raises
    ------
    RatifyError
        As `label_work_of` does.
    """
    plan = load_plan(folder)
    return _said_key(_assumed(plan, causal_of(plan, folder / PLAN_FILE), folder))


def _assumed(plan: Plan, causal: Causal, folder: Path) -> Assumed:
    """Return the plan with its units: assumed, or those of the frame."""
    given = plan.assumptions.causal or CausalAssumptions()
    units, users = given.units, given.users
    if (units is None or users is None) and (folder / causal.frame).exists():
        # the judge need not have scored it yet
        scores = tuple(part.score for part in causal.scores.values())
        rows = read_units(folder, plan, without=scores).rows
        units = units or len(rows)
        users = users or len({row[causal.user] for row in rows})
    units = units or UNITS
    users = users or max(1, units // UNITS_PER_USER)
    if users > units:
        raise RatifyError(
            "there would be more users than units",
            file=folder / PLAN_FILE,
            column="assumptions.causal",
            value=f"{users:,} users, {units:,} units",
            allowed="both keys, or neither, beside a frame",
        )
    return Assumed(plan, units, users)


def _refuse_other_scales(plan: Plan, causal: Causal, file: Path) -> None:
    """Refuse scales and cuts that the simulated worlds do not have."""
    ends = {one.id: (one.min, one.max) for one in plan.rated}
    for key, part in causal.scores.items():
        if ends[part.scale] != _ENDS:
            raise RatifyError(
                "has other points than the simulated worlds",
                file=file,
                column=f"causal.{key}.scale",
                value=f"{part.scale}, {ends[part.scale][0]} to {ends[part.scale][1]}",
                allowed=f"a scale from {_ENDS[0]} to {_ENDS[1]}; after a pilot any scale, from its "
                "own ratings",
            )


def _key(assumed: Assumed) -> str:
    """Return a hash of all that the studies follow from, but not of how many there are."""
    causal = assumed.causes.model_dump(mode="json")
    for name in ("studies", "width", "units", "users"):
        causal.pop(name)
    parts = {
        "plan": assumed.plan.id,
        "seed": assumed.plan.seed,
        "causal": assumed.causal.model_dump(mode="json"),
        "assumptions": causal,
        "reliability": assumed.plan.assumptions.raters.reliability,
        "units": assumed.units,
        "users": assumed.users,
        "code": analysis_code(),
    }
    return files.sha256(files.canonical_json(parts))


def _said_key(assumed: Assumed) -> str:
    """Return a hash of the studies, and of the width that the sentences are about."""
    wanted = assumed.causes.wanted(assumed.causal.gate.margin)
    return files.sha256(files.canonical_json([_key(assumed), wanted]))
