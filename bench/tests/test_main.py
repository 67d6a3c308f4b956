"""The command, with a machine that is stood in for."""

import json
from contextlib import contextmanager

import pytest

from bench import __main__ as command
from bench.figures import MEASURED_BY, Figure, Goal
from infra.local.errors import LocalError
from infra.local.supervisor import StopAsked


def measure(name: str) -> Figure:
    return Figure(name=name, value=0.5, unit="s", samples=1, goal=Goal(on="value", at_most=0.1))


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUEGREEN_DATA_DIR", str(tmp_path))
    return lambda: [figure["name"] for figure in json.loads((tmp_path / "bench.json").read_text())]


@pytest.fixture
def machine(monkeypatch):
    def use(measure) -> None:
        @contextmanager
        def running_machine():
            yield measure

        monkeypatch.setattr(command, "running_machine", running_machine)

    return use


def fail_after(first: str, error: Exception):
    def failing(name: str) -> Figure:
        if name != first:
            raise error
        return measure(name)

    return failing


def test_all_figures_are_measured_and_written(machine, written):
    machine(measure)

    assert command.main([]) == 0
    assert written() == list(MEASURED_BY)


def test_goal_that_is_missed_is_said_and_fails_nothing(machine, written, capsys):
    machine(measure)

    assert command.main(["sandbox"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("MISSED")
    assert written() == ["sandbox"]


def test_figure_that_cannot_be_measured_takes_nothing_away(machine, written, capsys):
    machine(fail_after("sandbox", LocalError("the worker ended")))

    assert command.main([]) == 1
    assert "Not measured: the worker ended" in capsys.readouterr().err
    assert written() == ["sandbox"]


def test_interrupt_is_no_error_of_the_program(machine, written, capsys):
    machine(fail_after("sandbox", StopAsked()))

    assert command.main([]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_unknown_figure_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit):
        command.main(["speed"])

    assert "emergency-p99" in capsys.readouterr().err
