from itertools import count

import pytest
from botocore.exceptions import ClientError

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import ALIAS, client, make_function, make_role

_numbers = count()


@pytest.fixture
def functions(sandbox: SandboxInfo):
    return client(sandbox, "lambda")


@pytest.fixture
def name(sandbox: SandboxInfo) -> str:
    name = f"provisioned-{next(_numbers)}"
    make_function(sandbox, name, make_role(sandbox, name), sandbox.images["blue"])
    return name


def code_of(call, **asked) -> str:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    return str(refused.value.response["Error"]["Code"])


def test_instances_are_kept_ready_for_an_alias_as_many_as_were_asked_for_last(functions, name):
    for wanted in (2, 5):
        functions.put_provisioned_concurrency_config(
            FunctionName=name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=wanted
        )
        found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier=ALIAS)
        assert (found["RequestedProvisionedConcurrentExecutions"], found["Status"]) == (wanted, "READY")


def test_they_stay_when_the_alias_leads_to_another_version(functions, name, sandbox):
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=2
    )
    published = functions.update_function_code(
        FunctionName=name, ImageUri=sandbox.images["green"], Publish=True
    )
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=published["Version"])
    found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier=ALIAS)
    assert found["AllocatedProvisionedConcurrentExecutions"] == 2


def test_where_none_are_kept_that_is_said(functions, name):
    asked = {"FunctionName": name, "Qualifier": ALIAS}
    missing = "ProvisionedConcurrencyConfigNotFoundException"
    assert code_of(functions.get_provisioned_concurrency_config, **asked) == missing
    functions.put_provisioned_concurrency_config(**asked, ProvisionedConcurrentExecutions=1)
    functions.delete_provisioned_concurrency_config(**asked)
    assert code_of(functions.delete_provisioned_concurrency_config, **asked) == missing


def test_only_an_alias_or_a_version_that_is_there_has_any(functions, name):
    put = functions.put_provisioned_concurrency_config
    asked = {"FunctionName": name, "ProvisionedConcurrentExecutions": 1}
    assert code_of(put, **asked, Qualifier="$LATEST") == "InvalidParameterValueException"
    assert code_of(put, **asked, Qualifier="other") == "ResourceNotFoundException"
    assert code_of(put, **{**asked, "FunctionName": "nobody"}, Qualifier=ALIAS) == "ResourceNotFoundException"
