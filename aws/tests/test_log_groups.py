import pytest

from aws.errors import AwsError
from aws.log_groups import read_retention
from aws.session import logs


def test_groups_that_are_there_are_read_by_their_very_names(access):
    client = logs(access)
    for name in ("/aws/lambda/kept", "/aws/lambda/kept-longer", "/aws/lambda/for-ever"):
        client.create_log_group(logGroupName=name)
    client.put_retention_policy(logGroupName="/aws/lambda/kept", retentionInDays=30)
    client.put_retention_policy(logGroupName="/aws/lambda/kept-longer", retentionInDays=60)
    asked = ["/aws/lambda/kept", "/aws/lambda/for-ever", "/aws/lambda/missing"]
    assert read_retention(access, asked) == {"/aws/lambda/kept": 30, "/aws/lambda/for-ever": None}


def test_all_pages_are_read(scripted):
    access, answer = scripted
    first = {"logGroups": [{"logGroupName": "/aws/lambda/a-b"}], "nextToken": "more"}
    second = {"logGroups": [{"logGroupName": "/aws/lambda/a", "retentionInDays": 7}]}
    answer(
        logs(access),
        ("describe_log_groups", None, first),
        ("describe_log_groups", None, second),
    )
    assert read_retention(access, ["/aws/lambda/a"]) == {"/aws/lambda/a": 7}


def test_what_can_not_be_read_is_said(scripted):
    access, _ = scripted
    with pytest.raises(AwsError, match="read the log group /aws/lambda/a"):
        read_retention(access, ["/aws/lambda/a"])
