"""An opened study folder: its plan, items, sequences and texts, and the one hash of them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from prereg.design.dealing import Items
from prereg.design.practice import PracticeDraw, practice_ids
from prereg.design.sequences import Trial
from prereg.images import Image
from prereg.kinds.registry import kind_of
from prereg.lock import Lock
from prereg.plan.model import Plan
from prereg.tables.reader import Table
from study.items import Item

# `ratify demo` made a folder that has this file, and may replace it.
DEMO_MARK = "DEMO.txt"
# Holds the number of the process that serves the folder.
SERVING_FILE = ".ratify-serving"


@dataclass(frozen=True)
class Earlier:
    """What a rater who consented to an earlier version of the plan goes on to meet.

    Attributes
    ----------
    plan_hash : str
    plan : Plan
    texts : mapping
        Consent and instructions, Markdown.
    images : mapping
        The images that they and the items show.
    """

    plan_hash: str
    plan: Plan
    texts: Mapping[str, str]
    images: Mapping[str, Image]

    def of(self, study: Study) -> Study:
        """Return the newest study with the plan and the texts of this version."""
        now = study.plan
        kept = ("raters", "raters_per_sequence", "lease_minutes", "first_lease_minutes")
        design = self.plan.design.model_copy(
            update={name: getattr(now.design, name) for name in kept}
        )
        plan = self.plan.model_copy(update={"design": design, "recruitment": now.recruitment})
        return replace(
            study,
            plan=plan,
            texts=self.texts,
            images=self.images,
            plan_hash=self.plan_hash,
            earlier={},
        )


@dataclass(frozen=True)
class Study:
    """Everything the rater pages and the judges need.

    Attributes
    ----------
    folder : Path
    plan : Plan
    table : Table
        The items table with all its columns; only `shown` may reach a rater or a judge.
    items : mapping
        Items by id.
    shown : mapping
        Everything a trial may show, by id: the items, and the texts of attention checks and of
        practice trials.
    sequences : mapping
        Trials by sequence id, in order of position.
    texts : mapping
        Consent and instructions, Markdown.
    images : mapping
        The images that texts and items show, by their names there.
    parts : mapping
        SHA-256 by part; see `prereg.lock.hash_parts`.
    plan_hash : str
        The hash of this version; rows of data that are made now carry it.
    lock : Lock or None
        None while the plan is not locked.
    judges : mapping
        What the lock keeps about each judge, by id; empty if that was not looked at.
    earlier : mapping
        The versions before the newest, by plan hash.
    """

    folder: Path
    plan: Plan
    table: Table
    items: Mapping[str, Item]
    shown: Mapping[str, Item]
    sequences: Mapping[str, tuple[Trial, ...]]
    texts: Mapping[str, str]
    images: Mapping[str, Image]
    parts: Mapping[str, str]
    plan_hash: str
    lock: Lock | None
    judges: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)

    @property
    def root_hash(self) -> str:
        """The hash by which the store knows the study: that of the first version."""
        return self.plan_hash if self.lock is None else self.lock.root_hash

    @property
    def version_hash(self) -> str | None:
        """The hash of this version, which a row of the store holds if it is not the first."""
        return None if self.plan_hash == self.root_hash else self.plan_hash

    def knows(self, plan_hash: str) -> bool:
        """Say whether a plan hash is that of this version or of an earlier one."""
        return plan_hash == self.plan_hash or plan_hash in self.earlier

    def at(self, plan_hash: str) -> Study:
        """Return the study as a version of its plan shows it to a rater who consented to it.

        What a rater meets is of that version; leases, places and the way back to the recruitment
        platform are of the newest. A hash that is not known is taken for the newest.
        """
        if plan_hash not in self.earlier:
            return self
        if plan_hash not in self._at:
            self._at[plan_hash] = self.earlier[plan_hash].of(self)
        return self._at[plan_hash]

    @cached_property
    def _at(self) -> dict[str, Study]:
        return {}

    def dimension_of(self, sequence_id: str) -> str:
        """Return the one scale that a sequence asks for; empty if scales are not asked apart."""
        return next((trial.dimension for trial in self.sequences.get(sequence_id, ())), "")

    def asking(self, sequence_id: str) -> Study:
        """Return the study as the rater of a sequence meets it.

        Where scales are asked apart, its plan has this sequence's scale and no other, so that
        nothing which is made from it can show, read or keep an answer on another scale.
        """
        if not self.plan.design.apart or len(self.plan.scales) == 1:
            return self
        name = self.dimension_of(sequence_id)
        if not name:  # another server has amended the study, or replaced its sequences
            return self
        if name not in self._asking:
            self._asking[name] = replace(self, plan=self.plan.of_scale(name))
        return self._asking[name]

    @cached_property
    def _asking(self) -> dict[str, Study]:
        return {}

    def trials(self) -> Iterator[Trial]:
        """Yield every trial in order, without attention checks, which are only for people."""
        for sequence in self.sequences.values():
            yield from (trial for trial in sequence if not trial.is_attention_check)

    def practice(self, sequence_id: str) -> list[Items]:
        """Return the ids of what a rater of a sequence practises on, trial by trial."""
        if not self.plan.practice:
            return []
        return practice_ids(self.plan) or self.practice_draw.trials(sequence_id)

    @cached_property
    def practice_draw(self) -> PracticeDraw:
        """The draw of practice trials from the items."""
        scenarios = {item.item_id: item.scenario for item in self.items.values()}
        return PracticeDraw(self.plan, scenarios, self.sequences)

    def used_items(self) -> list[Item]:
        """Return the items that the sequences use."""
        used = {item_id for trial in self.trials() for item_id in trial.item_ids}
        return [item for item in self.items.values() if item.item_id in used]

    def by_scenario(self) -> dict[str, list[Item]]:
        """Return the items that judges rank by scenario: all, or those that the sequences use."""
        groups: dict[str, list[Item]] = {}
        every = self.plan.design.judges_rank == "all"
        for item in self.items.values() if every else self.used_items():
            groups.setdefault(item.scenario, []).append(item)
        return groups

    def rated_items(self) -> list[Item]:
        """Return the items that judges rate: all if people compare, else those shown to people."""
        return list(self.items.values()) if kind_of(self.plan).compares else self.used_items()

    def asked(self) -> list[tuple[Item, ...]]:
        """Return the trials that judges answer: those of people, but each single item only once.

        A judge would only repeat its answer for an item that several people are shown.
        """
        if not kind_of(self.plan).compares:
            return [(item,) for item in self.used_items()]
        return [tuple(self.items[name] for name in trial.item_ids) for trial in self.trials()]
