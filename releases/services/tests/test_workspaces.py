"""What Terraform is given: a root and variables that fit the module, and no secret in either."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import hcl2
import pytest
from django.conf import settings

from aws.credentials import Credentials
from releases.domain.provisioning.settings import Settings
from releases.domain.traffic import TrafficState, Version
from releases.models import Service
from releases.services import canary_header
from releases.services.execution import storage, workspaces
from releases.tests.factories import ServiceFactory, image_of
from terraform_runner.executor import Workspace

HOSTILE = '${file("/etc/passwd")}'
SECRET = "wJalrXUtnFEMI-K7MDENG"
CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key=SECRET, session_token="FwoGZXIvYXdz")


@pytest.fixture
def service(settings) -> Service:
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    return ServiceFactory.build(name="shop", family="shp", hostnames=["shop.example.com"])


def made_for(service: Service, state: TrafficState | None = None) -> Workspace:
    return workspaces.workspace(
        service,
        state or service.state,
        credentials=CREDENTIALS,
        kept_in=storage.state(service.pk, run_id=uuid4()),
    )


@pytest.fixture
def workspace(service):
    return made_for(service)


@pytest.fixture(scope="module")
def module() -> dict[str, dict[str, Any]]:
    """The module's variables and outputs as they are declared."""
    folder = settings.BASE_DIR / "infra" / "modules" / workspaces.MODULE
    found: dict[str, dict[str, Any]] = {"variable": {}, "output": {}}
    for path in folder.glob("*.tf"):
        document = hcl2.loads(path.read_text())
        for kind, blocks in found.items():
            for block in document.get(kind, []):
                blocks |= {name.strip('"'): body for name, body in block.items()}
    return found


def is_of(declared: str, value: object) -> bool:
    """Whether a JSON value is of a declared type, as far as the module uses them."""
    kind = re.sub(r"\s|\$|\{|\}", "", declared)
    if kind.startswith(("object(", "map(")):
        return isinstance(value, dict)
    if kind.startswith("list("):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    exact = {"string": str, "number": int, "bool": bool}[kind]
    return type(value) is exact


def test_every_variable_is_one_of_the_module_s_and_of_its_type(workspace, module):
    for name, value in workspace.variables.items():
        declared = module["variable"][name]
        may_be_left_out = "default" in declared and str(declared["default"]) in {"None", "null"}
        assert is_of(str(declared["type"]), value) or (value is None and may_be_left_out), name


def test_the_canary_s_slots_header_and_addresses_are_variables_and_the_header_s_value_a_secret(service):
    service.canary_slots, service.canary_header_name = 3, "X-Canary"
    service.canary_header_value = canary_header.encrypt(service.pk, "abcdefgh_12345678")
    service.stickiness_seconds = 3600
    made = made_for(service, service.state.with_canary(True, ["203.0.113.7/32"]))
    assert made.variables["canary_slots"] == 3
    assert made.variables["canary_header"] == {"name": "X-Canary", "value": "abcdefgh_12345678"}
    assert made.variables["canary_source_ips"] == ["203.0.113.7/32"]
    assert made.variables["stickiness_seconds"] == 3600
    assert "abcdefgh_12345678" in made.secrets
    assert "abcdefgh_12345678" not in str(made.root)


def test_while_the_canary_is_off_no_address_is_given_to_terraform(service):
    assert made_for(service).variables["canary_source_ips"] == []


def test_nothing_that_the_module_needs_is_missing(workspace, module):
    needed = {name for name, body in module["variable"].items() if "default" not in body}
    assert needed
    assert needed <= set(workspace.variables)


def test_every_output_that_is_read_is_one_of_the_module_s(workspace, module):
    assert set(workspace.root["output"]) == set(workspaces.OUTPUTS) <= set(module["output"])


def test_the_root_declares_each_variable_and_passes_it_on(workspace):
    arguments = dict(workspace.root["module"]["service"])
    assert arguments.pop("source") == f"./modules/{workspaces.MODULE}"
    assert arguments == {name: f"${{var.{name}}}" for name in workspace.variables}
    assert set(workspace.root["variable"]) == set(workspace.variables)


def test_both_documents_are_json(workspace):
    for document in (workspace.root, workspace.variables):
        assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("field", ["name", "family", "listener_arn"])
def test_what_people_write_is_never_read_as_terraform_code(service, field):
    """A string in JSON's root is a template; in a variables file it is what it is."""
    setattr(service, field, HOSTILE)
    service.hostnames = service.canary_addresses = [HOSTILE]
    made = made_for(service)
    assert HOSTILE in json.dumps(made.variables).replace('\\"', '"')
    assert "passwd" not in json.dumps(made.root)


@pytest.mark.parametrize("field", ["region", "account_id"])
@pytest.mark.parametrize("start", ["$", "%"])
def test_what_stands_in_the_root_is_quoted(service, field, start):
    setattr(service, field, start + '{file("/etc/passwd")}')
    root = json.dumps(made_for(service).root)
    assert f"{start}{start}{{file(" in root
    assert f"{start}{{file(" not in root.replace(f"{start}{start}{{", "")


