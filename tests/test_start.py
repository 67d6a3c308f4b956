"""What an installation may not start without."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = pytest.mark.process

NEEDED = {
    "BLUEGREEN_SECRET_KEY": "x" * 50,
    "BLUEGREEN_ENCRYPTION_KEYS": "first:" + "A" * 43 + "=",
    "DATABASE_URL": "postgres://127.0.0.1:1/none",
}


def start(**environment: str) -> "subprocess.CompletedProcess[str]":
    """Starts the application as a web process does; it connects to nothing by that."""
    return subprocess.run(
        [sys.executable, "-c", "import bluegreen.asgi"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_with_a_key_and_a_database_it_starts():
    started = start(**NEEDED)
    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("missing", NEEDED)
def test_without_its_key_or_database_it_does_not_start_and_names_what_is_missing(missing):
    started = start(**{name: value for name, value in NEEDED.items() if name != missing})
    assert started.returncode != 0
    assert missing in started.stderr


def test_an_empty_key_is_none():
    assert start(**NEEDED | {"BLUEGREEN_SECRET_KEY": ""}).returncode != 0


@pytest.mark.parametrize("keys", ["", "first", "first:AAAA", "first:" + "!" * 43 + "="])
def test_keys_that_could_not_encrypt_stop_the_start_without_being_shown(keys):
    started = start(**NEEDED | {"BLUEGREEN_ENCRYPTION_KEYS": keys})
    assert started.returncode != 0
    assert "BLUEGREEN_ENCRYPTION_KEYS: " in started.stderr
    assert "!!!" not in started.stderr


def test_a_switch_that_is_neither_on_nor_off_is_not_taken_for_on():
    started = start(**NEEDED | {"BLUEGREEN_TERRAFORM_GRACE_SECONDS": "soon"})
    assert started.returncode != 0


@pytest.mark.parametrize(("https", "secure"), [("true", "True"), ("false", "False")])
def test_cookies_are_for_https_only_where_there_is_https(https, secure):
    code = "import bluegreen.settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "BLUEGREEN_HTTPS": https, **NEEDED},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split() == [secure, secure]
