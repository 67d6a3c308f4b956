"""What every sandbox has: a network, the load balancer with its listener, and a repository with images.

Made through the API like anybody's, so that it is kept; what exists already is left alone.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from infra.sandbox.account import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageTypeDef
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

LOAD_BALANCER = "demo-alb"
LISTENER_PORT = 80
REPOSITORY = "nginx-lambda"
TAGS = ("blue", "green", "yellow")
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True, kw_only=True)
class DemoResources:
    """ARNs and ids of what was made or found; `images` is tag -> reference by digest."""

    load_balancer_arn: str
    listener_arn: str
    vpc_id: str
    repository_uri: str
    images: dict[str, str]


def make_demo_resources(endpoint_url: str) -> DemoResources:
    """Make what is missing and return all of it."""
    session = boto3.Session(
        aws_access_key_id=ACCESS_KEY_ID, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=REGION
    )
    load_balancer_arn, vpc_id = _load_balancer(
        session.client("elbv2", endpoint_url=endpoint_url), session.client("ec2", endpoint_url=endpoint_url)
    )
    repository_uri, images = _images(session.client("ecr", endpoint_url=endpoint_url))
    return DemoResources(
        load_balancer_arn=load_balancer_arn,
        listener_arn=_listener(session.client("elbv2", endpoint_url=endpoint_url), load_balancer_arn),
        vpc_id=vpc_id,
        repository_uri=repository_uri,
        images=images,
    )


def _load_balancer(elbv2: "ElasticLoadBalancingv2Client", ec2: "EC2Client") -> tuple[str, str]:
    for balancer in elbv2.describe_load_balancers()["LoadBalancers"]:
        if balancer["LoadBalancerName"] == LOAD_BALANCER:
            return balancer["LoadBalancerArn"], balancer["VpcId"]
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName=LOAD_BALANCER, Description="Sandbox", VpcId=vpc_id)
    made = elbv2.create_load_balancer(
        Name=LOAD_BALANCER,
        Subnets=[subnet["Subnet"]["SubnetId"] for subnet in subnets],
        SecurityGroups=[group["GroupId"]],
        Scheme="internet-facing",
    )
    return made["LoadBalancers"][0]["LoadBalancerArn"], vpc_id


def _listener(elbv2: "ElasticLoadBalancingv2Client", load_balancer_arn: str) -> str:
    for listener in elbv2.describe_listeners(LoadBalancerArn=load_balancer_arn)["Listeners"]:
        if listener["Port"] == LISTENER_PORT:
            return listener["ListenerArn"]
    made = elbv2.create_listener(
        LoadBalancerArn=load_balancer_arn,
        Protocol="HTTP",
        Port=LISTENER_PORT,
        DefaultActions=[
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {
                    "StatusCode": "404",
                    "ContentType": "text/plain",
                    "MessageBody": "No rule matches.",
                },
            }
        ],
    )
    return made["Listeners"][0]["ListenerArn"]


def _images(ecr: "ECRClient") -> tuple[str, dict[str, str]]:
    repositories = {r["repositoryName"]: r for r in ecr.describe_repositories()["repositories"]}
    repository = (
        repositories.get(REPOSITORY) or ecr.create_repository(repositoryName=REPOSITORY)["repository"]
    )
    uri = repository["repositoryUri"]
    return uri, {tag: f"{uri}@{_digest(ecr, tag)}" for tag in TAGS}


def _digest(ecr: "ECRClient", tag: str) -> str:
    found = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["images"]
    image = found[0] if found else _push(ecr, tag)
    return image["imageId"]["imageDigest"]


def _push(ecr: "ECRClient", tag: str) -> "ImageTypeDef":
    return ecr.put_image(
        repositoryName=REPOSITORY,
        imageTag=tag,
        imageManifest=image_manifest(tag),
        imageManifestMediaType=_MANIFEST_TYPE,
    )["image"]


def image_manifest(content: str) -> str:
    """Return a manifest of an image whose one layer, and so whose digest, depends on `content`."""
    layer, config = (hashlib.sha256(f"{part} {content}".encode()).hexdigest() for part in ("layer", "config"))
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": 7023,
                "digest": f"sha256:{config}",
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": 32654,
                    "digest": f"sha256:{layer}",
                }
            ],
        }
    )
