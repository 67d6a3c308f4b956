"""What is there under the names that a set-up gives: one that was interrupted goes on with what it had made."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from aws.errors import in_words
from aws.session import Access, elbv2, functions, iam

_MISSING = frozenset({"NoSuchEntity", "ResourceNotFoundException", "TargetGroupNotFound"})


def has_role(access: Access, name: str) -> bool:
    """Whether there is a role of this name. Raises ``AwsError``, as all of these do."""
    return _ask(f"find the role {name}", lambda: iam(access).get_role(RoleName=name)) is not None


def has_function(access: Access, name: str) -> bool:
    """Whether there is a function of this name."""
    found = _ask(f"find the function {name}", lambda: functions(access).get_function(FunctionName=name))
    return found is not None


def has_alias(access: Access, function: str, alias: str) -> bool:
    """Whether a function has this alias."""
    client = functions(access)
    found = _ask(
        f"find the alias {alias} of {function}", lambda: client.get_alias(FunctionName=function, Name=alias)
    )
    return found is not None


def read_statements(access: Access, function: str, alias: str) -> frozenset[str]:
    """The ids of the statements in an alias' policy."""
    client = functions(access)
    found = _ask(
        f"read who may invoke {function}",
        lambda: client.get_policy(FunctionName=function, Qualifier=alias),
    )
    statements = json.loads(found["Policy"])["Statement"] if found else []
    return frozenset(statement["Sid"] for statement in statements)


def find_target_group(access: Access, name: str) -> str:
    """The ARN of the target group of this name, "" if there is none."""
    found = _ask(f"find the target group {name}", lambda: elbv2(access).describe_target_groups(Names=[name]))
    return str(found["TargetGroups"][0]["TargetGroupArn"]) if found else ""


def find_rules(access: Access, listener_arn: str, groups: Iterable[str]) -> dict[int, str]:
    """The ARNs of a listener's rules that forward to just these target groups, by priority."""
    wanted = set(groups)
    with in_words(f"list the rules of the listener {listener_arn[:300]}"):
        pages = elbv2(access).get_paginator("describe_rules").paginate(ListenerArn=listener_arn)
        rules = [rule for page in pages for rule in page["Rules"] if not rule["IsDefault"]]
    return {int(rule["Priority"]): rule["RuleArn"] for rule in rules if _groups(rule) == wanted}


def _groups(rule: Any) -> set[str]:  # noqa: ANN401 - a rule as boto3 gives it
    forwards = [action.get("ForwardConfig", {}) for action in rule["Actions"]]
    return {group["TargetGroupArn"] for forward in forwards for group in forward.get("TargetGroups", [])}


def _ask(doing: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - an answer as boto3 gives it
    """What AWS answers; None if it is not there."""
    with in_words(doing):
        try:
            return call()
        except ClientError as error:
            if error.response["Error"].get("Code") in _MISSING:
                return None
            raise
