"""The guard's engine: one resource of a plan, attribute by attribute."""

from collections.abc import Iterator
from dataclasses import dataclass

from releases.domain.plans.expectation import OPTIONAL, PAIRED, Expectation, Refusal
from releases.domain.plans.function_views import PUBLISHED, VPC_ID
from releases.domain.plans.guard_settings import may_change as by_settings
from releases.domain.plans.guard_settings import may_import, may_make_or_end
from releases.domain.plans.guard_table import FROM_ANYTHING, RECORDED, Place, may_change, shown
from releases.domain.plans.plan_blocks import UnknownShape
from releases.domain.plans.plan_configuration import alias_follows_function
from releases.domain.plans.plan_views import (
    Attributes,
    Missing,
    attributes,
    attributes_after,
    marked_names,
    same,
)
from releases.domain.traffic import Transition
from terraform_runner.domain.plan import Plan, ResourceChange

# What Terraform says of instances that are kept ready no more; whatever else is deleted is refused by its action.
_ENDED = (("delete",), "delete_because_count_index")


@dataclass(frozen=True, kw_only=True)
class _Resource:
    """One resource of the plan, with what it takes to judge its attributes."""

    change: ResourceChange
    name: str
    plan: Plan
    expectation: Expectation
    before: Attributes
    after: Attributes

    @property
    def attributes(self) -> list[str]:
        recorded = {attribute for name, attribute in RECORDED if name == self.name}
        return sorted(self.before.keys() | self.after.keys() | recorded)

    @property
    def changes(self) -> bool:
        return not all(same(*self.values(attribute)) for attribute in self.attributes)

    def values(self, attribute: str) -> tuple[object, object]:
        return self.before.get(attribute, Missing.ABSENT), self.after.get(attribute, Missing.ABSENT)

    def refuse(self, reason: str, attribute: str = "") -> Refusal:
        return Refusal(address=self.change.address, attribute=attribute, reason=reason)


def check_resource(change: ResourceChange, plan: Plan, expectation: Expectation) -> list[Refusal]:
    """What is wrong with one resource; of a set-up's, whose attributes have rules of their own, its action only."""
    name = change.address.removeprefix(expectation.module_prefix)
    try:
        before = attributes(change.type, change.before)
        after = attributes_after(change.type, change.after, change.after_unknown)
    except UnknownShape as error:
        return [Refusal(address=change.address, attribute="", reason=f"{error.message}.")]
    resource = _Resource(
        change=change, name=name, plan=plan, expectation=expectation, before=before, after=after
    )
    if may_make_or_end(expectation, change):
        return [*does_not_belong(change, expectation), *_check_extras(resource)]
    refusals = [*does_not_belong(change, expectation), *_check_action(resource)]
    if not refusals and expectation.transition is not Transition.SET_UP:
        refusals += [problem for name in resource.attributes for problem in _check_attribute(resource, name)]
    return refusals


