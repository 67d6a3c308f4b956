"""What a function runs its image with, as Lambda's GetFunction tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aws.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import (
        FunctionConfigurationTypeDef,
        ImageConfigOutputTypeDef,
        ImageConfigResponseTypeDef,
        TracingConfigResponseTypeDef,
        VpcConfigResponseTypeDef,
    )

NO_RESERVE = -1


@dataclass(frozen=True, kw_only=True)
class FunctionConfiguration:
    """Sizes in MB, the timeout in seconds; what the image itself decides is empty."""

    memory_size: int
    timeout: int
    environment: Mapping[str, str] = field(repr=False)
    architectures: tuple[str, ...]
    ephemeral_storage: int
    subnet_ids: frozenset[str]
    security_group_ids: frozenset[str]
    tracing_mode: str
    command: tuple[str, ...]
    entry_point: tuple[str, ...]
    working_directory: str


def read_configuration(name: str, answer: "FunctionConfigurationTypeDef") -> FunctionConfiguration:
    """A function's, or a version's, by what GetFunction says of it.

    Raises AwsError ("aws:environment-hidden") where Lambda could not decrypt the environment: what isn't seen must not
    be taken for empty.
    """
    # Without annotations mypy takes what stands in for nothing for a mapping that has nothing.
    network: VpcConfigResponseTypeDef = answer.get("VpcConfig") or {}
    response: ImageConfigResponseTypeDef = answer.get("ImageConfigResponse") or {}
    image: ImageConfigOutputTypeDef = response.get("ImageConfig") or {}
    tracing: TracingConfigResponseTypeDef = answer.get("TracingConfig") or {}
    return FunctionConfiguration(
        memory_size=answer.get("MemorySize", 0),
        timeout=answer.get("Timeout", 0),
        environment=_environment(name, answer),
        architectures=tuple(answer.get("Architectures") or ()),
        ephemeral_storage=(answer.get("EphemeralStorage") or {"Size": 0})["Size"],
        subnet_ids=frozenset(network.get("SubnetIds") or ()),
        security_group_ids=frozenset(network.get("SecurityGroupIds") or ()),
        tracing_mode=tracing.get("Mode", ""),
        command=tuple(image.get("Command") or ()),
        entry_point=tuple(image.get("EntryPoint") or ()),
        working_directory=image.get("WorkingDirectory") or "",
    )


def _environment(name: str, answer: "FunctionConfigurationTypeDef") -> Mapping[str, str]:
    environment = answer.get("Environment") or {}
    problem = environment.get("Error")
    if problem:
        raise AwsError(
            "aws:environment-hidden",
            f"The environment of {name} cannot be read: {problem.get('Message') or problem.get('ErrorCode')}. "
            "Give the role that Bluegreen reads with the right to use the function's KMS key.",
        )
    return environment.get("Variables") or {}
