from infra.sandbox.bucket import make_bucket
from infra.sandbox.tests.service import client


def test_a_bucket_is_made_with_versions_and_made_again_keeps_what_is_in_it(sandbox):
    s3 = client(sandbox, "s3")
    make_bucket(s3, "made-twice")
    s3.put_object(Bucket="made-twice", Key="one", Body=b"x")

    make_bucket(s3, "made-twice")

    assert s3.get_bucket_versioning(Bucket="made-twice")["Status"] == "Enabled"
    assert s3.get_object(Bucket="made-twice", Key="one")["Body"].read() == b"x"
