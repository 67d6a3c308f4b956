"""Checkpoints on S3: with Object Lock none can be removed, and whatever is done to the bucket the first one counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from aws.errors import AwsError
from aws.kept_objects import KeptObjects
from aws.session import s3


def make(access, *, locked: bool) -> KeptObjects:
    name = f"kept-{uuid4()}"
    s3(access).create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ObjectLockEnabledForBucket=locked,
    )
    return KeptObjects(access=access, name=name, prefix="checkpoints/", retention_days=400 if locked else 0)


@pytest.fixture
def locked(access) -> KeptObjects:
    return make(access, locked=True)


@pytest.fixture
def plain(access) -> KeptObjects:
    return make(access, locked=False)


def test_what_is_put_is_kept_for_the_days_and_nobody_removes_it_earlier(locked):
    locked.put("one", b"first")
    client = s3(locked.access)
    head = client.head_object(Bucket=locked.name, Key="checkpoints/one")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert abs(head["ObjectLockRetainUntilDate"] - datetime.now(UTC) - timedelta(days=400)) < timedelta(
        minutes=5
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(
            Bucket=locked.name,
            Key="checkpoints/one",
            VersionId=head["VersionId"],
            BypassGovernanceRetention=True,
        )


def test_what_was_put_first_counts_although_it_was_covered_and_hidden(locked):
    locked.put("one", b"first")
    locked.put("one", b"forged")
    locked.put("two", b"2")
    locked.remove("one")
    assert list(locked.names()) == ["one", "two"]
    assert (locked.get("one"), locked.get("two")) == (b"first", b"2")


def test_names_that_begin_alike_are_not_taken_for_each_other(locked):
    locked.put("one-more", b"another")
    assert locked.get("one") is None
    locked.put("one", b"x")
    assert locked.get("one") == b"x"


def test_without_object_lock_it_is_a_bucket_like_any_other(plain):
    plain.put("one", b"x")
    assert (plain.get("one"), list(plain.names()), plain.problems()) == (b"x", ["one"], [])
    plain.remove("one")
    assert (plain.get("one"), list(plain.names())) == (None, [])


def test_days_that_a_bucket_without_object_lock_cannot_keep_are_said_beforehand_and_refused(plain, locked):
    wanted = replace(plain, retention_days=30)
    [problem] = wanted.problems()
    assert "has no Object Lock" in problem
    with pytest.raises(AwsError, match="write s3://"):
        wanted.put("one", b"x")
    assert locked.problems() == []


def test_names_are_those_of_this_folder_alone(locked):
    replace(locked, prefix="checkpoints/deeper/").put("two", b"x")
    locked.put("one", b"x")
    assert list(locked.names()) == ["one"]
