"""Says which analyses are confirmatory: those that the lock held before results were seen.

An analysis is what the plan says of it and of all it depends on: the exclusions, the sample, how
answers are measured and ranked, the judges and the hypothesis that it names, the analysis whose
number it asks about, and the tests that its own are corrected with. If an amendment changed any of
these after results had been seen, the analysis is exploratory. What was changed before anybody
could see a result stays confirmatory, and the report prints the amendment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analysis.results.quantities import Status
from prereg.amendments.amendment import Version
from prereg.analyses.base import AnyAnalysis
from prereg.exploratory import EXPLORATORY_FILE
from prereg.lock import Lock
from prereg.plan.model import Plan

SEEN = "seen"
# Keys of the plan on which every analysis depends.
_OF_ALL = (
    *("exclusions", "measures", "scales", "ranking", "data", "large"),
    *("attention_checks", "comprehension", "practice"),
)
# Keys of the design that say when a place is given on, which changes no answer.
_NOT_OF_SAMPLE = ("lease_minutes", "first_lease_minutes")
# Keys of the recruitment that say who takes part; a code or a reward may be amended.
_WHO = ("platform", "links", "without_id", "replace")
NOT_IN_PLAN = f"it is in {EXPLORATORY_FILE}, not in the plan"
_TAKEN_OUT = "was taken out"
_MISSING = "the lock does not say what the plan held before results were seen"


class Studied(Protocol):
    """What is asked of the evidence."""

    @property
    def plan(self) -> Plan:
        """The newest version, with or without exploratory analyses."""

    @property
    def status(self) -> Status:
        """The status of a registered analysis on these data."""


@dataclass(frozen=True)
class Standing:
    """Whether an analysis is confirmatory, and if not, why.

    Attributes
    ----------
    status : {'confirmatory', 'exploratory'}
    why : str
        Empty if it is confirmatory, and if the whole study is exploratory; the limits say why.
    """

    status: Status
    why: str = ""


def status_of(analysis: AnyAnalysis, lock: Lock | None, evidence: Studied) -> Standing:
    """Return whether an analysis is confirmatory, and if not, why.

    Parameters
    ----------
    analysis : AnyAnalysis
    lock : Lock or None
        Its `versions`, oldest first, say what the plan held and what was known.
    evidence : Evidence
        Its `status` is that of the whole study: without a lock, in a pilot, and with answers older
        than the lock everything is exploratory.
    """
    locked = None if lock is None else lock.locked.get("plan")
    if locked is not None and _by_id(locked, "analyses", analysis.id) is None:
        return Standing("exploratory", NOT_IN_PLAN)
    if evidence.status == "exploratory" or lock is None:
        return Standing("exploratory")
    why = _changed(lock.versions, lambda locked: dict(_parts(analysis.id, locked)))
    return Standing("exploratory", why) if why else Standing("confirmatory")


def late_thresholds(lock: Lock | None, plan: Plan) -> dict[int, str]:
    """Return the places of thresholds that were set or changed after results were seen, with why.

    Parameters
    ----------
    lock : Lock or None
    plan : Plan
    """
    versions = () if lock is None else lock.versions
    found = {}
    for place, threshold in enumerate(plan.gate):
        wanted = threshold.model_dump(mode="json", by_alias=True, exclude_none=True)

        def parts(locked: Mapping[str, Any], wanted: Any = wanted) -> dict[str, Any]:
            there = wanted in locked["plan"].get("gate", ())
            return {"the threshold": wanted if there else None}

        if why := _changed(versions, parts):
            found[place] = why
    return found


def dropped_thresholds(lock: Lock | None) -> list[str]:
    """Return in words which thresholds were taken out after results were seen.

    The gate cannot be passed without them: whoever has seen which condition fails could otherwise
    take that one out. One that was only changed is among `late_thresholds`.
    """
    versions = () if lock is None else lock.versions
    held = [one.locked["plan"].get("gate", ()) for one in versions if "plan" in one.locked]
    names = dict.fromkeys(_threshold(one) for gate in held for one in gate)

    def parts(locked: Mapping[str, Any]) -> dict[str, Any]:
        there = {_threshold(one) for one in locked["plan"].get("gate", ())}
        return {name: True if name in there else None for name in names}

    found = (_changed(versions, lambda locked, n=name: {n: parts(locked)[n]}) for name in names)  # type: ignore[misc]
    return [why for why in found if _TAKEN_OUT in why]


def changed_key(lock: Lock | None, key: str) -> str:
    """Return when a key of the plan changed after results were seen, in words; empty if never."""
    versions = () if lock is None else lock.versions
    return _changed(versions, lambda locked: {f"{key} of the plan": locked["plan"].get(key)})


def _threshold(content: Mapping[str, Any]) -> str:
    where = "" if content.get("field", "low") == "low" else f" ({content['field']})"
    return f"the threshold on {content['analysis']} / {content['quantity']}{where}"


Parts = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _changed(versions: Sequence[Version], parts: Parts) -> str:
    """Return which part an amendment changed after results were seen; empty if none did."""
    first = next((n for n, one in enumerate(versions) if one.known and one.known.state == SEEN), 0)
    if not first:
        return ""
    before, now = versions[first - 1].locked, versions[-1].locked
    if "plan" not in before or "plan" not in now:
        return _MISSING
    old, new = parts(before), parts(now)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) == new.get(name):
            continue
        when = next(
            (one.at for one in versions[first:] if _differs(one, name, old, parts)), versions[-1].at
        )
        done = "was added" if old.get(name) is None else "changed"
        if new.get(name) is None:
            done = _TAKEN_OUT
        return f"{name} {done} at {when[:16].replace('T', ' ')} UTC, after results had been seen"
    return ""


def _differs(version: Version, name: str, old: Mapping[str, Any], parts: Parts) -> bool:
    return "plan" not in version.locked or parts(version.locked).get(name) != old.get(name)


def _parts(name: str, locked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield all that an analysis depends on, by its name in a sentence."""
    plan = locked["plan"]
    analysis = _by_id(plan, "analyses", name)
    yield "the analysis", analysis
    for key in _OF_ALL:
        yield f"{key} of the plan", plan.get(key)
    design = plan.get("design", {})
    yield "the design", {key: design[key] for key in design if key not in _NOT_OF_SAMPLE}
    recruitment = plan.get("recruitment", {})
    yield "who takes part", {key: recruitment[key] for key in _WHO if key in recruitment}
    if analysis is None:
        return
    yield "its hypothesis", _by_id(plan, "hypotheses", analysis.get("hypothesis"))
    yield "the tests it is corrected with", _relatives(analysis, plan)
    yield from _judging(analysis, locked)
    of = analysis.get("of")
    if isinstance(of, Mapping) and "analysis" in of:
        base = _by_id(plan, "analyses", of["analysis"])
        yield f"the analysis {of['analysis']}", base
        yield from _judging(base or {}, locked)


