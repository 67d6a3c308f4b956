"""What a test session needs before Django's settings are read: database, key, data directory.

Loaded by ``-p infra.local.pytest_plugin`` in pyproject.toml: pytest-django reads the settings before any
conftest.py. Under pytest-xdist the controller does it once; its workers find everything in the environment
that they inherit.
"""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local import postgres

WORKER = "PYTEST_XDIST_WORKER"
# Sign-ins of tests live as long as the session does; nothing outside sees this key.
SECRET_KEY = "tests-" + "0" * 50


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Gives the session its environment, and takes it away when the session ends, however it ends."""
    if WORKER in os.environ:
        return
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bluegreen-tests-")))
    os.environ["BLUEGREEN_SECRET_KEY"] = SECRET_KEY
    os.environ["BLUEGREEN_DATA_DIR"] = str(folder / "data")
    if "DATABASE_URL" not in os.environ:
        cluster = stack.enter_context(postgres.running(folder / "postgres", durable=False))
        os.environ["DATABASE_URL"] = cluster.url
