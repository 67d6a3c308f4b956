"""Objects in an S3 bucket that count as they were put there first, whatever was put over them or removed since.

In a bucket with versions a removal only hides an object and a second one only covers the first; with Object Lock the
version itself stays until its date. So what is there is asked for by its versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.artifacts import Bucket
from aws.errors import in_words
from aws.session import s3

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectVersionTypeDef, PutObjectRequestTypeDef


@dataclass(frozen=True, kw_only=True)
class KeptObjects(Bucket):
    """A folder of a bucket; where ``retention_days`` are given, nobody removes what is put there for so long.

    These need Object Lock, which is switched on when a bucket is made. Each method raises ``AwsError``.
    """

    retention_days: int = 0

    def get(self, name: str) -> bytes | None:
        """What was first kept under this name; None if nothing ever was."""
        found = [version for version in self._versions(self._key(name)) if version["Key"] == self._key(name)]
        if not found:
            return None
        with in_words(f"read {self.place(name)}"):
            answer = s3(self.access).get_object(
                Bucket=self.name,
                Key=self._key(name),
                VersionId=found[-1]["VersionId"],  # S3 lists the newest version of a key first
                ExpectedBucketOwner=self.access.account_id,
            )
            return answer["Body"].read()

    def names(self) -> Iterator[str]:
        """The names of everything that was ever put into this folder and is there in some version."""
        for key, _ in groupby(self._versions(self.prefix), key=lambda version: version["Key"]):
            yield key.removeprefix(self.prefix)

    def problems(self) -> list[str]:
        """Why nothing can be kept here for the wanted days; none if it can. Raises ``AwsError``."""
        if not self.retention_days or self._has_object_lock():
            return []
        return [
            f"The bucket {self.name} has no Object Lock, so no checkpoint is kept for {self.retention_days} days. "
            "Switch it on (aws s3api put-object-lock-configuration), or set BLUEGREEN_AUDIT_RETENTION_DAYS to 0."
        ]

    def _has_object_lock(self) -> bool:
        with in_words(f"look at the bucket {self.name}"):
            try:
                answer = s3(self.access).get_object_lock_configuration(
                    Bucket=self.name, ExpectedBucketOwner=self.access.account_id
                )
            except ClientError as error:
                if error.response["Error"].get("Code") == "ObjectLockConfigurationNotFoundError":
                    return False
                raise
        return answer["ObjectLockConfiguration"].get("ObjectLockEnabled") == "Enabled"

    def _request(self, name: str, content: bytes) -> "PutObjectRequestTypeDef":
        request = super()._request(name, content)
        if self.retention_days:
            request["ObjectLockMode"] = "COMPLIANCE"
            request["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=self.retention_days)
        return request

    def _versions(self, prefix: str) -> Iterator["ObjectVersionTypeDef"]:
        pages = s3(self.access).get_paginator("list_object_versions")
        asked = pages.paginate(
            Bucket=self.name, Prefix=prefix, Delimiter="/", ExpectedBucketOwner=self.access.account_id
        )
        with in_words(f"list the versions of s3://{self.name}/{prefix}"):
            for page in asked:
                yield from page.get("Versions", [])
