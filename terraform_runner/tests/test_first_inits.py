"""Twenty first runs at once on a machine whose cache of providers is empty."""

import multiprocessing
import uuid
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from terraform_runner import executor
from terraform_runner.executor import RunnerSettings, Workspace
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState
from terraform_runner.tests.support import RecordingControl, encrypted, stand_in

PROCESSES, THREADS = 4, 5
# As Terraform does, it breaks if another one fills the cache meanwhile; unlike it, it always notices.
INIT = """
import json, os, sys, time
verb = sys.argv[1]
if verb == "version":
    print(json.dumps({"terraform_version": "1.11.4"}))
elif verb == "init":
    cache = open(os.environ["TF_CLI_CONFIG_FILE"]).read().split('"')[1]
    os.mkdir(cache + "/being-filled")
    time.sleep(0.05)
    os.rmdir(cache + "/being-filled")
    os.makedirs(os.environ["TF_DATA_DIR"])
    open(os.path.join(cache, "filled"), "a").write("x")
elif verb == "plan":
    out = next(word for word in sys.argv if word.startswith("-out="))
    open(out.removeprefix("-out="), "w").write("a plan")
elif verb == "show":
    print(json.dumps({"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []}))
"""


def plan(folder: Path, number: int) -> str:
    """The first plan of a workspace of its own; the digest of what came of it."""
    settings = RunnerSettings(
        binary=str(folder / "terraform"),
        data_root=folder / "data",
        plans=PlanStore(encrypted(folder, "plans")),
        unsaved_states=encrypted(folder, "unsaved"),
        mirror=None,
        time_limit_seconds=300,
        grace_seconds=5,
        lock_timeout_seconds=1,
    )
    workspace = Workspace(
        key=str(number),
        root={},
        variables={},
        modules={},
        environment={},
        state=LocalState(folder=folder / "states" / str(number)),
        secrets=(),
    )
    planned = executor.plan(
        run_id=uuid.uuid4(), workspace=workspace, settings=settings, control=RecordingControl()
    )
    return planned.plan_sha256


def plan_several(folder: Path, first: int) -> list[str]:
    """What one worker process does."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(partial(plan, folder), range(first, first + THREADS)))


@pytest.mark.fault
def test_twenty_first_runs_at_once_in_several_processes_all_succeed(tmp_path):
    stand_in(tmp_path, INIT)
    firsts = range(0, PROCESSES * THREADS, THREADS)

    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        planned = [
            digest for several in pool.map(partial(plan_several, tmp_path), firsts) for digest in several
        ]

    assert len(planned) == 20
    assert (tmp_path / "data" / "providers" / "filled").read_text() == "x" * 20
    assert len(list((tmp_path / "data" / "prepared").iterdir())) == 20
    assert list((tmp_path / "data" / "working").iterdir()) == []
