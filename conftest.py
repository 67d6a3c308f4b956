"""Fixtures that tests of several parts share: real servers, the sandbox, Terraform, a browser."""

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from playwright.sync_api import Browser, sync_playwright

from infra.local import chromium, terraform, valkey
from infra.local.errors import LocalError
from infra.local.paths import data_dir
from infra.local.tests.leftovers import threads_left
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import running_sandbox

pytest_plugins = ["audit.pytest_plugin"]

# A busy machine would break a limit on the time of one example, and on that of making the first ones.
hypothesis.settings.register_profile(
    "bluegreen", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("bluegreen")

# By what a test asks for: so that none is taken for a fast one by mistake.
MARKERS = {"database": {"db", "transactional_db"}, "sandbox": {"sandbox"}, "process": {"valkey_url"}}


@dataclass(frozen=True, kw_only=True)
class TerraformCli:
    """The Terraform of the test session (its commands are counted) and a CLI configuration for it."""

    binary: Path
    mirror: Path | None
    config: Path

    @property
    def environment(self) -> dict[str, str]:
        """All that a command run by hand needs, besides what it needs to reach AWS."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "TF_CLI_CONFIG_FILE": str(self.config),
            "TF_IN_AUTOMATION": "1",
        }


def pytest_configure() -> None:
    """Static files by their plain names (`collectstatic` isn't needed), and a quick hash of passwords."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    # A busy machine lets a test rest in its transaction for longer than a program may.
    settings.DATABASES["default"]["OPTIONS"].pop("options", None)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks a test that uses the database, the sandbox or the broker."""
    asked = set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("django_db"):
        asked.add("db")
    for marker, fixtures in MARKERS.items():
        if asked & fixtures:
            item.add_marker(marker)


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    """Fails a test whose threads go on without it; those that are about to end are waited for."""
    before = threading.enumerate()
    yield
    left = threads_left(before, seconds=60)
    assert not left, f"it has left threads behind: {', '.join(left)}"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxInfo]:
    """A sandbox for the whole session (under xdist: of this worker): tests use names of their own in it."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as info:
        yield info


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """REDIS_URL of an embedded broker."""
    with valkey.running(tmp_path_factory.mktemp("valkey")) as broker:
        yield broker.url


@pytest.fixture(scope="session")
def terraform_cli(tmp_path_factory: pytest.TempPathFactory) -> TerraformCli:
    """The real Terraform; a machine without one fails the test, since skipping would hide it."""
    binary = terraform.find_binary(data_dir())
    if binary is None:
        raise LocalError("These tests need Terraform: `make setup` gets it.")
    config = tmp_path_factory.mktemp("terraform") / "cli.tfrc"
    mirror = terraform.find_mirror()
    terraform.write_cli_config(config, mirror)
    return TerraformCli(binary=binary, mirror=mirror, config=config)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; tests open a context of their own in it.

    Playwright's synchronous API keeps an event loop in the test's thread, in which Django would refuse to use
    the database; nothing of the test runs at the same time in it.
    """
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        program = playwright.chromium.launch(
            executable_path=chromium.ensure(Path(sys.executable)), args=chromium.flags()
        )
        yield program
        program.close()
