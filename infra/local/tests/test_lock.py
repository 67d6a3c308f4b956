import subprocess
import sys

import pytest

from infra.local import lock
from infra.local.errors import LocalError
from infra.local.lock import only_one


def test_second_start_on_the_same_data_is_refused_and_told_who_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0)

    with (
        only_one(tmp_path, "process 7, http://127.0.0.1:8000"),
        pytest.raises(LocalError, match=r"already runs on .*: process 7, http://127.0.0.1:8000"),
        only_one(tmp_path, "process 8"),
    ):
        pass


def test_data_is_free_again_after_the_end(tmp_path):
    for about in ("first", "second"):
        with only_one(tmp_path, about):
            assert (tmp_path / "run.lock").read_text() == about


def test_lock_lasts_until_everybody_who_was_handed_it_has_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0)
    with only_one(tmp_path, "killed") as descriptor:
        heir = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor]
        )

    with pytest.raises(LocalError), only_one(tmp_path, "too early"):
        pass
    heir.communicate(b"\n")
    with only_one(tmp_path, "now"):
        pass
