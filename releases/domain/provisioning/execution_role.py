"""The execution role of a service's functions: one that is given, or one made for it, and what that one may do."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RoleRights(StrEnum):
    """What a role that is made for a service may do; the module's README says it for each."""

    MANAGED = "managed"
    LEAST = "least"


@dataclass(frozen=True, kw_only=True)
class ExecutionRole:
    """``arn`` is empty where a role is made, ``permissions_boundary`` where nothing bounds what that one may do."""

    arn: str = ""
    rights: RoleRights = RoleRights.MANAGED
    permissions_boundary: str = ""


# Lambda's own role and nobody else's: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    ],
}
MANAGED_POLICY = "iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
_NETWORK_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def partition(region: str) -> str:
    """The part of AWS that a region is in, as ARNs say it: "aws", "aws-cn" or "aws-us-gov"."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")


def least_policy(functions: Sequence[str], *, region: str, account_id: str) -> dict[str, Any]:
    """All that these functions need: their logs, traces, and that Lambda, but not their code, makes their network."""
    place = f"{region}:{account_id}"
    logs = [f"arn:{partition(region)}:logs:{place}:log-group:/aws/lambda/{name}:*" for name in functions]
    themselves = [f"arn:{partition(region)}:lambda:{place}:function:{name}" for name in functions]
    return {
        "Version": "2012-10-17",
        "Statement": [
            _statement("OwnLogs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], logs),
            _statement("OwnTraces", ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], "*"),
            _statement("NetworkByLambda", _NETWORK_ACTIONS, "*"),
            _statement("NoNetworkByTheFunctionItself", _NETWORK_ACTIONS, "*", effect="Deny")
            | {"Condition": {"ArnEquals": {"lambda:SourceFunctionArn": themselves}}},
        ],
    }


def _statement(
    sid: str, actions: list[str], resource: str | list[str], *, effect: str = "Allow"
) -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, "Action": actions, "Resource": resource}
