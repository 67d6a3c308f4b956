import pytest

from infra.local.errors import LocalError
from infra.local.secrets import load_secrets
from terraform_runner.encryption import parse_keys


def test_secrets_are_made_once_for_this_user_only(tmp_path):
    made = load_secrets(tmp_path)

    assert load_secrets(tmp_path) == made
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(made.secret_key) >= 50


def test_a_file_from_before_anything_was_encrypted_gets_keys_and_keeps_the_rest(tmp_path):
    (tmp_path / "secrets.json").write_text('{"secret_key": "x", "demo_password": "y"}')

    made = load_secrets(tmp_path)

    assert (made.secret_key, made.demo_password) == ("x", "y")
    assert parse_keys(made.encryption_keys)
    assert load_secrets(tmp_path) == made


def test_every_data_directory_has_its_own(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert load_secrets(tmp_path / "a") != load_secrets(tmp_path / "b")


def test_start_that_was_killed_while_writing_them_does_no_harm(tmp_path):
    (tmp_path / "secrets.new").write_text('{"secret_')

    assert load_secrets(tmp_path).demo_password


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"secret_key": "x"}'])
def test_damaged_file_is_named_and_not_replaced(tmp_path, content):
    (tmp_path / "secrets.json").write_text(content)

    with pytest.raises(LocalError, match=r"secrets\.json is damaged"):
        load_secrets(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == content
