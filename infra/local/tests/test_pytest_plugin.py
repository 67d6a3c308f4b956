"""Sessions of pytest within the test: each is a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.paths import ROOT

pytestmark = pytest.mark.process

INHERITED = ("PATH", "HOME", "DATABASE_URL", "BLUEGREEN_TERRAFORM_BIN")
USES_TERRAFORM = """
import subprocess
def test_it():
    subprocess.run(["terraform", "validate"])
    subprocess.run(["terraform", "validate"])
"""


def run_session(
    folder: Path, test: str, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs ``test`` with the plugin; the database of the outer session is used unless ``environment`` takes it away."""
    (folder / "test_inner.py").write_text(test)
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    plugins = ("-p", "infra.local.pytest_plugin", "-p", "xdist", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rootdir", folder, *options, folder],
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        cwd=folder,
    )


@pytest.fixture
def terraform_path(tmp_path) -> str:
    """A PATH whose Terraform does nothing."""
    program = tmp_path / "bin/terraform"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho Terraform v1.11.4\n")
    program.chmod(0o755)
    return f"{program.parent}:{os.environ['PATH']}"


def test_session_within_its_budget_says_how_much_of_it_was_used(tmp_path, terraform_path):
    session = run_session(
        tmp_path, USES_TERRAFORM, "--terraform-budget=2", PATH=terraform_path, BLUEGREEN_TERRAFORM_BIN=""
    )

    assert session.returncode == 0
    assert "Terraform commands: 2 of at most 2" in session.stdout


def test_session_over_its_budget_fails(tmp_path, terraform_path):
    session = run_session(
        tmp_path, USES_TERRAFORM, "--terraform-budget=1", PATH=terraform_path, BLUEGREEN_TERRAFORM_BIN=""
    )

    assert session.returncode == 1
    assert "Terraform commands: 2 of at most 1" in session.stdout


def test_session_has_a_database_of_its_own_that_is_gone_afterwards(tmp_path):
    test = "import os\ndef test_it(): print(os.environ['DATABASE_URL'], os.environ['BLUEGREEN_DATA_DIR'])"

    session = run_session(tmp_path, test, "-s", DATABASE_URL="")

    assert session.returncode == 0, session.stdout + session.stderr
    url = next(word for word in session.stdout.split() if word.startswith("postgres://"))
    socket_folder = Path(url.removeprefix("postgres://bluegreen@/")).parent
    assert not socket_folder.exists()


def test_workers_share_the_database_and_have_data_directories_of_their_own(tmp_path):
    test = (
        "import os, pathlib, pytest\n"
        "@pytest.mark.parametrize('n', range(2))\n"
        "def test_it(n, worker_id):\n"
        "    variables = os.environ['DATABASE_URL'], os.environ['BLUEGREEN_DATA_DIR']\n"
        "    pathlib.Path(__file__).with_name(worker_id).write_text('\\n'.join(variables))\n"
    )

    session = run_session(tmp_path, test, "--numprocesses=2", "--dist=each")

    assert session.returncode == 0, session.stdout + session.stderr
    urls, folders = zip(*[(tmp_path / f"gw{n}").read_text().split("\n") for n in range(2)], strict=True)
    assert len(set(urls)) == 1
    assert len(set(folders)) == 2


LEAVES_OUT = """
import pytest
def test_left_out(): pytest.skip("there is no Redis here")
@pytest.mark.skipif(True, reason="only elsewhere")
def test_marked(): ...
def test_done(): ...
"""


def test_what_a_machine_cannot_run_is_left_out(tmp_path):
    session = run_session(tmp_path, LEAVES_OUT)

    assert session.returncode == 0
    assert "1 passed, 2 skipped" in session.stdout


def test_where_nothing_may_be_left_out_that_fails_with_its_reason(tmp_path):
    session = run_session(tmp_path, LEAVES_OUT, "--leave-nothing-out")

    assert session.returncode == 1
    assert "1 passed" in session.stdout
    for reason in ("there is no Redis here", "only elsewhere"):
        assert f"{reason}\nNothing may be left out here" in session.stdout