def does_not_belong(change: ResourceChange, expectation: Expectation) -> Iterator[Refusal]:
    """Why a resource of a plan is not one of the service's: by its address, its type, or where it comes from."""
    prefix = expectation.module_prefix
    name = change.address.removeprefix(prefix)
    kind, _, label = name.partition("[")[0].partition(".")
    found = (change.type, change.name, change.module_address, change.mode)
    reasons = {
        "does not belong to the service.": not change.address.startswith(prefix)
        or name not in expectation.required | OPTIONAL,
        "is not what its address says.": found != (kind, label, prefix.removesuffix("."), "managed"),
        f"comes from the provider {change.provider_name}.": not change.provider_name.endswith(
            "/hashicorp/aws"
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            yield Refusal(address=change.address, attribute="", reason=reason)


def _check_action(resource: _Resource) -> Iterator[Refusal]:
    change = resource.change
    if "delete" in change.actions:
        done = "replaced" if "create" in change.actions else "deleted"
        yield resource.refuse(f"would be {done}: a release never deletes anything.")
        return
    may_do = change.actions in _allowed_actions(resource.expectation.transition)
    if not may_do and not may_import(resource.expectation, change):
        yield resource.refuse(
            f"would be {_in_past(change.actions)}: {_transition(resource)} may not do that."
        )
    yield from _check_extras(resource)


def _check_extras(resource: _Resource) -> Iterator[Refusal]:
    change = resource.change
    extras = {
        # What differs and means nothing, such as the seconds of a stickiness that is off, is no change.
        "it would be updated, though nothing in it changes": change.actions == ("update",)
        and not resource.changes
        and same(change.before, change.after),
        "some of its attributes force a replacement": change.replace_paths,
        "it would be imported": change.importing and not may_import(resource.expectation, change),
        "it would move from another address": change.previous_address,
        "an old copy of it is left over": change.deposed,
        f"Terraform gives a reason of its own ({change.action_reason})": change.action_reason
        and (change.actions, change.action_reason) != _ENDED,
        "what is sensitive in it would change": marked_names(change.before_sensitive)
        != marked_names(change.after_sensitive),
    }
    for reason, holds in extras.items():
        if holds:
            yield resource.refuse(f"{reason}.")


def _allowed_actions(transition: Transition) -> tuple[tuple[str, ...], ...]:
    return ("no-op",), ("create",) if transition is Transition.SET_UP else ("update",)


def _check_attribute(resource: _Resource, attribute: str) -> Iterator[Refusal]:
    """One attribute: it stays, or is one that the transition may change, from what it was to what it shall be."""
    place = (resource.name, attribute)
    before, after = resource.values(attribute)
    changes = not same(before, after)
    allowed = place in may_change(resource.expectation)
    if resource.change.actions == ("update",) and by_settings(
        resource.expectation, resource.change, attribute
    ):
        return
    if changes and resource.change.actions == ("no-op",):
        yield resource.refuse("differs, though Terraform says that nothing is done.", attribute)
    elif changes and not allowed:
        yield resource.refuse(_untouchable(resource), attribute)
    elif place in RECORDED:
        yield from _check_recorded(resource, place, from_anything=allowed and _from_anything(resource))
    elif allowed and attribute == "function_version":
        yield from _check_alias(resource, after)
    elif changes and attribute == VPC_ID:
        yield from _check_network_id(resource, after)
    elif changes and not (after is Missing.UNKNOWN and _function_changes(resource)):
        yield resource.refuse("would change by itself, without an update of the function.", attribute)


def _check_recorded(resource: _Resource, place: Place, *, from_anything: bool) -> Iterator[Refusal]:
    expected, attribute = resource.expectation, place[1]
    recorded = RECORDED[place](expected, expected.before)
    wanted = RECORDED[place](expected, expected.after)
    before, after = resource.values(attribute)
    if not same(after, wanted):
        shall, found = shown(wanted, after, expected)
        yield resource.refuse(f"shall be {shall}, and the plan leaves {found}.", attribute)
    if not from_anything and not same(before, recorded) and not same(before, wanted):
        was, found = shown(recorded, before, expected)
        yield resource.refuse(
            f"was changed outside of Bluegreen: recorded is {was}, found {found}.", attribute
        )


def _check_alias(resource: _Resource, after: object) -> Iterator[Refusal]:
    """The alias follows its own function: to the version that it has, or that its update will publish."""
    color = PAIRED[resource.name]
    address = f"{resource.expectation.module_prefix}aws_lambda_function.{color}"
    versions = [
        _version_after(change) for change in resource.plan.resource_changes if change.address == address
    ]
    if not any(same(after, version) for version in versions):
        yield resource.refuse(f"would not be the version of {color}'s function.", "function_version")
    elif after is Missing.UNKNOWN and not alias_follows_function(
        resource.plan.configuration, resource.expectation.module_prefix, color
    ):
        yield resource.refuse(f"is not set from {color}'s function.", "function_version")


def _version_after(function: ResourceChange) -> object:
    if "version" in marked_names(function.after_unknown):
        return Missing.UNKNOWN
    return (function.after or {}).get("version", Missing.ABSENT)


def _check_network_id(resource: _Resource, after: object) -> Iterator[Refusal]:
    """AWS finds the network by its subnets: its id is gone, or known later, where those change."""
    if after not in (None, Missing.UNKNOWN) or same(*resource.values("vpc_config")):
        yield resource.refuse("would change without the function's subnets.", VPC_ID)


def _function_changes(resource: _Resource) -> bool:
    """Whether something changes that is published with a version."""
    return not all(same(*resource.values(attribute)) for attribute in ("image_uri", *PUBLISHED))


def _from_anything(resource: _Resource) -> bool:
    return resource.expectation.transition in FROM_ANYTHING


def _untouchable(resource: _Resource) -> str:
    color = PAIRED.get(resource.name)
    if color and resource.expectation.before.receives_traffic(color):
        return f"would change, while {color} receives traffic."
    return f"would change, and {_transition(resource)} may not change it."


def _transition(resource: _Resource) -> str:
    return f"the transition “{resource.expectation.transition.value.replace('_', ' ')}”"


def _in_past(actions: tuple[str, ...]) -> str:
    return ", ".join({"create": "created", "update": "updated"}.get(action, action) for action in actions)
