"""What a sandbox says about itself."""

from dataclasses import FrozenInstanceError

import pytest

from infra.sandbox.info import SandboxInfo, read_info, write_info
from infra.sandbox.program import greeting

INFO = SandboxInfo(
    endpoint_url="http://127.0.0.1:1001",
    region="eu-central-1",
    account_id="123456789012",
    access_key_id="key",
    secret_access_key="secret",
    load_balancer_name="demo-alb",
    load_balancer_arn="arn:lb",
    listener_arn="arn:listener",
    vpc_id="vpc-1",
    repository_uri="registry/nginx-lambda",
    images={"blue": "registry/nginx-lambda@sha256:1"},
    url="http://127.0.0.1:1002",
    everyone_url="http://127.0.0.1:1003",
    you_url="http://127.0.0.1:1004",
    ipv6_url="http://127.0.0.1:1005",
    pid=42,
)


def test_info_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "sandbox.json"
    write_info(file, INFO)
    assert read_info(file) == INFO
    assert [entry.name for entry in tmp_path.iterdir()] == ["sandbox.json"]


def test_info_of_a_sandbox_that_is_not_ready_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_info(tmp_path / "sandbox.json")


def test_info_is_frozen():
    with pytest.raises(FrozenInstanceError):
        INFO.pid = 1  # type: ignore[misc]


def test_greeting_has_the_lines_to_paste_for_terraform():
    lines = greeting(INFO).splitlines()
    for line in (
        "  export AWS_ENDPOINT_URL=http://127.0.0.1:1001",
        "  export AWS_REGION=eu-central-1",
        "  export AWS_ACCESS_KEY_ID=key",
        "  export AWS_SECRET_ACCESS_KEY=secret",
    ):
        assert line in lines


@pytest.mark.parametrize("address", [INFO.url, INFO.everyone_url, INFO.you_url, f"{INFO.url}/-/sandbox/"])
def test_greeting_names_each_address(address):
    assert any(line.split()[:1] == [address] for line in greeting(INFO).splitlines())