def _judging(analysis: Mapping[str, Any], locked: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the judges that an analysis names, and what each is asked."""
    judges = locked.get("judges", locked["plan"].get("judges", ()))
    prompts = locked.get("prompts", {})
    for judge in _judges_in(analysis, judges):
        yield f"judge {judge['id']}", judge
        yield f"the prompt of judge {judge['id']}", prompts.get(judge["id"])


def _by_id(plan: Mapping[str, Any], part: str, name: str | None) -> Any:
    return next((one for one in plan.get(part, ()) if one.get("id") == name), None)


def _judges_in(analysis: Mapping[str, Any], judges: Sequence[Any]) -> list[Any]:
    """Return the judges that an analysis names, and those of which a named panel is made."""
    named = {analysis.get("judge"), *analysis.get("judges", ())}
    if isinstance(analysis.get("of"), str):
        named.add(analysis["of"])
    for judge in judges:
        if judge.get("id") in named and judge.get("kind") == "panel":
            named |= set(judge.get("of", ()))
    return [judge for judge in judges if judge.get("id") in named]


def _relatives(analysis: Mapping[str, Any], plan: Mapping[str, Any]) -> Any:
    """Return the other analyses whose tests are corrected with this one's."""
    family = (analysis.get("family") or {}).get("name")
    if family is None:
        return []
    return [
        one
        for one in plan.get("analyses", ())
        if (one.get("family") or {}).get("name") == family and one["id"] != analysis["id"]
    ]
