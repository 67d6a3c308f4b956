import errno
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from terraform_runner.domain import log_bounds
from terraform_runner.errors import StorageFailed
from terraform_runner.whole_log import WholeLog, read_compressed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "run.log"


@pytest.fixture
def stored() -> list[bytes]:
    return []


@pytest.fixture
def log(path: Path, stored: list[bytes]) -> WholeLog:
    return WholeLog(path, keep=stored.append)


def text(kept: bytes) -> str:
    return b"".join(read_compressed(kept)).decode()


def test_all_lines_go_to_the_store_when_the_run_has_ended(log, path, stored):
    log.write(["one", "zwölf"])
    log.write(["three"])
    assert stored == []

    assert log.close() == ""

    assert [text(kept) for kept in stored] == ["one\nzwölf\nthree\n"]
    assert not path.exists()


def test_the_file_is_private_and_never_a_link(log, path, tmp_path):
    log.write(["one"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    other = WholeLog(path, keep=lambda _: None)
    other.write(["two"])
    assert "could not be kept" in other.close()
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_that_printed_nothing_keeps_nothing(log, stored):
    assert log.close() == ""
    assert stored == []


def test_what_a_killed_process_has_left_goes_to_the_store_too(log, path, stored):
    log.write(["one", "two"])

    WholeLog(path, keep=stored.append).close()

    assert [text(kept) for kept in stored] == ["one\ntwo\n"]


def test_a_log_that_is_too_big_is_cut_with_a_line_that_says_so(log, stored, monkeypatch):
    monkeypatch.setattr(log_bounds, "WHOLE_BYTES", 2_000_000)
    log = WholeLog(log._path, keep=stored.append)
    for _ in range(40):
        log.write(["x" * 99] * 1_000)
    log.write(["the end"])

    log.close()

    lines = text(stored[0]).splitlines()
    assert "… (cut here: 2 MB of a log are kept; these are the last lines)" in lines
    assert lines[-1] == "the end"
    assert len(text(stored[0])) < 2_020_000


def failing(error: Exception) -> Callable[[bytes], None]:
    def keep(_: bytes) -> None:
        raise error

    return keep


@pytest.mark.fault
@pytest.mark.parametrize(
    "error", [StorageFailed("S3 did not answer."), OSError(errno.ENOSPC, "No space left on device")]
)
def test_a_store_that_does_not_take_it_is_told_and_nothing_is_lost(path, error):
    log = WholeLog(path, keep=failing(error))
    log.write(["one"])

    problem = log.close()

    assert str(error) in problem
    assert str(path) in problem
    assert path.read_text() == "one\n"


@pytest.mark.fault
def test_a_full_disk_ends_the_log_and_not_the_run(log, monkeypatch, stored):
    log.write(["one"])

    class Full:
        def write(self, _: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            """Nothing is left to write."""

    monkeypatch.setattr(log, "_file", Full())
    log.write(["two"])
    log.write(["three"])

    assert log.close() == "(The whole log could not be kept: No space left on device.)"
    assert text(stored[0]) == "one\n"


def test_a_kept_log_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr("terraform_runner.whole_log.READ_BYTES", 4)

    assert list(read_compressed(gzip.compress(b"123456"))) == [b"1234", b"56"]
