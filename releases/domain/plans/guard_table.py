"""What each transition may change in a plan, as data.

RECORDED says which attributes follow from a traffic state: in every plan they have to be found as recorded,
or already as wanted, and end as wanted. MAY_CHANGE says which attributes a transition may touch at all.
"""

from collections.abc import Callable, Mapping
from typing import Any

from releases.domain.plans.expectation import CANARY_RULES, TRAFFIC_RULE, Expectation
from releases.domain.plans.function_views import CONFIGURED, VPC_ID, expected_attributes
from releases.domain.plans.plan_views import HEADERS, SOURCE_ADDRESSES, STICKINESS, WEIGHTS, Missing
from releases.domain.traffic import Color, TrafficState, Transition
from releases.domain.versions.environment import differing_names

Place = tuple[str, str]
"""A resource's address within the module, and one of its attributes."""

Reading = Callable[[Expectation, TrafficState], Any]


def _image(color: Color) -> Reading:
    return lambda expected, state: state.version_of(color).image


def _configured(color: Color, attribute: str) -> Reading:
    return lambda expected, state: expected_attributes(expected.configuration(state, color))[attribute]


def _rule(rule: str) -> dict[Place, Reading]:
    """What follows from a traffic state of one rule; an address condition that is not there asks for none."""
    return {
        (rule, WEIGHTS): lambda expected, state: as_pairs(expected.weights(rule, state)),
        (rule, STICKINESS): lambda expected, state: [*filter(None, [expected.stickiness(rule, state)])],
        (rule, SOURCE_ADDRESSES): lambda expected, state: [
            *filter(None, [sorted(expected.addresses(rule, state))])
        ],
        (rule, HEADERS): lambda expected, state: [
            [header.name, [header.value]] for header in [expected.header(rule)] if header
        ],
    }


RECORDED: Mapping[Place, Reading] = {
    **{place: reading for rule in (TRAFFIC_RULE, *CANARY_RULES) for place, reading in _rule(rule).items()},
    **{(f"aws_lambda_function.{color}", "image_uri"): _image(color) for color in Color},
    **{
        (f"aws_lambda_function.{color}", attribute): _configured(color, attribute)
        for color in Color
        for attribute in CONFIGURED
    },
}
"""The attributes that follow from a traffic state, with their values as `plan_views` shows them."""


# What a function's update decides itself, and what follows from it (V in the design's table, FAULTS T9).
DECIDED_BY_UPDATE = ("version", "qualified_arn", "qualified_invoke_arn", "last_modified")


def _rotation(color: str) -> tuple[Place, ...]:
    attributes = ("image_uri", *CONFIGURED, VPC_ID, *DECIDED_BY_UPDATE)
    return (
        *((f"aws_lambda_function.{color}", attribute) for attribute in attributes),
        (f"aws_lambda_alias.{color}", "function_version"),
    )


MAY_CHANGE: Mapping[Transition, tuple[Place, ...]] = {
    Transition.ROTATE_STABLE: _rotation("{stable}"),
    Transition.ROTATE_TRAFFIC: ((TRAFFIC_RULE, WEIGHTS),),
    # By literal value the traffic rule stays as it is: its weights are green's, whichever colour is stable.
    Transition.SWAP_COLORS: (("{canary_rule}", WEIGHTS),),
    Transition.ROTATE_CANDIDATE: _rotation("{candidate}"),
    Transition.CANARY: (("{canary_rule}", SOURCE_ADDRESSES),),
    Transition.SHIFT: ((TRAFFIC_RULE, WEIGHTS), (TRAFFIC_RULE, STICKINESS)),
    Transition.PROMOTE: (
        (TRAFFIC_RULE, WEIGHTS),
        (TRAFFIC_RULE, STICKINESS),
        ("{canary_rule}", SOURCE_ADDRESSES),
    ),
    # The alias of a colour without traffic: a rotation that was stopped half-way may have left it behind.
    Transition.ROLLBACK: (
        (TRAFFIC_RULE, WEIGHTS),
        (TRAFFIC_RULE, STICKINESS),
        ("{canary_rule}", SOURCE_ADDRESSES),
        ("{canary_rule}", WEIGHTS),
        ("aws_lambda_alias.{idle}", "function_version"),
    ),
    Transition.SETTINGS: (),
    Transition.REMOVE: (),
}
"""{stable} and {candidate} are the colours with these roles, {idle} those that nobody is sent to, {canary_rule} each
of the canary's rules."""

# A rollback starts from whatever is real: the emergency button and what it stopped have left it so.
FROM_ANYTHING = frozenset({Transition.ROLLBACK})


def may_change(expectation: Expectation) -> set[Place]:
    """The attributes that the expected transition may touch, with the roles replaced by colours."""
    before = expectation.before
    idle = [color for color in Color if not before.receives_traffic(color)]
    roles = {
        "stable": [before.stable],
        "candidate": [before.candidate],
        "idle": idle,
        "canary_rule": expectation.canary_rules,
    }
    return {
        (resource.replace(f"{{{role}}}", name), attribute)
        for resource, attribute in MAY_CHANGE[expectation.transition]
        for role, names in roles.items()
        for name in names
    }


def as_pairs(weights: Mapping[str, int]) -> list[list[object]]:
    """Weights in the form and order in which `plan_views` has them."""
    return sorted(([arn, weight] for arn, weight in weights.items()), key=str)


def shown(one: object, other: object, expected: Expectation) -> tuple[str, str]:
    """Two values of a RECORDED attribute beside each other, for people. Environments and headers tell no values."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        first, second = in_words(one, expected), in_words(other, expected)
        return (first, second) if first != second else (f"{first} with its own value", "another value")
    return f"{', '.join(differing_names(one, other))} as released", "other values"


def in_words(value: object, expected: Expectation) -> str:
    """The value of a RECORDED attribute for people: "blue 90, green 10"; of an environment the names only."""
    if isinstance(value, Missing):
        return value.value
    if isinstance(value, Mapping):
        return ", ".join(sorted(value)) or "empty"
    if isinstance(value, list):
        value = ", ".join(map(_item_in_words, value))
    text = str(value) or "nobody in particular"
    for color in Color:
        text = text.replace(expected.target_group_arn(color) or color, color)
    return text


def _item_in_words(item: object) -> str:
    if not isinstance(item, list):
        return str(item)
    # A header is its name and its values, which are secrets.
    return " ".join(str(part) for part in item if not isinstance(part, list))
