"""Finds the local hour of a time from a country and a state, where their zone is certain.

Which zones a country has is in tzdata's own `zone.tab`, and how they change is in its files; the
package's are read, so that every machine says the same. Names of countries are those of CLDR
(Babel) and of tzdata's `iso3166.tab`; `zones.yaml` adds other names, and the zones of states.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from prereg.yaml_file import read_mapping

TABLE = Path(__file__).with_name("zones.yaml")
_OTHERS, _SEVERAL = "*", "several"
_WORD = re.compile(r"[^\W_]+")


def plain(name: str) -> str:
    """Return a name as it is compared: words in small letters, without accents and signs.

    A leading `the` is left out, and `saint` is `st`.
    """
    letters = unicodedata.normalize("NFKD", name.replace("&", " and ").casefold())
    without = "".join(one for one in letters if not unicodedata.combining(one))
    words = ["st" if one == "saint" else one for one in _WORD.findall(without)]
    return " ".join(words[1:] if words[:1] == ["the"] else words)


@dataclass(frozen=True)
class Places:
    """Countries and states, and their zones.

    Attributes
    ----------
    countries : mapping of str to str
        The two letters of a country by its `plain` names.
    zones : mapping of str to tuple of str
        The zones of a country by its two letters.
    states : mapping of str to mapping of str to str
        For some countries, the zone of a state by its `plain` name, empty if it has several; `*`
        is every other state.
    """

    countries: Mapping[str, str]
    zones: Mapping[str, tuple[str, ...]]
    states: Mapping[str, Mapping[str, str]]
    _known: dict[tuple[str, str], tuple[ZoneInfo, ...]] = field(default_factory=dict)

    def hour(self, country: str, state: str, when: datetime) -> int | None:
        """Return the hour of the day at a place, 0 to 23.

        Parameters
        ----------
        country, state : str
            English names; empty if not known.
        when : datetime
            With its time zone.

        Returns
        -------
        int or None
            None if the country is not known, or if it has zones whose hours differ at that time
            and the state does not decide between them.
        """
        key = (country, state)
        if key not in self._known:
            self._known[key] = tuple(map(_zone, self.zones_of(country, state)))
        hour = None
        for zone in self._known[key]:
            there = when.astimezone(zone).hour
            if hour is not None and there != hour:
                return None
            hour = there
        return hour

    def zones_of(self, country: str, state: str) -> tuple[str, ...]:
        """Return the zones that a place may be in: one, several or none."""
        letters = self.countries.get(plain(country))
        if letters is None:
            return ()
        table, name = self.states.get(letters, {}), plain(state)
        found = table.get(name, table.get(_OTHERS, "") if name else "")
        return (found,) if found else self.zones.get(letters, ())


@cache
def known_places() -> Places:
    """Return every country that tzdata knows."""
    from babel import Locale

    given = read_mapping(TABLE.read_text(encoding="utf-8"), file=TABLE, what="zones")
    countries = {plain(name): letters for letters, name in _rows("iso3166.tab")}
    countries |= {
        plain(name): letters
        for letters, name in Locale("en").territories.items()
        if len(letters) == 2
    }
    countries |= {plain(one): letters for letters, names in given["names"].items() for one in names}
    zones: dict[str, tuple[str, ...]] = {}
    for letters, _, zone, *_ in _rows("zone.tab"):
        zones[letters] = (*zones.get(letters, ()), zone)
    states = {
        letters: {
            one if one == _OTHERS else plain(one): "" if zone == _SEVERAL else zone
            for zone, names in table.items()
            for one in names
        }
        for letters, table in given["states"].items()
    }
    return Places(countries, zones, states)


def _rows(name: str) -> Iterator[list[str]]:
    """Give the rows of one of tzdata's tables."""
    text = resources.files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@cache
def _zone(name: str) -> ZoneInfo:
    with resources.files("tzdata.zoneinfo").joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