def test_the_variables_are_the_state_s_and_not_the_record_s(service):
    other = Version(image=image_of("yellow"), configuration={"memory_size": 512})
    state = replace(service.state, green=other, green_weight=25, activate_canary=True)
    variables = made_for(service, state).variables
    assert variables["green_image"] == image_of("yellow")
    assert variables["green_config"] == {"memory_size": 512}
    assert (variables["green_weight"], variables["activate_canary"]) == (25, True)
    assert (variables["blue_image"], variables["active_color"]) == (service.blue_image, "blue")


def test_terraform_itself_refuses_another_account(workspace, service):
    provider = workspace.root["provider"]["aws"]
    assert provider == {"region": service.region, "allowed_account_ids": [service.account_id]}


def test_credentials_are_in_the_environment_only_and_masked_in_what_is_printed(workspace):
    assert workspace.environment == {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": "FwoGZXIvYXdz",
    }
    assert workspace.secrets == (SECRET, "FwoGZXIvYXdz")
    written = json.dumps([workspace.root, workspace.variables])
    assert not any(given in written for given in (*workspace.secrets, "AKIDEXAMPLE"))


def test_where_aws_itself_is_worked_with_no_address_is_given(service, settings):
    settings.AWS_ENDPOINT_URL = None
    assert "AWS_ENDPOINT_URL" not in made_for(service).environment


def test_each_service_has_a_state_of_its_own_below_the_data_directory(service, settings):
    other = ServiceFactory.build()
    paths = {Path(made_for(one).state.backend["local"]["path"]) for one in (service, other)}
    assert len(paths) == 2
    assert all(path.is_relative_to(settings.DATA_DIR) and str(path) for path in paths)
    assert made_for(service).key == str(service.pk)


def test_a_renamed_service_keeps_its_state(service):
    before = made_for(service)
    service.name = "store"
    after = made_for(service)
    assert (after.key, after.state) == (before.key, before.state)


def test_the_runner_is_given_the_settings_bounds(settings, tmp_path):
    settings.TERRAFORM_BIN, settings.TERRAFORM_MIRROR = "/opt/terraform", tmp_path
    settings.TERRAFORM_TIME_LIMIT_SECONDS = 7
    given = workspaces.runner_settings()
    assert (given.binary, given.mirror, given.time_limit_seconds) == ("/opt/terraform", tmp_path, 7)
    assert given.data_root == settings.DATA_DIR / "terraform"


def test_settings_that_are_wanted_go_before_the_recorded_ones(service):
    service.tags, service.log_retention_days = {"team": "pay"}, 30
    wanted = Settings(
        hostnames=("new.example.com",), paths=("/api/*",), priority=300, provisioned_concurrency=2
    )
    given = workspaces.workspace(
        service,
        service.state,
        credentials=CREDENTIALS,
        kept_in=storage.state(service.pk, run_id=uuid4()),
        settings_after=wanted,
    ).variables
    assert (given["hostnames"], given["paths"], given["priority"]) == (["new.example.com"], ["/api/*"], 300)
    assert (given["tags"], given["provisioned_concurrency"]) == ({}, 2)
    assert made_for(service).variables["tags"] == {"team": "pay"}
    assert made_for(service).variables["log_retention_days"] == 30


def test_what_is_not_said_is_left_to_the_module(service):
    assert (
        not {"log_retention_days", "role_arn", "role_permissions_boundary"}
        & made_for(service).variables.keys()
    )
    service.role_arn = "arn:aws:iam::123456789012:role/shop"
    assert made_for(service).variables["role_arn"] == service.role_arn


def test_a_role_is_made_with_the_rights_that_the_service_was_set_up_with(service):
    assert made_for(service).variables["role_rights"] == "managed"
    service.role_rights = "least"
    assert made_for(service).variables["role_rights"] == "least"


def test_what_is_there_already_is_taken_over_where_it_is_said(workspace):
    imported = workspaces.with_imports(
        workspace, {"aws_cloudwatch_log_group.blue[0]": "/aws/lambda/${shop}-blue"}
    )
    assert imported.root["import"] == [
        {"to": "module.service.aws_cloudwatch_log_group.blue[0]", "id": "/aws/lambda/$${shop}-blue"}
    ]
    assert {**imported.root, "import": None} == {**workspace.root, "import": None}
    assert workspaces.with_imports(workspace, {}) is workspace


def test_without_the_module_there_is_nothing_but_the_provider_of_the_very_account(workspace, service):
    left = workspaces.without_module(workspace)
    assert set(left.root) == {"terraform", "provider"}
    assert left.root["provider"]["aws"]["allowed_account_ids"] == [service.account_id]
    assert (left.variables, left.state) == ({}, workspace.state)
