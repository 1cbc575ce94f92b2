"""Says which analyses are confirmatory: those that the lock held before results were seen.

An analysis is what the plan says of it and of all it depends on: the exclusions, the sample, how
answers are measured and ranked, the judges and the hypothesis that it names, the analysis whose
number it asks about, and the tests that its own are corrected with. If an amendment changed any of
these after results had been seen, the analysis is exploratory. What was changed before anybody
could see a result stays confirmatory, and the report prints the amendment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from analysis.results.quantities import Status
from prereg.analyses.base import AnyAnalysis
from prereg.exploratory import EXPLORATORY_FILE
from prereg.plan.model import Plan

SEEN = "seen"
# Keys of the plan on which every analysis depends.
_OF_ALL = ("exclusions", "measures", "scales", "ranking", "data", "large", "attention_checks")
# Keys of the design that say when a place is given on, which changes no answer.
_NOT_OF_SAMPLE = ("lease_minutes", "first_lease_minutes")
NOT_IN_PLAN = f"it is in {EXPLORATORY_FILE}, not in the plan"
_MISSING = "the lock does not say what the plan held before results were seen"


class Version(Protocol):
    """One version of a locked plan."""

    @property
    def plan_hash(self) -> str:
        """Its hash."""

    @property
    def at(self) -> str:
        """When it was locked."""

    @property
    def known(self) -> Any:
        """What was known then; None for the first."""

    @property
    def locked(self) -> Mapping[str, Any]:
        """The plan and the judges as JSON."""


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


def status_of(analysis: AnyAnalysis, lock: Any, evidence: Studied) -> Standing:
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
    versions = versions_of(lock)
    why = _changed(versions, lambda plan, judges: dict(_parts(analysis.id, plan, judges)))
    return Standing("exploratory", why) if why else Standing("confirmatory")


def late_thresholds(lock: Any, plan: Plan) -> dict[int, str]:
    """Return the places of thresholds that were set or changed after results were seen, with why.

    Parameters
    ----------
    lock : Lock or None
    plan : Plan
    """
    versions = versions_of(lock)
    found = {}
    for place, threshold in enumerate(plan.gate):
        wanted = threshold.model_dump(mode="json", by_alias=True, exclude_none=True)

        def parts(locked: Mapping[str, Any], _: Any, wanted: Any = wanted) -> dict[str, Any]:
            return {"the threshold": wanted if wanted in locked.get("gate", ()) else None}

        if why := _changed(versions, parts):
            found[place] = why
    return found


def versions_of(lock: Any) -> tuple[Version, ...]:
    """Return the versions of a locked plan, oldest first; none if the lock has only one."""
    return tuple(getattr(lock, "versions", ()))


def _changed(versions: Sequence[Version], parts: Any) -> str:
    """Return which part an amendment changed after results were seen; empty if none did."""
    first = next((n for n, one in enumerate(versions) if _state(one) == SEEN), None)
    if not first:
        return ""
    before, now = _locked(versions[first - 1]), _locked(versions[-1])
    if before is None or now is None:
        return _MISSING
    old, new = parts(*before), parts(*now)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) == new.get(name):
            continue
        when = next(
            (one.at for one in versions[first:] if _differs(one, name, old, parts)), versions[-1].at
        )
        done = "was added" if old.get(name) is None else "changed"
        return f"{name} {done} at {when[:16].replace('T', ' ')} UTC, after results had been seen"
    return ""


def _differs(version: Version, name: str, old: Mapping[str, Any], parts: Any) -> bool:
    locked = _locked(version)
    return locked is None or parts(*locked).get(name) != old.get(name)


def _state(version: Version) -> str | None:
    known = version.known
    return known if known is None or isinstance(known, str) else str(known.state)


def _locked(version: Version) -> tuple[Mapping[str, Any], Sequence[Any]] | None:
    """Return the plan and the judges of a version; None if the lock does not have them."""
    plan = _plan_of(version)
    if plan is None:
        return None
    return plan, version.locked.get("judges", plan.get("judges", ()))


def _plan_of(version: Version) -> Mapping[str, Any] | None:
    return version.locked.get("plan")


def _parts(name: str, plan: Mapping[str, Any], judges: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Yield all that an analysis depends on, by its name in a sentence."""
    analysis = _by_id(plan, "analyses", name)
    yield "the analysis", analysis
    for key in _OF_ALL:
        yield f"{key} of the plan", plan.get(key)
    design = plan.get("design", {})
    yield "the design", {key: design[key] for key in design if key not in _NOT_OF_SAMPLE}
    if analysis is None:
        return
    yield "its hypothesis", _by_id(plan, "hypotheses", analysis.get("hypothesis"))
    for judge in _judges_in(analysis, judges):
        yield f"judge {judge['id']}", judge
    yield "the tests it is corrected with", _relatives(analysis, plan)
    of = analysis.get("of")
    if isinstance(of, Mapping) and "analysis" in of:
        yield f"the analysis {of['analysis']}", _by_id(plan, "analyses", of["analysis"])
        base = _by_id(plan, "analyses", of["analysis"]) or {}
        for judge in _judges_in(base, judges):
            yield f"judge {judge['id']}", judge


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
