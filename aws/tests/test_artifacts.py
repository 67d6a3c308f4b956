from dataclasses import replace

import pytest

from aws import session
from aws.artifacts import Bucket
from aws.errors import AwsError
from aws.session import s3


@pytest.fixture
def bucket(access, request) -> Bucket:
    name = f"bucket-{abs(hash(request.node.name))}"
    s3(access).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return Bucket(access=access, name=name, prefix="team/plans/")


def head(bucket: Bucket, name: str):
    return s3(bucket.access).head_object(Bucket=bucket.name, Key=bucket.prefix + name)


def test_an_object_comes_out_as_it_went_in_and_over_what_was_there(bucket):
    bucket.put("one", b"first")
    bucket.put("one", b"second")

    assert bucket.get("one") == b"second"
    assert bucket.place("one") == f"s3://{bucket.name}/team/plans/one"


def test_what_was_never_put_there_is_none(bucket):
    assert bucket.get("one") is None


def test_a_removed_object_is_gone_and_may_be_removed_again(bucket):
    bucket.put("one", b"x")
    bucket.remove("one")
    bucket.remove("one")

    assert bucket.get("one") is None


def test_names_are_those_of_this_folder_alone(bucket):
    for folder in ("team/plans/", "team/plans/deeper/", "team/other/"):
        replace(bucket, prefix=folder).put("one", b"x")

    assert list(bucket.names()) == ["one"]


def test_names_come_from_all_pages(scripted):
    access, answer = scripted
    asked = {"Bucket": "b", "Prefix": "p/", "Delimiter": "/", "ExpectedBucketOwner": access.account_id}
    more = {"IsTruncated": True, "NextContinuationToken": "more", "Contents": [{"Key": "p/1"}]}
    answer(
        session.s3(access),
        ("list_objects_v2", asked, more),
        ("list_objects_v2", {**asked, "ContinuationToken": "more"}, {"Contents": [{"Key": "p/2"}]}),
    )

    assert list(Bucket(access=access, name="b", prefix="p/").names()) == ["1", "2"]


def test_objects_are_encrypted_by_s3_or_by_the_given_key(bucket):
    bucket.put("one", b"x")
    key = "arn:aws:kms:eu-central-1:123456789012:key/7"
    replace(bucket, kms_key=key).put("two", b"x")

    assert head(bucket, "one")["ServerSideEncryption"] == "AES256"
    assert head(bucket, "two")["ServerSideEncryption"] == "aws:kms"
    assert head(bucket, "two")["SSEKMSKeyId"] == key


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("put_object", lambda bucket: bucket.put("one", b"x")),
        ("get_object", lambda bucket: bucket.get("one")),
        ("delete_object", lambda bucket: bucket.remove("one")),
        ("list_objects_v2", lambda bucket: list(bucket.names())),
        ("get_bucket_versioning", lambda bucket: bucket.problems()),
    ],
)
def test_a_bucket_of_another_account_is_refused_by_each_call(scripted, operation, call):
    access, _ = scripted
    seen = []
    session.s3(access).meta.events.register(
        f"before-call.s3.{operation.title().replace('_', '')}",
        lambda params, **_: seen.append(params["headers"].get("x-amz-expected-bucket-owner")),
    )

    with pytest.raises(AwsError):
        call(Bucket(access=access, name="b"))

    assert seen == [access.account_id]


def test_a_bucket_that_is_not_there_is_named(bucket):
    gone = replace(bucket, name="nowhere-at-all")
    for call in (lambda: gone.put("one", b"x"), lambda: gone.get("one"), gone.problems):
        with pytest.raises(AwsError, match="nowhere-at-all") as refused:
            call()
        assert refused.value.code == "aws:bucket-missing"


def test_a_bucket_without_versions_is_told_with_the_command_that_helps(bucket):
    (problem,) = bucket.problems()
    assert f"put-bucket-versioning --bucket {bucket.name}" in problem

    s3(bucket.access).put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    assert bucket.problems() == []
