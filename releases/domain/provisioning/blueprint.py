"""What a service's resources are made as: what its set-up decides and nothing changes later."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from releases.domain.provisioning.execution_role import ExecutionRole, least_policy, partition
from releases.domain.traffic import Color

_FUNCTION = "{name}-{color}"

# By type and attribute, what the module writes out. In braces is what differs from service to service, and the colour.
_WRITTEN_OUT: Mapping[tuple[str, str], str | bool | None] = {
    ("aws_lambda_function", "function_name"): _FUNCTION,
    ("aws_lambda_function", "package_type"): "Image",
    ("aws_lambda_function", "publish"): True,
    ("aws_lambda_alias", "function_name"): _FUNCTION,
    ("aws_lambda_alias", "name"): "live",
    ("aws_lambda_permission", "action"): "lambda:InvokeFunction",
    ("aws_lambda_permission", "function_name"): _FUNCTION,
    ("aws_lambda_permission", "principal"): "elasticloadbalancing.amazonaws.com",
    ("aws_lambda_permission", "qualifier"): "live",
    ("aws_lambda_permission", "source_account"): "{account_id}",
    ("aws_lambda_permission", "statement_id"): "AllowALB-{name}-{color}",
    ("aws_lb_listener_rule", "listener_arn"): "{listener_arn}",
    ("aws_lb_target_group", "name"): "{family}-{color}",
    ("aws_lb_target_group", "target_type"): "lambda",
    ("aws_cloudwatch_log_group", "kms_key_id"): None,
    ("aws_cloudwatch_log_group", "name"): "/aws/lambda/{name}-{color}",
    ("aws_cloudwatch_log_group", "skip_destroy"): False,
    ("aws_lambda_provisioned_concurrency_config", "function_name"): _FUNCTION,
    ("aws_lambda_provisioned_concurrency_config", "qualifier"): "live",
    ("aws_lambda_provisioned_concurrency_config", "skip_destroy"): False,
}


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """Names, place, and the functions' role."""

    name: str
    family: str
    region: str
    account_id: str
    listener_arn: str
    role: ExecutionRole = field(default_factory=ExecutionRole)

    def written_out(self, kind: str, color: str) -> dict[str, object]:
        """What the attributes of a resource of this type and colour are made as."""
        given = {**vars(self), "color": color}
        return {
            attribute: value.format(**given) if isinstance(value, str) else value
            for (of, attribute), value in _WRITTEN_OUT.items()
            if of == kind
        }

    def function_name(self, color: Color) -> str:
        """What a colour's function is called."""
        return _FUNCTION.format(name=self.name, color=color)

    @property
    def role_name(self) -> str:
        """What the role is called that is made."""
        return f"lambda_exec_{self.name}"

    @property
    def role_arn(self) -> str:
        """The functions' role, given or made."""
        made = f"arn:{partition(self.region)}:iam::{self.account_id}:role/{self.role_name}"
        return self.role.arn or made

    @property
    def role_policy(self) -> dict[str, object]:
        """What the role may do that is made with the least rights."""
        names = [self.function_name(color) for color in Color]
        return least_policy(names, region=self.region, account_id=self.account_id)
