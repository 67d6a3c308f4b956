"""What refuses to start says why; what exists at a start is left alone."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from infra.sandbox.demo import make_demo_resources
from infra.sandbox.errors import SandboxError
from infra.sandbox.info import FILE_NAME
from infra.sandbox.store import Store
from infra.sandbox.testing import running_sandbox
from infra.sandbox.tests.service import client

pytestmark = pytest.mark.process


@pytest.fixture
def taken_directory(tmp_path):
    """A data directory of a sandbox that runs."""
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def test_second_sandbox_in_a_directory_is_refused_in_words(taken_directory):
    (taken_directory / FILE_NAME).write_text("{}")
    command = [sys.executable, "-m", "infra.sandbox", "--data-dir", str(taken_directory)]
    refused = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert refused.returncode == 1
    assert refused.stderr.startswith("The sandbox can't start: another sandbox runs in")
    assert (taken_directory / FILE_NAME).exists()


def test_helper_for_tests_raises_with_the_reason(taken_directory):
    with pytest.raises(RuntimeError, match="another sandbox runs in"), running_sandbox(taken_directory):
        pass


def test_data_of_another_version_of_moto_is_refused(tmp_path):
    Store(tmp_path)
    Store(tmp_path)
    (tmp_path / "moto-version").write_text("1.0")
    with pytest.raises(SandboxError, match=r"written by moto 1\.0"):
        Store(tmp_path)


def test_demo_resources_are_made_once(sandbox):
    again = make_demo_resources(sandbox.endpoint_url)
    assert (again.load_balancer_arn, again.listener_arn) == (sandbox.load_balancer_arn, sandbox.listener_arn)
    assert (again.vpc_id, again.images) == (sandbox.vpc_id, sandbox.images)
    subnets = client(sandbox, "ec2").describe_subnets(
        Filters=[{"Name": "vpc-id", "Values": [sandbox.vpc_id]}]
    )
    assert len({subnet["AvailabilityZone"] for subnet in subnets["Subnets"]}) == len(subnets["Subnets"]) == 2


def test_load_balancer_is_reachable_from_what_was_said(sandbox):
    found = client(sandbox, "elbv2").describe_load_balancers(Names=[sandbox.load_balancer_name])
    assert found["LoadBalancers"][0]["LoadBalancerArn"] == sandbox.load_balancer_arn
    listener = client(sandbox, "elbv2").describe_listeners(ListenerArns=[sandbox.listener_arn])["Listeners"][
        0
    ]
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", 80)
