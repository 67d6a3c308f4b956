"""Reads what is real at AWS into the form that the rules compare with."""

from concurrent.futures import ThreadPoolExecutor

from aws import functions, load_balancer, permissions, session
from aws.session import Access
from releases.domain.reality import ColorReality, Reality, RuleReality
from releases.domain.traffic import Color, Version
from releases.models import Service
from releases.services.accounts import access


def read_reality(service: Service) -> Reality:
    """What the service's rules, groups, functions and aliases are at this moment; raises ``aws.errors.AwsError``."""
    reach = access(service)
    session.connect(reach)  # clients are made by one thread at a time: the others would only wait for them
    with ThreadPoolExecutor(max_workers=2) as threads:
        blue = threads.submit(_color, reach, service.blue_function_name, service.blue_target_group_arn)
        green = threads.submit(_color, reach, service.green_function_name, service.green_target_group_arn)
        rules = load_balancer.read_rules(reach, [service.traffic_rule_arn, service.canary_rule_arn])
        return Reality(
            traffic=_rule(rules[service.traffic_rule_arn]),
            canary=_rule(rules[service.canary_rule_arn]),
            blue=blue.result(),
            green=green.result(),
        )


def real_version(service: Service, reality: Reality, color: Color) -> Version:
    """The version that a colour's function really has, in the form that Terraform is given."""
    digest = (reality.blue if color is Color.BLUE else reality.green).latest_digest
    recorded = service.state.version_of(color)
    return Version(image=f"{service.repository_uri}@{digest}", configuration=recorded.configuration)


def _rule(rule: load_balancer.Rule) -> RuleReality:
    return RuleReality(
        weights=rule.weights,
        source_ips=rule.source_ips,
        hostnames=rule.hostnames,
        paths=rule.paths,
        priority=rule.priority,
        sticky=rule.sticky,
        other_conditions=rule.other_conditions,
    )


def _color(reach: Access, function_name: str, target_group_arn: str) -> ColorReality:
    function = functions.read_function(reach, function_name)
    return ColorReality(
        function_name=function.name,
        alias_version=function.alias_version,
        alias_digest=function.alias_digest,
        latest_digest=function.latest_digest,
        newest_version=function.newest_version,
        targets=load_balancer.registered_targets(reach, target_group_arn),
        callers=permissions.read_callers(reach, function_name),
        state=function.state,
        update_status=function.update_status,
        latest_state=function.latest_state,
        last_update_status=function.last_update_status,
    )
