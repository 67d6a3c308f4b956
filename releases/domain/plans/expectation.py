"""What a plan has to be: the states before and after a transition, in terms of the module's resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from releases.domain.canary import CanaryHeader, lay_out, room_in_rule
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.provisioning.execution_role import RoleRights
from releases.domain.provisioning.settings import MOST_SLOTS, SettingsChange
from releases.domain.traffic import NOBODY, Color, TrafficState, Transition
from releases.domain.versions.configuration import in_the_clear

TRAFFIC_RULE = "aws_lb_listener_rule.traffic"
CANARY_RULE = "aws_lb_listener_rule.canary"
SLOT_RULES = (
    CANARY_RULE,
    *(f'aws_lb_listener_rule.canary_slot["{slot}"]' for slot in range(2, MOST_SLOTS + 1)),
)
"""The canary's rules for addresses; a service has the first so many of them, each before the one before."""
HEADER_RULE = "aws_lb_listener_rule.header[0]"
CANARY_RULES = (*SLOT_RULES, HEADER_RULE)
PAIRED_TYPES = (
    "aws_lambda_function",
    "aws_lambda_alias",
    "aws_lb_target_group",
    "aws_lambda_permission",
    "aws_lb_target_group_attachment",
)
PAIRED = {f"{kind}.{color}": color for kind in PAIRED_TYPES for color in Color}
ROLE = "aws_iam_role.this[0]"
ROLE_POLICIES = {
    RoleRights.MANAGED: "aws_iam_role_policy_attachment.vpc_access[0]",
    RoleRights.LEAST: "aws_iam_role_policy.least[0]",
}
"""Where the role has its rights that is made."""
LOG_GROUPS = frozenset(f"aws_cloudwatch_log_group.{color}[0]" for color in Color)
CONCURRENCY = frozenset(f"aws_lambda_provisioned_concurrency_config.{color}[0]" for color in Color)
OPTIONAL = frozenset({ROLE, *ROLE_POLICIES.values()}) | LOG_GROUPS | CONCURRENCY
"""There unless the service was given a role; where its settings say how long logs are kept, and what is kept ready."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What is known of a service when a plan for one transition is looked at.

    `before` is the recorded state, `after` what `target_state` says. The target groups' ARNs may be empty
    for a set-up, which makes them. `hostnames`, `paths` and `priority` are the traffic rule's; the canary's rules
    have the same hosts and paths, and the priorities before it. `stickiness_seconds` is 0 for a service without it.
    `settings` are all of the service's, before and after; a set-up needs them, and its `blueprint`. `unfinished` is
    what an interrupted set-up has made already, by address, with the ids to import it by. `revealed` has what the
    tokens of secret environment values in both states stand for, and the stored values of the canary's header: only in
    memory, to compare with plans and with what is real.
    """

    transition: Transition
    before: TrafficState
    after: TrafficState
    blue_target_group_arn: str
    green_target_group_arn: str
    hostnames: tuple[str, ...]
    priority: int
    paths: tuple[str, ...] = ()
    canary_slots: int = 1
    canary_header: CanaryHeader | None = None
    stickiness_seconds: int = 0
    settings: SettingsChange | None = None
    blueprint: Blueprint | None = None
    unfinished: Mapping[str, str] = field(default_factory=dict)
    module_prefix: str = "module.service."
    revealed: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def canary_rules(self) -> tuple[str, ...]:
        """The canary's rules that this service has, each with the priority before the one before."""
        return (*SLOT_RULES[: self.canary_slots], *([HEADER_RULE] if self.canary_header else []))

    @property
    def required(self) -> frozenset[str]:
        """What has to be in every plan."""
        return frozenset({TRAFFIC_RULE, *self.canary_rules, *PAIRED})

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
        """The weights of each of the canary's rules: whoever it matches is sent to the candidate."""
        return {self.target_group_arn(color): 100 if color is state.candidate else 0 for color in Color}

    def weights(self, rule: str, state: TrafficState) -> dict[str, int]:
        """A rule's weights in this state, by target group ARN."""
        return self.traffic_weights(state) if rule == TRAFFIC_RULE else self.canary_weights(state)

    def addresses(self, rule: str, state: TrafficState) -> tuple[str, ...]:
        """The source addresses that a rule asks for in this state; none: it takes requests from everywhere."""
        if rule == TRAFFIC_RULE:
            return ()
        if not state.activate_canary:
            return (NOBODY,)
        if rule == HEADER_RULE:
            return ()
        room = room_in_rule(self.hostnames, self.paths)
        return lay_out(state.canary_addresses, slots=MOST_SLOTS, room=room)[SLOT_RULES.index(rule)]

    def header(self, rule: str) -> CanaryHeader | None:
        """The header that a rule asks for."""
        return self.canary_header if rule == HEADER_RULE else None

    def rule_priority(self, rule: str) -> int:
        """A rule's priority on the listener."""
        return self.priority - (0 if rule == TRAFFIC_RULE else 1 + self.canary_rules.index(rule))

    def stickiness(self, rule: str, state: TrafficState) -> int:
        """For how many seconds a rule keeps a client on the group that it came to first: only while users are split."""
        is_split = 0 < state.green_weight < 100
        return self.stickiness_seconds if rule == TRAFFIC_RULE and is_split else 0


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One reason why a plan is refused; `address` and `attribute` are empty where it is the whole plan's."""

    address: str
    attribute: str
    reason: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.address, self.attribute) if part)
        return f"{place}: {self.reason}" if place else self.reason
