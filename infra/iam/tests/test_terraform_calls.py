"""What Terraform was seen to call for the module through a whole life, by the provider's log, is allowed to its roles.

`sts:GetCallerIdentity`, which it calls too, needs no right.
"""

from infra.iam.tests.test_policies import actions

SEEN_IN_PLANS = """
elasticloadbalancing: DescribeRules DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth
iam: GetRole GetRolePolicy ListRolePolicies
lambda: GetAlias GetFunction GetPolicy ListVersionsByFunction
logs: DescribeLogGroups ListTagsForResource
"""
SEEN_IN_APPLIES = """
elasticloadbalancing: AddTags CreateRule CreateTargetGroup DeleteRule DeregisterTargets ModifyRule RegisterTargets
elasticloadbalancing: RemoveTags SetRulePriorities
iam: DeleteRole ListAttachedRolePolicies PutRolePolicy TagRole UntagRole
lambda: CreateAlias CreateFunction DeleteAlias DeleteFunction DeleteFunctionConcurrency GetFunctionConfiguration
lambda: PublishVersion RemovePermission TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration
logs: DeleteLogGroup PutRetentionPolicy
"""


def seen(text: str) -> set[str]:
    rows = [line.partition(": ") for line in text.strip().splitlines()]
    return {f"{service}:{name}" for service, _, names in rows for name in names.split()}


def test_a_plan_needs_what_the_reading_role_may() -> None:
    assert seen(SEEN_IN_PLANS) <= set(actions("read"))


def test_an_apply_needs_what_both_roles_may_together() -> None:
    assert seen(SEEN_IN_PLANS) | seen(SEEN_IN_APPLIES) <= set(actions("read")) | set(actions("write"))
