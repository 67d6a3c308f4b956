import os
from pathlib import Path

import pytest

from terraform_runner import cli
from terraform_runner.errors import TerraformMissing, TerraformTooOld
from terraform_runner.tests.support import TERRAFORM, stand_in
from terraform_runner.working_dir import WorkingDirectory

VERSION = 'print(\'{{"terraform_version": "{}"}}\')'


def test_named_terraform_is_found_with_its_version(tmp_path):
    program = stand_in(tmp_path, TERRAFORM)

    assert cli.find_terraform(program) == cli.Installation(binary=program, version="1.11.4")


def test_terraform_on_path_is_found(tmp_path, monkeypatch):
    program = stand_in(tmp_path, VERSION.format("1.12.0-rc1"))
    monkeypatch.setenv("PATH", str(tmp_path))

    assert cli.find_terraform(None).binary == program


def test_version_is_asked_for_once(tmp_path):
    program = stand_in(
        tmp_path, "open('" + str(tmp_path / "asked") + "', 'a').write('x')\n" + VERSION.format("1.10.0")
    )

    cli.find_terraform(program)
    cli.find_terraform(program)

    assert (tmp_path / "asked").read_text() == "x"


@pytest.mark.parametrize("version", ["0.15.5", "1.9.8"])
def test_older_terraform_is_refused_by_its_version(tmp_path, version):
    with pytest.raises(TerraformTooOld, match=version):
        cli.find_terraform(stand_in(tmp_path, VERSION.format(version)))


def test_absent_terraform_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TerraformMissing, match="BLUEGREEN_TERRAFORM_BIN"):
        cli.find_terraform(None)


def test_file_that_is_not_executable_is_missing(tmp_path):
    Path(stand_in(tmp_path, TERRAFORM)).chmod(0o600)

    with pytest.raises(TerraformMissing):
        cli.find_terraform(str(tmp_path / "terraform"))


def test_program_that_is_something_else_is_missing(tmp_path):
    with pytest.raises(TerraformMissing):
        cli.find_terraform(stand_in(tmp_path, "raise SystemExit('usage: ...')"))


@pytest.mark.parametrize(
    "name",
    [
        "TF_CLI_ARGS",
        "TF_CLI_ARGS_plan",
        "TF_VAR_green_weight",
        "TF_LOG",
        "AWS_PROFILE",
        "DATABASE_URL",
        "LD_PRELOAD",
    ],
)
def test_workers_environment_is_not_seen_by_terraform(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "from the worker")

    assert name not in cli.environment(WorkingDirectory(path=tmp_path), {})


def test_environment_stays_within_the_working_directory(tmp_path):
    environment = cli.environment(WorkingDirectory(path=tmp_path), {"AWS_REGION": "eu-central-1"})

    for name in ("HOME", "TF_DATA_DIR", "TF_CLI_CONFIG_FILE"):
        assert Path(environment[name]).is_relative_to(tmp_path)
    assert environment["TMPDIR"] == str(WorkingDirectory(path=tmp_path).temporary)
    assert environment["AWS_REGION"] == "eu-central-1"
    assert environment["PATH"] != os.environ["PATH"]


def test_way_to_the_outside_is_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")

    assert cli.environment(WorkingDirectory(path=tmp_path), {})["HTTPS_PROXY"] == "http://proxy:3128"


def test_mirror_is_the_only_source_of_providers():
    text = cli.cli_configuration(mirror=Path('/srv/"mirror"'), cache_folder=Path("/cache")).decode()

    assert 'path = "/srv/\\"mirror\\""' in text
    assert "direct" not in text
    assert "cache" not in text


def test_without_a_mirror_providers_come_through_the_cache():
    text = cli.cli_configuration(mirror=None, cache_folder=Path("/cache")).decode()

    assert text == 'plugin_cache_dir = "/cache"\n'
