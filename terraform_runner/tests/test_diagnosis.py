import pytest

from terraform_runner.domain.diagnosis import MESSAGE_CHARACTERS, recognise
from terraform_runner.errors import (
    ModuleInvalid,
    PlanStale,
    ProviderNotFound,
    StateLocked,
    StorageFailed,
    TerraformFailed,
    TerraformKilled,
    TerraformTooOld,
)

# What Terraform 1.11.4 printed.
LOCKED = """
Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        7d0e
  Path:      /srv/state/terraform.tfstate
  Operation: OperationTypeApply
  Who:       jane@laptop
  Version:   1.11.4
  Created:   2026-11-24 21:04:16.123 +0000 UTC
  Info:


Terraform acquires a state lock to protect the state from being written
by multiple users at the same time."""
STALE = """
Error: Saved plan is stale

The given plan file can no longer be applied because the state was changed by
another operation after the plan was created."""
PROVIDER_KILLED = """
Error: Plugin did not respond

  with module.service.aws_lb_listener_rule.traffic,
  on modules/lambda-blue-green/main.tf line 40, in resource "aws_lb_listener_rule" "traffic":

The plugin encountered an error, and failed to respond to the
plugin6.(*GRPCProvider).ApplyResourceChange call."""
NO_PROVIDER = """
Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider hashicorp/aws:
provider registry.terraform.io/hashicorp/aws was not found in any of the
search locations"""
NOT_INSTALLED = """
Error: Inconsistent dependency lock file

The following dependency selections recorded in the lock file are
inconsistent with the current configuration:"""
WRONG_CORE = """
Error: Unsupported Terraform Core version

  on main.tf.json line 1, in terraform:
   1: {"terraform":{"required_version":">= 9.0"}}"""
NEWER_STATE = """
Error: Error acquiring the state lock

Error message: Unsupported state file format: The state file uses format
version 5, which is not supported by Terraform 1.11.4. This state file was
created by Terraform 9.9.9."""
WRONG_VALUE = """
Error: Invalid value for input variable

  on service.auto.tfvars.json line 1:
   1: {"v":["a"]}"""
NO_MODULE = """
Error: Unreadable module directory

The directory  could not be read for module "m" at main.tf.json:1."""
REFUSED_VALUE = """
Error: Invalid value for variable

  on main.tf.json line 30, in module.service:
  30:       "green_weight": "${var.green_weight}",

green_weight = 101: write a whole number from 0 to 100."""
NO_ROOM = """
Error: Failed to write plan file

write service.tfplan: no space left on device"""
AWS_REFUSES = """
Error: updating Lambda Function (x) code: AccessDeniedException: not authorized

  with module.service.aws_lambda_function.green,
  on modules/m/green.tf line 3"""


@pytest.mark.parametrize(
    ("printed", "kind"),
    [
        (LOCKED, StateLocked),
        (STALE, PlanStale),
        (PROVIDER_KILLED, TerraformKilled),
        (NO_PROVIDER, ProviderNotFound),
        (NOT_INSTALLED, ProviderNotFound),
        (WRONG_CORE, TerraformTooOld),
        (NEWER_STATE, TerraformTooOld),
        (WRONG_VALUE, ModuleInvalid),
        (NO_MODULE, ModuleInvalid),
        (REFUSED_VALUE, ModuleInvalid),
        (AWS_REFUSES, TerraformFailed),
        (NO_ROOM, StorageFailed),
        ("", TerraformFailed),
    ],
)
def test_error_is_recognised_by_what_terraform_says(printed, kind):
    error = recognise("plan", 1, printed.splitlines())

    assert type(error) is kind
    assert error.exit_code == 1


@pytest.mark.parametrize("said", [[], STALE.splitlines()])
def test_terraform_that_was_killed_does_not_say_what_went_wrong(said):
    error = recognise("apply", -9, said)

    assert type(error) is TerraformKilled
    assert "killed from outside" in error.message


def test_plan_of_another_terraform_is_refused_by_the_name_of_both_versions():
    said = (
        "Error: Failed to read plan: plan file was created by Terraform 1.12.0, but this is 1.11.4; plan files cannot "
        "be transferred between different Terraform versions"
    )
    error = recognise("apply", 1, [said])

    assert type(error) is PlanStale
    assert "another version" in error.message
    assert "1.12.0, but this is 1.11.4" in error.message


def test_lock_says_who_since_when_and_for_what():
    error = recognise("apply", 1, LOCKED.splitlines())

    assert isinstance(error, StateLocked)
    assert (error.who, error.since) == ("jane@laptop", "2026-11-24 21:04:16.123 +0000 UTC")
    assert error.operation == "OperationTypeApply"
    assert "locked by jane@laptop since 2026-11-24" in error.message


def test_lock_without_a_name_is_a_lock_all_the_same():
    error = recognise("apply", 1, [*LOCKED.replace("jane@laptop", "").splitlines()])

    assert isinstance(error, StateLocked)
    assert "locked by somebody" in error.message


def test_message_quotes_terraform_from_its_first_error_on():
    error = recognise("plan", 1, ["Refreshing state...", *REFUSED_VALUE.splitlines()])

    assert "write a whole number from 0 to 100" in error.message
    assert "Refreshing" not in error.message


def test_message_without_an_error_quotes_the_end():
    error = recognise("apply", 134, ["start", "panic: the provider crashed"])

    assert error.message == "terraform apply ended with exit code 134.\nstart\npanic: the provider crashed"


def test_long_message_is_cut():
    error = recognise("apply", 1, ["Error: " + "x" * 10_000])

    assert len(error.message) < MESSAGE_CHARACTERS + 100
