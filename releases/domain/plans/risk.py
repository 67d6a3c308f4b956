"""How closely somebody should look at a plan: a word, and why. ``docs/risk.md`` says the rule to people."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from releases.domain.visible import has_hidden

COMPARED_RELEASES = 5
"""With so many of a service's last releases a plan is compared."""
GREATEST_USUAL_JUMP = 50
"""By how many percent of all users a share may rise at once before somebody should look, in production."""
PRODUCTION = "production"

_WITHOUT_EFFECT = frozenset({"no-op", "read"})
_INDEX = re.compile(r"\[\d+\]")
_COLOR = re.compile(r"\b(blue|green)\b")

Changes = Sequence[Mapping[str, Any]]


class RiskWord(StrEnum):
    """How closely somebody should look."""

    ROUTINE = "routine"
    NEEDS_A_LOOK = "needs a look"
    DESTRUCTIVE = "destructive"


class Risk(NamedTuple):
    """The word, and why."""

    word: RiskWord
    reason: str


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """A plan's resource changes, each with "address", "actions" and "attributes", and what they are judged by.

    `earlier` has the kinds of change (:func:`kinds_of`) of the same transition in each of the service's last releases;
    None where the step belongs to no release, so that there is nothing to compare it with. `jump` is by how many
    percent of all users the candidate's share rises. `configuration` names what the release changes besides the image.
    `changed_outside`: an earlier plan of the step no longer fitted what is real. `tag_moved`: to another image.
    """

    changes: Changes
    earlier: Sequence[frozenset[str]] | None
    environment: str
    jump: int = 0
    configuration: Sequence[str] = ()
    changed_outside: bool = False
    tag_moved: bool = False


def risk(facts: PlanFacts) -> Risk:
    """The risk of a plan; of several reasons for the word each is named."""
    effects = [change for change in facts.changes if _has_effect(change)]
    destroyed = sum("delete" in change["actions"] for change in effects)
    if destroyed:
        return Risk(RiskWord.DESTRUCTIVE, f"It deletes or replaces {count(destroyed)}.")
    reasons = list(_reasons_to_look(facts, effects))
    if reasons:
        return Risk(RiskWord.NEEDS_A_LOOK, " ".join(reasons))
    return Risk(RiskWord.ROUTINE, _as_usual(effects, facts.earlier or ()))


def kinds_of(changes: Changes) -> frozenset[str]:
    """What a plan changes, in kinds that compare between releases: without places in lists, for either colour alike."""
    return frozenset(
        _COLOR.sub("colour", _INDEX.sub("", f"{attribute['path']} of {change['address']}"))
        for change in changes
        if _has_effect(change)
        for attribute in change["attributes"]
    )


def count(number: int) -> str:
    """So many resources, in words."""
    return "1 resource" if number == 1 else f"{number} resources"


def _reasons_to_look(facts: PlanFacts, effects: Changes) -> Iterator[str]:
    created = sum(list(change["actions"]) == ["create"] for change in effects)
    taken_over = sum(bool(change.get("importing")) for change in effects)
    if created:
        yield f"It creates {count(created)}."
    if taken_over:
        yield f"It takes over {count(taken_over)} that it finds there."
    if facts.changed_outside:
        yield "Something was changed outside Bluegreen since an earlier plan of this step."
    if facts.tag_moved:
        yield "Its tag was moved to another image since the request."
    if any(map(_hides_something, effects)):
        yield "It has characters that cannot be seen or that look like others: they are marked ⟨U+…⟩."
    if facts.configuration:
        yield f"The configuration changes too: {', '.join(facts.configuration)}."
    if facts.environment == PRODUCTION and facts.jump > GREATEST_USUAL_JUMP:
        yield f"In production it moves {facts.jump} % of all users at once."
    yield from _unusual(effects, facts.earlier)


def _unusual(effects: Changes, earlier: Sequence[frozenset[str]] | None) -> Iterator[str]:
    if not effects:
        return
    if earlier is None:
        yield "It belongs to no release, so it has nothing to be compared with."
    elif not earlier:
        yield "No release of this service has done this step before."
    else:
        new = sorted(kinds_of(effects) - frozenset().union(*earlier))
        if new:
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            yield f"{_the_last(len(earlier))} did not change {new[0]}{more}."


def _as_usual(effects: Changes, earlier: Sequence[frozenset[str]]) -> str:
    if not effects:
        return "It changes nothing."
    return f"It changes {count(len(effects))} in place, as {_the_last(len(earlier)).lower()} did."


def _the_last(number: int) -> str:
    return "The last release" if number == 1 else f"The last {number} releases"


def _has_effect(change: Mapping[str, Any]) -> bool:
    return bool(change.get("importing")) or not set(change["actions"]) <= _WITHOUT_EFFECT


def _hides_something(change: Mapping[str, Any]) -> bool:
    values = (attribute[side] for attribute in change["attributes"] for side in ("path", "before", "after"))
    return any(has_hidden(str(value)) for value in values if value is not None)
