"""Which person stands in which place, so that nobody stands in two and as many places as possible are taken."""

from collections.abc import Mapping, Sequence


def match(may_take: Mapping[str, Sequence[int]]) -> dict[int, str]:
    """Place as many people as possible; gives who stands where, by the number of the place.

    ``may_take`` has the places that each person may take, the one to try first in front. Whoever comes first keeps a
    place: where the others need it, they move to another one of theirs.
    """
    placed: dict[int, str] = {}
    for person in may_take:
        _place(person, may_take, placed, set())
    return placed


def _place(
    person: str, may_take: Mapping[str, Sequence[int]], placed: dict[int, str], tried: set[int]
) -> bool:
    for place in may_take[person]:
        if place in tried:
            continue
        tried.add(place)
        if place not in placed or _place(placed[place], may_take, placed, tried):
            placed[place] = person
            return True
    return False
