"""What a set-up that was interrupted has made at AWS: the next one takes it over, by exactly the service's own names.

Terraform does not know what it made before it was killed: it would make it anew, and AWS would refuse that.
"""

from aws import leftovers
from aws.session import Access
from releases import selectors
from releases.domain.plans.expectation import ROLE, TRAFFIC_RULE, Expectation
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.traffic import Color, Transition
from releases.models import Service
from releases.services.execution.accounts import access


def find(service: Service, expectation: Expectation) -> dict[str, str]:
    """Ids for Terraform to import by, by the addresses in the module. Raises ``AwsError``.

    Nothing is looked for unless the trail shows that an apply of a set-up has begun.
    """
    blueprint = expectation.blueprint
    if (
        expectation.transition is not Transition.SET_UP
        or blueprint is None
        or not selectors.set_up_has_begun(service)
    ):
        return {}
    reach = access(service)
    groups = {
        color: leftovers.find_target_group(reach, _name(blueprint, color, "aws_lb_target_group"))
        for color in Color
    }
    return {
        **_role(reach, blueprint),
        **{f"aws_lb_target_group.{color}": arn for color, arn in groups.items() if arn},
        **{address: found for color in Color for address, found in _function(reach, blueprint, color)},
        **_rules(reach, expectation, blueprint, set(groups.values())),
    }


def _role(reach: Access, blueprint: Blueprint) -> dict[str, str]:
    is_there = not blueprint.role.arn and leftovers.has_role(reach, blueprint.role_name)
    return {ROLE: blueprint.role_name} if is_there else {}


def _function(reach: Access, blueprint: Blueprint, color: Color) -> list[tuple[str, str]]:
    """A function with its alias and the load balancer's permission to call that."""
    name, alias = blueprint.function_name(color), _name(blueprint, color, "aws_lambda_alias")
    statement = _name(blueprint, color, "aws_lambda_permission", "statement_id")
    if not leftovers.has_function(reach, name):
        return []
    found = [(f"aws_lambda_function.{color}", name)]
    if leftovers.has_alias(reach, name, alias):
        found.append((f"aws_lambda_alias.{color}", f"{name}/{alias}"))
        if statement in leftovers.read_statements(reach, name, alias):
            found.append((f"aws_lambda_permission.{color}", f"{name}:{alias}/{statement}"))
    return found


def _rules(reach: Access, expectation: Expectation, blueprint: Blueprint, groups: set[str]) -> dict[str, str]:
    """A rule is the service's own if it leads to its two groups and nowhere else."""
    if "" in groups:
        return {}
    there = leftovers.find_rules(reach, blueprint.listener_arn, groups)
    wanted = {rule: expectation.rule_priority(rule) for rule in (TRAFFIC_RULE, *expectation.canary_rules)}
    return {rule: there[priority] for rule, priority in wanted.items() if priority in there}


def _name(blueprint: Blueprint, color: Color, kind: str, attribute: str = "name") -> str:
    return str(blueprint.written_out(kind, color)[attribute])
