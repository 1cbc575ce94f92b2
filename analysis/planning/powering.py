"""Finds the power of a plan in a study folder: simulates what is left, and says what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.planning.effect_names import refuse_unread_effects
from analysis.planning.kept import Kept, key_of
from analysis.planning.points import Point, Setup, points_of, setup_of
from analysis.planning.power import Power, at_point
from analysis.planning.power_files import POWER_FOLDER
from analysis.planning.working import Studies
from prereg.errors import RatifyError
from prereg.plan.file import load_plan
from prereg.plan.model import Plan
from prereg.tables.items import read_items

# Other sizes have a part of the studies of the plan's own size, but not fewer than this.
PART_OF_CURVES = 4
FEWEST_OF_CURVES = 20


@dataclass(frozen=True)
class Work(Studies):
    """Simulated studies to be made for a plan.

    Attributes
    ----------
    plan : Plan
    folder : Path
        Where they are kept.
    key : str
        Hash of all that they follow from.
    setups : tuple of Setup
        The plan's own size first.
    wanted : mapping of str to int
        How many studies of each size.
    skipped : mapping of Point to str
        Sizes that cannot be, and why.
    kept : Kept
    """

    plan: Plan
    folder: Path
    key: str
    setups: tuple[Setup, ...]
    wanted: Mapping[str, int]
    skipped: Mapping[Point, str]
    kept: Kept

    @property
    def _sizes(self) -> Sequence[Setup]:
        return self.setups

    def power(self) -> Power:
        """Return what the finished studies say."""
        return Power(
            plan=self.plan,
            key=self.key,
            points=tuple(
                at_point(
                    self.plan,
                    setup.point,
                    self.kept.of(setup.point.key, self.wanted[setup.point.key]),
                )
                for setup in self.setups
            ),
            skipped=self.skipped,
        )


def work_of(folder: Path, *, studies: int | None = None, curves: bool = True) -> Work:
    """Return the simulated studies that the power of a plan needs, with those finished before.

    Parameters
    ----------
    folder : Path
        A study folder: plan.yaml and the items.
    studies : int, optional
        Instead of what the plan assumes.
    curves : bool
        Whether other sizes of the study are simulated too.

    Raises
    ------
    RatifyError
        If plan or items are wrong, if the plan assumes an effect that no simulation reads, or if
        too few items are there for the plan's own design.
    """
    plan = load_plan(folder)
    items = read_items(folder / plan.materials.items, plan.data.reading("items"))
    refuse_unread_effects(plan, items.rows, folder)
    count = plan.assumptions.studies if studies is None else studies
    setups: list[Setup] = []
    skipped: dict[Point, str] = {}
    for point in points_of(plan, items, curves=curves):
        try:
            setups.append(setup_of(plan, items, point))
        except RatifyError as error:
            if point.curve == "plan":
                raise
            skipped[point] = error.problem
    of_curves = min(count, max(FEWEST_OF_CURVES, count // PART_OF_CURVES))
    key = key_of(plan, items)
    return Work(
        plan=plan,
        folder=folder / POWER_FOLDER,
        key=key,
        setups=tuple(setups),
        wanted={
            setup.point.key: count if setup.point.curve == "plan" else of_curves for setup in setups
        },
        skipped=skipped,
        kept=Kept(folder / POWER_FOLDER, key, plan.id),
    )
