"""Objects in an S3 bucket: plans, logs, states and what is kept beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from aws.errors import in_words
from aws.session import Access, s3

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_GONE = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A folder of a bucket: ``prefix`` comes before each name, and ends with "/" unless it is empty.

    Each call names the account that has to own the bucket, so that one of the same name elsewhere is never used.
    Objects are encrypted by the key ``kms_key``, without one by S3's own. Each method raises ``AwsError``.
    """

    access: Access
    name: str
    prefix: str = ""
    kms_key: str | None = None

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes under this name, over what was there (whose version stays in a bucket with versioning)."""
        with in_words(f"write {self.place(name)}"):
            s3(self.access).put_object(**self._request(name, content))

    def get(self, name: str) -> bytes | None:
        """What is kept under this name; None if nothing is."""
        with in_words(f"read {self.place(name)}"):
            try:
                answer = s3(self.access).get_object(
                    Bucket=self.name, Key=self._key(name), ExpectedBucketOwner=self.access.account_id
                )
            except ClientError as error:
                if error.response["Error"].get("Code") in _GONE:
                    return None
                raise
            return answer["Body"].read()

    def remove(self, name: str) -> None:
        """Keep it no longer. Nothing happens if it isn't there."""
        with in_words(f"remove {self.place(name)}"):
            s3(self.access).delete_object(
                Bucket=self.name, Key=self._key(name), ExpectedBucketOwner=self.access.account_id
            )

    def names(self) -> Iterator[str]:
        """The names of everything directly in this folder."""
        pages = s3(self.access).get_paginator("list_objects_v2")
        asked = pages.paginate(
            Bucket=self.name, Prefix=self.prefix, Delimiter="/", ExpectedBucketOwner=self.access.account_id
        )
        with in_words(f"list s3://{self.name}/{self.prefix}"):
            for page in asked:
                yield from (found["Key"].removeprefix(self.prefix) for found in page.get("Contents", []))

    def place(self, name: str) -> str:
        """The object's address."""
        return f"s3://{self.name}/{self._key(name)}"

    def problems(self) -> list[str]:
        """What is missing so that states may be kept here, each with what to do; none if all is well.

        Raises ``AwsError`` if the bucket isn't there or can't be asked.
        """
        with in_words(f"look at the bucket {self.name}"):
            versioning = s3(self.access).get_bucket_versioning(
                Bucket=self.name, ExpectedBucketOwner=self.access.account_id
            )
        if versioning.get("Status") == "Enabled":
            return []
        return [
            f"The bucket {self.name} keeps no versions, so a state that was overwritten would be lost. Run: "
            f"aws s3api put-bucket-versioning --bucket {self.name} --versioning-configuration Status=Enabled"
        ]

    def _request(self, name: str, content: bytes) -> "PutObjectRequestTypeDef":
        request: PutObjectRequestTypeDef = {
            "Bucket": self.name,
            "Key": self._key(name),
            "Body": content,
            "ExpectedBucketOwner": self.access.account_id,
            "ServerSideEncryption": "aws:kms" if self.kms_key else "AES256",
        }
        if self.kms_key:
            request["SSEKMSKeyId"] = self.kms_key
        return request

    def _key(self, name: str) -> str:
        return f"{self.prefix}{name}"
