"""A service's Terraform workspace: the root module and the variables that a run is given."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from aws.credentials import Credentials
from releases.domain.canary import CanaryHeader, header_of
from releases.domain.provisioning.settings import Settings
from releases.domain.traffic import TrafficState
from releases.domain.versions.configuration import in_the_clear
from releases.domain.versions.environment import Revealed
from releases.models import Service
from releases.services import canary_header
from releases.services.execution import storage
from releases.services.provisioning.settings_columns import present_settings, recorded_settings
from releases.services.versions import secret_values
from terraform_runner.domain.state_identity import StateIdentity
from terraform_runner.executor import RunnerSettings, UnsavedState, Workspace
from terraform_runner.state import State

MODULE = "lambda-blue-green"
OUTPUTS = (
    "traffic_rule_arn",
    "canary_rule_arn",
    "canary_rule_arns",
    "header_rule_arn",
    "blue_target_group_arn",
    "green_target_group_arn",
    "blue_function_name",
    "green_function_name",
    "blue_version",
    "green_version",
)


def workspace(
    service: Service,
    state: TrafficState,
    *,
    credentials: Credentials,
    kept_in: State,
    last_state: StateIdentity | None = None,
    unsaved: UnsavedState | None = None,
    settings_after: Settings | None = None,
) -> Workspace:
    """What Terraform runs on to bring ``service`` to ``state``, as whom; its own state is ``kept_in``.

    It has to be the one that it was after the last run; one that could not be written then is pushed first. The
    settings are the recorded ones where no others are wanted.
    """
    revealed = secret_values.reveal(service.pk, state.blue.configuration, state.green.configuration)
    wanted = settings_after or recorded_settings(service)
    # What is real may have any of these values, and Terraform may print it.
    headers = canary_header.reveal(service.pk, wanted, *present_settings(service))
    variables = {**_variables(service, state, revealed), **_canary(state, header_of(wanted, headers))}
    variables |= _settings_variables(service, wanted)
    return Workspace(
        key=str(service.id),
        root=_root(service) | _module(variables),
        variables=variables,
        modules={MODULE: settings.BASE_DIR / "infra" / "modules" / MODULE},
        environment={**_place(service), **credentials.environment},
        state=kept_in,
        last_state=last_state,
        unsaved=unsaved,
        secrets=(
            *credentials.secrets,
            *kept_in.secrets,
            *revealed.values(),
            *headers.values(),
        ),
    )


def without_module(made: Workspace) -> Workspace:
    """The same workspace without the module: a plan of it destroys whatever is in the state, and nothing else."""
    root = {name: made.root[name] for name in ("terraform", "provider")}
    return replace(made, root=root, variables={})


def with_imports(made: Workspace, imports: Mapping[str, str]) -> Workspace:
    """The same workspace, taking over what is there already: ids by the addresses in the module that they get."""
    if not imports:
        return made
    blocks = [{"to": f"module.service.{address}", "id": _quoted(name)} for address, name in imports.items()]
    return replace(made, root={**made.root, "import": blocks})


def runner_settings() -> RunnerSettings:
    """How Terraform is run on this machine."""
    return RunnerSettings(
        binary=settings.TERRAFORM_BIN,
        data_root=settings.DATA_DIR / "terraform",
        plans=storage.plan_store(),
        unsaved_states=storage.unsaved_states(),
        mirror=settings.TERRAFORM_MIRROR,
        time_limit_seconds=settings.TERRAFORM_TIME_LIMIT_SECONDS,
        grace_seconds=settings.TERRAFORM_GRACE_SECONDS,
        lock_timeout_seconds=settings.TERRAFORM_LOCK_TIMEOUT_SECONDS,
        keep_prepared_seconds=settings.KEEP_PLANS_DAYS * 86_400,
    )


def _place(service: Service) -> dict[str, str]:
    """Where AWS is, by the names that Terraform's provider reads."""
    endpoint = {"AWS_ENDPOINT_URL": settings.AWS_ENDPOINT_URL} if settings.AWS_ENDPOINT_URL else {}
    return {"AWS_REGION": service.region, **endpoint}


def _variables(service: Service, state: TrafficState, revealed: Revealed) -> dict[str, Any]:
    return {
        "name": service.name,
        "family": service.family,
        "blue_image": state.blue.image,
        "green_image": state.green.image,
        "blue_config": in_the_clear(state.blue.configuration, revealed),
        "green_config": in_the_clear(state.green.configuration, revealed),
        "active_color": state.active_color.value,
        "activate_canary": state.activate_canary,
        "green_weight": state.green_weight,
        "listener_arn": service.listener_arn,
    }


def _canary(state: TrafficState, header: CanaryHeader | None) -> dict[str, Any]:
    """Without a header where there is none: the module's own default is null there."""
    by_header = {"canary_header": {"name": header.name, "value": header.value}} if header else {}
    return {"canary_source_ips": list(state.canary_addresses), **by_header}


def _settings_variables(service: Service, wanted: Settings) -> dict[str, Any]:
    """Without what is not said: the module's own default is null there."""
    given = {
        "hostnames": list(wanted.hostnames),
        "paths": list(wanted.paths),
        "priority": wanted.priority,
        "canary_slots": wanted.canary_slots,
        "tags": dict(wanted.tags),
        "log_retention_days": wanted.log_retention_days,
        "stickiness_seconds": wanted.stickiness_seconds,
        "provisioned_concurrency": wanted.provisioned_concurrency,
        "role_arn": service.role_arn or None,
        "role_rights": service.role_rights,
        "role_permissions_boundary": service.role_permissions_boundary or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _root(service: Service) -> dict[str, Any]:
    """``allowed_account_ids`` makes the provider itself refuse any account but the service's.

    Strings in a ``.tf.json`` file are templates, those in a ``.tfvars.json`` are not: what people have typed is in the
    variables, and the little that stands here is quoted.
    """
    return {
        "terraform": {"required_version": ">= 1.10"},
        "provider": {
            "aws": {"region": _quoted(service.region), "allowed_account_ids": [_quoted(service.account_id)]}
        },
    }


def _module(variables: dict[str, Any]) -> dict[str, Any]:
    arguments = {name: f"${{var.{name}}}" for name in variables}
    return {
        "variable": {name: {} for name in variables},
        "module": {"service": {"source": f"./modules/{MODULE}", **arguments}},
        "output": {name: {"value": f"${{module.service.{name}}}"} for name in OUTPUTS},
    }


def _quoted(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")
