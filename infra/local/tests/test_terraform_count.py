import subprocess

import pytest

from infra.local.terraform_count import count_commands, install_counter


@pytest.fixture
def echo(tmp_path):
    """In the place of Terraform: prints its arguments and its process id, and ends with exit code 2."""
    program = tmp_path / "echo terraform"
    program.write_text('#!/bin/sh\necho "$# $* $$"\nexit 2\n')
    program.chmod(0o755)
    return program


def test_commands_are_counted_and_run_as_they_were_given(tmp_path, echo):
    script = install_counter(tmp_path / "counted", echo)

    process = subprocess.Popen([script, "-chdir=a b", "plan", "-out=x y"], stdout=subprocess.PIPE, text=True)
    output, _ = process.communicate()

    assert output == f"3 -chdir=a b plan -out=x y {process.pid}\n"
    assert process.returncode == 2
    assert count_commands(tmp_path / "counted") == {"plan": 1}


def test_only_commands_that_cost_time_are_counted(tmp_path, echo):
    script = install_counter(tmp_path / "counted", echo)

    for command in ("init", "plan", "show", "apply", "validate", "test", "version", "fmt", "output", "plan"):
        subprocess.run([script, command], stdout=subprocess.DEVNULL)

    assert count_commands(tmp_path / "counted").total() == 7


def test_nothing_is_counted_before_the_first_command(tmp_path, echo):
    install_counter(tmp_path / "counted", echo)

    assert count_commands(tmp_path / "counted").total() == 0
