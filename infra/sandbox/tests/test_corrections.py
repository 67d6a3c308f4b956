"""Each difference between moto and AWS, asked of the running sandbox by boto3."""

import hashlib
from itertools import count

import pytest
from botocore.exceptions import ClientError

from infra.sandbox.demo import REPOSITORY, image_manifest
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client, make_role

_numbers = count()


@pytest.fixture
def functions(sandbox: SandboxInfo):
    return client(sandbox, "lambda")


@pytest.fixture
def make(sandbox: SandboxInfo, functions):
    """Create a function from an image; returns its name."""

    def make_function(image: str, **settings) -> str:
        name = f"corrected-{next(_numbers)}"
        functions.create_function(
            FunctionName=name,
            Role=make_role(sandbox, name),
            PackageType="Image",
            Code={"ImageUri": image},
            Publish=True,
            **settings,
        )
        return name

    return make_function


def push(sandbox: SandboxInfo, tag: str, content: str) -> str:
    """Push an image and return its digest."""
    pushed = client(sandbox, "ecr").put_image(
        repositoryName=REPOSITORY, imageTag=tag, imageManifest=image_manifest(content)
    )
    return str(pushed["image"]["imageId"]["imageDigest"])


def test_empty_image_config_is_left_out(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    assert "ImageConfigResponse" not in functions.get_function_configuration(FunctionName=name)


def test_image_config_is_returned_as_given(make, functions, sandbox):
    name = make(sandbox.images["blue"], ImageConfig={"Command": ["serve"]})
    answer = functions.get_function_configuration(FunctionName=name)
    assert answer["ImageConfigResponse"]["ImageConfig"]["Command"] == ["serve"]


def test_each_tag_has_a_digest_of_its_own(sandbox):
    found = client(sandbox, "ecr").describe_images(repositoryName=REPOSITORY)["imageDetails"]
    digests = {tag: image["imageDigest"] for image in found for tag in image.get("imageTags", [])}
    assert {tag: f"{sandbox.repository_uri}@{digests[tag]}" for tag in sandbox.images} == sandbox.images
    assert len(set(sandbox.images.values())) == 3


def test_digest_of_an_image_is_the_hash_of_its_manifest(sandbox):
    digest = push(sandbox, "hashed", "hashed")
    assert digest == "sha256:" + hashlib.sha256(image_manifest("hashed").encode()).hexdigest()


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_image_is_resolved_to_the_digest_that_ecr_has(by, make, functions, sandbox):
    reference = f"{sandbox.repository_uri}:green" if by == "tag" else sandbox.images["green"]
    answer = functions.get_function(FunctionName=make(reference))
    assert answer["Code"]["ImageUri"] == reference
    assert answer["Code"]["ResolvedImageUri"] == sandbox.images["green"]
    assert answer["Configuration"]["CodeSha256"] == sandbox.images["green"].partition("@sha256:")[2]


def test_tag_is_resolved_at_the_update_only(make, functions, sandbox):
    first = push(sandbox, "moving", "before")
    name = make(f"{sandbox.repository_uri}:moving")
    second = push(sandbox, "moving", "after")

    def resolved() -> str:
        code = functions.get_function(FunctionName=name)["Code"]
        return str(code["ResolvedImageUri"].partition("@")[2])

    assert resolved() == first
    functions.update_function_code(FunctionName=name, ImageUri=f"{sandbox.repository_uri}:moving")
    assert resolved() == second


def test_published_version_keeps_its_image(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    functions.update_function_code(FunctionName=name, ImageUri=sandbox.images["green"], Publish=True)
    functions.update_function_code(FunctionName=name, ImageUri=sandbox.images["yellow"])
    seen = {
        qualifier: functions.get_function(FunctionName=name, Qualifier=qualifier)["Code"]["ResolvedImageUri"]
        for qualifier in ("1", "2", "$LATEST")
    }
    images = sandbox.images
    assert seen == {"1": images["blue"], "2": images["green"], "$LATEST": images["yellow"]}


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        ("{repository}:missing", "does not exist"),
        ("{repository}@sha256:" + "0" * 64, "does not exist"),
        ("{repository}-other:blue", "does not exist"),
        ("nginx:latest", "is not valid"),
        ("{repository}", "is not valid"),
    ],
)
def test_image_that_ecr_does_not_have_is_refused(reference, complaint, make, functions, sandbox):
    name = make(sandbox.images["blue"])
    reference = reference.format(repository=sandbox.repository_uri)
    with pytest.raises(ClientError, match=rf"Source image {reference} {complaint}") as refused:
        functions.update_function_code(FunctionName=name, ImageUri=reference)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    with pytest.raises(ClientError, match=complaint):
        make(reference)
    assert functions.get_function(FunctionName=name)["Code"]["ImageUri"] == sandbox.images["blue"]


