from pathlib import Path

import pytest

from terraform_runner import capacity

GB = 2**30


@pytest.mark.parametrize(
    ("memory", "processors", "runs"),
    [(1 * GB, 8, 1), (2 * GB, 8, 1), (4 * GB, 8, 4), (4 * GB, 2, 2), (16 * GB, 64, 24), (0, 1, 1)],
)
def test_as_many_runs_as_there_is_memory_for_and_not_more_than_processors(
    monkeypatch, memory, processors, runs
):
    monkeypatch.setattr(capacity, "memory_bytes", lambda: memory)
    monkeypatch.setattr(capacity, "processors", lambda: processors)

    assert capacity.runs_at_once() == runs


def test_this_machine_can_run_something():
    assert capacity.processors() >= 1
    assert capacity.memory_bytes() > 100 * 2**20


@pytest.mark.parametrize(
    ("limits", "bytes_"),
    [
        ({}, 64 * GB),
        ({"memory.max": "max"}, 64 * GB),
        ({"memory.max": f"{2 * GB}\n"}, 2 * GB),
        ({"../memory.max": f"{3 * GB}\n", "memory.max": "max\n"}, 3 * GB),
        ({"memory.limit_in_bytes": f"{4 * GB}\n"}, 4 * GB),
        ({"memory.limit_in_bytes": "9223372036854771712\n"}, 64 * GB),
    ],
)
def test_container_has_the_memory_that_it_may_use(monkeypatch, tmp_path, limits, bytes_):
    own = tmp_path / "pod/container"
    own.mkdir(parents=True)
    for name, value in limits.items():
        (own / name).write_text(value)
    monkeypatch.setattr(capacity, "_groups", lambda: iter([own, own.parent]))
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"total": 64 * GB}))

    assert capacity.memory_bytes() == bytes_


@pytest.mark.parametrize(
    ("lines", "groups"),
    [
        ("0::/pod/container\n", ["pod/container", "pod", ""]),
        ("4:memory:/pod\n3:cpu:/other\n", ["memory/pod", "memory"]),
        ("0::/\n", [""]),
    ],
)
def test_groups_are_the_own_one_and_those_above_it(monkeypatch, lines, groups):
    monkeypatch.setattr(Path, "read_text", lambda _: lines)

    assert list(capacity._groups()) == [capacity.CGROUPS / group for group in groups]


def test_system_without_control_groups_has_no_limits(monkeypatch):
    def absent(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", absent)

    assert list(capacity._limits()) == []
