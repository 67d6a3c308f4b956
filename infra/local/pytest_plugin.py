"""What a test session needs before Django's settings are read: database, key, data directory, Terraform.

Loaded by ``-p infra.local.pytest_plugin`` in pyproject.toml: pytest-django reads the settings before any
conftest.py. Under pytest-xdist the controller does it once, and its workers inherit the environment.
"""

import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local import terraform
from infra.local.paths import data_dir
from infra.local.terraform_count import count_commands, install_counter
from infra.local.throwaway import throwaway_environment

WORKER = "PYTEST_XDIST_WORKER"
COUNTER = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the bound on Terraform commands that ``make test`` sets, and what ``.ci/run`` insists on."""
    parser.addoption(
        "--terraform-budget", type=int, help="fail when more Terraform commands than this were run"
    )
    parser.addoption(
        "--leave-nothing-out", action="store_true", help="fail a test that this machine cannot run"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Gives the session its environment, and takes it away when the session ends, however it ends."""
    if WORKER in os.environ:
        os.environ["BLUEGREEN_DATA_DIR"] = str(Path(os.environ["BLUEGREEN_DATA_DIR"], os.environ[WORKER]))
        return
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    _count_terraform(early_config, Path(stack.enter_context(tempfile.TemporaryDirectory())) / "terraform")
    os.environ.update(stack.enter_context(throwaway_environment()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Makes a failure of a test that is left out, where nothing may be."""
    report = yield
    if report.skipped and item.config.getoption("--leave-nothing-out"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = (
            f"{reason}\nNothing may be left out here (--leave-nothing-out): run it on a machine that can."
        )
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails a session that ran more Terraform commands than its budget."""
    budget = session.config.getoption("--terraform-budget")
    if budget is not None and _count(session.config) > budget:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how many Terraform commands the session ran."""
    count, budget = _count(config), config.getoption("--terraform-budget")
    if budget is not None:
        terminalreporter.write_line(f"Terraform commands: {count} of at most {budget}", red=count > budget)
    elif count:
        terminalreporter.write_line(f"Terraform commands: {count}")


def _count_terraform(config: pytest.Config, folder: Path) -> None:
    binary = terraform.find_binary(data_dir())
    if binary is None:
        return
    counter = install_counter(folder, binary)
    os.environ["BLUEGREEN_TERRAFORM_BIN"] = str(counter)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
    config.stash[COUNTER] = folder


def _count(config: pytest.Config) -> int:
    folder = config.stash.get(COUNTER, None)
    return count_commands(folder).total() if folder else 0