def test_settings_that_are_changed_are_returned(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    changed = {
        "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"},
        "MemorySize": 256,
    }
    functions.update_function_configuration(FunctionName=name, **changed, ImageConfig={"Command": ["serve"]})
    functions.update_function_code(
        FunctionName=name, ImageUri=sandbox.images["green"], Architectures=["arm64"], Publish=True
    )
    latest, first = (
        functions.get_function_configuration(FunctionName=name, Qualifier=version) for version in ("2", "1")
    )
    assert changed.items() <= latest.items()
    assert latest["ImageConfigResponse"]["ImageConfig"]["Command"] == ["serve"]
    assert latest["Architectures"] == ["arm64"]
    assert (first["MemorySize"], first["EphemeralStorage"]["Size"]) == (128, 512)
    assert first["Architectures"] == ["x86_64"]


def test_dry_run_changes_nothing(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    functions.update_function_code(FunctionName=name, ImageUri=sandbox.images["green"], DryRun=True)
    assert functions.get_function(FunctionName=name)["Code"]["ImageUri"] == sandbox.images["blue"]


def test_managed_policies_of_aws_exist(sandbox):
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    assert client(sandbox, "iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] == arn


EVERYTHING = {
    "MemorySize": 256,
    "Timeout": 60,
    "Environment": {"Variables": {"LEVEL": "debug"}},
    "EphemeralStorage": {"Size": 1024},
    "TracingConfig": {"Mode": "Active"},
    "VpcConfig": {"SubnetIds": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]},
    "ImageConfig": {"Command": ["serve"], "WorkingDirectory": "/srv"},
}
ASKED = ("MemorySize", "Timeout", "Environment", "EphemeralStorage", "TracingConfig", "ImageConfigResponse")


def configuration(functions, name: str, version: str) -> dict:
    """What GetFunction tells of a version, as far as people set it."""
    found = functions.get_function(FunctionName=name, Qualifier=version)["Configuration"]
    network = found.get("VpcConfig") or {}
    return {key: found.get(key) for key in ASKED} | {"SubnetIds": network.get("SubnetIds") or []}


def test_published_version_keeps_its_configuration(make, functions, sandbox):
    name = make(sandbox.images["blue"], Environment={"Variables": {"LEVEL": "info"}})
    first = configuration(functions, name, "1")
    functions.update_function_configuration(FunctionName=name, **EVERYTHING)
    functions.publish_version(FunctionName=name)
    second = configuration(functions, name, "2")
    functions.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": {}},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        ImageConfig={},
        Timeout=1,
    )
    assert configuration(functions, name, "1") == first
    assert configuration(functions, name, "2") == second
    assert first["Environment"] == {"Variables": {"LEVEL": "info"}}
    assert second["Environment"] == {"Variables": {"LEVEL": "debug"}}
    assert second["SubnetIds"] == ["subnet-0a1b2c3d"]


def test_configuration_that_is_taken_away_is_gone(make, functions, sandbox):
    name = make(sandbox.images["blue"], **EVERYTHING)
    functions.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": {}},
        VpcConfig={"SubnetIds": [], "SecurityGroupIds": []},
        ImageConfig={},
    )
    left = configuration(functions, name, "$LATEST")
    assert (left["Environment"], left["SubnetIds"], left["ImageConfigResponse"]) == (None, [], None)


def test_a_changed_environment_alone_is_published_as_a_new_version(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"LEVEL": "debug"}})
    assert functions.publish_version(FunctionName=name)["Version"] == "2"
    assert functions.publish_version(FunctionName=name)["Version"] == "2"


def test_reserved_concurrency_is_the_functions_and_can_be_taken_away(make, functions, sandbox):
    name = make(sandbox.images["blue"])
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    assert functions.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    functions.delete_function_concurrency(FunctionName=name)
    assert "Concurrency" not in functions.get_function(FunctionName=name)
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
