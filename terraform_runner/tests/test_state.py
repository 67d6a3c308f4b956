import configparser
from dataclasses import replace

import pytest

from terraform_runner.objects import LocalObjects
from terraform_runner.state import LocalState, S3State


@pytest.fixture
def remote(tmp_path) -> S3State:
    return S3State(
        bucket="states",
        prefix="team/state/7/",
        region="eu-central-1",
        objects=LocalObjects(tmp_path),
        access_key_id="AKIDEXAMPLE",
        secret_access_key="the-secret",
        session_token="the-token",
    )


def test_a_local_state_is_in_a_private_folder_of_its_own(tmp_path):
    state = LocalState(folder=tmp_path / "states" / "7")

    state.prepare()

    assert state.backend == {"local": {"path": str(tmp_path / "states" / "7" / "terraform.tfstate")}}
    assert (tmp_path / "states" / "7").stat().st_mode & 0o777 == 0o700
    assert (state.credentials, state.secrets) == (b"", ())


def test_a_remote_state_is_locked_and_encrypted(remote):
    (block,) = remote.backend.values()

    assert (block["bucket"], block["key"]) == ("states", "team/state/7/terraform.tfstate")
    assert block["use_lockfile"] is True
    assert block["encrypt"] is True


def test_a_key_of_one_s_own_and_another_address_are_given_where_there_are_any(remote):
    elsewhere = replace(remote, kms_key="arn:aws:kms:key", endpoint_url="http://127.0.0.1:9")

    assert elsewhere.backend["s3"]["kms_key_id"] == "arn:aws:kms:key"
    assert elsewhere.backend["s3"]["endpoints"] == {"s3": "http://127.0.0.1:9"}
    assert remote.backend["s3"].keys() & {"kms_key_id", "endpoints", "use_path_style"} == set()


def test_credentials_are_in_a_file_of_their_own_and_not_in_what_is_kept_with_the_plan(remote):
    parser = configparser.ConfigParser()
    parser.read_string(remote.credentials.decode())

    assert dict(parser[remote.backend["s3"]["profile"]]) == {
        "aws_access_key_id": "AKIDEXAMPLE",
        "aws_secret_access_key": "the-secret",
        "aws_session_token": "the-token",
    }
    assert not any(secret in str(remote.backend) for secret in (*remote.secrets, "AKIDEXAMPLE"))
    assert not any(secret in repr(remote) for secret in remote.secrets)


def test_credentials_that_were_not_borrowed_have_no_token(remote):
    own = replace(remote, session_token=None)

    assert b"token" not in own.credentials
    assert own.secrets == ("the-secret",)


def test_the_backend_is_the_same_in_each_run(remote):
    """It is kept with the plan: an apply on another machine reads the credentials of its own run."""
    later = replace(remote, access_key_id="OTHER", secret_access_key="other", session_token="other")

    assert later.backend == remote.backend
