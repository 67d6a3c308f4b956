from typing import Any

import pytest

from aws.errors import AwsError
from aws.function_configuration import FunctionConfiguration, read_configuration
from aws.functions import read_function
from infra.sandbox.tests.service import client

# As Lambda's GetFunction answers for an image function with everything.
ANSWER = {
    "MemorySize": 512,
    "Timeout": 60,
    "Environment": {"Variables": {"LEVEL": "info", "PASSWORD": "correct horse"}},
    "Architectures": ["arm64"],
    "EphemeralStorage": {"Size": 1024},
    "VpcConfig": {
        "SubnetIds": ["subnet-b", "subnet-a"],
        "SecurityGroupIds": ["sg-a"],
        "VpcId": "vpc-1",
        "Ipv6AllowedForDualStack": False,
    },
    "TracingConfig": {"Mode": "Active"},
    "ImageConfigResponse": {"ImageConfig": {"Command": ["serve"], "WorkingDirectory": "/srv"}},
}
FULL = FunctionConfiguration(
    memory_size=512,
    timeout=60,
    environment={"LEVEL": "info", "PASSWORD": "correct horse"},
    architectures=("arm64",),
    ephemeral_storage=1024,
    subnet_ids=frozenset({"subnet-a", "subnet-b"}),
    security_group_ids=frozenset({"sg-a"}),
    tracing_mode="Active",
    command=("serve",),
    entry_point=(),
    working_directory="/srv",
)


def read(**answer: Any) -> FunctionConfiguration:
    return read_configuration("shop", answer)  # type: ignore[arg-type]  # only what is needed of an answer


def test_an_answer_is_read_whole():
    assert read(**ANSWER) == FULL
    assert "correct horse" not in repr(FULL)


@pytest.mark.parametrize("nothing", [{}, None])
def test_what_is_not_there_is_empty(nothing):
    found = read(VpcConfig=nothing, Environment=nothing, ImageConfigResponse=nothing)
    assert (found.environment, found.subnet_ids, found.command) == ({}, frozenset(), ())


def test_a_network_that_was_taken_away_is_none():
    left = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}
    assert read(VpcConfig=left).subnet_ids == frozenset()


def test_an_environment_that_lambda_can_not_decrypt_is_not_taken_for_empty():
    hidden = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt it."}}
    with pytest.raises(AwsError, match="of shop cannot be read: Lambda was unable to decrypt it") as refused:
        read(Environment=hidden)
    assert refused.value.code == "aws:environment-hidden"


def test_the_function_and_the_version_that_serves_are_read_apart(service, access, sandbox):
    functions, name = client(sandbox, "lambda"), service.functions["blue"]
    functions.update_function_configuration(
        FunctionName=name, MemorySize=512, Environment={"Variables": {"LEVEL": "debug"}}
    )
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=7)
    found = read_function(access, name)
    assert (found.latest_configuration.memory_size, found.alias_configuration.memory_size) == (512, 128)
    assert (found.latest_configuration.environment, found.alias_configuration.environment) == (
        {"LEVEL": "debug"},
        {},
    )
    assert found.reserved_concurrency == 7


def test_without_reserved_concurrency_it_is_minus_one(service, access):
    assert read_function(access, service.functions["green"]).reserved_concurrency == -1
