"""Reads what is real at AWS into the form that the rules compare with."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws import functions, load_balancer, permissions, session
from aws.function_configuration import FunctionConfiguration
from aws.session import Access
from releases.domain.observed.reality import ColorReality, Reality
from releases.domain.observed.rule_reality import RuleReality
from releases.domain.traffic import Color, Version
from releases.domain.versions.configuration import without_defaults
from releases.models import Service
from releases.services.execution.accounts import access
from releases.services.versions import secret_values


def read_reality(service: Service) -> Reality:
    """What the service's rules, groups, functions and aliases are at this moment; raises ``aws.errors.AwsError``."""
    reach = access(service)
    session.connect(reach)  # clients are made by one thread at a time: the others would only wait for them
    with ThreadPoolExecutor(max_workers=2) as threads:
        blue = threads.submit(_color, reach, service.blue_function_name, service.blue_target_group_arn)
        green = threads.submit(_color, reach, service.green_function_name, service.green_target_group_arn)
        found = load_balancer.read_rules(reach, list(service.rule_arns.values()))
        return Reality(
            rules={rule: rule_of(found[arn]) for rule, arn in service.rule_arns.items()},
            blue=blue.result(),
            green=green.result(),
        )


def read_color(service: Service, color: Color) -> ColorReality:
    """What one colour's function, alias and group are at this moment; raises ``aws.errors.AwsError``."""
    name = service.green_function_name if color is Color.GREEN else service.blue_function_name
    return _color(access(service), name, service.target_group_arn(color))


def real_version(service: Service, reality: Reality, color: Color) -> Version:
    """The version that a colour's function really has, image and configuration, in the form that is recorded."""
    real = reality.color(color)
    configuration = dict(real.configuration)
    if "environment" in configuration:
        configuration["environment"] = secret_values.recognise(service, configuration["environment"])
    return Version(image=f"{service.repository_uri}@{real.latest_digest}", configuration=configuration)


def rule_of(rule: load_balancer.Rule) -> RuleReality:
    """A rule as the load balancer tells it, in the form that is compared."""
    return RuleReality(
        weights=rule.weights,
        source_ips=rule.source_ips,
        hostnames=rule.hostnames,
        paths=rule.paths,
        priority=rule.priority,
        stickiness_seconds=rule.stickiness_seconds,
        headers=rule.headers,
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
        configuration=_configuration(function.latest_configuration, function.reserved_concurrency),
        alias_configuration=_configuration(function.alias_configuration, function.reserved_concurrency),
    )


def _configuration(found: FunctionConfiguration, reserved_concurrency: int) -> dict[str, Any]:
    """In the one form of configurations, the environment in the clear."""
    image = {
        "command": list(found.command),
        "entry_point": list(found.entry_point),
        "working_directory": found.working_directory,
    }
    return without_defaults(
        {
            "memory_size": found.memory_size,
            "timeout": found.timeout,
            "environment": dict(found.environment),
            "architectures": list(found.architectures),
            "ephemeral_storage": found.ephemeral_storage,
            "subnet_ids": sorted(found.subnet_ids),
            "security_group_ids": sorted(found.security_group_ids),
            "tracing_mode": found.tracing_mode,
            "image_config": {name: value for name, value in image.items() if value} or None,
            "reserved_concurrency": reserved_concurrency,
        }
    )
