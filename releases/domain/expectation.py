"""What a plan has to be: the states before and after a transition, in terms of the module's resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from releases.domain.configuration import in_the_clear
from releases.domain.traffic import NOBODY, Color, TrafficState, Transition

TRAFFIC_RULE = "aws_lb_listener_rule.traffic"
CANARY_RULE = "aws_lb_listener_rule.canary"
PAIRED_TYPES = (
    "aws_lambda_function",
    "aws_lambda_alias",
    "aws_lb_target_group",
    "aws_lambda_permission",
    "aws_lb_target_group_attachment",
)
PAIRED = {f"{kind}.{color}": color for kind in PAIRED_TYPES for color in Color}
REQUIRED = frozenset({TRAFFIC_RULE, CANARY_RULE, *PAIRED})
ROLE = "aws_iam_role.this[0]"
ROLE_POLICY = "aws_iam_role_policy_attachment.vpc_access[0]"
OPTIONAL = frozenset({ROLE, ROLE_POLICY})
"""There unless the service was given a role."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What is known of a service when a plan for one transition is looked at.

    `before` is the recorded state, `after` what `target_state` says. The target groups' ARNs may be empty
    for a set-up, which makes them. `hostnames` and `priority` are the traffic rule's; the canary rule has the
    same hosts, and the priority before it. `revealed` has what the tokens of secret environment values in both
    states stand for: only in memory, to compare with plans and with what is real.
    """

    transition: Transition
    before: TrafficState
    after: TrafficState
    canary_addresses: tuple[str, ...]
    blue_target_group_arn: str
    green_target_group_arn: str
    hostnames: tuple[str, ...]
    priority: int
    module_prefix: str = "module.service."
    revealed: Mapping[str, str] = field(default_factory=dict, repr=False)

    def target_group_arn(self, color: Color) -> str:
        """The ARN of this colour's target group."""
        return self.blue_target_group_arn if color is Color.BLUE else self.green_target_group_arn

    def configuration(self, state: TrafficState, color: Color) -> dict[str, Any]:
        """What a colour's function runs its image with in this state, in the clear."""
        return in_the_clear(state.version_of(color).configuration, self.revealed)

    def traffic_weights(self, state: TrafficState) -> dict[str, int]:
        """The traffic rule's weights in this state, by target group ARN."""
        return {self.target_group_arn(color): state.weight_of(color) for color in Color}

    def canary_weights(self, state: TrafficState) -> dict[str, int]:
        """The canary rule's weights: whoever it matches is sent to the candidate."""
        return {self.target_group_arn(color): 100 if color is state.candidate else 0 for color in Color}

    def addresses(self, state: TrafficState) -> tuple[str, ...]:
        """The canary rule's source addresses in this state."""
        return self.canary_addresses if state.activate_canary else (NOBODY,)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One reason why a plan is refused; `address` and `attribute` are empty where it is the whole plan's."""

    address: str
    attribute: str
    reason: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.address, self.attribute) if part)
        return f"{place}: {self.reason}" if place else self.reason
