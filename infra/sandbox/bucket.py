"""``python -m infra.sandbox.bucket NAME``: makes a bucket with versions in the sandbox, unless it is there.

The sandbox is told by the environment that Bluegreen's own processes have (BLUEGREEN_AWS_…).
"""

import os
import sys
from typing import Any

import boto3

from infra.sandbox.account import REGION


def make_bucket(client: Any, name: str) -> None:  # noqa: ANN401 - boto3's clients have no type of their own
    """Make it; idempotent."""
    if name not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


if __name__ == "__main__":
    make_bucket(
        boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=os.environ["BLUEGREEN_AWS_ENDPOINT_URL"],
            aws_access_key_id=os.environ["BLUEGREEN_AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=os.environ["BLUEGREEN_AWS_SECRET_ACCESS_KEY"],
        ),
        sys.argv[1],
    )
