"""Where things are kept: a bucket where there is one, else the data directory; and nothing readable in either."""

from uuid import uuid4

import pytest

from aws.accounts import Account
from aws.artifacts import Bucket
from aws.errors import AwsError
from aws.session import s3
from releases.services.execution import storage
from terraform_runner.state import LocalState

RUN, SERVICE = uuid4(), uuid4()


@pytest.fixture
def in_a_bucket(sandbox, settings) -> Bucket:
    """The settings of an installation that keeps everything in a bucket, which is made."""
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    settings.STORAGE_BUCKET = f"bucket-{uuid4()}"
    settings.STORAGE_ACCOUNT_ID = sandbox.account_id
    settings.STORAGE_REGION = sandbox.region
    bucket = storage.bucket()
    s3(bucket.access).create_bucket(
        Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": sandbox.region}
    )
    return bucket


def test_without_a_bucket_everything_is_below_the_data_directory(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    digest = storage.plan_store().put(b"a plan")

    assert storage.state(SERVICE, run_id=RUN) == LocalState(folder=tmp_path / "state" / str(SERVICE))
    assert (tmp_path / "plans" / digest).read_bytes().startswith(b"BG1")


def test_with_a_bucket_plans_are_there_encrypted(in_a_bucket):
    digest = storage.plan_store().put(b'{"a": 1}')

    assert (storage.bucket("plans/").get(digest) or b"").startswith(b"BG1")
    assert storage.plan_store().read_json(digest) == {"a": 1}


def test_with_a_bucket_a_service_s_state_is_there_with_credentials_for_the_run(in_a_bucket, sandbox):
    state = storage.state(SERVICE, run_id=RUN)

    assert state.backend["s3"]["key"] == f"state/{SERVICE}/terraform.tfstate"
    assert state.backend["s3"]["bucket"] == in_a_bucket.name
    assert sandbox.access_key_id.encode() in state.credentials
    assert state.objects.place("x") == f"s3://{in_a_bucket.name}/state/{SERVICE}/x"


def test_several_installations_share_a_bucket_by_prefix(in_a_bucket, settings):
    settings.STORAGE_PREFIX = "team-a"
    digest = storage.plan_store().put(b"a plan")

    assert storage.bucket("plans/").place(digest) == f"s3://{in_a_bucket.name}/team-a/plans/{digest}"
    assert storage.state(SERVICE, run_id=RUN).backend["s3"]["key"].startswith("team-a/state/")


def test_a_state_that_could_not_be_written_is_kept_where_every_machine_finds_it(in_a_bucket):
    storage.unsaved_states().put(str(RUN), b"the only one")

    assert (storage.bucket("unsaved-states/").get(str(RUN)) or b"").startswith(b"BG1")


def test_the_check_names_the_place_and_what_is_missing(in_a_bucket):
    place, (problem,) = storage.check()

    assert place == f"s3://{in_a_bucket.name}"
    assert "keeps no versions" in problem
    assert list(storage.bucket("check/").names()) == []


def test_the_data_directory_is_checked_by_writing_to_it(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    assert storage.check() == (str(tmp_path), [])

    (tmp_path / "check").rmdir()
    (tmp_path / "check").write_text("in the way")
    with pytest.raises(OSError, match="check"):
        storage.check()


def test_the_account_of_the_bucket_has_to_be_one_that_is_listed(in_a_bucket, settings):
    settings.AWS_ACCOUNTS = {"999999999999": Account(account_id="999999999999")}

    with pytest.raises(AwsError) as refused:
        storage.state(SERVICE, run_id=RUN)
    assert refused.value.code == "aws:account-unknown"
