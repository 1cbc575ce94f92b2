"""If these failed, the time of day of a user would be that of another place."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from study.turns.places import known_places, plain

SUMMER = datetime(2023, 7, 1, 20, 30, tzinfo=UTC)
WINTER = datetime(2023, 12, 1, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "state", "summer", "winter"),
    [
        ("United Kingdom", "England", 21, 20),
        ("United Kingdom", "", 21, 20),
        ("Germany", "", 22, 21),  # two zones, which always agree
        ("India", "Kerala", 2, 2),  # half an hour
        ("United States", "California", 13, 12),
        ("United States", "Arizona", 13, 13),  # no summer time
        ("United States", "Texas", 15, 14),
        ("United States", "Idaho", None, None),  # in two zones
        ("United States", "", None, None),
        ("Canada", "Québec", 16, 15),
        ("Australia", "New South Wales", 6, 7),
        ("Spain", "Canary Islands", 21, 20),
        ("Spain", "Madrid", 22, 21),
        ("Spain", "", None, None),
        ("China", "Beijing", 4, 4),
        ("China", "Xinjiang", None, None),
        ("Hong Kong", "", 4, 4),
        ("Türkiye", "Istanbul", 23, 23),
        ("Turkey", "Istanbul", 23, 23),
        ("South Korea", "", 5, 5),
        ("The Netherlands", "", 22, 21),
        ("Argentina", "", 17, 17),  # twelve zones, which agree
        ("Ukraine", "", 23, None),  # Crimea keeps another time in winter
        ("Ukraine", "Kyiv City", 23, 22),
        ("Atlantis", "", None, None),
        ("", "California", None, None),
    ],
)
def test_the_hour_is_that_of_the_place_or_unknown(
    country: str, state: str, summer: int | None, winter: int | None
) -> None:
    hour = known_places().hour
    assert (hour(country, state, SUMMER), hour(country, state, WINTER)) == (summer, winter)


def test_every_zone_of_a_state_is_a_zone_of_its_country() -> None:
    places = known_places()
    assert places.states
    for letters, states in places.states.items():
        for state, zone in states.items():
            assert not zone or zone in places.zones[letters], (letters, state)


def test_every_country_of_tzdata_has_a_name() -> None:
    places = known_places()
    assert set(places.zones) <= set(places.countries.values())
    assert len(places.zones) > 240


def test_names_are_compared_without_accents_and_signs() -> None:
    assert plain("Trinidad & Tobago") == plain("Trinidad and Tobago")
    assert plain("Saint Barthélemy") == plain("St. Barthelemy")
    assert plain("The Gambia") == plain("Gambia")
