"""What the sandbox holds survives its end, and nothing of it outlives it."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.sandbox.info import FILE_NAME, SandboxInfo
from infra.sandbox.testing import running_sandbox
from infra.sandbox.tests.service import ALIAS, Service, client, make_service

BUCKET = "kept-objects"


def fill(info: SandboxInfo) -> Service:
    """Make something of every kind that a user of the sandbox makes."""
    service = make_service(info, "kept", priority=200)
    service.set_weights(blue=60, green=40)
    functions, name = client(info, "lambda"), service.functions["blue"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "b"}})
    functions.update_function_code(FunctionName=name, ImageUri=info.images["yellow"], Publish=True)
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion="2")
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=2
    )
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    client(info, "iam").attach_role_policy(RoleName="kept", PolicyArn=policy)
    objects = client(info, "s3")
    objects.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": info.region})
    objects.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second"):
        objects.put_object(Bucket=BUCKET, Key="state", Body=body)
    client(info, "logs").create_log_group(logGroupName="/kept")
    return service


def everything(info: SandboxInfo) -> dict[str, Any]:
    """Return all that can be read, by what was asked."""
    return {**_balancing(info), **_functions(info), **_the_rest(info)}


def _balancing(info: SandboxInfo) -> dict[str, Any]:
    elbv2 = client(info, "elbv2")
    groups = [g["TargetGroupArn"] for g in elbv2.describe_target_groups()["TargetGroups"]]
    return {
        "balancers": elbv2.describe_load_balancers()["LoadBalancers"],
        "listeners": elbv2.describe_listeners(LoadBalancerArn=info.load_balancer_arn)["Listeners"],
        "rules": elbv2.describe_rules(ListenerArn=info.listener_arn)["Rules"],
        "groups": elbv2.describe_target_groups()["TargetGroups"],
        "attributes": [
            elbv2.describe_target_group_attributes(TargetGroupArn=g)["Attributes"] for g in groups
        ],
        "targets": [
            elbv2.describe_target_health(TargetGroupArn=g)["TargetHealthDescriptions"] for g in groups
        ],
        "tags": elbv2.describe_tags(ResourceArns=[info.load_balancer_arn, *groups])["TagDescriptions"],
    }


def _functions(info: SandboxInfo) -> dict[str, Any]:
    functions = client(info, "lambda")
    found = functions.list_functions(FunctionVersion="ALL")["Functions"]
    names = sorted({function["FunctionName"] for function in found})
    codes = [functions.get_function(FunctionName=f["FunctionName"], Qualifier=f["Version"]) for f in found]
    ready = functions.get_provisioned_concurrency_config(FunctionName="kept-blue", Qualifier=ALIAS)
    return {
        "functions": found,
        "kept ready": ready["RequestedProvisionedConcurrentExecutions"],
        "codes": [{key: code[key] for key in ("Configuration", "Code")} for code in codes],
        "aliases": [functions.list_aliases(FunctionName=name)["Aliases"] for name in names],
        "policies": [functions.get_policy(FunctionName=name, Qualifier=ALIAS)["Policy"] for name in names],
    }


def _the_rest(info: SandboxInfo) -> dict[str, Any]:
    ec2, ecr, iam, s3 = (client(info, name) for name in ("ec2", "ecr", "iam", "s3"))
    return {
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "subnets": ec2.describe_subnets()["Subnets"],
        "security groups": ec2.describe_security_groups()["SecurityGroups"],
        "repositories": ecr.describe_repositories()["repositories"],
        "images": ecr.describe_images(repositoryName="nginx-lambda")["imageDetails"],
        "roles": iam.list_roles()["Roles"],
        "attached": iam.list_attached_role_policies(RoleName="kept")["AttachedPolicies"],
        "used policies": iam.list_policies(OnlyAttached=True)["Policies"],
        "buckets": s3.list_buckets()["Buckets"],
        "versions": s3.list_object_versions(Bucket=BUCKET)["Versions"],
        "object": s3.get_object(Bucket=BUCKET, Key="state")["Body"].read(),
        "log groups": client(info, "logs").describe_log_groups()["logGroups"],
    }


def answering(service: Service, info: SandboxInfo) -> set[str]:
    """Return the images that answer; one that has 40 % is missing from 60 answers once in 10**13 runs."""
    return {service.get(info.url).json()["version"] for _ in range(60)}


@pytest.mark.fault
def test_all_that_it_holds_survives_a_kill_and_a_clean_end(tmp_path: Path):
    with running_sandbox(tmp_path) as info:
        service = fill(info)
        held = everything(info)
        os.kill(info.pid, signal.SIGKILL)
    with running_sandbox(tmp_path) as info:
        assert everything(info) == held
    with running_sandbox(tmp_path) as info:
        assert everything(info) == held
        assert answering(service, info) == {info.images["yellow"], info.images["green"]}


@pytest.mark.fault
@pytest.mark.parametrize(("number", "tells"), [(signal.SIGTERM, False), (signal.SIGKILL, True)])
def test_nothing_outlives_it(number: signal.Signals, tells: bool, tmp_path: Path):
    """After a SIGKILL its `sandbox.json` does stay: the next start removes it."""
    with running_sandbox(tmp_path) as info:
        processes = [psutil.Process(info.pid), *psutil.Process(info.pid).children(recursive=True)]
        os.kill(info.pid, number)
        # The first is our child, and so remains a zombie until running_sandbox waits for it.
        assert psutil.wait_procs(processes[1:], timeout=60)[1] == []
    assert len(processes) == 2
    assert not processes[0].is_running()
    assert (tmp_path / FILE_NAME).exists() is tells


@pytest.mark.fault
def test_it_ends_with_its_load_balancer(tmp_path: Path):
    with running_sandbox(tmp_path) as info:
        sandbox = psutil.Process(info.pid)
        sandbox.children()[0].kill()
        assert sandbox.wait(timeout=60) == 1
    assert "The load balancer has ended" in (tmp_path / "sandbox.log").read_text()
